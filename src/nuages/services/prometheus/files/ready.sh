#!/bin/bash
# Tells whether Prometheus answers that it is ready. Arguments: the port, and the file with the login in base64.
set -eu
exec 3<>"/dev/tcp/127.0.0.1/$1"
printf 'GET /-/ready HTTP/1.0\r\nAuthorization: Basic %s\r\n\r\n' "$(<"$2")" >&3
read -r answer <&3
[[ $answer = *" 200 "* ]]
