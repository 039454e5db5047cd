"""Sealing what leaves: claims signed by the key pool, recorded in the ledger, proved by it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from audits.core.reports import SealedWith, record_details, signed_message, target_of
from audits.errors import EntryNotFound, NotCheckpointed
from audits.models.reports import ExportedReport, ReportSignature
from audits.ports.reports import ExportedReports, ReportSigner
from audits.service.ledger.files import LedgerFiles
from audits.service.ledger.sequencer import Sequencer
from secops.kernel.actors import Actor
from secops.kernel.parts import Parts
from secops.kernel.trail import Act, encode_act
from secops.kernel.transactions import Transaction

_PATIENCE_SECONDS: Final = 5.0
_PAUSE_SECONDS: Final = 0.05


@dataclass(frozen=True, slots=True)
class Sealing:
    """Signs claims, records them, and waits for the ledger's proof. ``pause`` sleeps seconds."""

    parts: Parts
    store: ExportedReports
    signer: ReportSigner
    ledger: LedgerFiles
    sequencer: Sequencer
    pause: Callable[[float], None]

    def seal(
        self, actor: Actor, each: Sequence[Mapping[str, Any]], partners: tuple[str, ...] = ()
    ) -> list[SealedWith]:
        """Return what proves each of the claims; raise ``Unavailable`` while the pool is locked.

        The ledger's records also name the ``partners`` whom the files are encrypted to. All are
        recorded before the first is proved: one checkpoint serves all.
        """
        recorded = [self._recorded(actor, claims, partners) for claims in each]
        return [SealedWith(signed, record, self._prove(record)) for signed, record in recorded]

    def _recorded(
        self, actor: Actor, claims: Mapping[str, Any], partners: tuple[str, ...]
    ) -> tuple[tuple[ReportSignature, ...], bytes]:
        signatures = tuple(self.signer.sign_report(signed_message(claims)))
        action, target = target_of(claims)
        details = {**record_details(claims, signatures), "partners": list(partners)}
        act = Act(action, actor, target, details=details)

        def work(tx: Transaction) -> int:
            self.store.add(tx, self._exported(actor, claims, partners, tx.now))
            tx.record(act)
            return tx.now

        return signatures, encode_act(act, self.parts.transactions.run(work))

    def _exported(
        self, actor: Actor, claims: Mapping[str, Any], partners: tuple[str, ...], at: int
    ) -> ExportedReport:
        return ExportedReport(
            id=self.parts.ids.new("exp"),
            org_id=actor.org_id,
            assessment_id=claims["assessment"],
            form=claims["form"],
            language=claims["language"],
            sha256=claims["sha256"],
            sm3=claims["sm3"],
            length=claims["length"],
            account_id=actor.id,
            exported_by=actor.name,
            at=at,
            partners=" ".join(partners),
        )

    def _prove(self, record: bytes) -> str | None:
        """Return the inclusion proof, sequencing here if nobody else does; None if locked out."""
        leaf = hashlib.sha256(b"\x00" + record).hexdigest()
        deadline = self.parts.clock.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                return self.ledger.prove_entry(leaf)
            except (EntryNotFound, NotCheckpointed):
                if self.parts.clock.monotonic() > deadline:
                    return None
            self.sequencer.tick()
            self.pause(_PAUSE_SECONDS)
