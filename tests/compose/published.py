"""Whether what the daemon published has reached the broker and Prometheus of the compose project."""

from collections.abc import Callable

LISTEN_S = "15"
EVENTS = ("mosquitto_sub", "-u", "watcher", "-P", "only-for-trying-out", "-t", "callflow/v1/main/event/call/screened")
CALLS = "sum(callflow_screened_calls_total) > 0"
PAGE = "from urllib.request import urlopen; print(urlopen('http://127.0.0.1:9811/', timeout=5).read().decode())"
RULES = "count(callflow:trunk_screened:increase1h)"


def not_published(ask: Callable[..., str]) -> list[str]:
    """What is lacking; `ask(service, *command)` runs a command in a service and gives what it printed."""
    lacking = []
    if '"schema":"callflow.call.screened/1"' not in ask("mosquitto", *EVENTS, "-C", "1", "-W", LISTEN_S):
        lacking.append("an event at the broker")
    if "<title>callflow</title>" not in ask("callflow", "python", "-c", PAGE):
        lacking.append("the page in the browser")
    for what, expression in (("calls in Prometheus", CALLS), ("recording rules in Prometheus", RULES)):
        if "=>" not in ask("prometheus", "promtool", "query", "instant", "http://127.0.0.1:9090", expression):
            lacking.append(what)
    return lacking
