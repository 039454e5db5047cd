"""Stored logs are compared with the digests that the ledger holds."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from detectors.adapters.segments import Segments, open_segments
from detectors.adapters.segments.checking import SegmentFiles
from detectors.core.query import evaluator
from detectors.service.logs.log_integrity import CLOSE_SEGMENT, LogIntegrity
from secops.kernel.actors import Actor, system_actor
from secops.kernel.errors import Forbidden
from secops.kernel.logs import LogEvent
from secops.kernel.trail import Act, encode_act
from tests.fakes.parts import Fakes, fakes

NOON = 1_795_348_800_000_000
DAY = 86_400_000_000
AUDITOR = Actor("account", "acc_1", "org_1", "ann", frozenset({"auditor"}))


def identifier(number: int, day: int) -> str:
    return hashlib.sha256(f"{number} {day}".encode()).hexdigest()


@dataclass
class Rig:
    home: Path
    parts: Fakes
    segments: Segments
    integrity: LogIntegrity
    ledger: list[bytes]

    def records_from(self, first: int, count: int) -> Sequence[bytes]:
        return self.ledger[first : first + count]

    def closed(self, name: str, details: object) -> None:
        act = Act(CLOSE_SEGMENT, system_actor("detectors"), f"segment:{name}", details=details)  # type: ignore[arg-type]
        self.ledger.append(encode_act(act, NOON))

    def store(self, number: int, days: int = 1) -> None:
        raw = f"line {number}".encode()
        self.segments.store.append(
            [
                LogEvent(identifier(number, day), "s", NOON + day * DAY, NOON, {}, raw)
                for day in range(days)
            ]
        )

    def files(self) -> list[Path]:
        return sorted((self.home / "segments").glob("*/*.parquet"))


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    made = fakes(tmp_path)
    rig = Rig(tmp_path, made, None, None, [])  # type: ignore[arg-type]
    rig.segments = open_segments(tmp_path, "p", evaluator, rig.closed)
    rig.integrity = LogIntegrity(made.parts, SegmentFiles(tmp_path / "segments"), rig)
    return rig


def test_untouched_segments_are_valid_through_merges_and_retention(rig: Rig) -> None:
    assert rig.integrity.verify_segments(AUDITOR).valid
    for number in range(20):
        rig.store(number, days=2)
    assert rig.integrity.verify_segments(AUDITOR).events == 40
    rig.segments.store.drop_before(NOON + 1)

    verdict = rig.integrity.verify_segments(AUDITOR)
    assert (verdict.valid, verdict.bad, verdict.waiting) == (True, (), ())
    assert rig.parts.trail.acts[-1].action == "detectors.verify_segments"


def test_a_flipped_byte_and_a_missing_file_are_named(rig: Rig) -> None:
    rig.store(1)
    rig.store(2)
    first, second = rig.files()
    content = bytearray(first.read_bytes())
    content[len(content) // 2] ^= 1
    first.write_bytes(content)
    second.unlink()

    verdict = rig.integrity.verify_segments(AUDITOR)
    assert not verdict.valid
    assert [why.partition("/")[2].partition(" ")[2] for _, why in verdict.bad] == [
        "was changed",
        "is missing",
    ]


def test_files_and_manifest_rewritten_together_do_not_fool_the_ledger(rig: Rig) -> None:
    rig.store(1)
    rig.store(2)
    forged = open_segments(rig.home / "forged", "p", evaluator, lambda n, d: None)
    forged.store.append([LogEvent("f" * 64, "s", NOON, NOON, {}, b"harmless")])
    forged.store.append([LogEvent("e" * 64, "s", NOON, NOON, {}, b"harmless too")])
    (rig.home / "segments").rename(rig.home / "real")
    (rig.home / "forged/segments").rename(rig.home / "segments")

    verdict = rig.integrity.verify_segments(AUDITOR)
    assert not verdict.valid
    assert {why for _, why in verdict.bad} == {"the ledger holds other digests"}


def test_segments_the_ledger_knows_nothing_of_are_bad_but_for_the_newest(rig: Rig) -> None:
    for number in range(14):  # of two tiers in turn: compaction leaves them alone
        rig.store(number, days=600 if number % 2 == 0 else 1)
    rig.ledger[:4] = [b'{"action":"other","x":"detectors.close_segment"}']
    early = rig.integrity.verify_segments(AUDITOR)
    rig.ledger[-2:] = []
    late = rig.integrity.verify_segments(AUDITOR)

    assert [why for _, why in early.bad] == ["the ledger knows nothing of it"] * 4
    assert (len(early.waiting), len(late.waiting), early.valid) == (0, 2, False)


def test_only_who_may_search_may_ask(rig: Rig) -> None:
    with pytest.raises(Forbidden):
        rig.integrity.verify_segments(replace(AUDITOR, roles=frozenset({"staff"})))
