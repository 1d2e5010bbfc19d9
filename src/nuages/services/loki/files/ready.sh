#!/bin/bash
# Tells whether the log store on the port answers.
set -eu
exec 3<>"/dev/tcp/127.0.0.1/$1"
printf 'GET /ready HTTP/1.0\r\n\r\n' >&3
read -r answer <&3
[[ $answer = *" 200 "* ]]
