#!/bin/sh
# Runs Squid in front. Arguments: the server's own folder, the port.
set -eu
export LD_LIBRARY_PATH="$(echo /opt/squid/usr/lib/*-linux-gnu*)"
{
    echo "http_port $2"
    cat /opt/nuages/squid.conf
} >"$1/squid.conf"
cd "$1"
exec /opt/squid/usr/sbin/squid -N -d 0 -f "$1/squid.conf"
