"""The benchmark measures what it says: acknowledged acts are really there."""

from __future__ import annotations

from pathlib import Path

import pytest

from secops.adapters.bench import BenchLoad, ledger_figures, measure_appends
from secops.adapters.database.engine import database_url, make_engine
from secops.adapters.journal.reader import JournalReader
from secops.adapters.spine import journal_folder
from secops.migrations import upgrade

pytestmark = pytest.mark.service


def make_home(home: Path) -> None:
    engine = make_engine(database_url(home, None))
    upgrade(engine)
    engine.dispose()


def test_what_was_counted_stands_in_the_journals(tmp_path: Path) -> None:
    make_home(tmp_path)
    result = measure_appends(tmp_path, BenchLoad(callers=4, seconds=0.1))
    reader = JournalReader(journal_folder(tmp_path))
    stored = sum(len(reader.read(name, 0).records) for name in reader.processes())
    assert stored == result.acknowledged + 2  # each process's first act is not counted
    assert result.cpu_seconds > 0


def test_both_doors_have_a_figure_with_circumstances(tmp_path: Path) -> None:
    make_home(tmp_path)
    figures = ledger_figures(tmp_path, 0.1)
    assert [figure["unit"] for figure in figures] == ["1/s", "1/s"]
    assert all("fdatasync" in figure["circumstances"] for figure in figures)
