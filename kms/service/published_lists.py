"""What the built-in CA publishes: its root and its revocation list, signed once a while."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Final

from kms.service.authority import Authority
from secops.kernel.clock import MINUTE
from secops.kernel.errors import NotFound

_FRESH: Final = 5 * MINUTE
"""Anybody may ask, so a list is signed once in this time, not once a question."""


@dataclass(frozen=True, slots=True)
class _Kept:
    made_at: int
    encoded: bytes


class PublishedLists:
    """Hands out the CA's root (PEM is the reader's business) and its CRL."""

    def __init__(self, authority: Authority) -> None:
        self._authority = authority
        self._lock = threading.Lock()
        self._kept: _Kept | None = None

    def root_certificate(self) -> bytes:
        """Return the root in DER; raise ``NotFound`` before the first seal was made."""
        anchors = self._authority.anchors()
        if not anchors:
            msg = "the built-in CA has not issued anything yet"
            raise NotFound(msg)
        return anchors[0].der

    def revocation_list(self) -> bytes:
        """Return a CRL in DER, at most five minutes old; raises ``NotFound``, ``PoolLocked``."""
        now = self._authority.parts.clock.now()
        with self._lock:
            if self._kept is None or now - self._kept.made_at > _FRESH:
                self._kept = _Kept(now, self._authority.revocation_list())
            return self._kept.encoded
