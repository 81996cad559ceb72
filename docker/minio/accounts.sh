#!/bin/sh
# Makes the bucket and the accounts of MinIO, each with its policy beside this file. Safe to repeat. With arguments, runs mc with them
# as the root account instead: docker compose run --rm buckets ls --recursive store/data
set -eu
MC_HOST_store="http://minioadmin:$(cat /run/secrets/minio_root_password)@s3:9000"
export MC_HOST_store
[ $# -eq 0 ] || exec mc "$@"

mc mb --ignore-existing store/data
for account in pipeline feed spark; do
  mc admin policy create store "$account" "/accounts/$account.json"
  # By standard input: arguments show in the list of processes.
  printf '%s\n' "$account" "$(cat "/run/secrets/s3_${account}_secret_key")" | mc admin user add store
  said="$(mc admin policy attach store "$account" --user "$account" 2>&1)" || case "$said" in
    *"already in effect"*) ;;
    *) echo "$said" >&2 && exit 1 ;;
  esac
done
