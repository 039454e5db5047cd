"""What witnesses cosigned is served with the checkpoint, and nothing else that lies there."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import orjson
import pytest

from audits.adapters.folders import TileFolder
from audits.adapters.signatures import EngineVerifier
from audits.adapters.witness_files import WitnessedFolder
from audits.api.ledger import ledger_routes
from audits.core.c2sp import format_note, parse_note, parse_tree_head, split_note
from audits.core.c2sp.cosignature import open_cosignatures
from audits.errors.witnesses import NotCosigned
from audits.service.ledger.cosigned import Witnessed
from audits.service.ledger.files import LedgerFiles
from audits.service.ledger.ledger import LedgerService
from secops.web.messages import Request
from tests.fakes.access import FakeAccess
from tests.fakes.ledger_rig import LedgerRig, ledger_rig
from tests.fakes.witnesses import SigningWitness

FIRST, SECOND, THIRD = (SigningWitness(f"w.example/{number}") for number in (1, 2, 3))
KNOWN = (FIRST, SECOND)


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[LedgerRig]:
    made = ledger_rig(tmp_path / "home")
    made.fill(5)
    yield made
    made.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "witnessed"


def over(rig: LedgerRig, folder: Path, quorum: int = 1) -> LedgerFiles:
    keys = [witness.key for witness in KNOWN]
    return LedgerFiles(
        rig.store, EngineVerifier(), Witnessed(WitnessedFolder(folder), keys, quorum)
    )


def get(files: LedgerFiles, rig: LedgerRig, operation: str, accept: str = "") -> bytes:
    service = LedgerService(rig.store, files, rig.sequencer, FakeAccess(), rig.trail)
    (route,) = [each for each in ledger_routes(service) if each.operation == operation]
    return route.handler(Request("GET", route.path, headers={"accept": accept})).body


def put(folder: Path, *witnesses: SigningWitness, note: str, at: int = 9) -> None:
    for witness in witnesses:
        WitnessedFolder(folder).put(witness.name, witness.cosigned(note, at))


def names(note: bytes | str) -> list[str]:
    text = note.decode() if isinstance(note, bytes) else note
    return [name for name, _, _ in parse_note(text).signatures]


def size(note: bytes) -> int:
    return parse_tree_head(split_note(note.decode())[0]).size


def test_the_newest_checkpoint_is_served_with_the_cosignatures_on_it(
    rig: LedgerRig, folder: Path
) -> None:
    files, origin = over(rig, folder), rig.store.head().origin
    put(folder, FIRST, SECOND, note=rig.newest_note())
    served = get(files, rig, "latest_checkpoint")
    assert names(served) == [origin, FIRST.name, SECOND.name]
    keys = [witness.key for witness in KNOWN]
    check = EngineVerifier().verify_ed25519
    assert [each.at for each in open_cosignatures(served.decode(), keys, check)] == [9, 9]
    view = orjson.loads(get(files, rig, "latest_checkpoint", "application/json"))
    assert view["sha256_note"] == served.decode()
    assert names(get(files, rig, "latest_sm3_checkpoint")) == [f"{origin}/sm3"]


def test_cosignatures_on_an_older_checkpoint_are_served_with_that_one(
    rig: LedgerRig, folder: Path
) -> None:
    files, old = over(rig, folder), rig.newest_note()
    put(folder, FIRST, note=old)
    rig.grow(4)
    assert get(files, rig, "latest_checkpoint").decode() == rig.newest_note()
    assert get(files, rig, "cosigned_checkpoint").decode() == FIRST.cosigned(old, 9)
    put(folder, SECOND, note=rig.newest_note())
    assert size(get(files, rig, "cosigned_checkpoint")) == 9


def test_a_cosigned_checkpoint_has_as_many_cosignatures_as_are_asked_for(
    rig: LedgerRig, folder: Path
) -> None:
    files, old = over(rig, folder, quorum=2), rig.newest_note()
    with pytest.raises(NotCosigned):
        get(files, rig, "cosigned_checkpoint")
    put(folder, FIRST, SECOND, note=old)
    assert names(get(files, rig, "cosigned_checkpoint"))[1:] == [FIRST.name, SECOND.name]
    rig.grow(4)
    put(folder, FIRST, note=rig.newest_note())
    with pytest.raises(NotCosigned):
        get(files, rig, "cosigned_checkpoint")


def test_a_ledger_without_witnesses_serves_its_checkpoint_as_it_is(rig: LedgerRig) -> None:
    files = LedgerFiles(rig.store, EngineVerifier())
    assert get(files, rig, "latest_checkpoint").decode() == rig.newest_note()
    with pytest.raises(NotCosigned):
        get(files, rig, "cosigned_checkpoint")


# hostile files


def stranger_line(count: int = 48) -> str:
    return f"— stranger {base64.b64encode(bytes(count)).decode()}\n"


def bent(note: str) -> str:
    """Return the note with another size under the same signatures."""
    return note.replace("\n5\n", "\n4\n")


def unsigned(note: str) -> str:
    """Return a note that the witness signed and the log did not."""
    return format_note(split_note(note)[0], [])


HOSTILE: dict[str, Callable[[str], bytes]] = {
    "empty": lambda _: b"",
    "no note": lambda _: b"\xff\xfe\x00",
    "no text": lambda _: f"{FIRST.name}\n".encode(),
    "huge": lambda note: f"{FIRST.name}\n{FIRST.cosigned(note)}".encode() + b"x" * 50_000_000,
    "many lines": lambda note: (
        f"{FIRST.name}\n{FIRST.cosigned(note)}{stranger_line() * 100}".encode()
    ),
    "long lines": lambda note: (
        f"{FIRST.name}\n{FIRST.cosigned(note)}{stranger_line(60_000)}".encode()
    ),
    "unknown witness": lambda note: f"{FIRST.name}\n{THIRD.cosigned(note)}".encode(),
    "unknown key of its name": lambda note: (
        f"{FIRST.name}\n{SigningWitness(FIRST.name).cosigned(note)}".encode()
    ),
    "another's file": lambda note: f"{SECOND.name}\n{FIRST.cosigned(note)}".encode(),
    "another text": lambda note: f"{FIRST.name}\n{bent(FIRST.cosigned(note))}".encode(),
    "a text that the log did not sign": lambda note: (
        f"{FIRST.name}\n{FIRST.cosigned(bent(unsigned(note)))}".encode()
    ),
    "another log": lambda _: (
        f"{FIRST.name}\n{FIRST.cosigned(THIRD.cosigned(format_note(OTHER, [])))}".encode()
    ),
}
OTHER = f"other.local/log\n5\n{base64.b64encode(bytes(32)).decode()}\n"


def own_file(folder: Path) -> Path:
    """Return the file of the first witness, which is written then."""
    WitnessedFolder(folder).put(FIRST.name, "")
    (path,) = folder.iterdir()
    return path


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_files_neither_break_nor_grow_the_answer(
    rig: LedgerRig, folder: Path, content: Callable[[str], bytes]
) -> None:
    files, plain = over(rig, folder), rig.newest_note()
    own_file(folder).write_bytes(content(plain))
    assert get(files, rig, "latest_checkpoint").decode() == plain
    with pytest.raises(NotCosigned):
        get(files, rig, "cosigned_checkpoint")
    put(folder, SECOND, note=plain)
    assert names(get(files, rig, "latest_checkpoint"))[1:] == [SECOND.name]
    assert names(get(files, rig, "cosigned_checkpoint"))[1:] == [SECOND.name]


def test_what_is_no_file_is_no_note(rig: LedgerRig, folder: Path, tmp_path: Path) -> None:
    """A pipe would hold up the answer, a link lead out of the folder."""
    files, plain = over(rig, folder), rig.newest_note()
    path = own_file(folder)
    good = tmp_path / "good"
    good.write_text(f"{FIRST.name}\n{FIRST.cosigned(plain)}")
    for make in (lambda: os.mkfifo(path), lambda: path.symlink_to(good), path.mkdir):
        path.unlink(missing_ok=True)
        make()
        assert get(files, rig, "latest_checkpoint").decode() == plain


def test_lines_that_somebody_added_are_not_served_with_a_cosigned_checkpoint(
    rig: LedgerRig, folder: Path
) -> None:
    files, old = over(rig, folder), rig.newest_note()
    log_line = old.removeprefix(f"{split_note(old)[0]}\n")
    padded = f"{old}{log_line * 3}{stranger_line() * 20}{FIRST.line(old) * 3}{THIRD.line(old)}"
    own_file(folder).write_text(f"{FIRST.name}\n{padded}")
    assert get(files, rig, "cosigned_checkpoint").decode() == FIRST.cosigned(old)
    assert get(files, rig, "latest_checkpoint").decode() == FIRST.cosigned(old)


def test_another_logs_checkpoint_that_the_same_witness_cosigned_is_not_served(
    rig: LedgerRig, folder: Path, tmp_path: Path
) -> None:
    other = ledger_rig(tmp_path / "other")
    try:
        other.fill(7)
        put(folder, FIRST, note=other.newest_note())
    finally:
        other.close()
    assert get(over(rig, folder), rig, "latest_checkpoint").decode() == rig.newest_note()
    with pytest.raises(NotCosigned):
        get(over(rig, folder), rig, "cosigned_checkpoint")


# who reads it


def test_a_checkpoint_with_the_lines_of_others_is_one_that_was_kept(
    rig: LedgerRig, folder: Path
) -> None:
    put(folder, FIRST, SECOND, note=rig.newest_note())
    files = over(rig, folder)
    served = get(files, rig, "latest_checkpoint").decode()
    rig.grow(300)
    assert files.verify_ledger(files.vkeys(), [f"{served}{stranger_line()}"]).valid
    witnesses = [FIRST.vkey, SECOND.vkey]
    assert files.verify_ledger(files.vkeys(), [served], witnesses).valid


def test_tiles_are_exported_with_the_cosigned_checkpoint(
    rig: LedgerRig, folder: Path, tmp_path: Path
) -> None:
    old = rig.newest_note()
    over(rig, folder).export_tiles(TileFolder(tmp_path / "plain"))
    assert not (tmp_path / "plain" / "cosigned-checkpoint").exists()
    put(folder, FIRST, note=old)
    over(rig, folder).export_tiles(TileFolder(tmp_path / "fresh"))
    assert (tmp_path / "fresh" / "checkpoint").read_text() == FIRST.cosigned(old, 9)
    rig.grow(300)
    over(rig, folder).export_tiles(TileFolder(tmp_path / "older"))
    assert (tmp_path / "older" / "checkpoint").read_text() == rig.newest_note()
    assert (tmp_path / "older" / "cosigned-checkpoint").read_text() == FIRST.cosigned(old, 9)
