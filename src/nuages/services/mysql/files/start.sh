#!/bin/sh
# Runs MariaDB in front; the first time it makes the system tables. Arguments: folder of the data, then settings.
set -eu
home=$1
shift
. /opt/nuages/program.sh
export LD_LIBRARY_PATH="$LIBRARIES"
umask 077

# One server for these data, also across pods: every process of the server inherits the lock.
exec 9>"$home/lock"
if ! flock --timeout 20 9; then
    echo "another server still uses these data" >&2
    exit 1
fi

version=$("$SERVER" --no-defaults --version | sed 's/.*Ver \([0-9]*\.[0-9]*\)\..*/\1/')
if [ ! -d "$home/data" ]; then
    rm -rf "$home/new"
    mkdir "$home/new"
    for prefix in mariadb mysql; do
        [ ! -f "$SHARE/${prefix}_system_tables.sql" ] || tables="$SHARE/$prefix"
    done
    # One statement a line: of what follows another one on its line, bootstrapping drops the rest. No password lets
    # root in; who it is, and who may administer, is said below at each start.
    {
        echo "CREATE DATABASE mysql;"
        echo "USE mysql;"
        echo "SET @skip_auth_anonymous_user=1, @auth_root_socket=NULL, @auth_root_authentication='invalid';"
        cat "${tables}_system_tables.sql" "${tables}_performance_tables.sql" "${tables}_system_tables_data.sql"
    } | "$SERVER" --no-defaults --basedir="$BASE" --lc-messages-dir="$SHARE" --datadir="$home/new" \
        --bootstrap --innodb-buffer-pool-size=8M --innodb-log-file-size=16M --innodb-use-native-aio=0 \
        --innodb-flush-log-at-trx-commit=0 --log-warnings=0 >&2
    echo "$version" >"$home/version"
    mv "$home/new" "$home/data"
fi
made=$(cat "$home/version")
if [ "$made" != "$version" ]; then
    echo "these data are of MariaDB $made, this is $version" >&2
    exit 1
fi

# The servers' user and the container's root administer by the socket, without a password; nobody does over the network.
cat >"$home/init.sql" <<END
CREATE USER IF NOT EXISTS '_daemon_'@localhost IDENTIFIED VIA unix_socket;
GRANT ALL PRIVILEGES ON *.* TO '_daemon_'@localhost WITH GRANT OPTION;
DELETE FROM mysql.global_priv WHERE User = 'root' AND Host <> 'localhost';
FLUSH PRIVILEGES;
END
# Left by a server that was killed: its number may now be another process's.
rm -f "$home/pid"
exec "$SERVER" --no-defaults --basedir="$BASE" --lc-messages-dir="$SHARE" --datadir="$home/data" \
    --pid-file="$home/pid" --init-file="$home/init.sql" "$@"
