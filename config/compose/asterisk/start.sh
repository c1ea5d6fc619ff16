#!/bin/sh
# Runs Asterisk, and runs it again when it crashes: the daemon shares this container's network, and a container that is
# started anew gets another one.
set -eu

: "${CALLFLOW_AMI__SECRET:?is not set: give the AMI secret of the daemon}"

# The project's AMI user with the secret of this site; ";" would begin a comment.
umask 077
awk '/^secret *=/ { secret = ENVIRON["CALLFLOW_AMI__SECRET"]; gsub(/;/, "\\;", secret); $0 = "secret = " secret } 1' \
    /etc/asterisk/manager_callflow.conf > /run/asterisk/manager_callflow.conf
umask 022

asterisk=
stopping=
stop() {
    stopping=yes
    kill -TERM "$asterisk" 2>/dev/null || true
}
trap stop TERM INT

while [ -z "$stopping" ]; do
    asterisk -f -n &
    asterisk=$!
    wait "$asterisk" && code=0 || code=$?
    if [ -n "$stopping" ]; then
        wait "$asterisk" || true
    else
        echo "Asterisk has ended with code $code and is started again" >&2
        sleep 1
    fi
done
