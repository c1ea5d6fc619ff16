"""What the collector knows of each site, for its metrics: kept in memory, counted since it became active."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from callflow.core.fleet.arrival import Announced

SILENT_MS = 120_000
"""A node announces itself every 30 s."""
MOST_SITES = 10_000


@dataclass(frozen=True, slots=True)
class Taken:
    """What one transaction brought of a stream."""

    upto: int = 0
    """Everything up to this number is stored: the watermark."""
    seen: int = 0
    """The highest number that has come."""
    came_ms: int = 0
    lag_ms: int | None = None
    """From the last event to its arrival."""
    events: int = 0
    repeated: int = 0
    """Events below the watermark: they were stored already."""
    gaps: int = 0
    """Events that came before an earlier one."""


@dataclass(slots=True)
class Site:
    """One site. Times are epoch ms by the collector's clock; 0 for never."""

    node: str = ""
    host: str = ""
    version: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    heard_ms: int = 0
    skew_ms: int | None = None
    lag_ms: int | None = None
    stream: str = ""
    upto: int = 0
    seen: int = 0
    advanced_ms: int = 0
    """When the watermark last moved."""
    events: int = 0
    repeated: int = 0
    gaps: int = 0

    @property
    def behind(self) -> int:
        """How far the watermark is behind the highest number: something between is missing."""
        return max(0, self.seen - self.upto)


class Census:
    """Every site that was heard, up to a bound."""

    def __init__(self) -> None:
        self._sites: dict[str, Site] = {}

    @property
    def sites(self) -> Mapping[str, Site]:
        """By name."""
        return self._sites

    def clear(self) -> None:
        """Another collector may take over."""
        self._sites.clear()

    def announced(self, said: Announced) -> None:
        """A node says who it is; a retained message is old, and says nothing of its clock."""
        site = self._site(said.site)
        site.node, site.host, site.version = said.node, said.host, said.version
        site.settings = json.loads(said.settings)
        if said.skew_ms is not None:
            site.skew_ms = said.skew_ms
            site.heard_ms = max(site.heard_ms, said.came_ms)

    def took(self, name: str, stream: str, taken: Taken) -> None:
        """Events of a site are stored; those of an earlier life of its daemon only count."""
        site = self._site(name)
        site.events += taken.events
        site.repeated += taken.repeated
        site.gaps += taken.gaps
        site.heard_ms = max(site.heard_ms, taken.came_ms)
        if taken.lag_ms is not None:
            site.lag_ms = taken.lag_ms
        if stream != site.stream:
            site.stream, site.upto, site.seen = stream, 0, 0
        if taken.upto > site.upto or not site.advanced_ms:
            site.upto, site.advanced_ms = max(site.upto, taken.upto), taken.came_ms
        site.seen = max(site.seen, taken.seen)

    def silent(self, now_ms: int) -> int:
        """How many sites were not heard for too long."""
        return sum(now_ms - site.heard_ms > SILENT_MS for site in self._sites.values())

    def differing(self) -> Mapping[str, tuple[str, ...]]:
        """By site: the sections of the settings that differ from those of most."""
        return differing({name: site.settings for name, site in self._sites.items()})

    def _site(self, name: str) -> Site:
        if name not in self._sites and len(self._sites) >= MOST_SITES:
            return Site()
        return self._sites.setdefault(name, Site())


def differing(settings: Mapping[str, Mapping[str, str]]) -> Mapping[str, tuple[str, ...]]:
    """By site: the sections whose fingerprint differs from the most frequent one."""
    usual = _usual(settings.values())
    return {
        site: tuple(sorted(section for section, mark in marks.items() if usual[section] != mark))
        for site, marks in settings.items()
    }


def _usual(all_settings: Iterable[Mapping[str, str]]) -> dict[str, str]:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for marks in all_settings:
        for section, mark in marks.items():
            counts[section][mark] += 1
    return {section: min(found, key=lambda mark: (-found[mark], mark)) for section, found in counts.items()}
