#!/bin/sh
# Tells whether the server takes connections.
echo 'SELECT 1' | /bin/sh /opt/nuages/client.sh >/dev/null 2>&1
