"""What the live stream shows, made from the daemon's sample and the calls under way."""

from collections.abc import Callable, Mapping
from typing import Any

from callflow import __version__
from callflow.adapters.http.sample import Sample


def live_state(
    sample: Sample,
    calls: Mapping[str, Mapping[str, Any]],
    assisted: Callable[[str], Mapping[str, Any]],
    today: Mapping[str, Mapping[str, Any]],
) -> dict[str, Mapping[str, Any]]:
    """Everything by key; `assisted`: what assistance adds to an agent; `today`: the figures of the day by agent.

    Moments are epoch ms, so that the page counts seconds by itself.
    """
    state: dict[str, Mapping[str, Any]] = {"health": _health(sample)}
    for queue in sample.queues:
        state[f"queue/{queue.queue}"] = {
            "queue": queue.queue,
            "waiting": queue.waiting,
            "oldest_ms": queue.oldest_joined_ms,
            "members": {work.value: n for work, n in queue.members.items()},
        }
    for agent in sample.agents:
        state[f"agent/{agent.agent}"] = {
            "agent": agent.agent,
            "work": agent.work.value if agent.work else "logged_off",
            "since_ms": agent.since_ms,
            "reason": agent.reason,
            "queues": list(agent.queues),
            **assisted(agent.agent),
        }
    for agent_number, figures in today.items():
        state[f"today/{agent_number}"] = {"agent": agent_number, **figures}
    for line in sample.lines:
        state[f"line/{line.line}"] = {"line": line.line, "ringing": line.ringing, "talking": line.talking}
    for call_id, call in calls.items():
        state[f"call/{call_id}"] = call
    return state


def _health(sample: Sample) -> Mapping[str, Any]:
    outbox = sample.outbox
    return {
        "version": __version__,
        "ami": sample.ami_connected,
        "ear_proven": sample.ear_proven,
        "mqtt": sample.mqtt_connected,
        "queues_known": sample.queues_known,
        "calls": sample.calls_live,
        "taps": sample.taps,
        "agi_sessions": sample.agi_sessions,
        "loop_lag_ms": 10 * round(100 * sample.loop_lag_s),
        "outbox": None if outbox is None else {"depth": outbox.depth, "oldest_ms": outbox.oldest_ms},
        "store": {
            name: sample.store[name] for name in ("waiting", "failing", "dropped", "lost") if name in sample.store
        },
    }
