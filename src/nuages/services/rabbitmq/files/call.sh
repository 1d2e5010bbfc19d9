#!/bin/sh
# Runs the Erlang on the standard input in the broker and prints what that prints. The cookie is in the server's folder.
# Argument: the server's own folder.
set -eu
. /opt/nuages/environment.sh
exec "$ROOTDIR/bin/erl_call" -address localhost:25672 -timeout 20 -e -fetch_stdout -no_result_term
