"""A whole home and its witness: what it cosigns is served, what it refuses becomes an alert."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path

import pytest

from audits.adapters.signatures import EngineVerifier
from audits.adapters.witness_files import WitnessFolder
from audits.api.witness import witness_routes
from audits.errors.witnesses import WitnessInvalid
from audits.plane.ledger import witnessed_notes
from audits.service.ledger.cosigning import Cosigning, witness_address
from audits.service.ledger.witness import Witness
from detectors.models.alerts import Alert
from secops.adapters.backup.snapshot import LOGS
from secops.app import open_house
from secops.bridges.house import House
from secops.cli import cli
from secops.kernel.errors import Unavailable
from secops.kernel.trail import Act
from secops.web.messages import Request
from tests.fakes.demo_site import make_demo_home
from tests.fakes.own_alerts import raised_by, watch_itself

FORKED = "platform_ledger_forked"
SILENT = "platform_witness_silent"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    make_demo_home(tmp_path / "home")
    return tmp_path / "home"


@pytest.fixture
def witness(home: Path, tmp_path: Path) -> Witness:
    folder = WitnessFolder.make(tmp_path / "witness", "witness.example.gov.cn/w1")
    for vkey in (home / "ledger" / "vkeys").read_text().splitlines():
        if "/sm3+" not in vkey:
            folder.trust(vkey)
    with closing(open_house(home)) as house:
        return Witness(folder, folder, EngineVerifier(), house.parts.clock)


def ask(house: House, witness: Witness, *, answers: bool = True) -> None:
    handler = witness_routes(witness)[0].handler

    def post(url: str, body: bytes) -> tuple[int, bytes]:
        if not answers:
            msg = f"{url} does not answer"
            raise Unavailable(msg)
        response = handler(Request("POST", "/add-checkpoint", body=body))
        return response.status, response.body

    Cosigning(
        [witness_address(witness.vkey, "http://w.example")],
        house.audits.ledger.files,
        witnessed_notes(house.settings.home),
        EngineVerifier(),
        post,
        house.parts.trail,
        house.parts.clock,
    ).ask_witnesses()


def grow(house: House, count: int) -> None:
    actor = house.act_as("auditor")
    for number in range(count):
        house.parts.trail.append([Act("iam.read_account", actor, f"account:{number}")])
    watch_itself(house)


def raised(house: House) -> list[Alert]:
    return raised_by(house, FORKED, SILENT)


def put_back(home: Path, old: Path) -> None:
    """Put back all that holds acts; the log store and its places stay as they are."""
    for name in ("secops.db", "ledger"):
        for path in home.glob(f"{name}*"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    shutil.copytree(old, home, dirs_exist_ok=True, ignore=shutil.ignore_patterns(*LOGS))


def test_a_ledger_that_was_put_back_is_a_critical_alert_though_it_is_shorter_than_what_was_watched(
    home: Path, witness: Witness, tmp_path: Path
) -> None:
    """What is watched is known by its index, which lies behind the end of such a ledger."""
    with closing(open_house(home)) as house:
        grow(house, 5)
    shutil.copytree(home, tmp_path / "old")
    with closing(open_house(home)) as house:
        grow(house, 300)
        ask(house, witness)
        watch_itself(house)
        assert raised(house) == []
    put_back(home, tmp_path / "old")
    with closing(open_house(home)) as house:
        watch_itself(house)
        ask(house, witness)
        watch_itself(house)
        (alert,) = raised(house)
        assert (alert.severity, alert.custom["gbt20986"]) == ("critical", "DSDATAALTER")
        watch_itself(house)
        assert [each.id for each in raised(house)] == [alert.id]
        assert house.audits.ledger.files.verify_ledger().valid, "by itself it shows nothing"


def test_a_witness_that_does_not_answer_is_an_alert_of_medium_weight(
    home: Path, witness: Witness
) -> None:
    with closing(open_house(home)) as house:
        grow(house, 5)
        ask(house, witness, answers=False)
        watch_itself(house)
        (alert,) = raised(house)
        assert (alert.severity, alert.event_count) == ("medium", 1)
        sizes = []
        for _ in range(4):
            watch_itself(house)
            sizes.append(house.audits.ledger.store.head().size)
        assert sizes[-2] == sizes[-1], "watching what a witness said feeds nothing back"


def test_what_was_cosigned_is_served_and_verified_as_the_settings_say(
    home: Path, witness: Witness, capsys: pytest.CaptureFixture[str]
) -> None:
    with (home / "settings.toml").open("a") as stream:
        stream.write(f'\nledger_witnesses = "{witness.vkey} http://10.1.1.1:8081"\n')
    with closing(open_house(home)) as house:
        grow(house, 5)
        ask(house, witness)
        cosigned = house.audits.ledger.files.served.newest_cosigned()
        assert cosigned is not None
        assert witness.key.name in cosigned
    capsys.readouterr()
    command = ["--home", str(home), "audits", "verify-ledger", "--witness", witness.vkey]
    cli.main([*command, "--quorum", "1"], standalone_mode=False)
    assert "yes" in capsys.readouterr().out
    with pytest.raises(WitnessInvalid):
        cli.main([*command, "--quorum", "2"], standalone_mode=False)
