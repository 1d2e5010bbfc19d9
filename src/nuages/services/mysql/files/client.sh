#!/bin/sh
# Runs MariaDB's client; without arguments, as the servers' user by the socket, for our own scripts.
. /opt/nuages/program.sh
export LD_LIBRARY_PATH="$LIBRARIES"
if [ $# -eq 0 ]; then
    set -- --batch --skip-column-names --socket=/tmp/mysqld.sock
fi
# No TLS: the server has none, and the client of 11.4 would not connect without it.
exec "$CLIENT" --no-defaults --skip-ssl --default-character-set=utf8mb4 "$@"
