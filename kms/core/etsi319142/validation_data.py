"""What a PDF's security store (DSS) says of revocations, as far as an anchor signed it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from kms.core.rfc5280.reading import RevocationList, verify_revocation_list
from kms.core.trust import CLOCK_SKEW, RevocationSource, Trust, earliest
from kms.core.x690 import DerError
from kms.ports.pdf import ValidationData

_MAX_BYTES: Final = 512 << 10
"""Of all lists that are read: a bigger one is news that is not there."""


@dataclass(frozen=True, slots=True)
class DatedTrust:
    """The judge's own knowledge, and lists of the judged file that its anchors signed."""

    trust: Trust
    lists: tuple[RevocationList, ...] = ()

    def at(self, instant: int) -> Trust:
        """Return what is known of ``instant`` (UTC microseconds).

        A list that was to be renewed before says nothing of it. What the judge knows itself
        is never taken away: both count, and of two instants of revocation the first.
        """
        fitting = [each for each in self.lists if instant <= each.next_update]
        if not fitting:
            return self.trust
        known = self.trust.revocations or RevocationSource(frozenset(), {})
        revoked = known.revoked
        for each in fitting:
            said = {(each.issuer, serial): since for serial, since in each.revoked.items()}
            revoked = earliest(revoked, said)
        issuers = {each.issuer for each in fitting}
        stale = {name: since for name, since in known.stale.items() if name not in issuers}
        source = RevocationSource(known.issuers | issuers, revoked, stale)
        return replace(self.trust, revocations=source)


def dated_trust(trust: Trust, data: ValidationData) -> DatedTrust:
    """Return ``trust`` with the lists of ``data`` that its anchors signed, none from later."""
    return DatedTrust(trust, tuple(_proved(data.revocation_lists, trust)))


def _proved(lists: Sequence[bytes], trust: Trust) -> Iterator[RevocationList]:
    left = _MAX_BYTES
    anchors = (*trust.anchors_for("documents"), *trust.outside.get("time_stamps", ()))
    for encoded in lists:
        left -= len(encoded)
        if left < 0:
            return
        try:
            found = verify_revocation_list(encoded, anchors)
        except DerError:
            continue
        if found.this_update <= trust.now + CLOCK_SKEW:
            yield found
