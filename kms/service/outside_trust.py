"""What is believed of outside CAs: their anchors by use, and their revocation lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from kms.core.rfc5280.reading import RevocationList, verify_revocation_list
from kms.core.trust import RevocationSource, earliest
from kms.models.certificates import ANCHOR_USES, AnchorUse, TrustAnchor
from kms.ports.certificates import TrustStore
from secops.crypto.certificates import Certificate, read_certificate
from secops.kernel.parts import Parts
from secops.kernel.transactions import Transaction


@dataclass(frozen=True, slots=True)
class OutsideTrust:
    """Reads the store each time, so that what was retired is not believed in the next answer."""

    parts: Parts
    store: TrustStore

    def active(self) -> tuple[TrustAnchor, ...]:
        """Return the anchors that are believed now, oldest first."""
        return self.parts.transactions.read(self._active)

    def anchors(self) -> Mapping[AnchorUse, tuple[Certificate, ...]]:
        """Return the certificates that are believed, by use."""
        return _by_use(self.active())

    def believed(
        self, transaction: Transaction
    ) -> tuple[Mapping[AnchorUse, tuple[Certificate, ...]], RevocationSource | None]:
        """Return both, as they are at one moment."""
        active = self._active(transaction)
        return _by_use(active), self._source(transaction, active)

    def _active(self, transaction: Transaction) -> tuple[TrustAnchor, ...]:
        retired = self.parts.revocations.is_revoked
        found = self.store.active_anchors(transaction)
        return tuple(each for each in found if not retired("certificate", each.id))

    def _source(
        self, transaction: Transaction, active: Sequence[TrustAnchor]
    ) -> RevocationSource | None:
        """Return what the newest lists of the anchors ``active`` say.

        Each list is proved again: a row that was changed in the database proves nothing.
        """
        anchors = {each.id: read_certificate(each.der) for each in active}
        now = self.parts.clock.now()
        revoked: Mapping[tuple[bytes, int], int] = {}
        issuers: set[bytes] = set()
        stale: dict[bytes, int] = {}
        for row in self.store.revocation_lists(transaction) if anchors else ():
            if row.anchor_id not in anchors:
                continue
            anchor = anchors[row.anchor_id]
            found = _proved(row.der, anchor.der)
            issuers.add(anchor.subject)
            listed = {(anchor.subject, serial): at for serial, at in found.revoked.items()}
            revoked = earliest(revoked, listed)
            if found.next_update < now:
                stale[anchor.subject] = found.next_update
        return RevocationSource(frozenset(issuers), revoked, stale) if issuers else None


def _by_use(active: Sequence[TrustAnchor]) -> Mapping[AnchorUse, tuple[Certificate, ...]]:
    found = [(read_certificate(each.der), each.uses) for each in active]
    return {
        use: tuple(certificate for certificate, uses in found if use in uses) for use in ANCHOR_USES
    }


@lru_cache(maxsize=32)
def _proved(encoded: bytes, anchor: bytes) -> RevocationList:
    """Return the list that ``anchor`` signed; the same bytes are not proved twice."""
    return verify_revocation_list(encoded, (read_certificate(anchor),))
