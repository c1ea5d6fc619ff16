"""Webhooks: events sent to HTTP receivers, signed, until they are confirmed or refused."""
