"""Who publishes for each site: what is wrong with a node's name or clock, said once."""

from callflow.core.fleet.arrival import Announced


class Identities:
    """Remembers the newest daemon of each site."""

    def __init__(self, max_skew_s: float) -> None:
        self._max_skew_ms = 1000 * max_skew_s
        self._newest: dict[str, Announced] = {}
        self._said: set[tuple[str, str]] = set()
        """Daemons, by their stream, and what of them was wrong: clock or name."""

    def warnings(self, said: Announced) -> list[str]:
        """What is new and wrong."""
        found: dict[str, str] = {}
        if said.skew_ms is None:
            return []  # a retained message is old
        if abs(said.skew_ms) > self._max_skew_ms:
            ahead = "ahead of" if said.skew_ms > 0 else "behind"
            found["clock"] = f"the clock of this node is {abs(said.skew_ms) / 1000:.0f} s {ahead} the collector's"
        known = self._newest.setdefault(said.site, said)
        if known.stream != said.stream:
            if _is_older(said, known):
                found["name"] = (
                    f"two daemons use this site's name, here and on {known.host}: give each its own mqtt.site"
                )
            else:
                self._newest[said.site] = said
        fresh = {kind: text for kind, text in found.items() if (said.stream, kind) not in self._said}
        self._said.update((said.stream, kind) for kind in fresh)
        return list(fresh.values())


def _is_older(said: Announced, known: Announced) -> bool:
    """An earlier life that speaks after a later one is another daemon."""
    return (said.started_ms, said.stream) < (known.started_ms, known.stream)
