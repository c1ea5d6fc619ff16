"""MQTT 5 by aiomqtt: events from the outbox, retained states, the status of the daemon."""
