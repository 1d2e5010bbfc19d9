#!/bin/sh
# Prints the certificate signing request of this server; key and request are made once for the same names.
# Arguments: folder, then DNS names and addresses of IPv4, the first of which is the common name.
set -eu
home=$1
shift
umask 077
if [ ! -s "$home/request.pem" ] || [ "$(cat "$home/names" 2>/dev/null)" != "$*" ]; then
    if ! command -v openssl >/dev/null; then
        echo "openssl is missing: sudo apt install openssl" >&2
        exit 1
    fi
    # The pod has no configuration of openssl, and this needs a section for names, if an empty one.
    printf '[req]\ndistinguished_name=name\n[name]\n' >"$home/openssl.cnf"
    alternatives=
    for name; do
        case $name in
        *[!0-9.]*) kind=DNS ;;
        *) kind=IP ;;
        esac
        alternatives=$alternatives${alternatives:+,}$kind:$name
    done
    [ -s "$home/key.pem" ] || openssl genrsa -out "$home/key.pem" 2048 2>"$home/openssl.log"
    if ! openssl req -new -config "$home/openssl.cnf" -key "$home/key.pem" -subj "/CN=$(printf %.63s "$1")" \
        -addext "subjectAltName=$alternatives" -out "$home/request.new" 2>"$home/openssl.log"; then
        echo "cannot ask for a certificate: $(tail -1 "$home/openssl.log")" >&2
        exit 1
    fi
    printf '%s' "$*" >"$home/names"
    mv "$home/request.new" "$home/request.pem"
fi
cat "$home/request.pem"
