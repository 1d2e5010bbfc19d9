#!/bin/sh
# The certificate authority: one key and one certificate in its folder, made when they are missing or of other names.
# Usage: authority.sh HOME ca SUBJECT DAYS        prints the authority's certificate
#        authority.sh HOME sign DAYS CA           signs the request on stdin; CA is TRUE or FALSE
#        authority.sh HOME lasts SECONDS          succeeds when the certificate on stdin is ours and lasts so long
#        authority.sh HOME forget                 removes key and certificate
set -eu
home=$1
what=$2
shift 2
umask 077
if ! command -v openssl >/dev/null; then
    echo "openssl is missing: sudo apt install openssl" >&2
    exit 1
fi

case $what in
ca)
    if [ "$(cat "$home/made" 2>/dev/null)" != "$1 $2" ]; then
        printf '[req]\ndistinguished_name=name\nprompt=no\n[name]\n%s\n' "$1" >"$home/openssl.cnf"
        openssl req -x509 -config "$home/openssl.cnf" -newkey rsa:2048 -nodes -days "$2" \
            -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign \
            -addext subjectKeyIdentifier=hash -keyout "$home/new.key" -out "$home/new.pem" 2>"$home/openssl.log" || {
            echo "cannot make a certificate: $(tail -1 "$home/openssl.log")" >&2
            exit 1
        }
        rm -f "$home/made"
        mv "$home/new.key" "$home/ca.key"
        mv "$home/new.pem" "$home/ca.pem"
        printf '%s' "$1 $2" >"$home/made"
    fi
    cat "$home/ca.pem"
    ;;
sign)
    printf 'basicConstraints=CA:%s\nauthorityKeyIdentifier=keyid\n' "$2" >"$home/extensions.cnf"
    # Names are the request's; whether it may sign others is not for it to say.
    openssl x509 -req -CA "$home/ca.pem" -CAkey "$home/ca.key" -days "$1" -set_serial "0x$(openssl rand -hex 16)" \
        -copy_extensions copyall -extfile "$home/extensions.cnf" 2>"$home/openssl.log" || {
        echo "cannot sign: $(tail -1 "$home/openssl.log")" >&2
        exit 1
    }
    ;;
lasts)
    certificate=$(cat)
    printf '%s\n' "$certificate" | openssl x509 -noout -checkend "$1" >/dev/null
    printf '%s\n' "$certificate" | openssl verify -CAfile "$home/ca.pem" >/dev/null 2>&1
    ;;
forget)
    rm -f "$home/made" "$home/ca.key" "$home/ca.pem"
    ;;
esac
