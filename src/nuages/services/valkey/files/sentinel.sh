#!/bin/sh
# Runs Sentinel in front. Arguments: directory of the data, the program.
set -eu
umask 077

# It writes what it learns into its configuration; with one server there is nothing worth to remember.
cp "$1/sentinel.base" "$1/sentinel.conf"
exec "$2" "$1/sentinel.conf" --sentinel
