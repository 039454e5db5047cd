"""Graded data in logs: policies of sources, masking at ingest, reveals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final

from detectors.core.privacy.definitions import read_data_classes
from detectors.core.privacy.masking import Masker
from detectors.core.privacy.scanner import Scanner
from detectors.errors import OriginalNotKept, PrivacyKeysMissing
from detectors.models.privacy import (
    GRADES,
    DataClass,
    KeptOriginal,
    Prepared,
    SourcePolicy,
)
from detectors.ports.privacy import DataClassSource, OriginalStore, PolicyStore, PrivacyKeys
from detectors.service.logs.log_settings import check_source_name
from secops.kernel.actors import Actor
from secops.kernel.errors import Invalid
from secops.kernel.logs import LogEvent
from secops.kernel.parts import Parts
from secops.kernel.permissions.detectors import (
    DATA_POLICY_CHANGE,
    LOG_REVEAL,
    LOG_SOURCE_READ,
)
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

MAX_REASON: Final = 500


class Recognition:
    """The installed classes of data and their scanner, read when first needed."""

    def __init__(self, files: DataClassSource) -> None:
        self._files = files

    @cached_property
    def classes(self) -> tuple[DataClass, ...]:
        """The classes; raise ``Invalid`` where a file is wrong."""
        return read_data_classes(self._files.data_class_files())

    @cached_property
    def scanner(self) -> Scanner:
        """What finds their values."""
        return Scanner(self.classes)

    def masked_ids(self) -> tuple[str, ...]:
        """Return the ids of the classes that are masked unless a policy says otherwise."""
        return tuple(each.id for each in self.classes if each.masked)


@dataclass(slots=True)
class Originals:
    """Originals of one batch: sealed and stored before the masked events are."""

    parts: Parts
    keys: PrivacyKeys
    store: OriginalStore
    org_id: str
    _pending: list[tuple[LogEvent, bytes]] = field(default_factory=list)

    def add(self, event: LogEvent, prepared: Prepared | None) -> None:
        """Note the original of ``event``, if it is to be kept."""
        if prepared is not None and prepared.original is not None:
            self._pending.append((event, prepared.original))

    def flush(self) -> None:
        """Make the noted ones durable."""
        kept = [
            KeptOriginal(e.id, self.org_id, e.source, e.at, self.keys.seal(original, e.id))
            for e, original in self._pending
        ]
        if kept:
            self.parts.transactions.run(lambda tx: self.store.keep(tx, kept))
        self._pending.clear()


@dataclass(frozen=True, slots=True)
class PrivacyService:
    """Use cases on graded data in logs."""

    parts: Parts
    recognition: Recognition
    policies: PolicyStore
    kept: OriginalStore
    keys: PrivacyKeys

    def list_data_classes(self, actor: Actor) -> Sequence[DataClass]:
        """Return the classes of data that are recognised, in order of priority."""
        self.parts.access.require(actor, LOG_SOURCE_READ, "data_class:*")
        return self.recognition.classes

    def list_policies(self, actor: Actor) -> Sequence[SourcePolicy]:
        """Return the organisation's policies, by source."""
        self.parts.access.require(actor, LOG_SOURCE_READ, "source:*")
        return self.parts.transactions.read(lambda tx: self.policies.list(tx, actor.org_id))

    def set_policy(self, actor: Actor, policy: SourcePolicy) -> SourcePolicy:
        """Decide what is done with graded data in a source's lines from now on.

        ``masked`` ("*",) means every class that is masked by default. Raises ``Invalid``,
        ``PrivacyKeysMissing`` where originals can't be kept.
        """
        self.parts.access.require(actor, DATA_POLICY_CHANGE, f"source:{policy.source}")
        check_source_name(policy.source)
        if policy.grade not in GRADES:
            raise Invalid(f"the grade is one of {', '.join(GRADES)}")
        if policy.keeps_originals and not self.keys.ready():
            raise PrivacyKeysMissing
        kept = replace(
            policy,
            org_id=actor.org_id,
            masked=self._masked(policy.masked),
            changed_at=self.parts.clock.now(),
            changed_by=actor.id,
        )
        details = {
            "grade": kept.grade,
            "masked": list(kept.masked),
            "keeps_originals": kept.keeps_originals,
        }

        def work(tx: Transaction) -> None:
            self.policies.put(tx, kept)
            target = f"source:{kept.source}"
            tx.record(Act("detectors.set_data_policy", actor, target, details=details))

        self.parts.transactions.run(work)
        return kept

    def reveal_original(self, actor: Actor, event_id: str, reason: str) -> bytes:
        """Return the line as it came; the ledger has who and why before the answer is given.

        Raises ``OriginalNotKept``, ``PrivacyKeysMissing``.
        """
        target = f"event:{event_id[:64]}"
        self.parts.access.require(actor, LOG_REVEAL, target)
        if not 0 < len(reason.strip()) <= MAX_REASON:
            raise Invalid(f"a reveal needs a reason of at most {MAX_REASON} characters")
        found = self.parts.transactions.read(lambda tx: self.kept.find(tx, event_id))
        if found is None or found.org_id != actor.org_id:
            raise OriginalNotKept(f"event {event_id[:64]}")
        original = self.keys.open(found.sealed, found.event_id)
        details = {"reason": reason.strip(), "source": found.source}
        act = Act("detectors.reveal_original", actor, target, details=details)
        self.parts.transactions.run(lambda tx: tx.record(act))
        return original

    def preparer(self, org_id: str, source: str) -> Masker:
        """Return what prepares the lines of ``source`` from now on.

        A source without a policy is graded, not masked. One that masks waits for the pool
        (``PrivacyKeysMissing``): a line is never stored unmasked, nor without its subjects.
        """
        found = self.parts.transactions.read(lambda tx: self.policies.find(tx, org_id, source))
        ready = self.keys.ready()
        if found is not None and found.masked and not ready:
            raise PrivacyKeysMissing
        policy = found or SourcePolicy(source, org_id)
        return Masker(self.recognition.scanner, policy, self.keys.digest if ready else None)

    def originals(self, org_id: str) -> Originals:
        """Return what keeps the originals of a batch of that organisation."""
        return Originals(self.parts, self.keys, self.kept, org_id)

    def drop_originals(self, before: int) -> int:
        """Forget originals of events before ``before``, as the events are gone too."""
        return self.parts.transactions.run(lambda tx: self.kept.drop(tx, before))

    def _masked(self, written: Sequence[str]) -> tuple[str, ...]:
        known = {each.id for each in self.recognition.classes}
        wanted = self.recognition.masked_ids() if tuple(written) == ("*",) else tuple(written)
        if unknown := [name for name in wanted if name not in known]:
            offered = ", ".join(sorted(known))
            raise Invalid(f"no class of data {unknown[0][:60]!r}; there are {offered}")
        return tuple(dict.fromkeys(wanted))
