"""One piece of the log store against a program of rules: what a process of its own can do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from detectors.core.alert_grouping import window_of
from detectors.core.detection import Asked, Finding, Plan
from detectors.core.engine.columns import Rows
from detectors.core.engine.explain import Explainer
from detectors.core.engine.memory import Memory
from detectors.core.engine.tables import fields_of_rows
from detectors.core.portions import Key, Portion, portions_of
from detectors.core.sightings import Watch
from detectors.core.sigma.tree import KEYWORDS, fields_of
from detectors.core.subjects import subjects_of
from detectors.models.triage import RuleException
from detectors.service.rules.exceptions import Excepter
from detectors.service.runs.sweep.found import Counted, PieceFound
from secops.kernel.logs import Batch


@dataclass(slots=True)
class PieceMatcher:
    """Asks a plan about pieces. ``active`` are the exceptions that hold, ``seen`` known fields.

    Of each alert-to-be only the earliest event that this matcher met is explained, and a field
    is told only once. What is decided of a value is remembered.
    """

    plan: Plan
    watch: Watch
    seen: Mapping[str, frozenset[str]]
    active: Sequence[RuleException]
    excepter: Excepter
    _memory: Memory = field(default_factory=Memory)
    _told: dict[Key, tuple[int, str]] = field(default_factory=dict)
    _explainers: dict[int, tuple[Explainer, bool]] = field(default_factory=dict)
    _seen: dict[str, frozenset[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Begin with the fields that are known."""
        self._seen.update(self.seen)

    def match(self, batch: Batch) -> PieceFound:
        """Return what the rules find in ``batch``."""
        result = PieceFound(batch.events)
        rows, result.failed = self.plan.rows(batch, self._memory)
        asked = self.plan.asked
        lost = {asked[position][0].key for position in result.failed}
        rows = {at: mine for at, mine in rows.items() if asked[at][0].key not in lost}
        if self.active:
            rows, result.spared = self._spare(batch, rows)
        times = np.frombuffer(batch.times, dtype=np.int64)
        seqs = np.frombuffer(batch.seqs, dtype=np.int64)
        for position, mine in rows.items():
            last = mine[np.lexsort((seqs[mine], times[mine]))[-1]]
            result.hits[position] = len(mine)
            result.newest[position] = (int(times[last]), int(seqs[last]))
        plain = {at: mine for at, mine in rows.items() if asked[at][0].correlation is None}
        windows = [window_of(detector.header.custom) for detector, _ in asked]
        result.portions = portions_of(batch, plain, windows)
        self._explain(batch, result.portions)
        counted = {at: mine for at, mine in rows.items() if at not in plain}
        result.counted = _counted(batch, counted) if counted else []
        result.sight = self.watch.look(batch, self._seen)
        for name, names in result.sight.fields.items():
            self._seen[name] = self._seen.get(name, frozenset()) | names
        return result

    def _spare(
        self, batch: Batch, rows: Mapping[int, Rows]
    ) -> tuple[dict[int, Rows], dict[str, tuple[int, int]]]:
        findings: list[Finding] = []
        positions: dict[int, int] = {}
        for position, mine in rows.items():
            for row in mine.tolist():
                finding = Finding(*self.plan.asked[position], row)
                positions[id(finding)] = position
                findings.append(finding)
        left, spared = self.excepter.spare(batch, findings, self.active)
        kept: dict[int, list[int]] = {}
        for finding in left:
            kept.setdefault(positions[id(finding)], []).append(finding.row)
        return {at: np.array(mine, dtype=np.int64) for at, mine in kept.items()}, spared

    def _explain(self, batch: Batch, portions: Sequence[Portion]) -> None:
        fresh = []
        for portion in portions:
            first = portion.hits[0]
            if first < self._told.get(portion.key, (first[0] + 1, "")):
                self._told[portion.key] = first
                fresh.append(portion)
        fields = fields_of_rows(batch, [portion.row for portion in fresh])
        for portion, mine in zip(fresh, fields, strict=True):
            explainer, needs_raw = self._explainer(portion.key[0])
            raw = batch.raws[portion.row] if needs_raw else b""
            portion.subjects = subjects_of(mine)
            portion.reasons = explainer.explain(mine, raw)

    def _explainer(self, position: int) -> tuple[Explainer, bool]:
        known = self._explainers.get(position)
        if known is None:
            rule: Asked = self.plan.asked[position]
            tree = rule[1].tree
            known = Explainer(tree), KEYWORDS in fields_of(tree)
            self._explainers[position] = known
        return known


def _counted(batch: Batch, rows: Mapping[int, Rows]) -> list[Counted]:
    by_row: dict[int, list[int]] = {}
    for position, mine in rows.items():
        for row in mine.tolist():
            by_row.setdefault(row, []).append(position)
    places = sorted(by_row)
    return [
        Counted(batch.seqs[row], batch.times[row], batch.ids[row], tuple(by_row[row]), fields)
        for row, fields in zip(places, fields_of_rows(batch, places), strict=True)
    ]
