#!/bin/sh
# Starts SeaweedFS with the accounts of compose.yaml and the rights that docker/minio/*.json give them. Only S3 listens to others: its
# other servers ask nobody for a key.
set -eu
umask 077

# account NAME SECRET ACTION…
account() {
  printf '{"name":"%s","credentials":[{"accessKey":"%s","secretKey":"%s"}],"actions":[' "$1" "$1" "$(cat "/run/secrets/$2")"
  shift 2
  printf '"%s"' "$1"
  shift
  [ $# -eq 0 ] || printf ',"%s"' "$@"
  printf ']}'
}

{
  printf '{"identities":['
  account minioadmin minio_root_password Admin
  printf ,
  account pipeline s3_pipeline_secret_key List:data "Read:data/zone_01_raw/*" \
    "Read:data/zone_02_curated/*" "Write:data/zone_02_curated/*" \
    "Read:data/zone_03_provision/*" "Write:data/zone_03_provision/*" "Write:data/runs/*"
  printf ,
  account feed s3_feed_secret_key List:data "Write:data/zone_01_raw/*"
  printf ,
  account spark s3_spark_secret_key List:data "Read:data/zone_01_raw/*" "Read:data/zone_02_curated/*" \
    "Read:data/zone_03_provision/*" "Write:data/zone_02_curated/_staging/*"
  printf ']}\n'
} >/tmp/s3.json

exec weed server -dir=/data -ip=127.0.0.1 -ip.bind=127.0.0.1 -filer -s3 -s3.ip.bind=0.0.0.0 -s3.port=9000 \
  -s3.port.iceberg=0 -s3.port.lance=0 -s3.config=/tmp/s3.json -master.volumeSizeLimitMB=1024 -volume.max=0 \
  -master.telemetry=false
