"""How often an address may ask for what anybody may ask for."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

from secops.kernel.clock import Clock
from secops.kernel.errors import TooMany

_PER_MINUTE: Final = 20
_WINDOW_SECONDS: Final = 60.0
_MAX_CALLERS: Final = 10_000


@dataclass(slots=True)
class RateLimit:
    """At most ``per_minute`` calls a minute and address, in this process."""

    clock: Clock
    per_minute: int = _PER_MINUTE
    what: str = "files"
    _seen: OrderedDict[str, list[float]] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def spend(self, caller: str) -> None:
        """Count one call; raise ``TooMany`` with the seconds to wait."""
        now = self.clock.monotonic()
        with self._lock:
            calls = [at for at in self._seen.pop(caller, []) if now - at < _WINDOW_SECONDS]
            refused = len(calls) >= self.per_minute
            if not refused:
                calls.append(now)
            self._seen[caller] = calls
            while len(self._seen) > _MAX_CALLERS:
                self._seen.popitem(last=False)
        if refused:
            wait = int(_WINDOW_SECONDS - (now - calls[0])) + 1
            raise TooMany(f"at most {self.per_minute} {self.what} a minute", retry_after=wait)
