# Where everything is: Debian's own scripts hold /usr/lib/erlang, and the packages are not unpacked there.
# Argument: the server's own folder.
HOME=$1
ROOTDIR=/opt/rabbitmq/usr/lib/erlang
BINDIR=$(echo "$ROOTDIR"/erts-*/bin)
ERL_EPMD_PORT=4369
export HOME ROOTDIR BINDIR ERL_EPMD_PORT EMU=beam PROGNAME=erl LANG=C.UTF-8 ERL_CRASH_DUMP=/dev/null
