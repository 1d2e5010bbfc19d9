#!/bin/sh
# Runs the mail catcher in front; makes a certificate first when it needs one.
# Arguments: home, host name, security (none, starttls or tls), the interpreter, and the rest for it.
set -eu
home=$1
host=$2
security=$3
shift 3
umask 077

if [ "$security" != none ] && [ ! -s "$home/tls.pem" ]; then
    if ! command -v openssl >/dev/null; then
        echo "transport_security=$security needs openssl: sudo apt install openssl" >&2
        exit 1
    fi
    # The pod has no configuration of openssl, and this needs a section for names, if an empty one.
    printf '[req]\ndistinguished_name=name\n[name]\n' >"$home/openssl.cnf"
    if ! openssl req -x509 -config "$home/openssl.cnf" -newkey rsa:2048 -nodes -days 3650 -subj /CN=mail-catcher \
        -addext "subjectAltName=DNS:$host" -keyout "$home/new.pem" -out "$home/certificate.pem" 2>"$home/openssl.log"
    then
        echo "cannot make a certificate: $(tail -1 "$home/openssl.log")" >&2
        exit 1
    fi
    cat "$home/certificate.pem" >>"$home/new.pem"
    mv "$home/new.pem" "$home/tls.pem"
fi
exec "$@"
