"""K of n witnesses: who counts, how often, and what no quorum excuses.

Every case is judged by the product and by the one-file verifier, which must agree.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from pysqlite3 import dbapi2

from audits.adapters.signatures import EngineVerifier
from audits.adapters.witness_files import WitnessedFolder
from audits.core.c2sp import format_note
from audits.errors import NoteRejected
from audits.errors.witnesses import WitnessInvalid, WitnessMissing
from audits.service.ledger.cosigned import Witnessed
from audits.service.ledger.files import LedgerFiles
from tests.fakes.ledger import record
from tests.fakes.ledger_rig import LedgerRig, ledger_rig
from tests.fakes.witnesses import SigningWitness
from tools.verify_ledger import open_source, verify

FIRST, SECOND, THIRD = (SigningWitness(f"w.example/{number}") for number in (1, 2, 3))
ALIAS = FIRST.renamed("w.example/another-name")
HEIR = SigningWitness(SECOND.name)
"""Another key under a name that was given before."""
ALL = (FIRST, SECOND, THIRD)


@dataclass(frozen=True)
class Case:
    """A ledger whose checkpoints of 5 and 9 entries are ``old`` and ``new``."""

    rig: LedgerRig
    old: str
    new: str

    @property
    def folder(self) -> Path:
        return self.rig.home / "ledger" / "witnessed"

    def put(self, witness: SigningWitness, note: str) -> None:
        WitnessedFolder(self.folder).put(witness.name, note)

    def judge(
        self,
        witnesses: Sequence[SigningWitness],
        quorum: int | None = None,
        kept: Sequence[str] = (),
    ) -> bool:
        """Return what both verifiers say; raises what the product raises."""
        vkeys = [witness.vkey for witness in witnesses]
        connection = dbapi2.connect(self.rig.path)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        alone = verify(open_source(self.rig.path), None, list(kept), (vkeys, quorum))["valid"]
        notes = Witnessed(WitnessedFolder(self.folder))
        files = LedgerFiles(self.rig.store, EngineVerifier(), notes)
        try:
            valid = files.verify_ledger(None, kept, vkeys, quorum).valid
        except (WitnessInvalid, WitnessMissing, NoteRejected):
            assert alone is False
            raise
        assert alone is valid
        return valid


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Case]:
    rig = ledger_rig(tmp_path / "home")
    rig.fill(5)
    old = rig.newest_note()
    rig.doors.put("database", *(record(1_000 + number) for number in range(4)))
    rig.sequencer.drain()
    yield Case(rig, old, rig.newest_note())
    rig.close()


def test_so_many_of_the_witnesses_are_enough_and_by_default_all_must_have_cosigned(
    case: Case,
) -> None:
    case.put(FIRST, FIRST.cosigned(case.new))
    case.put(SECOND, SECOND.cosigned(case.old))
    assert case.judge(ALL, 2)
    assert case.judge(ALL, 1)
    for quorum in (None, 3):
        with pytest.raises(WitnessMissing, match=r"by w.example/3: 2 of 3"):
            case.judge(ALL, quorum)
    assert case.judge(ALL, 3, [THIRD.cosigned(case.old)])
    assert case.judge(ALL, None, [THIRD.cosigned(case.old)])


def test_one_checkpoint_may_bear_them_all(case: Case) -> None:
    kept = f"{FIRST.cosigned(SECOND.cosigned(case.new))}{THIRD.line(case.new)}"
    assert case.judge(ALL, 3, [kept])


def test_one_key_given_twice_is_one_witness(case: Case) -> None:
    case.put(FIRST, FIRST.cosigned(case.new))
    assert case.judge([FIRST, FIRST])
    with pytest.raises(WitnessInvalid, match="2 can't be had of 1"):
        case.judge([FIRST, FIRST], 2)
    with pytest.raises(WitnessMissing, match="1 of 2"):
        case.judge([FIRST, FIRST, SECOND], 2, [FIRST.cosigned(case.old)])


def test_two_names_of_one_key_are_one_witness(case: Case) -> None:
    """Whoever holds one key can sign under as many names as there are."""
    case.put(FIRST, FIRST.cosigned(case.new))
    case.put(ALIAS, ALIAS.cosigned(case.new))
    assert case.judge([FIRST, ALIAS])
    with pytest.raises(WitnessInvalid):
        case.judge([FIRST, ALIAS], 2)
    with pytest.raises(WitnessMissing, match=r"by w.example/2: 1 of 2"):
        case.judge([FIRST, ALIAS, SECOND], 2)


def test_two_keys_of_one_name_are_two_witnesses(case: Case) -> None:
    case.put(SECOND, SECOND.cosigned(case.new))
    with pytest.raises(WitnessMissing, match="1 of 2"):
        case.judge([SECOND, HEIR])
    with pytest.raises(WitnessMissing, match="1 of 2"):
        case.judge([HEIR, SECOND])
    assert case.judge([SECOND, HEIR], None, [HEIR.cosigned(case.old)])


@pytest.mark.parametrize("quorum", [0, -1, 4])
def test_a_quorum_that_cannot_be_had_is_refused(case: Case, quorum: int) -> None:
    for witness in ALL:
        case.put(witness, witness.cosigned(case.new))
    with pytest.raises(WitnessInvalid):
        case.judge(ALL, quorum)
    with pytest.raises(WitnessInvalid):
        case.judge([], max(quorum, 1))


def other_log(case: Case) -> str:
    root = base64.b64encode(bytes(32)).decode()
    return format_note(f"other.local/log\n5\n{root}\n", [])


def unknown_key(case: Case) -> str:
    return SigningWitness(FIRST.name).cosigned(case.new)


def another_text(case: Case) -> str:
    return FIRST.cosigned(case.new).replace("\n9\n", "\n8\n")


@pytest.mark.parametrize(
    "note",
    [
        lambda case: FIRST.cosigned(other_log(case)),
        unknown_key,
        another_text,
        lambda case: SECOND.cosigned(case.new),
        lambda _: "\x00",
        lambda case: case.new,
    ],
    ids=["another origin", "unknown key", "another text", "another's", "damaged", "uncosigned"],
)
def test_what_is_no_cosignature_on_this_ledger_does_not_count(
    case: Case, note: Callable[[Case], str]
) -> None:
    case.put(FIRST, note(case))
    case.put(SECOND, SECOND.cosigned(case.new))
    with pytest.raises(WitnessMissing, match=r"by w.example/1: 1 of 2"):
        case.judge([FIRST, SECOND])
    assert case.judge([FIRST, SECOND], 1)


def test_another_history_that_one_witness_saw_is_excused_by_no_quorum(
    case: Case, tmp_path: Path
) -> None:
    """The log's own key signed it: however many saw the other one, there are two."""
    forged = ledger_rig(tmp_path / "forged")
    forged.signer = case.rig.signer
    forged.reopened()
    try:
        forged.doors.put("database", *(record(700 + number) for number in range(7)))
        forged.sequencer.drain()
        case.put(FIRST, FIRST.cosigned(forged.newest_note()))
    finally:
        forged.close()
    for witness in (SECOND, THIRD):
        case.put(witness, witness.cosigned(case.new))
    assert case.judge([SECOND, THIRD])
    assert not case.judge(ALL, 2)


def test_a_kept_checkpoint_whose_cosignature_fails_is_refused_whatever_the_quorum(
    case: Case,
) -> None:
    case.put(SECOND, SECOND.cosigned(case.new))
    good = FIRST.line(case.old)
    with pytest.raises(NoteRejected):
        case.judge([FIRST, SECOND], 1, [f"{case.new}{good}"])
