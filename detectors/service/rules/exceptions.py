"""Exceptions: what a rule finds and need not tell, decided by two people, for a while."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from detectors.core.detection import Finding
from detectors.core.engine.evaluation import evaluate
from detectors.core.engine.program import Program
from detectors.core.engine.tables import table_of
from detectors.core.sigma.tree import Node
from detectors.errors import BadException, ExceptionNotFound, ExceptionNotOpen
from detectors.models.rules import Logsource, RuleFile
from detectors.models.triage import ExceptionState, RuleException
from detectors.ports import ExceptionStore
from detectors.service.rules.rule_files import compile_rules
from detectors.service.rules.rules import RuleService
from secops.kernel.actors import Actor
from secops.kernel.approvals import Approval
from secops.kernel.canonical import canonical_record
from secops.kernel.clock import DAY
from secops.kernel.errors import Invalid
from secops.kernel.logs import Batch
from secops.kernel.parts import Parts
from secops.kernel.permissions.detectors import EXCEPTION_APPROVE, EXCEPTION_REQUEST, RULE_READ
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

ANY_RULE: Final = "*"
MAX_DAYS: Final = 366
_MAX_CONDITION: Final = 8_192
_MAX_TEXT: Final = 500
_WAITS: Final = 14 * DAY
_KIND: Final = "detectors.exception"
_RULE_ID: Final = "00000000-0000-0000-0000-00000000e0ce"


@dataclass(frozen=True, slots=True)
class ExceptionWish:
    """What somebody asks for. ``condition`` is a Sigma detection map; ``days`` from now."""

    rule_id: str
    condition: Mapping[str, Any]
    owner: str
    reason: str
    days: int


@dataclass(frozen=True, slots=True)
class ExceptionService:
    """Use cases on exceptions."""

    parts: Parts
    store: ExceptionStore
    rules: RuleService

    def request_exception(self, actor: Actor, wish: ExceptionWish) -> RuleException:
        """Ask for an exception; it holds once somebody else approves it.

        Raises ``BadException`` for a condition that can't be read or too long a time,
        ``RuleNotFound``.
        """
        self.parts.access.require(actor, EXCEPTION_REQUEST, f"rule:{wish.rule_id}")
        _check(wish)
        if wish.rule_id != ANY_RULE:
            self.rules.show_rule(actor, wish.rule_id)
        condition = written_condition(wish.condition)
        compile_condition(condition, Logsource())
        now = self.parts.clock.now()
        found = RuleException(
            id=self.parts.ids.new("exc"),
            org_id=actor.org_id,
            rule_id=wish.rule_id,
            condition=condition,
            owner=wish.owner.strip(),
            reason=wish.reason.strip(),
            created_by=actor.id,
            created_at=now,
            expires_at=now + wish.days * DAY,
            approval_id=self.parts.ids.new("apr"),
        )
        details = {"rule": found.rule_id, "owner": found.owner, "reason": found.reason}

        def work(tx: Transaction) -> None:
            self.store.add(tx, found)
            self.parts.approvals.request(tx, _approval(found))
            act = Act(
                "detectors.request_exception", actor, f"exception:{found.id}", details=details
            )
            tx.record(act)

        self.parts.transactions.run(work)
        return found

    def decide_exception(
        self, actor: Actor, exception_id: str, *, grant: bool, reason: str
    ) -> RuleException:
        """Approve or reject a request of somebody else; raise ``SelfApproval``."""
        self.parts.access.require(actor, EXCEPTION_APPROVE, f"exception:{exception_id}")

        def work(tx: Transaction) -> RuleException:
            found = self._get(tx, actor, exception_id)
            approvals = self.parts.approvals
            approvals.decide(tx, found.approval_id, actor, grant=grant, reason=reason[:_MAX_TEXT])
            if grant:
                approvals.use(tx, found.approval_id, _hash(found))
            state: ExceptionState = "active" if grant else "rejected"
            if not self.store.move(tx, exception_id, ("pending", state), actor.id):
                raise ExceptionNotOpen
            action = "detectors.approve_exception" if grant else "detectors.reject_exception"
            details = {"rule": found.rule_id, "reason": reason[:_MAX_TEXT]}
            tx.record(Act(action, actor, f"exception:{exception_id}", details=details))
            return self._get(tx, actor, exception_id)

        return self.parts.transactions.run(work)

    def revoke_exception(self, actor: Actor, exception_id: str, reason: str) -> RuleException:
        """End an exception at once: the rule tells again what it finds."""
        self.parts.access.require(actor, EXCEPTION_REQUEST, f"exception:{exception_id}")

        def work(tx: Transaction) -> RuleException:
            found = self._get(tx, actor, exception_id)
            if not any(
                self.store.move(tx, exception_id, (before, "revoked"), actor.id)
                for before in ("active", "pending")
            ):
                raise ExceptionNotOpen
            details = {"rule": found.rule_id, "reason": reason[:_MAX_TEXT]}
            act = Act("detectors.revoke_exception", actor, f"exception:{found.id}", details=details)
            tx.record(act)
            return self._get(tx, actor, exception_id)

        return self.parts.transactions.run(work)

    def list_exceptions(self, actor: Actor) -> Sequence[RuleException]:
        """Return the organisation's exceptions, the newest first."""
        self.parts.access.require(actor, RULE_READ, "exception:*")
        return self.parts.transactions.read(lambda tx: self.store.list(tx, actor.org_id))

    def _get(self, tx: Transaction, actor: Actor, exception_id: str) -> RuleException:
        found = self.store.get(tx, actor.org_id, exception_id)
        if found is None:
            raise ExceptionNotFound
        return found


@dataclass(slots=True)
class _Compiled:
    lock: threading.Lock = field(default_factory=threading.Lock)
    trees: dict[tuple[str, str], Node] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Excepter:
    """Takes away findings that an exception covers, and counts them."""

    _compiled: _Compiled = field(default_factory=_Compiled)

    def spare(
        self, batch: Batch, findings: Sequence[Finding], active: Sequence[RuleException]
    ) -> tuple[list[Finding], dict[str, tuple[int, int]]]:
        """Return what is left of ``findings``, and (events, newest time) by exception.

        An exception of a counted rule takes its events out of correlations, too. Only rows
        that were found are asked about.
        """
        left = list(findings)
        hits: dict[str, tuple[int, int]] = {}
        for exception in active:
            mine = [each for each in left if _concerns(exception, each)]
            if not mine:
                continue
            spared = {id(each) for each in mine if each.row in self._rows(batch, exception, mine)}
            if spared:
                rows = {each.row for each in mine if id(each) in spared}
                hits[exception.id] = (len(rows), max(batch.times[row] for row in rows))
                left = [each for each in left if id(each) not in spared]
        return left, hits

    def _rows(
        self, batch: Batch, exception: RuleException, mine: Sequence[Finding]
    ) -> frozenset[int]:
        logsources = {str(each.rule.header.logsource): each.rule.header.logsource for each in mine}
        trees = [self._tree(exception.condition, each) for each in logsources.values()]
        found = evaluate(Program(trees), table_of(batch))
        return frozenset(row for rows in found.values() for row in rows.tolist())

    def _tree(self, condition: str, logsource: Logsource) -> Node:
        key = (condition, str(logsource))
        with self._compiled.lock:
            tree = self._compiled.trees.get(key)
            if tree is None:
                tree = self._compiled.trees[key] = compile_condition(condition, logsource)
            return tree


def read_condition(text: str) -> dict[str, Any]:
    """Return the condition that people write as JSON; raise ``Invalid``."""
    msg = "the condition is a JSON object of fields"
    try:
        said = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise Invalid(msg) from error
    if not isinstance(said, dict):
        raise Invalid(msg)
    return said


def written_condition(condition: Mapping[str, Any]) -> str:
    """Return a condition as it is kept; raise ``BadException`` for none, or one too long."""
    text = orjson.dumps(condition, option=orjson.OPT_SORT_KEYS)
    if not condition or len(text) > _MAX_CONDITION:
        msg = f"the condition is a map of fields, at most {_MAX_CONDITION} bytes"
        raise BadException(msg)
    return text.decode()


def compile_condition(condition: str, logsource: Logsource) -> Node:
    """Return the questions of a Sigma detection in JSON; raise ``BadException``."""
    given = {
        name: value
        for name, value in (
            ("product", logsource.product),
            ("category", logsource.category),
            ("service", logsource.service),
        )
        if value is not None
    }
    document = {
        "title": "exception",
        "id": _RULE_ID,
        "status": "stable",
        "level": "low",
        "logsource": given or {"product": "any"},
        "detection": {"selection": orjson.loads(condition), "condition": "selection"},
    }
    compiled = compile_rules([RuleFile("exception.yml", orjson.dumps(document))])
    if not compiled.rules:
        why = "; ".join(problem.what for problem in compiled.problems)
        raise BadException(why[:_MAX_TEXT] or "the condition asks nothing")
    return compiled.rules[0].tree


def _concerns(exception: RuleException, finding: Finding) -> bool:
    ids = (ANY_RULE, finding.detector.header.id, finding.rule.header.id)
    return exception.rule_id in ids


def _check(wish: ExceptionWish) -> None:
    if not 1 <= wish.days <= MAX_DAYS:
        msg = f"an exception ends after 1 to {MAX_DAYS} days"
        raise BadException(msg)
    for text in (wish.owner, wish.reason):
        if not text.strip() or len(text) > _MAX_TEXT:
            msg = f"an exception has an owner and a reason, at most {_MAX_TEXT} characters each"
            raise BadException(msg)


def _hash(exception: RuleException) -> str:
    record: Mapping[str, object] = {
        "id": exception.id,
        "rule": exception.rule_id,
        "condition": exception.condition,
        "expires_at": exception.expires_at,
    }
    return hashlib.sha256(canonical_record(record)).hexdigest()


def _approval(exception: RuleException) -> Approval:
    return Approval(
        id=exception.approval_id,
        org_id=exception.org_id,
        kind=_KIND,
        subject=f"exception:{exception.id}",
        subject_hash=_hash(exception),
        permission=EXCEPTION_APPROVE,
        requester_id=exception.created_by,
        requested_at=exception.created_at,
        expires_at=min(exception.expires_at, exception.created_at + _WAITS),
    )
