"""What named persons answer beyond an item's status: cases, triggers, high risks, D/A/K."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from audits.core.gbt22239.answers import TOGETHER
from audits.core.gbt39786.layers import has_axes
from audits.core.texts import bounded
from audits.models.assessments import AnswerKind, PersonAnswer
from audits.models.catalogue import Catalogue
from audits.models.evidence import WHOLE
from audits.models.systems import THIS_INSTANCE, Scope
from audits.ports.assessments import Assessments
from audits.service.assessments.entering import (
    DAYS,
    MAX_PERSON,
    MAX_REASON,
    check_days,
    check_item,
    check_kept,
    check_object,
)
from audits.service.assessments.inquiry import Inquiry
from audits.service.systems.scopes import Scopes
from secops.kernel.actors import Actor
from secops.kernel.clock import DAY
from secops.kernel.errors import Invalid
from secops.kernel.pages import Page, PageRequest
from secops.kernel.parts import Parts
from secops.kernel.permissions.audits import ENTER_JUDGEMENT, READ_ASSESSMENTS
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

_MOST_EVIDENCE: Final = 20
_MOST_ITEMS: Final = 20
_LEAST_ITEMS: Final = 2
_MOST_BITS: Final = 1_024
_MODULE_LEVELS: Final = range(5)


Ticks = Mapping[str, bool | None]
"""Answers by name; None and what is not there are not yet given."""


@dataclass(frozen=True, slots=True)
class _Subject:
    standard: str
    kind: AnswerKind
    subject: str
    object_id: str = WHOLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """Who says so, why, on what documents (SHA-256, hex), for how many days, of which system."""

    person: str
    reason: str
    evidence: tuple[str, ...] = ()
    days: int = DAYS
    system_id: str = THIS_INSTANCE


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitAnswer:
    """D, A and K of one object under a unit of GB/T 39786, as a person saw them.

    ``bits`` is the strength of an algorithm that is not approved, ``module_level`` the level of
    the certified module that holds the keys, 0 for none. ``compensated_by`` names the unit that
    makes up for this one.
    """

    unit_id: str
    effective: bool
    approved: bool
    managed: bool
    bits: int = 0
    module_level: int = 0
    compensated_by: str = ""
    object_id: str = WHOLE


@dataclass(frozen=True, slots=True)
class AnswerService:
    """Takes answers of persons; they count from the next assessment on."""

    parts: Parts
    store: Assessments
    inquiry: Inquiry
    scopes: Scopes

    def answer_case(
        self,
        actor: Actor,
        standard: str,
        case_id: str,
        ticks: Mapping[str, bool | None],
        said: Said,
    ) -> PersonAnswer:
        """Store what a person says of a high-risk case.

        ``ticks``: ``condition``, ``triggered``, ``never``, ``mitigated``. A mitigation needs
        evidence. Raises ``Invalid`` for a case that the standard does not have.
        """
        catalogue, _ = self._allowed(actor, standard, said)
        if case_id not in {case.id for case in catalogue.high_risk}:
            raise Invalid(f"{standard} has no high-risk case {case_id[:40]!r}")
        values = _ticks(ticks, ("condition", "triggered", "never", "mitigated"))
        if values["mitigated"] and not said.evidence:
            raise Invalid("a mitigation is proven by evidence: name at least one document")
        return self._store(actor, _Subject(standard, "case", case_id), values, said)

    def tick_major(
        self,
        actor: Actor,
        standard: str,
        trigger: str | Sequence[str],
        ticks: Ticks,
        said: Said,
    ) -> PersonAnswer:
        """Store a person's ticks on a trigger, or on several items that add up to one.

        ``ticks``: ``relevant``, ``severe``, ``frequent``, ``rectified``.
        """
        catalogue, _ = self._allowed(actor, standard, said)
        subject = _trigger(catalogue, trigger)
        values = _ticks(ticks, ("relevant", "severe", "frequent", "rectified"))
        if values["rectified"] and not said.evidence:
            raise Invalid("a rectification is proven by evidence: name at least one document")
        return self._store(actor, _Subject(standard, "major", subject), values, said)

    def set_high_risk(
        self, actor: Actor, standard: str, item_id: str, said: Said, *, high: bool = True
    ) -> PersonAnswer:
        """Set, or take back, a high risk on an item that no case matches (1846 Q17)."""
        catalogue, _ = self._allowed(actor, standard, said)
        check_item(catalogue, item_id)
        return self._store(actor, _Subject(standard, "risk", item_id), {"high": high}, said)

    def judge_unit(
        self, actor: Actor, standard: str, answer: UnitAnswer, said: Said
    ) -> PersonAnswer:
        """Store D, A and K of an object under a unit of cryptography."""
        catalogue, scope = self._allowed(actor, standard, said)
        _check_unit(catalogue, answer.unit_id)
        check_object(scope, answer.object_id)
        if not 0 <= answer.bits <= _MOST_BITS or answer.module_level not in _MODULE_LEVELS:
            raise Invalid("a strength has 0 to 1024 bits, a module a level from 0 to 4")
        if answer.module_level and not said.evidence:
            raise Invalid("a certified module is proven by its certificate: name the document")
        if answer.compensated_by:
            _check_unit(catalogue, answer.compensated_by)
            if answer.compensated_by == answer.unit_id:
                raise Invalid("a unit does not make up for itself")
        values = {
            "effective": answer.effective,
            "approved": answer.approved,
            "managed": answer.managed,
            "bits": answer.bits,
            "module_level": answer.module_level,
            "compensated_by": answer.compensated_by,
        }
        on = _Subject(standard, "unit", answer.unit_id, answer.object_id)
        return self._store(actor, on, values, said)

    def list_person_answers(
        self, actor: Actor, standard: str, page: PageRequest, system_id: str = THIS_INSTANCE
    ) -> Page[PersonAnswer]:
        """Return what persons answered for a system, newest first; expired answers too."""
        self.parts.access.require(actor, READ_ASSESSMENTS, "assessment:*")
        of = (system_id, standard)
        return self.parts.transactions.read(
            lambda tx: self.store.answer_page(tx, actor.org_id, of, page)
        )

    def _allowed(self, actor: Actor, standard: str, said: Said) -> tuple[Catalogue, Scope]:
        self.parts.access.require(actor, ENTER_JUDGEMENT, f"assessment:{standard}")
        scope = self.scopes.scope(actor, said.system_id)
        return self.inquiry.catalogue(standard, scope.system.level), scope

    def _store(
        self, actor: Actor, on: _Subject, values: Mapping[str, Any], said: Said
    ) -> PersonAnswer:
        said, now = _tidy(said), self.parts.clock.now()
        check_kept(self.parts.blobs, said.evidence)
        answer = PersonAnswer(
            id=self.parts.ids.new("ans"),
            org_id=actor.org_id,
            system_id=said.system_id,
            standard=on.standard,
            kind=on.kind,
            subject=on.subject,
            object_id=on.object_id,
            values=values,
            reason=said.reason,
            evidence=said.evidence,
            account_id=actor.id,
            person=said.person,
            at=now,
            expires_at=now + said.days * DAY,
        )
        act = Act(
            "audits.enter_answer",
            actor,
            f"{answer.kind}:{answer.subject}",
            details={
                "system": answer.system_id,
                "standard": answer.standard,
                "object": answer.object_id,
                "answers": dict(values),
                "evidence": list(answer.evidence),
                "expires_at": answer.expires_at,
            },
        )

        def work(tx: Transaction) -> None:
            self.store.add_answer(tx, answer)
            tx.record(act)

        self.parts.transactions.run(work)
        return answer


def _tidy(said: Said) -> Said:
    check_days(said.days)
    if len(said.evidence) > _MOST_EVIDENCE:
        raise Invalid(f"an answer names at most {_MOST_EVIDENCE} documents")
    return replace(
        said,
        reason=bounded(said.reason, MAX_REASON, "reason"),
        person=bounded(said.person, MAX_PERSON, "name of the person who judged"),
    )


def _ticks(ticks: Ticks, names: Sequence[str]) -> dict[str, bool | None]:
    if not set(ticks) <= set(names):
        raise Invalid(f"the ticks are {', '.join(names)}")
    return {name: ticks.get(name) for name in names}


def _check_unit(catalogue: Catalogue, unit_id: str) -> None:
    """Raise ``Invalid`` unless it is a technical unit: the others have no D, A and K."""
    units = {item.id for item in catalogue.items if has_axes(item)}
    if unit_id not in units:
        raise Invalid(f"{catalogue.standard} has no technical unit {unit_id[:40]!r}")


def _trigger(catalogue: Catalogue, trigger: str | Sequence[str]) -> str:
    """Return a trigger's id, or the subject that several items make together."""
    if isinstance(trigger, str):
        if trigger not in {one.id for one in catalogue.triggers}:
            raise Invalid(f"{catalogue.standard} has no trigger {trigger[:40]!r}")
        return trigger
    items = sorted(set(trigger))
    if not _LEAST_ITEMS <= len(items) <= _MOST_ITEMS:
        raise Invalid(f"{_LEAST_ITEMS} to {_MOST_ITEMS} items add up to a major risk")
    for item_id in items:
        check_item(catalogue, item_id)
    return TOGETHER + TOGETHER.join(items)
