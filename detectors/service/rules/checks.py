"""Checking rules before they are trusted: they parse, can fire, and find what they claim."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from pathlib import PurePath
from typing import Any, Literal

from detectors.core.correlation.chains import chained_episodes
from detectors.core.correlation.references import References, lint_correlation
from detectors.core.detection import Detector, Finding, Plan, detectors_of, hits_of
from detectors.core.engine.explain import Explainer
from detectors.core.engine.tables import batch_of
from detectors.core.events.identity import LineCounter, event_id
from detectors.core.formats.detect import LINE_PARSERS, detect
from detectors.core.formats.record import BadLine, Context
from detectors.core.sigma.lint import lint_rule
from detectors.core.sigma.rule import CompiledRule
from detectors.core.sigma.tree import KEYWORDS, fields_of
from detectors.models.rules import RuleFile, RuleProblem
from detectors.service.rules.rule_files import compile_rules, known_fields, logsource_table
from detectors.service.rules.windows_fields import windows_fields
from secops.kernel.clock import DAY
from secops.kernel.logs import Batch, LogEvent, Value

Wanted = Literal["positive", "negative"]


@dataclass(frozen=True, slots=True)
class Sample:
    """Log lines beside a rule: it must find something in positive ones, nothing in negative."""

    path: str
    wanted: Wanted
    content: bytes


SamplesOf = Callable[[str], Sequence[Sample]]
"""Returns the samples that lie beside the rule file of a path."""


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What was checked and what is wrong; any fatal problem makes the answer "no"."""

    rules: int
    correlations: int
    samples: int
    problems: tuple[RuleProblem, ...]

    @property
    def good(self) -> bool:
        """No rule is bad."""
        return not any(problem.fatal for problem in self.problems)

    def as_json(self) -> dict[str, Any]:
        """Return the report as JSON."""
        return {
            "rules": self.rules,
            "correlations": self.correlations,
            "samples": self.samples,
            "good": self.good,
            "problems": [
                {
                    "path": problem.path,
                    "line": problem.line,
                    "rule_id": problem.rule_id or None,
                    "what": problem.what,
                    "fatal": problem.fatal,
                }
                for problem in self.problems
            ],
        }


def check_rules(files: Sequence[RuleFile], samples_of: SamplesOf, now: int) -> CheckReport:
    """Check ``files``. ``now`` (UTC microseconds) decides the year of syslog samples."""
    rules = compile_rules(files)
    detectors, unresolved = detectors_of(rules)
    problems = [*rules.problems, *unresolved]
    table, _ = logsource_table()
    for rule in rules.rules:
        problems.extend(lint_rule(rule, table, known_fields(), windows_fields()))
        problems.extend(_raised(rule))
    named = References.of([rule.header for rule in rules.rules], rules.correlations).headers
    for correlation in rules.correlations:
        problems.extend(lint_correlation(correlation, named))
    samples = 0
    for path, mine in _by_path(detectors).items():
        for sample in samples_of(path):
            samples += 1
            problems.extend(failures_of(mine, sample, now))
    problems.sort(key=lambda each: (each.path, each.line))
    return CheckReport(len(rules.rules), len(rules.correlations), samples, tuple(problems))


def _raised(rule: CompiledRule) -> Iterator[RuleProblem]:
    """Ask every question of ``rule`` once, about an event that has all its fields."""
    header = rule.header
    fields: dict[str, Value] = dict.fromkeys(fields_of(rule.tree) - {KEYWORDS}, "x")
    try:
        Explainer(rule.tree).explain(fields, b"x")
    except Exception as error:  # noqa: BLE001 - whatever a rule raises is reported by name
        what = f"raises {type(error).__name__}: {error}"
        yield RuleProblem(header.path, header.line, what, header.id)


def _by_path(detectors: Sequence[Detector]) -> Mapping[str, list[Detector]]:
    found: dict[str, list[Detector]] = {}
    for detector in detectors:
        found.setdefault(detector.header.path, []).append(detector)
    return found


def failures_of(detectors: Sequence[Detector], sample: Sample, now: int) -> Iterator[RuleProblem]:
    """Yield what is wrong with ``detectors`` by a sample that lies beside them."""
    events: list[LogEvent] = []
    for line, event in sample_events(sample, now):
        if isinstance(event, LogEvent):
            events.append(event)
        else:
            yield RuleProblem(sample.path, line, f"unreadable sample: {event}")
    fired = set(fired_on(detectors, batch_of(events)))
    for detector in detectors:
        header = detector.header
        place = (header.path, header.line)
        if f"failed: {header.id}" in fired:
            what = f"can't be asked about its sample {PurePath(sample.path).name}"
            yield RuleProblem(*place, what, header.id)
        elif sample.wanted == "positive" and header.id not in fired:
            what = f"finds nothing in its positive sample {PurePath(sample.path).name}"
            yield RuleProblem(*place, what, header.id)
        elif sample.wanted == "negative" and header.id in fired:
            what = f"fires on its negative sample {PurePath(sample.path).name}"
            yield RuleProblem(*place, what, header.id)


def fired_on(detectors: Sequence[Detector], batch: Batch) -> Iterator[str]:
    """Yield what finds something: what is over at the last event is over."""
    findings, failures = Plan(detectors).find(batch)
    by_detector: dict[str, list[Finding]] = {each.header.id: [] for each in detectors}
    for finding in findings:
        by_detector[finding.detector.header.id].append(finding)
    times = batch.times or [0]
    for detector in detectors:
        mine = by_detector[detector.header.id]
        if detector.correlation is None:
            fired = bool(mine)
        else:
            hits, until = hits_of(batch, mine), max(times) + 1
            fired = bool(chained_episodes(detector.chain, hits, until, min(times))[0])
        if fired:
            yield detector.header.id
    for failure in failures:
        yield f"failed: {failure.detector.header.id}"


def sample_events(sample: Sample, now: int) -> Iterator[tuple[int, LogEvent | str]]:
    """Yield each line's number with its event, or with why there is none."""
    context = Context(zone=UTC, latest=now + DAY)
    lines = [line for line in sample.content.split(b"\n") if line.strip()]
    kind = detect(b"", lines, context)
    if kind is None or kind not in LINE_PARSERS:
        yield 1, "its format is unknown"
        return
    counter = LineCounter()
    for number, line in enumerate(lines, 1):
        try:
            parsed = LINE_PARSERS[kind](line, context)
        except BadLine as bad:
            yield number, str(bad)
            continue
        identity = event_id("sample", line, counter.number(line))
        yield number, LogEvent(identity, "sample", parsed.at, now, parsed.fields, line)
