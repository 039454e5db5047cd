"""The figures of seals: rates of the whole work, children counted in."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kms.commands import bench_seals
from kms.commands.bench_seals import seal_figures
from tests.fakes.pdf_files import PdfInProcess
from tests.fakes.seal_registry import HOLDER, build
from tests.fakes.sealing import PixelPainter

BURN = "import time\nwhile time.process_time() < 0.3: pass\nprint(1, flush=True)\ninput()"


def test_the_benchmark_seals_at_each_level_and_verifies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench_seals, "_SECONDS", 0.0)
    monkeypatch.setattr(bench_seals, "_AT_ONCE", 1)
    world = build(tmp_path, PixelPainter(), pdf=PdfInProcess())
    world.make()
    services: Any = SimpleNamespace(
        seal_registry=world.registry,
        seal_using=world.using,
        seal_stamping=world.stamping,
        seal_verification=world.verification,
    )
    figures = seal_figures(services, HOLDER)
    world.spine.close()
    assert [each["name"] for each in figures] == [
        "PDF sealed, PAdES B-B, ECDSA P-256",
        "PDF sealed, PAdES B-T, ECDSA P-256",
        "PDF sealed, PAdES B-LT, ECDSA P-256",
        "PDF sealed, PAdES B-LTA, ECDSA P-256",
        "PDF sealed, PAdES B-B, RSA-3072",
        "seal verified",
        "sealed PDF verified",
    ]
    for figure in figures:
        assert set(figure) == {"name", "value", "unit", "per_cpu_second", "circumstances"}


def test_the_time_of_child_processes_counts() -> None:
    before = bench_seals._spent()
    with subprocess.Popen(
        [sys.executable, "-c", BURN], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        line = b"" if child.stdout is None else child.stdout.readline()
        spent = bench_seals._spent() - before
        child.communicate(b"\n")
    assert line == b"1\n"
    assert spent >= 0.25
