"""Real programs for the tests: the Mosquitto broker, Prometheus and promtool."""
