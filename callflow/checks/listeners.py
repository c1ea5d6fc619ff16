"""What listens beyond loopback: each of callflow's own servers must be protected there."""

import ipaddress
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from callflow.checks.finding import Finding, ok, warn
from callflow.settings.model import Settings


@dataclass(frozen=True, slots=True)
class Listener:
    """One server of the daemon; `exposed` says what others could do, "" if it is protected or off."""

    section: str
    exposed: Callable[[Settings], str]
    remedy: str


def _agi(settings: Settings) -> str:
    has_token = settings.agi.token.get_secret_value()
    return "" if has_token else "no token is set, so any host could pose as a caller"


def _http(settings: Settings) -> str:
    return "it has no password, so any host can read the metrics" if settings.http.enabled else ""


def _web(settings: Settings) -> str:
    if not settings.web.enabled or settings.web.secure_cookie:
        return ""
    return "access tokens cross the network unencrypted"


def _tap(settings: Settings) -> str:
    return "callers' audio crosses the network unencrypted" if settings.tap.enabled else ""


LISTENERS = (
    Listener("agi", _agi, "agi.host = 127.0.0.1, or your own token in agi.token and in CALLFLOW_AGI"),
    Listener("http", _http, "http.host = 127.0.0.1, or a firewall that admits only the Prometheus server"),
    Listener("web", _web, "web.host = 127.0.0.1 behind a proxy with TLS, and web.secure_cookie = true"),
    Listener("tap", _tap, "tap.host = 127.0.0.1, or a network that only Asterisk and callflow share"),
)


def check_listeners(settings: Settings) -> list[Finding]:
    """One warning for each server that others reach without a token; else one line that all is well."""
    return list(_warnings(settings)) or [ok("listeners", "nothing unprotected listens beyond this host")]


def _warnings(settings: Settings) -> Iterator[Finding]:
    for listener in LISTENERS:
        host = getattr(settings, listener.section).host
        exposed = "" if is_loopback(host) else listener.exposed(settings)
        if exposed:
            yield warn("listeners", f"[{listener.section}] listens on {host}: {exposed}", listener.remedy)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address; any name but localhost may be reached from elsewhere."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"
