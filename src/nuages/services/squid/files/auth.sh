#!/bin/bash
# Squid's helper that knows users: reads `user password`, answers OK or ERR. Passwords change without a word to Squid.
# Argument: the file of lines `user digest until`.
set -u
while read -r user word; do
    digest=$(printf %s "$word" | sha256sum)
    answer=ERR
    while read -r name known until; do
        if [[ $name == "$user" && $known == "${digest%% *}" ]] && ((until == 0 || EPOCHSECONDS < until)); then
            answer=OK
        fi
    done <"$1"
    echo "$answer"
done
