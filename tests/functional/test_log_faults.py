"""Logs as they really come: cut off, damaged, huge, twice, in other encodings."""

from __future__ import annotations

import gzip
import lzma
import os
import random
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import orjson
import pytest

from detectors.models import DetectorsOptions
from detectors.models.logs import IngestOptions, IngestResult
from detectors.plane import install
from detectors.ports import DetectorsPorts
from detectors.service import DetectorsServices
from secops.kernel.actors import Actor
from secops.kernel.clock import from_rfc3339
from tests.fakes.clock import FakeClock
from tests.fakes.parts import database_spine

NOW = from_rfc3339("2026-11-23T04:00:00Z")
ANALYST = Actor("account", "acc_1", "org_root", "ann", frozenset({"analyst"}))
GOOD = "Nov 22 17:31:{:02d} gw sshd[{}]: Invalid user 张伟 from 10.1.2.3 port 5\n"


class Home:
    def __init__(self, services: DetectorsServices) -> None:
        self.logs = services.logs

    def ingest(self, *paths: Path, **options: str) -> IngestResult:
        written = IngestOptions(**options)  # type: ignore[arg-type]
        return self.logs.ingest_files(ANALYST, [str(path) for path in paths], written)

    def count(self, query: str) -> int:
        return len(self.logs.search_logs(ANALYST, query, limit=10_000))


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    folder = tmp_path / "home"
    folder.mkdir()
    spine = database_spine(folder, clock=FakeClock(NOW))
    services = install(spine.parts, DetectorsPorts(), DetectorsOptions()).services
    assert isinstance(services, DetectorsServices)
    yield Home(services)
    spine.close()


def lines(count: int, encoding: str = "utf-8") -> bytes:
    return "".join(GOOD.format(n % 60, n) for n in range(count)).encode(encoding)


def at_now(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    os.utime(path, (NOW / 1e6, NOW / 1e6))
    return path


def reasons(result: IngestResult) -> dict[str, int]:
    assert result.rejects_file is not None
    found: dict[str, int] = {}
    for line in Path(result.rejects_file).read_bytes().splitlines():
        reason = orjson.loads(line)["reason"]
        found[reason] = found.get(reason, 0) + 1
    return found


def test_ten_megabyte_lines_and_rubbish_are_refused_and_the_rest_is_stored(
    home: Home, tmp_path: Path
) -> None:
    noise = random.Random(7)  # noqa: S311 - the same rubbish each time
    rubbish = noise.randbytes(64_000).replace(b"\n", b"x") + b"\n"
    path = at_now(
        tmp_path / "auth.log",
        lines(500) + b"x" * (10 << 20) + b"\n" + rubbish * 20 + b"\x00" * 5_000 + b"\n" + lines(5),
    )
    result = home.ingest(path, format="sshd")

    print(f"bad lines: {result.read} read, {result.stored} stored, refused {reasons(result)}")
    assert result.stored == 505
    assert reasons(result) == {"line_too_long": 1, "not_syslog": 21}
    assert home.count("user.name:张伟") == 505


@pytest.mark.corpus
def test_every_cut_of_real_evtx_files_is_named_and_whole_records_are_kept(
    home: Home, tmp_path: Path, corpus: Path
) -> None:
    files = sorted((corpus / "detection/evtx_raw").glob("*.evtx"))
    noise = random.Random(7)  # noqa: S311 - the same damage each time
    for number, file in enumerate(files):
        content = bytearray(file.read_bytes())
        if number % 2:
            del content[noise.randrange(4_200, len(content) - 1) :]
        else:
            begin = noise.randrange(4_700, 12_000)
            content[begin : begin + 200] = noise.randbytes(200)
        (tmp_path / f"{number}.evtx").write_bytes(content)
    damaged = home.ingest(*tmp_path.glob("*.evtx"))
    whole = home.ingest(*files)

    print(f"{len(files)} damaged EVTX files: {damaged.stored} records kept, {reasons(damaged)}")
    assert damaged.stored > 0
    assert reasons(damaged)["truncated"] == len(files) // 2
    assert (whole.read, whole.rejected) == (331, 0)


@pytest.mark.corpus
def test_two_thousand_real_lines_of_which_1461_differ_are_2000_events(
    home: Home, corpus: Path
) -> None:
    path = corpus / "detection/loghub/Apache_2k.log"
    content = path.read_bytes().splitlines()

    first, again = home.ingest(path), home.ingest(path)
    assert len(set(content)) == 1_461
    assert (first.read, first.stored, first.duplicates) == (2_000, 2_000, 0)
    assert (again.stored, again.duplicates) == (0, 2_000)
    assert home.count("log.level:error") == sum(b"[error]" in line for line in content)


@pytest.mark.corpus
@pytest.mark.parametrize("name", ["OpenSSH_2k.log", "Linux_2k.log"])
def test_real_syslog_files_are_read_whole(home: Home, corpus: Path, name: str) -> None:
    result = home.ingest(corpus / "detection/loghub" / name)

    assert (result.read, result.stored, result.rejected) == (2_000, 2_000, 0)


@pytest.mark.corpus
@pytest.mark.parametrize("count", [6_000, pytest.param(24_661, marks=pytest.mark.deep)])
def test_the_windows_corpus_is_stored_once(
    home: Home, tmp_path: Path, corpus: Path, count: int
) -> None:
    with lzma.open(corpus / "detection/hayabusa-sample-evtx.24661.jsonl.xz") as events:
        content = b"".join(islice(events, count))
    plain, packed = tmp_path / "events.jsonl", tmp_path / "events.jsonl.xz"
    plain.write_bytes(content)
    packed.write_bytes(lzma.compress(content, preset=0))

    first = home.ingest(packed, source="w")
    again = home.ingest(plain, source="w")
    assert (first.read, first.stored, first.rejected) == (count, count, 0)
    assert (again.stored, again.duplicates) == (0, count)
    assert home.count("EventID:4625") == home.count("event.code:4625") > 0


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16"])
def test_encodings_and_packed_files_give_the_same_events(
    home: Home, tmp_path: Path, encoding: str
) -> None:
    content = lines(50, encoding)
    paths = [
        at_now(tmp_path / "a.log", content),
        at_now(tmp_path / "a.log.gz", gzip.compress(content)),
        at_now(tmp_path / "a.log.xz", lzma.compress(content)),
    ]
    results = [home.ingest(path, source="a.log") for path in paths]

    assert [(r.stored, r.duplicates) for r in results] == [(50, 0), (0, 50), (0, 50)]
    assert home.count("user.name:张伟") == 50


def test_a_bomb_and_a_cut_off_archive_are_refused_by_name(home: Home, tmp_path: Path) -> None:
    bomb = at_now(tmp_path / "bomb.xz", lzma.compress(bytes(1 << 28)))
    cut = at_now(tmp_path / "cut.log.gz", gzip.compress(lines(5_000))[:-100])
    result = home.ingest(bomb, cut, format="sshd")

    assert result.stored > 1_000
    assert reasons(result)["unreadable"] == 2
