"""What is measured for each plane: its own benches, and the hot paths from outside."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from secops.bridges.house import House
from secops.cli.bench.batch import assessment_figures, log_figures, sigma_figures
from secops.cli.bench.closed_loop import closed_loop_figures
from secops.cli.bench.containment import containment_figures
from secops.cli.bench.executor import executor_figures
from secops.cli.bench.figures import Bar, normal
from secops.cli.bench.hot import UNHINDERED, token_figures
from secops.cli.bench.keys import transit_figures
from secops.cli.bench.people import people_figures
from secops.cli.bench.queue import queue_figures
from secops.cli.bench.served import demo_home
from secops.settings import FILE, corpus_folder

_APPEND_BAR: Final = Bar(">=", 5_000)
Figures = list[dict[str, Any]]


def plane_figures(plane: str) -> Figures:
    """Return the figures of ``plane``; every home is a temporary one."""
    return [normal(found) for found in _BENCHES[plane]()]


def _iam() -> Figures:
    from iam.commands.bench import figures  # noqa: PLC0415 - heavy

    with _opened() as house:
        plane = next(plane for plane in house.planes if plane.name == "iam")
        own = figures(plane, house.parts)
    return [*token_figures(), *own, *people_figures()]


def _kms() -> Figures:
    from kms.commands.bench import engine_figures, service_figures  # noqa: PLC0415 - heavy
    from kms.commands.bench_seals import seal_figures  # noqa: PLC0415 - heavy
    from kms.commands.bench_timing import timing_figures  # noqa: PLC0415 - heavy

    with _opened() as house:
        keeper, user = house.act_as("security-admin"), house.act_as("integrator")
        own = service_figures(house.kms, keeper, user)
        seals = seal_figures(house.kms, house.act_as("seal-holder"))
    return [*transit_figures(), *own, *seals, *engine_figures(), *timing_figures()]


def _ledger() -> Figures:
    from secops.adapters.bench import ledger_figures  # noqa: PLC0415 - heavy

    with demo_home() as home:
        doors = ledger_figures(home)
    journal = doors[0]
    verdict = _APPEND_BAR.judge(journal["value"])
    doors[0] = {**journal, "circumstances": f"{journal['circumstances']}; {verdict}"}
    return [*doors, *_sequencing()]


def _sequencing() -> Figures:
    from audits.plane import measure_ledger  # noqa: PLC0415 - heavy

    with tempfile.TemporaryDirectory(prefix="secops-bench-") as folder:
        return measure_ledger(Path(folder))


def _playbooks() -> Figures:
    from playbooks.commands.bench import figures  # noqa: PLC0415 - heavy

    with _opened() as house:
        runs = executor_figures(house)
    return [
        *figures(),
        *runs,
        *closed_loop_figures(),
        *containment_figures(),
        *queue_figures(),
    ]


def _detectors() -> Figures:
    from detectors.commands.bench import figures  # noqa: PLC0415 - heavy

    corpus = corpus_folder()
    whole = sigma_figures()  # first: a process's largest size counts its parent's when it began
    with tempfile.TemporaryDirectory(prefix="secops-bench-") as folder:
        place = Path(folder)
        own = figures(place, place if corpus is None else corpus / "detection")
    return [*whole, *own]


@contextmanager
def _opened() -> Iterator[House]:
    from secops.app import open_house  # noqa: PLC0415 - heavy

    with demo_home() as home:
        with (home / FILE).open("a") as settings:
            settings.writelines(f"{name} = {rate}\n" for name, rate in UNHINDERED.items())
        house = open_house(home)
        try:
            yield house
        finally:
            house.close()


_BENCHES: Final[Mapping[str, Callable[[], Figures]]] = {
    "iam": _iam,
    "kms": _kms,
    "detectors": _detectors,
    "ledger": _ledger,
    "logs": log_figures,
    "playbooks": _playbooks,
    "audits": assessment_figures,
}
