#!/bin/bash
# Asks the server as our own user and prints its answer's line; with `ready`, only tells whether it answers. The wheel
# has no client. Arguments: directory of the data, port, `ready` or nothing (then the command is the standard input).
set -eu
exec 3<>"/dev/tcp/127.0.0.1/$2"
if [ "${3-}" = ready ]; then command=PING; else read -r command; fi
printf 'AUTH nuages %s\r\n%s\r\n' "$(cat "$1/control")" "$command" >&3
read -r _ <&3
read -r answer <&3
printf '%s\n' "$answer"
[ "${3-}" != ready ] || [[ $answer = +PONG* ]]
