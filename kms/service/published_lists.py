"""What the built-in CA publishes: its roots and their revocation lists, signed once a while."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Final

from kms.models.certificates import AuthorityName
from kms.service.authority import Authority
from kms.service.revocation_lists import sign_revocation_list
from secops.kernel.clock import MINUTE

_FRESH: Final = 5 * MINUTE
"""Anybody may ask, so a list is signed once in this time, not once a question."""


@dataclass(frozen=True, slots=True)
class _Kept:
    made_at: int
    epoch: int
    encoded: bytes


class PublishedLists:
    """Hands out the CA's roots (PEM is the reader's business) and their CRLs."""

    def __init__(self, authority: Authority) -> None:
        self._authority = authority
        self._lock = threading.Lock()
        self._kept: dict[AuthorityName, _Kept] = {}

    def root_certificate(self, name: AuthorityName = "root") -> bytes:
        """Return a root in DER; raise ``NotFound`` before it issued anything."""
        return self._authority.find_root(name).der

    def revocation_list(self, name: AuthorityName = "root") -> bytes:
        """Return a CRL in DER, at most five minutes old; raises ``NotFound``, ``PoolLocked``.

        One that something was revoked since is signed again, also within its five minutes.
        """
        parts = self._authority.parts
        now, epoch = parts.clock.now(), parts.revocations.epoch
        with self._lock:
            kept = self._kept.get(name)
            if kept is None or kept.epoch != epoch or now - kept.made_at > _FRESH:
                kept = _Kept(now, epoch, sign_revocation_list(self._authority, name))
                self._kept[name] = kept
            return kept.encoded
