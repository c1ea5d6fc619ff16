"""What leaves the daemon: metrics over HTTP, events, live states and alerts over MQTT."""
