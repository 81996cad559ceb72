#!/bin/sh
# Makes the secrets of compose.yaml at random, each in a file of the folder: docker/make-secrets.sh secrets
# Files that are there stay as they are. Then set SECRETS_DIRECTORY=./secrets in .env, before the first start.
set -eu
folder="${1:?name the folder for the secrets, such as: $0 secrets}"

# Other users of the machine cannot reach the files. Containers can, under any user: Docker mounts each file by itself.
mkdir -p -m 700 "$folder"

random() { od -An -N20 -tx1 /dev/urandom | tr -d ' \n'; }

# write NAME SECRET
write() {
  [ -e "$folder/$1" ] || { printf '%s\n' "$2" >"$folder/$1" && chmod 644 "$folder/$1" && echo "made $folder/$1"; }
}

for name in minio_root_password s3_pipeline_secret_key s3_feed_secret_key s3_spark_secret_key mysql_root_password; do
  write "$name" "$(random)"
done
write pipeline_consumption_url "mysql://pipeline:$(random)@mysql:3306/db"
write api_consumption_url "mysql://user:$(random)@mysql:3306/db"
