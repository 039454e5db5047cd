"""A witness cosigns growth and nothing else; a log knows what its witnesses saw."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from audits.adapters.signatures import EngineVerifier
from audits.adapters.witness_files import WitnessedFolder, WitnessFolder
from audits.api.witness import witness_routes
from audits.core.c2sp import format_note, parse_note, parse_tree_head, split_note
from audits.core.c2sp.cosignature import (
    COSIGNATURE,
    cosignature_blob,
    cosigned_message,
    open_cosignatures,
    parse_witness_key,
)
from audits.core.c2sp.note import note_key
from audits.core.c2sp.witnessing import format_add_checkpoint, parse_add_checkpoint
from audits.errors import MalformedProof, NoteRejected, ProofRejected
from audits.errors.witnesses import (
    HistoryForked,
    StaleSize,
    UnknownLog,
    WitnessInvalid,
    WitnessMissing,
)
from audits.service.ledger.cosigned import Witnessed
from audits.service.ledger.cosigning import FRESH_SECONDS, Cosigning, WitnessAddress
from audits.service.ledger.files import LedgerFiles
from audits.service.ledger.witness import Witness, require_log_key
from secops.bridges import doctor
from secops.bridges.witnesses import last_cosigned, witness_addresses
from secops.cli.witness import witness as witness_command
from secops.kernel.clock import SECOND, SystemClock
from secops.kernel.errors import AuditUnavailable, Invalid, Unavailable
from secops.kernel.trail import Act, Receipt
from secops.settings import Settings, SettingsRejected
from secops.web.messages import Request
from tests.fakes.clock import START
from tests.fakes.ledger import record
from tests.fakes.ledger_rig import LedgerRig, ledger_rig
from tests.fakes.witnesses import SigningWitness

NAME = "witness.example.gov.cn/w1"


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[LedgerRig]:
    made = ledger_rig(tmp_path / "home")
    made.fill(5)
    yield made
    made.close()


@pytest.fixture
def witness(tmp_path: Path, rig: LedgerRig) -> Witness:
    return watching(tmp_path / "witness", rig)


def watching(folder: Path, *rigs: LedgerRig) -> Witness:
    made = WitnessFolder.make(folder, NAME)
    for rig in rigs:
        for vkey in rig.files.vkeys():
            if "/sm3+" not in vkey:
                made.trust(require_log_key(vkey).vkey)
    return Witness(made, made, EngineVerifier(), rigs[0].clock)


def asked(rig: LedgerRig, old: int, note: str | None = None) -> str:
    checkpoint = rig.files.latest_checkpoint()
    assert checkpoint is not None
    proof = rig.files.prove_growth(old, checkpoint.size)
    return format_add_checkpoint(old, proof, note or checkpoint.sha256_note)


def test_a_first_checkpoint_is_cosigned_with_the_time_in_the_signature(
    rig: LedgerRig, witness: Witness
) -> None:
    line = witness.add_checkpoint(asked(rig, 0))
    key = parse_witness_key(witness.vkey)
    (cosigned,) = open_cosignatures(
        rig.newest_note() + line, [key], EngineVerifier().verify_ed25519
    )
    assert (cosigned.name, cosigned.at) == (NAME, START // SECOND)
    ((_, key_id, blob),) = parse_note(f"x\n\n{line}").signatures
    assert (key_id, len(blob)) == (key.key_id, 72)


def test_growth_is_cosigned_and_a_repetition_too(rig: LedgerRig, witness: Witness) -> None:
    witness.add_checkpoint(asked(rig, 0))
    rig.grow(300)
    witness.add_checkpoint(asked(rig, 5))
    witness.add_checkpoint(asked(rig, 305))
    assert parse_tree_head(split_note(witness.last(rig.store.head().origin))[0]).size == 305


def test_the_size_it_saw_is_told_to_a_log_that_is_wrong_about_it(
    rig: LedgerRig, witness: Witness
) -> None:
    witness.add_checkpoint(asked(rig, 0))
    rig.grow(2)
    with pytest.raises(StaleSize) as stale:
        witness.add_checkpoint(asked(rig, 0))
    assert stale.value.size == 5
    with pytest.raises(Invalid, match="greater"):
        witness.add_checkpoint(asked(rig, 0).replace("old 0", "old 8"))


def test_a_rewritten_or_rolled_back_history_is_never_cosigned(
    rig: LedgerRig, witness: Witness, tmp_path: Path
) -> None:
    """The operator holds the log's keys and signs another history of the same origin."""
    witness.add_checkpoint(asked(rig, 0))
    other = ledger_rig(tmp_path / "other")
    other.signer = rig.signer
    try:
        other.reopened()
        for number in range(9):
            other.doors.put("database", record(500 + number))
        other.sequencer.drain()
        with pytest.raises(ProofRejected):
            witness.add_checkpoint(asked(other, 5))
        forged = ledger_rig(tmp_path / "forged")
        forged.signer = rig.signer
        forged.reopened()
        for number in range(5):
            forged.doors.put("database", record(700 + number))
        forged.sequencer.drain()
        with pytest.raises(HistoryForked):
            witness.add_checkpoint(asked(forged, 5))
        forged.close()
    finally:
        other.close()
    assert witness.last(rig.store.head().origin).startswith(split_note(rig.newest_note())[0])


def test_strangers_and_forgers_are_refused(
    rig: LedgerRig, witness: Witness, tmp_path: Path
) -> None:
    stranger = ledger_rig(tmp_path / "stranger")
    try:
        stranger.fill(3)
        with pytest.raises(NoteRejected):  # same origin in the tests, other keys
            witness.add_checkpoint(asked(stranger, 0))
    finally:
        stranger.close()
    with pytest.raises(UnknownLog):
        witness.add_checkpoint(asked(rig, 0).replace("tests.local/log", "tests.local/lag"))
    with pytest.raises(UnknownLog):
        witness.last("tests.local/none")


def test_lines_that_strangers_add_to_a_checkpoint_are_not_remembered(
    rig: LedgerRig, witness: Witness
) -> None:
    """Anybody can fetch a checkpoint and send it on; the witness must stay able to read it."""
    room = 65_500 - len(asked(rig, 0).encode())
    line = base64.b64encode(bytes(room // 4 * 3)).decode()
    padded = f"{rig.newest_note()}— stranger {line}\n"
    witness.add_checkpoint(asked(rig, 0, padded))
    kept = witness.last(rig.store.head().origin)
    assert kept.startswith(rig.newest_note())
    assert [name for name, _, _ in parse_note(kept).signatures] == [
        rig.store.head().origin,
        NAME,
    ]
    rig.grow(2)
    witness.add_checkpoint(asked(rig, 5))


def test_a_first_checkpoint_comes_without_a_proof(rig: LedgerRig, witness: Witness) -> None:
    with pytest.raises(ProofRejected):
        witness.add_checkpoint(format_add_checkpoint(0, [bytes(32)], rig.newest_note()))


@pytest.mark.parametrize("name", ["", "two words", "a+b", "line\nfeed"])
def test_a_witness_of_an_impossible_name_is_not_begun(tmp_path: Path, name: str) -> None:
    done = CliRunner().invoke(witness_command, ["init", str(tmp_path / "new"), "--name", name])
    assert isinstance(done.exception, NoteRejected)
    assert not (tmp_path / "new").exists()


def test_a_restarted_witness_remembers(rig: LedgerRig, witness: Witness, tmp_path: Path) -> None:
    witness.add_checkpoint(asked(rig, 0))
    folder = WitnessFolder(tmp_path / "witness")
    again = Witness(folder, folder, EngineVerifier(), rig.clock)
    with pytest.raises(StaleSize):
        again.add_checkpoint(asked(rig, 0))
    assert again.vkey == witness.vkey
    folder.trust(witness.memory.logs()[0])
    assert len(folder.logs()) == 1
    with pytest.raises(WitnessInvalid, match="already"):
        WitnessFolder.make(tmp_path / "witness", NAME)
    with pytest.raises(WitnessInvalid, match="no witness"):
        WitnessFolder(tmp_path / "nothing")


def test_the_answers_have_the_specifications_forms(rig: LedgerRig, witness: Witness) -> None:
    add, last = (route.handler for route in witness_routes(witness))

    def post(body: str | bytes) -> tuple[int, str, bytes]:
        content = body if isinstance(body, bytes) else body.encode()
        answer = add(Request("POST", "/add-checkpoint", body=content))
        return answer.status, answer.header("content-type") or "", answer.body

    good = asked(rig, 0)
    status, kind, body = post(good)
    assert (status, body[:4]) == (200, "— ".encode())
    assert kind.startswith("text/plain")
    rig.grow(1)
    assert post(good) == (409, "text/x.tlog.size", b"5\n")
    status, _, _ = post(asked(rig, 5).replace("old 5", "old 9"))
    assert status == 400
    assert post(b"\xff")[0] == 400
    assert post("old 5\n")[0] == 400
    proofs = [base64.b64encode(bytes(32)).decode()] * 3
    note = rig.newest_note()
    assert post("old 5\n" + "".join(f"{p}\n" for p in proofs) + f"\n{note}")[0] == 422
    assert post(asked(rig, 5).replace("— tests", "— texts"))[0] == 403
    assert post(asked(rig, 5).replace("tests.local/log\n", "tests.local/lag\n"))[0] == 404
    found = last(Request("GET", "/checkpoint", query_string="origin=tests.local/log"))
    assert found.status == 200


def test_the_key_of_the_sm3_tree_is_not_watched(rig: LedgerRig) -> None:
    (sm3,) = [vkey for vkey in rig.files.vkeys() if "/sm3+" in vkey]
    with pytest.raises(NoteRejected, match="SHA-256"):
        require_log_key(sm3)


# cosignatures


def test_a_cosignature_that_fails_rejects_the_note() -> None:
    private = Ed25519PrivateKey.generate()
    key = note_key(NAME, COSIGNATURE, private.public_key().public_bytes_raw())
    text = "tests.local/log\n1\n" + base64.b64encode(bytes(32)).decode() + "\n"
    good = cosignature_blob(9, private.sign(cosigned_message(text, 9)))
    later = cosignature_blob(10, good[8:])
    check = EngineVerifier().verify_ed25519
    assert [each.at for each in open_cosignatures(format_note(text, [(key, good)]), [key], check)]
    assert open_cosignatures(format_note(text, [(key, good)]), [], check) == ()
    for bad in (later, good[:-1]):
        with pytest.raises(NoteRejected):
            open_cosignatures(format_note(text, [(key, bad)]), [key], check)

    def broken(*_: bytes) -> None:
        raise Unavailable

    with pytest.raises(Unavailable):
        open_cosignatures(format_note(text, [(key, good)]), [key], broken)


def test_a_logs_key_is_no_witness_key(rig: LedgerRig) -> None:
    with pytest.raises(NoteRejected, match="unknown type"):
        parse_witness_key(rig.files.vkeys()[0])


@given(st.text(max_size=200))
def test_a_request_is_read_or_refused(body: str) -> None:
    try:
        asked_for = parse_add_checkpoint(body)
    except MalformedProof:
        return
    again = format_add_checkpoint(asked_for.old_size, asked_for.proof, asked_for.checkpoint)
    assert again == body


def test_more_hashes_than_a_proof_can_have_are_refused() -> None:
    line = base64.b64encode(bytes(32)).decode() + "\n"
    assert len(parse_add_checkpoint("old 1\n" + line * 63 + "\nx").proof) == 63
    for body in ("old 1\n" + line * 64 + "\nx", "old 01\n\nx", "old 1\nAAAA\n\nx", "new 1\n\nx"):
        with pytest.raises(MalformedProof):
            parse_add_checkpoint(body)


# the log's side


class Wire:
    """Carries requests to a witness; ``answer`` replaces what it says."""

    def __init__(self, witness: Witness) -> None:
        self.handler = witness_routes(witness)[0].handler
        self.answer: tuple[int, bytes] | None = None
        self.sent = 0

    def __call__(self, url: str, body: bytes) -> tuple[int, bytes]:
        assert url == "https://w.example/add-checkpoint"
        self.sent += 1
        if self.answer is not None:
            return self.answer
        response = self.handler(Request("POST", "/add-checkpoint", body=body))
        return response.status, response.body


class Shut:
    """A trail that takes nothing."""

    def append(self, acts: Sequence[Act]) -> Sequence[Receipt]:
        raise AuditUnavailable


def sizes(folder: Path) -> list[int]:
    note = WitnessedFolder(folder).note(NAME)
    return [parse_tree_head(split_note(note)[0]).size] if note else []


def cosigning(rig: LedgerRig, witness: Witness, wire: Wire, folder: Path) -> Cosigning:
    address = WitnessAddress(parse_witness_key(witness.vkey), "https://w.example/")
    kept = WitnessedFolder(folder)
    return Cosigning([address], rig.files, kept, EngineVerifier(), wire, rig.trail, rig.clock)


def test_the_newest_checkpoint_is_cosigned_and_kept(
    rig: LedgerRig, witness: Witness, tmp_path: Path
) -> None:
    wire, folder = Wire(witness), tmp_path / "witnessed"
    work = cosigning(rig, witness, wire, folder)
    work.ask_witnesses()
    work.ask_witnesses()
    assert wire.sent == 1
    rig.grow(4)
    work.ask_witnesses()
    assert sizes(folder) == [9]
    assert work.alarms == {}
    (folder / next(folder.iterdir()).name).unlink()  # what was kept is lost: it is asked anew
    work.ask_witnesses()
    assert wire.sent == 4
    files = LedgerFiles(rig.store, EngineVerifier(), Witnessed(WitnessedFolder(folder)))
    assert files.verify_ledger(witnesses=[witness.vkey]).valid


def test_a_ledger_rolled_back_behind_its_witness_is_found_and_said_once(
    rig: LedgerRig, witness: Witness, tmp_path: Path
) -> None:
    wire = Wire(witness)
    cosigning(rig, witness, wire, tmp_path / "witnessed").ask_witnesses()
    old = ledger_rig(tmp_path / "old")
    old.signer, old.trail = rig.signer, rig.trail
    try:
        old.reopened()
        old.doors.put("database", record(0), record(1))
        old.sequencer.drain()
        work = cosigning(old, witness, wire, tmp_path / "witnessed")
        work.ask_witnesses()
        work.ask_witnesses()
        assert work.alarms == {NAME: "audits.history_forked"}
        said = [act for act in rig.trail.acts if act.action == "audits.ask_witness"]
        assert [act.outcome for act in said] == ["failed"]
        kept = Witnessed(WitnessedFolder(tmp_path / "witnessed"))
        files = LedgerFiles(old.store, EngineVerifier(), kept)
        verdict = files.verify_ledger(witnesses=[witness.vkey])
        assert verdict.first_bad is not None
        assert verdict.first_bad.what == "kept checkpoint"
    finally:
        old.close()


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ((500, b""), "audits.witness_missing"),
        ((200, b"nothing"), "audits.witness_missing"),
        ((200, b"\xff\n"), "audits.witness_missing"),
        ((200, "— another AAAAAAAA\n".encode()), "audits.witness_missing"),
        ((409, b"many\n"), "audits.witness_missing"),
        ((409, b"9\n"), "audits.history_forked"),
        ((409, b"3\n"), "audits.history_forked"),
        ((422, b""), "audits.history_forked"),
    ],
)
def test_a_witness_that_does_not_cosign_is_an_alarm_by_its_reason(
    rig: LedgerRig, witness: Witness, tmp_path: Path, answer: tuple[int, bytes], code: str
) -> None:
    wire = Wire(witness)
    wire.answer = answer
    work = cosigning(rig, witness, wire, tmp_path / "witnessed")
    work.ask_witnesses()
    assert work.alarms == {NAME: code}
    assert sizes(tmp_path / "witnessed") == []
    wire.answer = None
    work.ask_witnesses()
    assert work.alarms == {}


def test_a_ledger_at_rest_is_cosigned_again(
    rig: LedgerRig, witness: Witness, tmp_path: Path
) -> None:
    wire = Wire(witness)
    work = cosigning(rig, witness, wire, tmp_path / "witnessed")
    work.ask_witnesses()
    rig.clock.advance(FRESH_SECONDS + 1)
    work.ask_witnesses()
    assert wire.sent == 2
    note = WitnessedFolder(tmp_path / "witnessed").note(NAME)
    key = parse_witness_key(witness.vkey)
    (cosigned,) = open_cosignatures(note, [key], EngineVerifier().verify_ed25519)
    assert cosigned.at == rig.clock.now() // SECOND


def test_another_history_of_the_size_last_cosigned_is_an_alarm(
    rig: LedgerRig, witness: Witness, tmp_path: Path
) -> None:
    wire = Wire(witness)
    cosigning(rig, witness, wire, tmp_path / "witnessed").ask_witnesses()
    other = ledger_rig(tmp_path / "other")
    other.signer = rig.signer
    try:
        other.reopened()
        for number in range(5):
            other.doors.put("database", record(700 + number))
        other.sequencer.drain()
        work = cosigning(other, witness, wire, tmp_path / "witnessed")
        work.ask_witnesses()
        assert work.alarms == {NAME: "audits.history_forked"}
    finally:
        other.close()


@pytest.mark.parametrize("damage", [b"\xff\xfe", NAME.encode() + b"\nrubbish", b""])
def test_a_damaged_note_beside_the_ledger_is_asked_for_again(
    rig: LedgerRig, witness: Witness, tmp_path: Path, damage: bytes
) -> None:
    folder = tmp_path / "witnessed"
    work = cosigning(rig, witness, Wire(witness), folder)
    work.ask_witnesses()
    (path,) = folder.iterdir()
    path.write_bytes(damage)
    (folder / "another.note").write_bytes(b"other\n\xff")
    work.ask_witnesses()
    assert work.alarms == {}
    files = LedgerFiles(rig.store, EngineVerifier(), Witnessed(WitnessedFolder(folder)))
    assert files.verify_ledger(witnesses=[witness.vkey]).valid


def test_an_alarm_that_could_not_be_recorded_is_said_at_the_next_time(
    rig: LedgerRig, witness: Witness, tmp_path: Path
) -> None:
    wire = Wire(witness)
    wire.answer = (422, b"")
    work = cosigning(rig, witness, wire, tmp_path / "witnessed")
    trail, work.trail = work.trail, Shut()
    with pytest.raises(AuditUnavailable):
        work.ask_witnesses()
    work.trail = trail
    work.ask_witnesses()
    assert [act.action for act in rig.trail.acts] == ["audits.ask_witness"]


def test_an_empty_ledger_asks_nobody_and_a_silent_witness_proves_nothing(
    witness: Witness, tmp_path: Path, rig: LedgerRig
) -> None:
    empty = ledger_rig(tmp_path / "empty")
    wire = Wire(witness)
    try:
        cosigning(empty, witness, wire, tmp_path / "witnessed").ask_witnesses()
    finally:
        empty.close()
    assert wire.sent == 0
    with pytest.raises(WitnessMissing):
        rig.files.verify_ledger(kept_notes=[rig.newest_note()], witnesses=[witness.vkey])


# what is said about it


MINUTE = 60
STALE = 15 * MINUTE


def cosigned_home(home: Path, *ages: int | None, origin: str = "log") -> list[str]:
    """Return the keys of witnesses that cosigned ``home``'s ledger so many seconds ago."""
    now, keys = SystemClock().now() // SECOND, []
    (home / "ledger").mkdir(exist_ok=True)
    (home / "ledger" / "vkeys").write_text("log+1+A\nlog/sm3+2+B\n")
    for number, age in enumerate(ages):
        witness = SigningWitness(f"w{number}")
        note = format_note(f"{origin}\n1\n{base64.b64encode(bytes(32)).decode()}\n", [])
        if age is not None:
            notes = WitnessedFolder(home / "ledger" / "witnessed")
            notes.put(witness.name, witness.cosigned(note, now - age))
        keys.append(witness.vkey)
    return keys


def found_by_doctor(home: Path, witnesses: str, quorum: int = 1) -> dict[str, str]:
    settings = Settings(home, ledger_witnesses=witnesses, ledger_witness_quorum=quorum)
    return {each.name: each.state for each in doctor._witnesses(settings)}


def far(*keys: str) -> str:
    return ", ".join(f"{key} http://10.1.1.{number}:8081" for number, key in enumerate(keys, 1))


def test_doctor_believes_signatures_and_no_witness_hides_anothers_silence(tmp_path: Path) -> None:
    first, second = cosigned_home(tmp_path, 0, None)
    times = last_cosigned(tmp_path, [first, second])
    assert (times[first] > 0, times[second]) == (True, 0)
    near = f"{second} http://127.0.0.1:8081"
    assert found_by_doctor(tmp_path, far(first)) == {"witnesses": "ok", "cosignatures": "ok"}
    assert found_by_doctor(tmp_path, f"{far(first)}, {near}")["cosignatures"] == "ok"
    both = far(first, second)
    named = {"witnesses": "ok", "cosignatures": "unprotected"}
    assert found_by_doctor(tmp_path, both) == named
    settings = Settings(tmp_path, ledger_witnesses=both)
    assert [each.seen for each in doctor._witnesses(settings)][1].endswith("; silent: w1")
    near_only = {"witnesses": "unprotected", "cosignatures": "fault"}
    assert found_by_doctor(tmp_path, near) == near_only
    (path,) = (tmp_path / "ledger" / "witnessed").iterdir()
    path.write_text(path.read_text().replace("log\n1\n", "log\n2\n"))
    assert found_by_doctor(tmp_path, far(first))["cosignatures"] == "fault"


def test_doctor_wants_as_many_witnesses_as_are_set(tmp_path: Path) -> None:
    keys = cosigned_home(tmp_path, 0, 30, STALE + 1)
    for quorum, expected in ((1, "unprotected"), (2, "unprotected"), (3, "fault")):
        found = found_by_doctor(tmp_path, far(*keys), quorum)
        assert found == {"witnesses": "ok", "cosignatures": expected}
    assert found_by_doctor(tmp_path, far(*keys[:2]), 2)["cosignatures"] == "ok"
    few = {"witnesses": "fault", "cosignatures": "fault"}
    assert found_by_doctor(tmp_path, far(*keys[:2]), 3) == few
    assert found_by_doctor(tmp_path, "", 2) == {"witnesses": "fault"}
    near = f"{keys[0]} http://127.0.0.1:1, {keys[1]} http://localhost:2"
    assert found_by_doctor(tmp_path, near, 2)["witnesses"] == "fault"


@pytest.mark.parametrize("age", [STALE + 1, -STALE - MINUTE], ids=["old", "to come"])
def test_doctor_finds_cosignatures_of_another_time_whatever_the_files_date_says(
    tmp_path: Path, age: int
) -> None:
    (first,) = cosigned_home(tmp_path, age)
    assert found_by_doctor(tmp_path, far(first))["cosignatures"] == "fault"


def test_doctor_takes_no_cosignature_on_another_log(tmp_path: Path) -> None:
    """A witness of several logs signs the others' checkpoints, too."""
    (first,) = cosigned_home(tmp_path, 0, origin="other.local/log")
    assert found_by_doctor(tmp_path, far(first))["cosignatures"] == "fault"
    (first,) = cosigned_home(tmp_path, 0)
    (tmp_path / "ledger" / "vkeys").unlink()
    assert found_by_doctor(tmp_path, far(first))["cosignatures"] == "fault"


def test_a_witness_that_is_set_twice_is_refused() -> None:
    alias = SigningWitness("w1")
    twice = ("w+1+A http://a, w+2+B http://b", far(alias.vkey, alias.renamed("w2").vkey))
    for witnesses in twice:
        with pytest.raises(SettingsRejected, match="twice"):
            witness_addresses(Settings(Path(), ledger_witnesses=witnesses))


def test_more_witnesses_than_a_note_has_room_for_are_refused() -> None:
    many = far(*(f"w{number}+1+{number}" for number in range(33)))
    with pytest.raises(SettingsRejected, match="32"):
        witness_addresses(Settings(Path(), ledger_witnesses=many))
