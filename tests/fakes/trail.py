"""The hot door in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from secops.kernel.clock import Clock
from secops.kernel.errors import AuditUnavailable
from secops.kernel.trail import Act, Receipt, encode_act
from tests.fakes.clock import FakeClock


class FakeTrail:
    """``acts`` are what became durable; ``down`` refuses everything."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or FakeClock()
        self.acts: list[Act] = []
        self.down = False

    def append(self, acts: Sequence[Act]) -> Sequence[Receipt]:
        if self.down:
            raise AuditUnavailable
        receipts = []
        for act in acts:
            leaf = hashlib.sha256(b"\0" + encode_act(act, self._clock.now())).digest()
            receipts.append(Receipt("fake", len(self.acts), leaf))
            self.acts.append(act)
        return receipts
