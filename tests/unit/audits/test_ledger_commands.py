"""``secops audits`` on the ledger: what is printed, and the exit codes."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import orjson
import pytest
from click.testing import CliRunner, Result

from audits.adapters.folders import TileFolder
from audits.adapters.signers import LateSigner
from audits.commands.group import group
from audits.commands.ledger import (
    compare_device,
    export_tiles,
    prove,
    prove_growth,
    rebuild_rows,
    verify_ledger,
)
from audits.core.c2sp import parse_proof
from audits.errors import LedgerMissing, SignerLocked
from audits.plane import measure_ledger, open_ledger_files
from audits.service.ledger.ledger import LedgerService
from secops.kernel.actors import ROOT_ORG, Actor
from secops.kernel.errors import Forbidden, Unavailable
from secops.terminal.session import Session
from tests.fakes.access import FakeAccess
from tests.fakes.ledger_rig import LedgerRig, ledger_rig

ADMIN = Actor("account", "acc_admin", ROOT_ORG, "admin", frozenset({"audit-admin"}))


class Services:
    """Stands in for ``AuditsServices``: only the ledger's half is looked at."""

    def __init__(self, ledger: LedgerService) -> None:
        self.ledger = ledger
        self.folder_sink = TileFolder


class LedgerSession(Session):
    """A session whose house has the ledger only."""

    def __init__(self, rig: LedgerRig, actor: Actor) -> None:
        self._ledger = LedgerService(
            store=rig.store,
            files=rig.files,
            sequencer=rig.sequencer,
            access=FakeAccess(),
            trail=rig.trail,
        )
        super().__init__(rig.home, None, self._no_house, lambda home: [open_ledger_files(home)])
        self._acting = actor

    @staticmethod
    def _no_house(home: Path) -> Any:
        msg = f"the house {home} is opened"
        raise AssertionError(msg)

    @property
    def actor(self) -> Actor:
        return self._acting

    def services(self, kind: type) -> Any:
        del kind
        return Services(self._ledger)


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[LedgerRig]:
    rig = ledger_rig(tmp_path)
    rig.fill(30, every=10)
    yield rig
    rig.close()


def run(rig: LedgerRig, command: click.Command, *arguments: object, actor: Actor = ADMIN) -> Result:
    session = LedgerSession(rig, actor)
    return CliRunner().invoke(command, [str(one) for one in arguments], obj=session)


def tamper(rig: LedgerRig) -> None:
    with rig.store._writer.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE ledger_entries SET record ="
            " CAST(replace(record, 'tester', 'nobody') AS BLOB) WHERE entry = 7"
        )


def test_the_verdict_is_one_json_document_with_the_promised_fields(rig: LedgerRig):
    result = run(rig, verify_ledger, "--json")
    said = orjson.loads(result.stdout)
    promised = {"valid", "entries", "sha256_root", "sm3_root", "checkpoint", "first_bad"}
    assert promised <= set(said)
    assert (result.exit_code, said["valid"], said["entries"]) == (0, True, 30)
    assert said["checkpoint"]["size"] == 30


def test_an_altered_entry_exits_1_and_is_named(rig: LedgerRig):
    tamper(rig)
    result = run(rig, verify_ledger, "--json")
    said = orjson.loads(result.stdout)
    expected = (1, False)
    assert expected == (result.exit_code, said["valid"])
    assert (said["first_bad"]["what"], said["first_bad"]["index"]) == ("entry", 7)
    shown = run(rig, verify_ledger)
    assert shown.exit_code == 1
    assert "entry 7" in shown.stdout


def test_the_verdict_is_shown_as_a_table(rig: LedgerRig):
    result = run(rig, verify_ledger)
    assert result.exit_code == 0
    for word in ("valid", "30", "SM3 root"):
        assert word in result.stdout


def test_keys_and_checkpoints_kept_elsewhere_are_taken(rig: LedgerRig, tmp_path: Path):
    assert run(rig, export_tiles, tmp_path / "tiles").exit_code == 0
    tiles = tmp_path / "tiles"
    kept = ("--vkeys", tiles / "vkeys", "--checkpoint", tiles / "checkpoint")
    assert run(rig, verify_ledger, *kept).exit_code == 0
    stranger = ledger_rig(tmp_path / "stranger")
    stranger.fill(1)
    (tmp_path / "keys").write_text("\n".join(stranger.store.vkeys()))
    stranger.close()
    assert run(rig, verify_ledger, "--vkeys", tmp_path / "keys").exit_code == 1


def test_a_home_without_a_ledger_says_so(rig: LedgerRig, tmp_path: Path):
    empty = tmp_path / "empty"
    empty.mkdir()
    session = Session(empty, None, LedgerSession._no_house, lambda home: [open_ledger_files(home)])
    result = CliRunner().invoke(verify_ledger, [], obj=session)
    assert isinstance(result.exception, LedgerMissing)
    assert result.exception.exit_code == 2


def test_files_need_somebody_to_open_them(tmp_path: Path):
    session = Session(tmp_path, None, LedgerSession._no_house)
    with pytest.raises(Unavailable):
        session.files(LedgerService)


def test_a_proof_is_printed_or_written(rig: LedgerRig, tmp_path: Path):
    result = run(rig, prove, 7)
    assert parse_proof(result.stdout).index == 7
    out = tmp_path / "7.tlog-proof"
    assert run(rig, prove, 7, "--tree", "sm3", "-o", out).exit_code == 0
    assert "/sm3\n" in out.read_text()


def test_others_may_not(rig: LedgerRig, tmp_path: Path):
    analyst = Actor("account", "acc_1", ROOT_ORG, "analyst", frozenset({"analyst"}))
    for command, argument in ((prove, 7), (export_tiles, tmp_path / "tiles")):
        result = run(rig, command, argument, actor=analyst)
        assert isinstance(result.exception, Forbidden)
    assert not (tmp_path / "tiles").exists()


def test_rows_are_rebuilt(rig: LedgerRig):
    with rig.store._writer.begin() as connection:
        connection.exec_driver_sql("DELETE FROM ledger_rows WHERE entry = 3")
    assert run(rig, verify_ledger).exit_code == 1
    assert run(rig, rebuild_rows).exit_code == 0
    assert run(rig, verify_ledger).exit_code == 0


def test_every_command_has_an_example():
    for command in (verify_ledger, prove, export_tiles, rebuild_rows, group):
        assert "Example: secops audits" in str(command.help)


def test_a_signer_that_is_not_bound_yet_counts_as_locked(rig: LedgerRig):
    late = LateSigner()
    with pytest.raises(SignerLocked):
        late.keys()
    late.bind(rig.signer)
    assert rig.signer.keys() == late.keys()
    assert len(late.sign_ed25519(b"x")) == 64
    assert late.sign_sm2(b"x")[0] == 0x30


def test_the_ledger_is_measured(tmp_path: Path):
    figures = {one["name"]: one for one in measure_ledger(tmp_path, records=1_500)}
    measured = {"sequence", "verify", "prove", "prove-and-verify"}
    assert {f"ledger.{one}" for one in measured} == set(figures)
    for figure in figures.values():
        assert {"name", "value", "unit", "per_cpu_second", "circumstances"} == set(figure)


def test_the_second_device_is_held_against_the_ledger(rig: LedgerRig, tmp_path: Path) -> None:
    device = tmp_path / "device"
    device.mkdir()
    told = [rig.store.entries(index, 1)[0].entry.record for index in range(5)]
    gap = b'{"gap":{"records":2}}'
    (device / "a.jsonl").write_bytes(b"\n".join([*told, gap, b"", b""]))
    done = run(rig, compare_device, str(device), "--json")
    assert (done.exit_code, orjson.loads(done.output)["missing"]) == (0, 0)
    forged = told[3].replace(b'"outcome":"done"', b'"outcome":"failed"')
    (device / "b.jsonl").write_bytes(forged + b"\n" + told[4][:20])
    done = run(rig, compare_device, str(device), "--json")
    found = orjson.loads(done.stdout)
    assert done.exit_code == 1
    named = found.pop("named")
    assert found == {"records": 6, "gaps": 1, "unreadable": 1, "missing": 1}
    assert len(named) == 1
    assert "missing: " in run(rig, compare_device, str(device)).output


def test_growth_is_proved_up_to_the_newest_checkpoint(rig: LedgerRig) -> None:
    done = run(rig, prove_growth, "7")
    assert done.exit_code == 0
    expected = rig.files.prove_growth(7, 30)
    assert [base64.b64decode(line) for line in done.output.split()] == expected
    assert run(rig, prove_growth, "7", "31").exit_code != 0
