#!/bin/sh
# Runs Erlang's name service in front, for this pod alone: the broker asks it at its start, and would otherwise leave a
# daemon behind. Argument: the server's own folder.
set -eu
. /opt/nuages/environment.sh
exec "$BINDIR/epmd" -address 127.0.0.1
