#!/bin/bash
# Tells whether the object store answers. Arguments: its port, and with TLS the file of the authorities to trust.
set -eu
if [ $# = 1 ]; then
    exec 3<>"/dev/tcp/127.0.0.1/$1"
    printf 'GET /health HTTP/1.0\r\n\r\n' >&3
else
    exec 3< <(printf 'GET /health HTTP/1.0\r\n\r\n' |
        openssl s_client -quiet -ign_eof -verify_return_error -verify_ip 127.0.0.1 -CAfile "$2" \
            -connect "127.0.0.1:$1" 2>/dev/null)
fi
read -r answer <&3
[[ $answer = *" 200 "* ]]
