"""Detectors: what is asked together, and what of a batch each of them found."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from detectors.core.alert_ids import alert_id
from detectors.core.anchors.rules import rules_anchor
from detectors.core.correlation.grouping import Hit, RuleKeys
from detectors.core.correlation.model import Correlation
from detectors.core.correlation.references import References, Unresolved
from detectors.core.engine.asking import PATIENCE, Patience
from detectors.core.engine.columns import Rows
from detectors.core.engine.evaluation import ask
from detectors.core.engine.memory import Memory
from detectors.core.engine.program import Program
from detectors.core.engine.tables import RowFields, table_of
from detectors.core.sigma.rule import CompiledRule, RuleSet
from detectors.models.rules import RuleHeader, RuleProblem
from secops.kernel.anchors import ANYTHING, Anchor
from secops.kernel.logs import Batch

__all__ = [
    "Asked",
    "Detector",
    "Failure",
    "Finding",
    "Plan",
    "alert_id",
    "detectors_of",
    "hits_of",
    "rule_keys",
]


_USUAL: Final = 10_000
"""Events of a batch for which the questions of a rule have ``PATIENCE`` seconds."""


@dataclass(frozen=True, slots=True)
class Detector:
    """A rule, or a correlation with the rules it counts.

    ``inner`` are the correlations that it refers to, in the order in which they are found.
    """

    header: RuleHeader
    version: str
    rules: tuple[CompiledRule, ...]
    correlation: Correlation | None = None
    inner: tuple[Correlation, ...] = ()

    @property
    def chain(self) -> tuple[Correlation, ...]:
        """The correlations it rests on, its own last; empty for a rule."""
        return () if self.correlation is None else (*self.inner, self.correlation)

    @property
    def key(self) -> tuple[str, str]:
        """What its progress is kept under: another version begins anew."""
        return self.header.id, self.version


@dataclass(frozen=True, slots=True)
class Finding:
    """``rule`` (the detector's own, or one it counts) holds for a row of the batch."""

    detector: Detector
    rule: CompiledRule
    row: int


@dataclass(frozen=True, slots=True)
class Failure:
    """A detector that could not be asked: never silence, always a health alert."""

    detector: Detector
    why: str


Asked = tuple[Detector, CompiledRule]
"""A rule, and the detector on whose behalf it is asked."""


def detectors_of(rules: RuleSet) -> tuple[tuple[Detector, ...], tuple[RuleProblem, ...]]:
    """Return the detectors in ``rules``, and the correlations that refer to nothing.

    A correlation without ``generate`` silences what it refers to in its own file.
    """
    by_id = {rule.header.id: rule for rule in rules.rules}
    references = References.of([rule.header for rule in rules.rules], rules.correlations)
    silent: set[str] = set()
    found: list[Detector] = []
    problems: list[RuleProblem] = []
    for correlation in rules.correlations:
        header = correlation.header
        try:
            resolved = references.resolve(correlation)
        except Unresolved as error:
            problems.append(RuleProblem(header.path, header.line, str(error), header.id))
            continue
        if not correlation.generate:
            named = (references.headers[name] for name in correlation.rules)
            silent.update(each.id for each in named if each.path == header.path)
        counted = tuple(by_id[identifier] for identifier in resolved.rules)
        inner = resolved.chain[:-1]
        version = _joint_version(header, (*(e.header for e in inner), *(r.header for r in counted)))
        found.append(Detector(header, version, counted, correlation, inner))
    plain = [
        Detector(rule.header, rule.header.version, (rule,))
        for rule in rules.rules
        if rule.header.id not in silent
    ]
    heard = [each for each in found if each.header.id not in silent]
    return (*plain, *heard), tuple(problems)


def _joint_version(header: RuleHeader, counted: Sequence[RuleHeader]) -> str:
    versions = [header.version, *(each.version for each in counted)]
    return hashlib.sha256("\n".join(versions).encode()).hexdigest()


class Plan:
    """Detectors that are asked together, as one program.

    With ``clock`` (seconds) the questions of one rule have ``PATIENCE`` seconds per batch, of a
    greater batch so many more.
    """

    def __init__(
        self, detectors: Sequence[Detector], clock: Callable[[], float] | None = None
    ) -> None:
        self.detectors = tuple(detectors)
        self._clock = clock
        self.asked: list[Asked] = [(each, rule) for each in detectors for rule in each.rules]
        self._program: Program | None = None

    @cached_property
    def anchor(self) -> Anchor:
        """What an event must show at least for one of the detectors to find something in it."""
        try:
            return rules_anchor([rule.tree for _, rule in self.asked])
        except Exception:  # noqa: BLE001 - a broken rule is named by ``find``; all is looked at
            return ANYTHING

    def find(self, batch: Batch) -> tuple[list[Finding], list[Failure]]:
        """Return what each detector finds in ``batch``, by row, and which could not be asked.

        A rule that raises or takes too long is a failure of its detectors; the others go on.
        """
        try:
            found, given_up = self.rows(batch)
        except Exception as error:  # noqa: BLE001 - whatever a rule raises is reported by name
            if len(self.detectors) == 1:
                return [], [Failure(self.detectors[0], f"{type(error).__name__}: {error}")]
            return self._find_each(batch)
        failed = {self.asked[at][0].key: (at, why) for at, why in given_up.items()}
        findings = [
            Finding(*self.asked[position], row)
            for position, rows in found.items()
            if self.asked[position][0].key not in failed
            for row in rows.tolist()
        ]
        findings.sort(key=lambda each: (each.row, each.detector.header.id, each.rule.header.id))
        return findings, [Failure(self.asked[at][0], why) for at, why in failed.values()]

    def compile(self) -> Program:
        """Build the program if that is still to do; raise what a broken rule raises."""
        if self._program is None:
            self._program = Program([rule.tree for _, rule in self.asked])
        return self._program

    def rows(
        self, batch: Batch, memory: Memory | None = None
    ) -> tuple[dict[int, Rows], dict[int, str]]:
        """Return the rows of each rule that holds, and why rules were given up, by position.

        ``memory`` keeps what is decided for the batches that follow.
        """
        seconds = PATIENCE * max(1.0, len(batch) / _USUAL)
        patience = Patience(self._clock or _no_time, seconds)
        return ask(self.compile(), table_of(batch), patience, memory), patience.failed

    def _find_each(self, batch: Batch) -> tuple[list[Finding], list[Failure]]:
        findings: list[Finding] = []
        failures: list[Failure] = []
        for detector in self.detectors:
            found, failed = Plan([detector], self._clock).find(batch)
            findings.extend(found)
            failures.extend(failed)
        return findings, failures


def _no_time() -> float:
    return 0.0


def hits_of(batch: Batch, findings: Sequence[Finding]) -> list[Hit]:
    """Return one detector's findings in ``batch`` as hits: an event with all that holds."""
    by_row: dict[int, list[RuleKeys]] = {}
    for finding in findings:
        by_row.setdefault(finding.row, []).append(rule_keys(finding.rule.header))
    return [
        Hit(batch.times[row], batch.ids[row], tuple(keys), RowFields(batch, row))
        for row, keys in sorted(by_row.items())
    ]


def rule_keys(header: RuleHeader) -> RuleKeys:
    """Return under which names a correlation may refer to a rule."""
    return frozenset({header.id, header.name}) - {""}
