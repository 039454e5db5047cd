"""Looking at what is real and judging it, without storing an assessment."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from audits.core.documents import snapshot_content
from audits.core.gbt22239.answers import current_answers
from audits.core.gbt22239.judging import Basis, Judged, see
from audits.core.standards import ASSESS, CHECKS
from audits.errors import UnknownStandard
from audits.models.assessments import PersonAnswer, PersonEntry
from audits.models.catalogue import Catalogue
from audits.models.evidence import Snapshot
from audits.models.systems import Scope
from audits.ports.assessments import Assessments, EvidenceSource
from audits.ports.catalogues import Catalogues
from secops.kernel.actors import Actor
from secops.kernel.clock import beijing_day
from secops.kernel.parts import Parts
from secops.kernel.transactions import Transaction

LEVELS = range(1, 5)


@dataclass(frozen=True, slots=True)
class Looked:
    """What was judged, on which snapshots."""

    catalogue: Catalogue
    scope: Scope
    at: int
    snapshots: Sequence[Snapshot]
    judged: Judged


@dataclass(frozen=True, slots=True)
class Inquiry:
    """Looks at everything in scope and judges it by a standard's rules."""

    parts: Parts
    store: Assessments
    catalogues: Catalogues
    sources: Sequence[EvidenceSource]

    def catalogue(self, standard: str, level: int) -> Catalogue:
        """Return a standard's catalogue; raise ``UnknownStandard`` for it or its level."""
        if standard not in ASSESS:
            raise UnknownStandard(f"there is no standard {standard[:40]!r}")
        if level not in LEVELS:
            raise UnknownStandard(f"{standard} has no level {level}")
        return self.catalogues.read(standard)

    def look(self, actor: Actor, scope: Scope, standard: str, level: int) -> Looked:
        """Look anew and judge; each snapshot has its digest, none is stored yet."""
        catalogue, now = self.catalogue(standard, level), self.parts.clock.now()
        snapshots = [
            replace(snapshot, digest=hashlib.sha256(snapshot_content(snapshot)).hexdigest())
            for source in self.sources
            for snapshot in source(actor, scope, now)
        ]
        entries, answers = self._entered(actor.org_id, (scope.system.id, standard), now)
        seen = see(scope, CHECKS[standard], snapshots, entries, now)
        basis = Basis(catalogue, level, seen, current_answers(answers, now))
        return Looked(catalogue, scope, now, snapshots, ASSESS[standard](basis, beijing_day(now)))

    def keep(self, snapshots: Sequence[Snapshot]) -> None:
        """Store the snapshots by their digests."""
        for snapshot in snapshots:
            self.parts.blobs.put(snapshot_content(snapshot))

    def _entered(
        self, org_id: str, of: tuple[str, str], now: int
    ) -> tuple[Sequence[PersonEntry], Sequence[PersonAnswer]]:
        def read(tx: Transaction) -> tuple[Sequence[PersonEntry], Sequence[PersonAnswer]]:
            entries = self.store.entries(tx, org_id, of[0], now)
            return entries, self.store.answers(tx, org_id, of, now)

        return self.parts.transactions.read(read)
