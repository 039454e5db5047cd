"""What is believed of outside CAs: their anchors by use, and their revocation lists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kms.core.rfc5280.reading import verify_revocation_list
from kms.core.trust import RevocationSource
from kms.models.certificates import ANCHOR_USES, AnchorUse, TrustAnchor
from kms.ports.certificates import TrustStore
from secops.crypto.certificates import Certificate, read_certificate
from secops.kernel.parts import Parts


@dataclass(frozen=True, slots=True)
class OutsideTrust:
    """Reads the store each time, so that what was retired is not believed in the next answer."""

    parts: Parts
    store: TrustStore

    def active(self) -> tuple[TrustAnchor, ...]:
        """Return the anchors that are believed now, oldest first."""
        found = self.parts.transactions.read(self.store.active_anchors)
        retired = self.parts.revocations.is_revoked
        return tuple(each for each in found if not retired("certificate", each.id))

    def anchors(self) -> Mapping[AnchorUse, tuple[Certificate, ...]]:
        """Return the certificates that are believed, by use."""
        found = [(read_certificate(each.der), each.uses) for each in self.active()]
        return {
            use: tuple(certificate for certificate, uses in found if use in uses)
            for use in ANCHOR_USES
        }

    def revocation_source(self) -> RevocationSource | None:
        """Return what their newest lists say; None without a list.

        Each list is proved again: a row that was changed in the database proves nothing.
        """
        anchors = {each.id: read_certificate(each.der) for each in self.active()}
        now = self.parts.clock.now()
        revoked: dict[tuple[bytes, int], int] = {}
        issuers: set[bytes] = set()
        stale: dict[bytes, int] = {}
        for row in self.parts.transactions.read(self.store.revocation_lists):
            if row.anchor_id not in anchors:
                continue
            anchor = anchors[row.anchor_id]
            found = verify_revocation_list(row.der, (anchor,))
            issuers.add(anchor.subject)
            revoked |= {(anchor.subject, serial): at for serial, at in found.revoked.items()}
            if found.next_update < now:
                stale[anchor.subject] = found.next_update
        return RevocationSource(frozenset(issuers), revoked, stale) if issuers else None
