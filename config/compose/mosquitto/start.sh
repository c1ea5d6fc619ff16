#!/bin/sh
# Writes the passwords of the environment for the broker, then becomes the broker.
set -eu
passwords=/etc/mosquitto/callflow.passwords
: > "$passwords"
chmod 600 "$passwords"
mosquitto_passwd -b "$passwords" callflow "$CALLFLOW_MQTT__PASSWORD"
mosquitto_passwd -b "$passwords" watcher "$WATCHER_PASSWORD"
exec mosquitto -c /etc/mosquitto/mosquitto.conf
