"""What the use cases of seals work with."""

from __future__ import annotations

from dataclasses import dataclass

from kms.core.trust import Trust
from kms.errors.seals import SealNotFound
from kms.models.keys import SealTimeStamps
from kms.models.seal_registry import SealRecord
from kms.models.stamps import PadesLevel
from kms.ports.keys import Subjects
from kms.ports.pdf import PdfFiles
from kms.ports.receipts import LedgerProofs
from kms.ports.remote_seals import RemoteSealer
from kms.ports.seal_requests import DocumentBox, SealUseRequestStore
from kms.ports.seals import (
    CallerRisks,
    SealingKeys,
    SealLifeStore,
    SealPainter,
    SealPolicyStore,
    SealStore,
    SealUseStore,
)
from kms.ports.time_stamps import TimeStamps
from kms.service.authority import Authority
from secops.crypto.hashes import sm3
from secops.kernel.actors import Actor
from secops.kernel.parts import Parts
from secops.kernel.transactions import Transaction


@dataclass(frozen=True, slots=True)
class SealParts:
    """The spine, and the outside world of seals."""

    parts: Parts
    store: SealStore
    uses: SealUseStore
    keys: SealingKeys
    painter: SealPainter
    authority: Authority
    subjects: Subjects
    pdf: PdfFiles
    policies: SealPolicyStore
    risks: CallerRisks
    requests: SealUseRequestStore
    documents: DocumentBox
    proofs: LedgerProofs
    time_stamps: TimeStamps
    remote: RemoteSealer
    lives: SealLifeStore
    stamped: SealTimeStamps = "signatures"
    pades_level: PadesLevel = "b-t"

    def load_seal(
        self, transaction: Transaction, actor: Actor, seal_id: str
    ) -> tuple[SealRecord, bytes]:
        """Return the seal and its SESeal; raise ``SealNotFound``, also for another's."""
        found = self.store.seal(transaction, actor.org_id, seal_id)
        if found is None:
            msg = f"there is no seal {seal_id[:40]!r}"
            raise SealNotFound(msg)
        return found

    def stamp_seal(self, value: bytes) -> bytes | None:
        """Return a token over a maker's signature ``value``, None where none is wanted."""
        return self._stamp(value) if self.stamped == "all" else None

    def stamp_signature(self, value: bytes) -> bytes | None:
        """Return a token over a signer's signature ``value``, None where none is wanted."""
        return None if self.stamped == "none" else self._stamp(value)

    def trust_of_new(self) -> Trust:
        """Return under what a value that was made just now is verified before it leaves.

        Whether its signer was revoked is asked in the unit of work that enters the use.
        """
        authority = self.authority
        return Trust(
            self.parts.clock.now(), authority.anchors(), outside=authority.outside_anchors()
        )

    def _stamp(self, value: bytes) -> bytes:
        return self.time_stamps.stamp("sm3", sm3(value))
