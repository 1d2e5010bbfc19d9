#!/bin/bash
# Squid's helper that knows where one may go: reads `[user] source host port`, answers OK or ERR. Arguments: the file of
# lines `user source host port`, and `open` for the ways that need no user.
set -u
while :; do
    if [[ ${2-} == open ]]; then
        read -r source host port _ || exit 0
        user=-
    else
        read -r user source host port _ || exit 0
    fi
    # Squid writes what is special in a URL as %XX: of what a host consists of, the brackets of an IPv6 address.
    host=${host//%5B/[}
    host=${host//%5D/]}
    answer=ERR
    while read -r may from place door; do
        if [[ $may == "$user" && ($from == - || $from == "$source") ]] &&
            [[ ($place == '*' || $place == "${host,,}") && $door == "$port" ]]; then
            answer=OK
        fi
    done <"$1"
    echo "$answer"
done
