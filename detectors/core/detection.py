"""Detectors: what is asked together, and what of a batch each of them found."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

import orjson

from detectors.core.correlation.model import Correlation
from detectors.core.engine.evaluation import evaluate
from detectors.core.engine.program import Program
from detectors.core.engine.tables import Fields, table_of
from detectors.core.events.text import fold, texts_of
from detectors.core.sigma.rule import CompiledRule, RuleSet
from detectors.models.alerts import GroupMatch
from detectors.models.rules import RuleHeader, RuleProblem
from secops.kernel.canonical import canonical_record
from secops.kernel.logs import Batch, Value

MAX_KEYS: Final = 64
"""Groups that one event may count for: lists in several group-by fields multiply."""


@dataclass(frozen=True, slots=True)
class Detector:
    """A rule, or a correlation with the rules it counts."""

    header: RuleHeader
    version: str
    rules: tuple[CompiledRule, ...]
    correlation: Correlation | None = None

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


def detectors_of(rules: RuleSet) -> tuple[tuple[Detector, ...], tuple[RuleProblem, ...]]:
    """Return the detectors in ``rules``, and the correlations that refer to nothing.

    A correlation without ``generate`` silences the rules of its own file that it counts.
    """
    by_name: dict[str, CompiledRule] = {}
    for rule in rules.rules:
        by_name[rule.header.id] = rule
        if rule.header.name:
            by_name.setdefault(rule.header.name, rule)
    silent: set[str] = set()
    found: list[Detector] = []
    problems: list[RuleProblem] = []
    for correlation in rules.correlations:
        header = correlation.header
        missing = [name for name in correlation.rules if name not in by_name]
        if missing:
            what = f"refers to {', '.join(missing)}, which is not a rule here"
            problems.append(RuleProblem(header.path, header.line, what, header.id))
            continue
        counted = tuple({by_name[n].header.id: by_name[n] for n in correlation.rules}.values())
        if not correlation.generate:
            silent.update(r.header.id for r in counted if r.header.path == header.path)
        found.append(Detector(header, _joint_version(header, counted), counted, correlation))
    plain = [
        Detector(rule.header, rule.header.version, (rule,))
        for rule in rules.rules
        if rule.header.id not in silent
    ]
    return (*plain, *found), tuple(problems)


def _joint_version(header: RuleHeader, counted: Sequence[CompiledRule]) -> str:
    versions = [header.version, *(rule.header.version for rule in counted)]
    return hashlib.sha256("\n".join(versions).encode()).hexdigest()


class Plan:
    """Detectors that are asked together, as one program."""

    def __init__(self, detectors: Sequence[Detector]) -> None:
        self.detectors = tuple(detectors)
        self._asked = [(each, rule) for each in detectors for rule in each.rules]
        self._program: Program | None = None

    def find(self, batch: Batch) -> tuple[list[Finding], list[Failure]]:
        """Return what each detector finds in ``batch``, by row, and which could not be asked.

        If the joint program raises, each detector is asked by itself, so that one broken
        rule silences itself only.
        """
        try:
            if self._program is None:
                self._program = Program([rule.tree for _, rule in self._asked])
            found = evaluate(self._program, table_of(batch))
        except Exception as error:  # noqa: BLE001 - whatever a rule raises is reported by name
            if len(self.detectors) == 1:
                return [], [Failure(self.detectors[0], f"{type(error).__name__}: {error}")]
            return self._find_each(batch)
        findings = [
            Finding(*self._asked[position], row)
            for position, rows in found.items()
            for row in rows.tolist()
        ]
        findings.sort(key=lambda each: (each.row, each.detector.header.id, each.rule.header.id))
        return findings, []

    def _find_each(self, batch: Batch) -> tuple[list[Finding], list[Failure]]:
        findings: list[Finding] = []
        failures: list[Failure] = []
        for detector in self.detectors:
            found, failed = Plan([detector]).find(batch)
            findings.extend(found)
            failures.extend(failed)
        return findings, failures


def group_matches(
    finding: Finding, fields: Fields, at: int, event_id: str
) -> tuple[GroupMatch, ...]:
    """Return the groups of a correlation that a matching event counts for.

    No group-by: one group. A missing group field: none. A list: one per element.
    """
    correlation = finding.detector.correlation
    if correlation is None:
        return ()
    header = finding.rule.header
    names = correlation.group_fields(frozenset({header.id, header.name}))
    values: list[tuple[str, ...]] = []
    for name in names:
        value: Value | None = fields.get(name)
        if value is None:
            return ()
        values.append(tuple(dict.fromkeys(fold(text) for text in texts_of(value))))
    keys: Iterable[tuple[str, ...]] = list(product(*values))[:MAX_KEYS]
    return tuple(GroupMatch(group_text(key), at, event_id) for key in keys)


def group_text(key: Sequence[str]) -> str:
    """Return a group key as it is stored."""
    return orjson.dumps(list(key)).decode()


def group_key(text: str) -> tuple[str, ...]:
    """Return the key that ``group_text`` wrote."""
    return tuple(orjson.loads(text))


def alert_id(detector: str, group: Sequence[str], first_event: str) -> str:
    """Return the id of what ``detector`` found for ``group`` from ``first_event`` on."""
    record: Mapping[str, object] = {
        "detector": detector,
        "group": list(group),
        "first": first_event,
    }
    return f"alr_{hashlib.sha256(canonical_record(record)).hexdigest()[:40]}"
