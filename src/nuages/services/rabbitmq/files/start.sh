#!/bin/sh
# Runs RabbitMQ in front. Argument: the server's own folder.
set -eu
. /opt/nuages/environment.sh
umask 077

# One server for these data, also across pods: the server and what it starts inherit the lock.
exec 9>"$HOME/lock"
if ! flock --timeout 20 9; then
    echo "another server still uses these data" >&2
    exit 1
fi

if [ ! -s "$HOME/.erlang.cookie" ]; then
    head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n' >"$HOME/.erlang.cookie.new"
    chmod 400 "$HOME/.erlang.cookie.new"
    mv "$HOME/.erlang.cookie.new" "$HOME/.erlang.cookie"
fi
[ -s "$HOME/enabled_plugins" ] || echo '[].' >"$HOME/enabled_plugins"

# Made anew when the source or Erlang is another one.
source=/opt/nuages/nuages_previous.erl
code=$HOME/code-$(echo "$BINDIR" | cat - "$source" | cksum | tr ' ' -)
if [ ! -d "$code" ]; then
    rm -rf "$HOME"/code-* "$HOME/new"
    mkdir "$HOME/new"
    "$BINDIR/erlexec" -noinput -boot start_clean -eval "
        halt(case compile:file(\"$source\", [{outdir, \"$HOME/new\"}, report, warnings_as_errors]) of
            {ok, _} -> 0; _ -> 1 end)."
    mv "$HOME/new" "$code"
fi

# The code path is what the broker itself needs: Erlang looks through all of it for every module, and with all of the
# plugins that Debian ships the start takes four times as long. A plugin that is enabled is found in the second folder.
export ERL_LIBS=/opt/nuages/core RABBITMQ_PLUGINS_DIR=/opt/nuages/plugins
export RABBITMQ_HOME="$(echo /opt/rabbitmq/usr/lib/rabbitmq/lib/rabbitmq_server-*)"
export RABBITMQ_CONFIG_FILE=/opt/nuages/rabbitmq.conf RABBITMQ_ENABLED_PLUGINS_FILE="$HOME/enabled_plugins"
export RABBITMQ_CONF_ENV_FILE=/dev/null RABBITMQ_GENERIC_DATA_DIR="$HOME" RABBITMQ_MNESIA_BASE="$HOME/mnesia"
export RABBITMQ_LOG_BASE="$HOME/log" RABBITMQ_LOGS=- RABBITMQ_NODENAME=rabbit@localhost RABBITMQ_DIST_PORT=25672
export ERL_MAX_ETS_TABLES=50000 ERL_MAX_PORTS=65536
mkdir -p "$RABBITMQ_MNESIA_BASE" "$RABBITMQ_LOG_BASE"

# Two schedulers: each has memory of its own, and a machine may have many cores. No busy waiting: it is idle mostly.
exec "$BINDIR/erlexec" -noinput -s rabbit boot -boot start_sasl -pa "$code" \
    +W w +S 2:2 +SDcpu 2:2 +A 1 +sbwt none +sbwtdcpu none +sbwtdio none +B i \
    -syslog logger '[]' -syslog syslog_error_logger false \
    -kernel prevent_overlapping_partitions false -kernel inet_dist_use_interface '{127,0,0,1}'
