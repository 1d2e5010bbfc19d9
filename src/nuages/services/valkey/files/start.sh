#!/bin/sh
# Runs Valkey in front. Arguments: directory of the data, then the program and its settings.
set -eu
data=$1
shift
umask 077

# One server for these data, also across pods: the server and what it forks inherit the lock.
exec 9>"$data/lock"
if ! flock --timeout 20 9; then
    echo "another server still uses these data" >&2
    exit 1
fi
exec "$@" --dir "$data" --aclfile "$data/users.acl"
