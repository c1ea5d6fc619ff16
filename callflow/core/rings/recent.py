"""What ended in the last minutes, so that a late or repeated event does not begin it again."""

KEPT_MS = 180_000


class Recent:
    """Keys, each kept from one to two times KEPT_MS, and then forgotten."""

    def __init__(self) -> None:
        self._young: set[str] = set()
        self._old: set[str] = set()
        self.due_at: int | None = None
        """When `expire` has something to forget."""

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def __contains__(self, key: str) -> bool:
        return key in self._young or key in self._old

    def add(self, key: str, now_ms: int) -> None:
        """Keep a key from now on."""
        self._young.add(key)
        if self.due_at is None:
            self.due_at = now_ms + KEPT_MS

    def expire(self, now_ms: int) -> None:
        """Forget what has been kept long enough."""
        if self.due_at is not None and self.due_at <= now_ms:
            self._old, self._young = self._young, set()
            self.due_at = now_ms + KEPT_MS if self._old else None

    def shift(self, by_ms: int) -> None:
        """The clock has been set by so much."""
        if self.due_at is not None:
            self.due_at += by_ms
