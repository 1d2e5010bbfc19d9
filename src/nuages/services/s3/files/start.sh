#!/bin/sh
# Runs the object store in front, with the administrator's keys out of a file of its own.
# Arguments: home, program, address to listen on, region, with TLS the folder of certificate.pem and key.pem.
set -eu
umask 077
home=$1
program=$2
port=$3
region=$4
tls=${5:-}
set --
[ -z "$tls" ] || set -- --cert "$tls/certificate.pem" --key "$tls/key.pem"
{ read -r ROOT_ACCESS_KEY && read -r ROOT_SECRET_KEY; } <"$home/control"
export ROOT_ACCESS_KEY ROOT_SECRET_KEY
mkdir -p "$home/buckets" "$home/meta" "$home/versions" "$home/iam"
# Metadata beside the objects, not in extended attributes: not every file system has those.
exec "$program" --port "$port" --region "$region" --iam-dir "$home/iam" --iam-cache-disable --health /health --quiet "$@" \
    posix --sidecar "$home/meta" --versioning-dir "$home/versions" "$home/buckets"
