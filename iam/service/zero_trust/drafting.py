"""Checking and trying a draft: findings, and what it would have decided."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from iam.core.policy_data import read_policy_data
from iam.core.policy_probes import id_of, judge, lint, probes
from iam.errors.zero_trust import PolicyInvalid
from iam.models.zero_trust import (
    ChangedDecision,
    Finding,
    PolicyVersion,
    RecordedDecision,
    Simulation,
)
from iam.ports import PolicyCompiler, PolicyQuestion
from iam.service.zero_trust.book import InForce, PolicyBook
from iam.service.zero_trust.record import question_of
from secops.kernel.catalogue import Text

MOST_CHANGED: Final = 500


@dataclass(frozen=True, slots=True)
class Drafting:
    """Works on texts and recorded questions alone; changes nothing."""

    compiler: PolicyCompiler
    book: PolicyBook

    def check(self, policies: str, data: str) -> Sequence[Finding]:
        """Return everything that is wrong with a draft; errors keep it from being proposed."""
        try:
            tables = read_policy_data(data, self.book.shipped.data)
        except PolicyInvalid as error:
            return [Finding("error", "data", "", Text(error.detail, error.detail))]
        try:
            parsed = self.compiler.parse(policies)
        except PolicyInvalid as error:
            return [Finding("error", "unreadable", "", Text(error.detail, error.detail))]
        found = list(lint(parsed, tables))
        names = {policy.name: id_of(policy) for policy in parsed}
        misfits = self.compiler.misfits(policies)
        for name, reason in misfits:
            found.append(Finding("error", "schema", names.get(name, name), Text(reason, reason)))
        if misfits or any(finding.code == "not_forbid" for finding in found):
            return found
        for policy in parsed:
            questions, complete = probes(policy)
            fired = self.compiler.fires(policy, questions)
            found.extend(judge(policy, fired, complete=complete))
        return found

    def require_sound(self, version: PolicyVersion) -> InForce:
        """Return the version compiled; raise ``PolicyInvalid`` with its first error."""
        errors = [f for f in self.check(version.policies, version.data) if f.severity == "error"]
        if errors:
            first = errors[0]
            place = f"{first.policy}: " if first.policy else ""
            raise PolicyInvalid(f"{place}{first.text.en}", findings=len(errors))
        return self.book.compile_version(version)

    def simulate(self, draft: InForce, recorded: Sequence[RecordedDecision]) -> Simulation:
        """Return what ``draft`` would have decided otherwise than what was decided then.

        Zones, working time and device rules stand in a recorded question as they were; the
        limit of risk is the draft's.
        """
        questions, rows, unreadable = [], [], 0
        for row in recorded:
            try:
                question = question_of(row.question)
            except (ValueError, TypeError, KeyError):
                unreadable += row.count
                continue
            questions.append(replace(question, risk_limit=draft.data.risk.refuse))
            rows.append(row)
        answers = draft.engine.evaluate_all(questions)
        counts: dict[tuple[str, str, str, bool, tuple[str, ...]], int] = defaultdict(int)
        for question, row, answer in zip(questions, rows, answers, strict=True):
            if answer.allowed != row.allowed:
                counts[_changed(question, row, answer.policies)] += row.count
        changed = sorted(
            (ChangedDecision(*key[:4], count, key[4]) for key, count in counts.items()),
            key=lambda one: (-one.count, one.subject, one.permission),
        )
        return Simulation(
            decisions=sum(row.count for row in rows),
            questions=len(rows),
            refusals_more=sum(one.count for one in changed if one.allowed_before),
            refusals_fewer=sum(one.count for one in changed if not one.allowed_before),
            unreadable=unreadable,
            changed=tuple(changed[:MOST_CHANGED]),
        )


def _changed(
    question: PolicyQuestion, row: RecordedDecision, policies: tuple[str, ...]
) -> tuple[str, str, str, bool, tuple[str, ...]]:
    subject = f"{question.kind}:{question.id}"
    return subject, question.permission, question.resource_kind, row.allowed, policies
