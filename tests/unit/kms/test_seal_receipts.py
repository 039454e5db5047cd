"""Receipts of uses: proved by the ledger, judged by Python alone, and nothing else is believed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from audits.adapters.doors import SpineDoors
from audits.service import AuditsServices
from kms.errors.seals import ReceiptNotFound, UseNotFound
from kms.models.seal_registry import SealedValue
from kms.service.seals import SealReceipts
from kms.service.seals.receipts import receipt_record
from secops.bridges.receipts import LateLedgerProofs
from secops.crypto.hashes import sha256, sm3
from tests.fakes.ledger_rig import LedgerRig, ledger_rig, make_sequencer
from tests.fakes.seal_registry import AUDITOR, HOLDER, World, build, person
from tests.fakes.sealing import DOCUMENT
from tools.verify_receipt import main as judge


@dataclass
class Proved:
    """A use, its ledger, and the receipt as a file."""

    world: World
    rig: LedgerRig
    receipts: SealReceipts
    sealed: SealedValue
    proofs: LateLedgerProofs
    record: dict[str, Any]


@pytest.fixture(scope="module")
def proved(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proved]:
    world = build(tmp_path_factory.mktemp("seals"))
    rig = ledger_rig(tmp_path_factory.mktemp("ledger"))
    rig.doors = SpineDoors(world.spine.doors)  # type: ignore[assignment] - the real doors
    proofs = LateLedgerProofs()
    world.parts = SimpleNamespace(**{n: getattr(world.parts, n) for n in world.parts.__slots__})  # type: ignore[assignment]
    world.parts.proofs = proofs  # type: ignore[misc]
    receipts = SealReceipts(world.parts)
    seal = world.make()
    world.use(seal)
    sealed = world.use(seal)
    assert receipts.show_receipt(HOLDER, sealed.use.id).proof is None
    services = SimpleNamespace(ledger=SimpleNamespace(files=rig.files))
    proofs.bind(cast("AuditsServices", services))
    assert receipts.show_receipt(HOLDER, sealed.use.id).proof is None
    make_sequencer(rig, "one").drain()
    record = receipt_record(receipts.show_receipt(HOLDER, sealed.use.id))
    yield Proved(world, rig, receipts, sealed, proofs, record)
    rig.close()
    world.spine.close()


def written(folder: Path, record: dict[str, Any]) -> str:
    path = folder / "receipt.json"
    path.write_text(json.dumps(record), encoding="utf-8")
    return str(path)


def verdict(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    code = judge(list(arguments))
    out = capsys.readouterr().out
    return code, json.loads(out) if out else {}


def test_the_answer_names_the_leaf_that_the_ledger_has(proved: Proved) -> None:
    record = proved.record["record"].encode()
    assert proved.sealed.use.leaf_hash == sha256(b"\x00" + record).hex()
    details = json.loads(record)["details"]
    assert details["value_sm3"] == sm3(proved.sealed.value).hex()
    assert details["document_sm3"] == sm3(DOCUMENT).hex()
    assert (
        proved.record["entry"]
        == proved.rig.files.find_entry(proved.sealed.use.leaf_hash).entry.index
    )


def test_a_receipt_is_judged_sound_by_python_alone_with_keys_kept_elsewhere(
    proved: Proved, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "notice").write_bytes(DOCUMENT)
    (tmp_path / "notice.dat").write_bytes(proved.sealed.value)
    (tmp_path / "vkeys").write_text("".join(f"{key}\n" for key in proved.rig.files.vkeys()))
    files = ("--document", str(tmp_path / "notice"), "--value", str(tmp_path / "notice.dat"))
    keys = ("--vkeys", str(tmp_path / "vkeys"))
    code, found = verdict(capsys, written(tmp_path, proved.record), *files, *keys)
    assert (code, found["valid"], found["why"]) == (0, True, None)
    assert found["entry"] == proved.record["entry"]


def changed(name: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(record: dict[str, Any]) -> None:
        record["use"][name] = value

    return change


def other_record(record: dict[str, Any]) -> None:
    """Leaf, hash and use agree with each other, and the trees with none of them."""
    forged = record["record"].replace(record["use"]["document_sm3"], "ab" * 32)
    record["use"]["document_sm3"] = "ab" * 32
    record["record"], record["leaf_hash"] = forged, sha256(b"\x00" + forged.encode()).hex()


def other_place(record: dict[str, Any]) -> None:
    for name in ("sha256", "sm3"):
        index = f"index {record['entry']}\n"
        assert index in record["proofs"][name]
        record["proofs"][name] = record["proofs"][name].replace(
            index, f"index {record['entry'] - 1}\n"
        )


def exchanged(record: dict[str, Any]) -> None:
    proofs = record["proofs"]
    proofs["sha256"], proofs["sm3"] = proofs["sm3"], proofs["sha256"]


def one_hash_less(record: dict[str, Any]) -> None:
    head, _, note = record["proofs"]["sm3"].partition("\n\n")
    record["proofs"]["sm3"] = head.rpartition("\n")[0] + "\n\n" + note


def one_hash_more(record: dict[str, Any]) -> None:
    head, _, note = record["proofs"]["sha256"].partition("\n\n")
    record["proofs"]["sha256"] = f"{head}\n{head.rpartition(chr(10))[2]}\n\n{note}"


def unsigned(record: dict[str, Any]) -> None:
    record["proofs"]["sha256"] = record["proofs"]["sha256"].rpartition("\n\n")[0] + "\n\n"


def without_proofs(record: dict[str, Any]) -> None:
    record["proofs"] = None


def without_keys(record: dict[str, Any]) -> None:
    record["vkeys"] = []


def another_entry(record: dict[str, Any]) -> None:
    record["entry"] += 1


def no_instant(record: dict[str, Any]) -> None:
    leaf = json.loads(record["record"])
    forged = json.dumps({**leaf, "at": 10**30})
    record["record"], record["leaf_hash"] = forged, sha256(b"\x00" + forged.encode()).hex()


FORGERIES: dict[str, Callable[[dict[str, Any]], None]] = {
    "another document": changed("document_sm3", "00" * 32),
    "another value": changed("value_sm3", "00" * 32),
    "another seal": changed("seal_id", "seal_other"),
    "another person": changed("account_id", "wu"),
    "another form": changed("form", "ofd"),
    "another class": changed("document_class", "合同"),
    "an approval that was none": changed("request_id", "sur_1"),
    "another time": changed("used_at", "2020-01-01T00:00:00Z"),
    "another purpose": changed("purpose", "贷款合同"),
    "another entry": another_entry,
    "a time that is none": no_instant,
    "a leaf of one's own": other_record,
    "another place": other_place,
    "proofs exchanged": exchanged,
    "a hash less": one_hash_less,
    "a hash more": one_hash_more,
    "no signature": unsigned,
    "no proofs": without_proofs,
    "no keys": without_keys,
    "another format": lambda record: record.update(format="govsecops.seal-use-receipt/2"),
}


@pytest.mark.parametrize("name", sorted(FORGERIES))
def test_a_forged_receipt_is_refused(
    proved: Proved, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    record = json.loads(json.dumps(proved.record))
    FORGERIES[name](record)
    code, found = verdict(capsys, written(tmp_path, record))
    assert (code, found["valid"]) == (1, False)
    assert found["why"]


def test_another_document_or_value_is_not_this_uses(
    proved: Proved, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "other").write_bytes(b"other")
    path = written(tmp_path, proved.record)
    for option in ("--document", "--value"):
        assert verdict(capsys, path, option, str(tmp_path / "other"))[0] == 1


def test_keys_of_another_ledger_verify_nothing(
    proved: Proved, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(proved.rig.home, tmp_path / "mine")
    stranger = ledger_rig(tmp_path / "stranger")
    stranger.fill(2)
    (tmp_path / "vkeys").write_text("".join(f"{key}\n" for key in stranger.files.vkeys()))
    stranger.close()
    path = written(tmp_path, proved.record)
    assert verdict(capsys, path, "--vkeys", str(tmp_path / "vkeys"))[0] == 1


def test_what_is_no_receipt_can_not_be_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for content in ("", "{", "[]", '"text"'):
        (tmp_path / "no.json").write_text(content)
        assert judge([str(tmp_path / "no.json")]) == 2
    assert judge([str(tmp_path / "absent.json")]) == 2
    assert "verify_receipt" in capsys.readouterr().err


def test_a_receipt_is_for_readers_of_the_organisation(proved: Proved) -> None:
    use = proved.sealed.use.id
    assert proved.receipts.show_receipt(AUDITOR, use).use == proved.sealed.use
    with pytest.raises(UseNotFound):
        proved.receipts.show_receipt(person("chen", "auditor", org="org_b"), use)
    with pytest.raises(UseNotFound):
        proved.receipts.show_receipt(AUDITOR, "use_none")


def test_a_use_from_before_receipts_has_none(tmp_path: Path) -> None:
    world = build(tmp_path)
    use = world.use(world.make()).use
    with world.spine.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE kms_seal_uses SET leaf_hash = ''")
    with pytest.raises(ReceiptNotFound):
        world.receipts.show_receipt(HOLDER, use.id)
    world.spine.close()
