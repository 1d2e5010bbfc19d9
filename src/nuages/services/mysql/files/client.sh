#!/bin/sh
# Runs MariaDB's client; without arguments, as the servers' user by the socket, for our own scripts.
. /opt/nuages/program.sh
export LD_LIBRARY_PATH="$LIBRARIES"
if [ $# -eq 0 ]; then
    set -- --batch --skip-column-names --socket=/tmp/mysqld.sock
fi
exec "$CLIENT" --no-defaults --default-character-set=utf8mb4 "$@"
