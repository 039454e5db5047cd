"""The ledger's tiles, judged by Go's own library of transparent logs."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from audits.adapters.folders import TileFolder
from tests.fakes.ledger_rig import LedgerRig, ledger_rig
from tests.services.go_judges import Unavailable, installed

pytestmark = pytest.mark.service

ENTRIES, OLD = 5_003, 256 * 3 + 5
"""Tiles of two levels, full and partial."""


@pytest.fixture(scope="module")
def judge() -> Path:
    try:
        return installed(Path(__file__).parent / "tlog")
    except Unavailable as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LedgerRig]:
    made = ledger_rig(tmp_path_factory.mktemp("tlog"))
    made.fill(ENTRIES)
    yield made
    made.close()


def exported(rig: LedgerRig, folder: Path) -> tuple[Path, str]:
    rig.files.export_tiles(TileFolder(folder))
    (vkey,) = [line for line in rig.files.vkeys() if "/sm3+" not in line]
    return folder, vkey


def opinion(judge: Path, folder: Path, vkey: str) -> str:
    command = [str(judge), str(folder), vkey, str(OLD)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_go_reads_our_tiles_and_proves_every_entry_and_an_older_tree(
    judge: Path, rig: LedgerRig, tmp_path: Path
) -> None:
    folder, vkey = exported(rig, tmp_path)
    root = base64.b64encode(rig.verify().sha256_root).decode()
    assert opinion(judge, folder, vkey) == f"ok {ENTRIES} {root}"


@pytest.mark.parametrize("path", ["tile/0/010", "tile/1/000.p/19", "tile/entries/010"])
def test_go_refuses_tiles_in_which_one_bit_was_changed(
    judge: Path, rig: LedgerRig, tmp_path: Path, path: str
) -> None:
    folder, vkey = exported(rig, tmp_path)
    tile = folder / path
    content = bytearray(tile.read_bytes())
    content[100] ^= 1
    tile.write_bytes(content)
    assert opinion(judge, folder, vkey).startswith("no ")
