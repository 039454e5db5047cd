"""Use a seal (用章) beside a document: a SES_Signature over any file's SM3."""

from __future__ import annotations

from typing import Final

from kms.core.gbt38540.evidence import Evidence
from kms.core.gbt38540.judgements import WHOLE_DOCUMENT
from kms.core.gbt38540.verification import verify_seal
from kms.errors.seals import SealRejected
from kms.models.seal_registry import SealedValue, SealUse
from kms.service.seals.parts import SealParts
from kms.service.seals.uses import SealUses, WantedUse
from secops.kernel.actors import Actor
from secops.kernel.clock import DAY, day_start
from secops.kernel.pages import Page, PageRequest, page_of
from secops.kernel.permissions.kms import SEAL_READ
from secops.kernel.transactions import Transaction

_CHART_DAYS: Final = 30


class SealUsing:
    """Puts seals on things."""

    def __init__(self, seals: SealParts, uses: SealUses) -> None:
        self._seals = seals
        self._parts = seals.parts
        self._uses = uses

    def use_seal(
        self,
        actor: Actor,
        seal_id: str,
        *,
        document_digest: bytes,
        purpose: str,
        document_class: str = "",
    ) -> SealedValue:
        """Return the SES_Signature of the document whose SM3 is ``document_digest``.

        Raises ``NotSealHolder``, ``SealNotUsable``, ``SealUseRefused``; each refusal is in the
        ledger too.
        """
        return self.use_as_wanted(
            WantedUse(actor, seal_id, document_digest, purpose, document_class=document_class)
        )

    def use_as_wanted(self, wanted: WantedUse) -> SealedValue:
        """Return the SES_Signature of a use that was asked for; raises as ``use_seal``."""
        document_digest = wanted.document_digest
        ready = self._uses.open_seal(wanted)
        value = self._uses.sign(ready, document_digest, WHOLE_DOCUMENT)
        self._require_valid(value, document_digest)
        return self._uses.enter(wanted, value, lambda use: SealedValue(value, use))

    def list_uses(self, actor: Actor, seal_id: str, request: PageRequest) -> Page[SealUse]:
        """Return what a seal was put on, newest first."""
        self._parts.access.require(actor, SEAL_READ, f"seal:{seal_id}")

        def read(transaction: Transaction) -> Page[SealUse]:
            self._seals.load_seal(transaction, actor, seal_id)
            rows = self._seals.uses.uses(transaction, seal_id, request)
            return page_of(rows, request.limit, [(row.used_at, row.id) for row in rows])

        return self._parts.transactions.read(read)

    def count_uses(self, actor: Actor, seal_id: str) -> list[tuple[int, int]]:
        """Return (start of the day in Beijing, uses) of the last 30 days, oldest first."""
        self._parts.access.require(actor, SEAL_READ, f"seal:{seal_id}")
        first = day_start(self._parts.clock.now()) - (_CHART_DAYS - 1) * DAY

        def read(transaction: Transaction) -> list[tuple[int, int]]:
            self._seals.load_seal(transaction, actor, seal_id)
            found = self._seals.uses.uses_by_day(transaction, seal_id, first=first, day=DAY)
            days = range(_CHART_DAYS)
            return [(first + number * DAY, found.get(number, 0)) for number in days]

        return self._parts.transactions.read(read)

    def _require_valid(self, value: bytes, document_digest: bytes) -> None:
        report = verify_seal(value, Evidence(document_digest), self._seals.trust_of_new())
        if not report.valid:
            failed = [step.what for step in report.signatures[0].steps if step.ok is False]
            msg = f"the value does not verify ({', '.join(failed)}); it is not given out"
            raise SealRejected(msg)
