"""Whether and how often one application and one address may ask: buckets in this process's memory.

Workers share nothing: each admits the whole rate, so that a client with one connection gets what
is written, and one with many gets at most as many times that as there are workers. An application
is counted after it has proved itself, so that nobody empties another's bucket. Refusals are
recorded: the first of a name within a minute before its answer, the rest as a number.
"""

from __future__ import annotations

import contextlib
import math
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeVar

from iam.core.circumstances import address_key
from iam.core.rates import Buckets
from iam.errors import AddressLocked, RateExceeded
from secops.kernel.actors import Actor, system_actor
from secops.kernel.errors import SecopsError
from secops.kernel.parts import Parts
from secops.kernel.trail import Act
from secops.kernel.waiting import MustWait

T = TypeVar("T")

BURST_SECONDS: Final = 2
"""What may come at once: the rate of so many seconds."""
RECORD_SECONDS: Final = 60.0
MOST_REFUSED: Final = 1_024
"""Names whose refusals are told apart; a flood from more addresses is recorded as one."""
_ACTOR: Final = system_actor("rate-limit")
_MANY: Final = "address:many"


@dataclass(slots=True)
class _Refused:
    """Refusals of one name that no record tells of yet, and since when they are counted."""

    actor: Actor
    since: float
    count: int = 0


class Rates:
    """Counts requests; a rate of 0 admits everything."""

    def __init__(self, parts: Parts, *, client_rate: int, address_rate: int) -> None:
        self._parts = parts
        self._clients = _buckets(client_rate)
        self._addresses = _buckets(address_rate)
        self._lock = threading.Lock()
        self._here = threading.local()
        self._refused: dict[str, _Refused] = {}
        self._look_again = float("-inf")

    def admit(self, address: str, work: Callable[[], T]) -> T:
        """Return what ``work`` returns, if ``address`` may ask.

        Work that has to be done again elsewhere (``MustWait``) is counted there. Raises
        ``RateExceeded``.
        """
        taken: list[tuple[Buckets, str]] = []
        self._here.taken = taken
        if self._addresses is not None and address:
            self._take(self._addresses, f"address:{_key_of(address)}", _ACTOR)
        try:
            return work()
        except MustWait:
            with self._lock:
                for buckets, name in taken:
                    buckets.give_back(name)
            raise

    def refuse_locked(self, address: str) -> None:
        """Raise ``AddressLocked``: the decision about a token does not know where it is asked."""
        if not address:
            return
        key = _key_of(address)
        if self._parts.revocations.is_revoked("address", key):
            with self._lock:
                acts = self._note(f"address:{key}", _ACTOR, self._parts.clock.monotonic())
            raise AddressLocked(acts)

    def count(self, caller: Actor) -> None:
        """Count a request of ``caller``, who has proved who they are; raise ``RateExceeded``."""
        if self._clients is not None:
            self._take(self._clients, f"{caller.kind}:{caller.id}", caller)

    def close(self) -> None:
        """Record what was refused and is not told yet."""
        with self._lock:
            refused, self._refused = self._refused, {}
        acts = [_act(name, one) for name, one in refused.items() if one.count]
        if acts:
            # the refusals themselves stand, whether or not they can be written down
            with contextlib.suppress(SecopsError):
                self._parts.trail.append(acts)

    def _take(self, buckets: Buckets, name: str, caller: Actor) -> None:
        now = self._parts.clock.monotonic()
        with self._lock:
            wait = buckets.take(name, now)
            if not wait:
                taken = getattr(self._here, "taken", None)
                if taken is not None:
                    taken.append((buckets, name))
                return
            acts = self._note(name, caller, now)
        msg = f"more requests than one {name.partition(':')[0]} may send"
        raise RateExceeded(msg, acts, retry_after=math.ceil(wait))

    def _note(self, name: str, caller: Actor, now: float) -> tuple[Act, ...]:
        """Count a refusal; return what is to be recorded with its answer."""
        if name not in self._refused and len(self._refused) >= MOST_REFUSED:
            name, caller = _MANY, _ACTOR
        mine = self._refused.get(name)
        if mine is None:
            self._refused[name] = _Refused(caller, now)
            return (_act(name, _Refused(caller, now, 1)), *self._ripe(now))
        mine.count += 1
        return self._ripe(now)

    def _ripe(self, now: float) -> tuple[Act, ...]:
        """Take out what was counted for a minute."""
        if now < self._look_again:
            return ()
        self._look_again = now + 1.0
        ripe = [name for name, one in self._refused.items() if now - one.since >= RECORD_SECONDS]
        told = [(name, self._refused.pop(name)) for name in ripe]
        return tuple(_act(name, one) for name, one in told if one.count)


def _buckets(rate: int) -> Buckets | None:
    return Buckets(rate, rate * BURST_SECONDS) if rate else None


@lru_cache(maxsize=4_096)
def _key_of(address: str) -> str:
    try:
        return address_key(address)
    except ValueError:
        return "unknown"


def _act(name: str, refused: _Refused) -> Act:
    details = {"requests": refused.count}
    return Act("iam.limit_rate", refused.actor, name, "refused", details)
