#!/bin/sh
# Runs PostgreSQL in front; the first time it makes the cluster, or copies the primary's.
# Arguments: directory of the programs, directory of the data, major version, then settings for postgres.
# Variables of a replica: PRIMARY (a connection string), SLOT there, TOKEN of the copy that the slot is for.
set -eu
bin=$1
home=$2
major=$3
shift 3
umask 077

# One server for these data, also across pods: every process of the server inherits the lock, so that it is free only
# when the last of them has gone.
exec 9>"$home/lock"
if ! flock --timeout 20 9; then
    echo "another server still uses these data" >&2
    exit 1
fi

if [ -n "$PRIMARY" ] && [ "$(cat "$home/token" 2>/dev/null)" != "$TOKEN" ]; then
    rm -rf "$home/new" "$home/$major" "$home/token"
    "$bin/pg_basebackup" -d "$PRIMARY" -D "$home/new" -S "$SLOT" -X stream -c fast -R >&2
    mv "$home/new" "$home/$major"
    printf %s "$TOKEN" >"$home/token"
fi
if [ ! -d "$home/$major" ]; then
    for other in "$home"/[0-9]*; do
        if [ -d "$other" ]; then
            echo "these data are of PostgreSQL ${other##*/}, this is $major" >&2
            exit 1
        fi
    done
    rm -rf "$home/new"
    # No password: only peer authentication inside the pod lets this superuser in.
    "$bin/initdb" -D "$home/new" -U postgres --auth-local=peer --auth-host=scram-sha-256 \
        -E UTF8 --locale-provider=builtin --locale=C.UTF-8 >&2
    mv "$home/new" "$home/$major"
fi
# Left by a server that was killed: its number may now be another process's. Whoever holds the lock is alone.
rm -f "$home/$major/postmaster.pid"

"$bin/postgres" -D "$home/$major" "$@" &
server=$!
# Pebble stops with TERM, on which PostgreSQL would wait for its clients to leave; INT ends their sessions.
trap 'kill -INT "$server" 2>/dev/null || :' TERM INT
status=0
wait "$server" || status=$?
while kill -0 "$server" 2>/dev/null; do
    status=0
    wait "$server" || status=$?
done
exit "$status"
