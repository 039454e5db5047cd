"""The bars of evidence: assessing, exporting, verifying, proving, appending, watching."""

from __future__ import annotations

import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, TypeVar, get_args

from audits.jobs.assessments import DUE_SECONDS
from audits.models.assessments import Assessment
from audits.models.evidence import Snapshot
from audits.models.forms import Form
from audits.models.systems import Scope
from audits.plane import measure_ledger
from audits.ports.assessments import EvidenceSource
from audits.service.assessments.inquiry import Inquiry, Looked
from audits.service.assessments.rounds import REST, ROUND_SECONDS
from secops.adapters.bench import BenchLoad, measure_appends
from secops.adapters.disk import sync_seconds
from secops.bridges.house import House
from secops.cli.bench.evidence import HOSTS, LEVEL, STANDARD, assessed_home, timed
from secops.cli.bench.figures import Bar, figure
from secops.cli.bench.served import demo_home
from secops.kernel.actors import Actor

_LEDGER_SIZE: Final = 1_000_000
"""Entries of a ledger for which verifying and proving are promised; fewer are not judged."""
_STORED_SIZE: Final = 10_000_000
"""Stored events for which an assessment's time is promised; fewer are not judged."""
_ASSESS_BAR: Final = Bar("<=", 60)
_EXPORT_BAR: Final = Bar("<=", 10)
_VERIFY_BAR: Final = Bar("<=", 8)
_PROOF_BAR: Final = Bar("<=", 1)
_APPEND_BAR: Final = Bar(">=", 10_000)
_REST_BAR: Final = Bar("<=", 2)
_LOAD: Final = BenchLoad("journal", processes=2, callers=64)
_TICKS: Final = 20
_FORMS: Final[Sequence[Form]] = [each for each in get_args(Form) if each != "oscal-poam"]
"""The six of which a report is promised; the plan of action is an extract."""
Figures = list[dict[str, Any]]
T = TypeVar("T")


def audit_figures(events: int, entries: int) -> Figures:
    """Return each bar's figure; ``events`` are stored, ``entries`` verified."""
    with assessed_home(events) as (house, system_id):
        made, assessing = _assessing(house, system_id, events)
        exporting = _exporting(house, made)
        resting = _resting(house, events)
    return [*assessing, *exporting, resting, *_ledger(entries), _appending()]


@dataclass(frozen=True, slots=True)
class _Metered(Inquiry):
    """Adds up the CPU seconds of what an assessment is made of."""

    spent: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))

    def look(self, actor: Actor, scope: Scope, standard: str, level: int) -> Looked:
        return self._added("look", lambda: Inquiry.look(self, actor, scope, standard, level))

    def keep(self, snapshots: Sequence[Snapshot]) -> None:
        self._added("keep", lambda: Inquiry.keep(self, snapshots))

    def metered(self) -> _Metered:
        """Return itself with each source of evidence metered."""
        return replace(self, sources=[self._metered(source) for source in self.sources])

    def _metered(self, source: EvidenceSource) -> EvidenceSource:
        name = type(getattr(source, "__self__", source)).__name__
        return lambda actor, scope, at: self._added(name, lambda: source(actor, scope, at))

    def _added(self, name: str, work: Callable[[], T]) -> T:
        begun = time.process_time()
        try:
            return work()
        finally:
            self.spent[name] += time.process_time() - begun


def _assessing(house: House, system_id: str, events: int) -> tuple[Assessment, Figures]:
    service, auditor = house.audits.assessments, house.act_as("auditor")
    plain = service.means.inquiry
    meter = _Metered(plain.parts, plain.store, plain.catalogues, plain.sources)
    metered = replace(service, means=replace(service.means, inquiry=meter.metered()))
    made: list[Assessment] = []
    spent = timed(lambda: made.append(metered.assess(auditor, STANDARD, LEVEL, system_id)))
    what = f"{events} stored events of 180 days, bundles of {HOSTS} hosts, {STANDARD} level {LEVEL}"
    parts = _parts(meter.spent, spent.cpu)
    return made[0], [
        figure(
            f"assessment of a registered system, {events:,} events",
            spent.wall,
            "s",
            f"{what}; CPU {spent.cpu:.1f} s (bar stands at {_STORED_SIZE:,})",
            bar=_ASSESS_BAR if events >= _STORED_SIZE else None,
        ),
        *(
            figure(f"assessment: {name}", value, "CPU-s", f"part of the one with {events} events")
            for name, value in parts.items()
        ),
    ]


def _parts(spent: Mapping[str, float], whole: float) -> dict[str, float]:
    sources = {name: each for name, each in spent.items() if name not in ("look", "keep")}
    known = {"Evidence": "platform and log evidence", "CollectorService": "bundles"}
    named = {title: sources.pop(name, 0.0) for name, title in known.items()}
    looked = sum(named.values()) + sum(sources.values())
    return {
        **named,
        "register, records, rectification": sum(sources.values()),
        "checks": spent["look"] - looked,
        "storing": max(0.0, whole - spent["look"]),
    }


def _exporting(house: House, made: Assessment) -> Figures:
    reports, auditor = house.audits.reports, house.act_as("auditor")
    each = {
        form: timed(lambda form=form: reports.export_report(auditor, made.id, form))  # type: ignore[misc]
        for form in _FORMS
    }
    wall, cpu = sum(one.wall for one in each.values()), sum(one.cpu for one in each.values())
    what = ", ".join(f"{form} {one.wall:.2f} s/{one.cpu:.2f} CPU-s" for form, one in each.items())
    what = f"each sealed, in the ledger, with its proof, fonts read: {what}"
    return [
        figure("six exports together", wall, "s", what, bar=_EXPORT_BAR),
        figure("six exports together, CPU", cpu, "CPU-s", what, bar=_EXPORT_BAR),
    ]


def _resting(house: House, events: int) -> dict[str, Any]:
    """Return the share of a core that looking again and again takes, with its idle ticks."""
    rounds, schedules = house.audits.rounds, house.audits.schedules
    one = timed(rounds.tick)
    idle = timed(lambda: [(rounds.tick(), schedules.tick()) for _ in range(_TICKS)])
    interval = one.wall + max(ROUND_SECONDS, REST * one.wall)
    ticking = idle.cpu / _TICKS / DUE_SECONDS
    return figure(
        "continuous checks at rest",
        100 * (one.cpu / interval + ticking),
        "% of one core",
        f"one system of {events} events and {HOSTS} hosts: a round takes {one.cpu:.2f} CPU-s,"
        f" one each {interval:.0f} s; ticks {100 * ticking:.4f} %",
        bar=_REST_BAR,
    )


def _ledger(entries: int) -> Figures:
    with tempfile.TemporaryDirectory(prefix="secops-bench-") as folder:
        found = {each["name"]: each for each in measure_ledger(Path(folder), entries)}
    verify, proof = found["ledger.verify"], found["ledger.prove-and-verify"]
    promised = entries >= _LEDGER_SIZE
    size = f"(bar stands at {_LEDGER_SIZE:,} entries)"
    return [
        figure(
            f"verify-ledger of {entries:,} entries",
            verify["value"],
            "s",
            f"{1e6 / verify['per_cpu_second']:.1f} CPU-µs an entry;"
            f" {verify['circumstances']} {size}",
            per_cpu_second=verify["per_cpu_second"],
            bar=_VERIFY_BAR if promised else None,
        ),
        figure(
            f"proof made and verified, of {entries:,} entries",
            proof["value"] / 1_000,
            "ms",
            f"{proof['circumstances']}; CPU {1_000 / proof['per_cpu_second']:.2f} ms {size}",
            per_cpu_second=proof["per_cpu_second"],
            bar=_PROOF_BAR if promised else None,
        ),
    ]


def _appending() -> dict[str, Any]:
    with demo_home() as home:
        sync = sync_seconds(home)
        result = measure_appends(home, _LOAD)
    return figure(
        "ledger acknowledged appends",
        result.acknowledged / result.wall_seconds,
        "1/s",
        f"{_LOAD.processes} processes x {_LOAD.callers} callers, {result.wall_seconds:.1f} s,"
        f" fdatasync p50 {sync * 1_000:.2f} ms",
        per_cpu_second=result.acknowledged / result.cpu_seconds,
        bar=_APPEND_BAR,
    )
