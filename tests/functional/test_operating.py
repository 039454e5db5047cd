"""The operator's commands over a real demo home, in this process."""

from __future__ import annotations

import gzip
import json
import shutil
import signal
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from audits.models.ledger import EntryFilter
from detectors.adapters.listeners.notes import LocalListenerNotes
from detectors.models.listening import Endpoint
from secops.app import open_house
from secops.cli import cli, main
from secops.kernel.clock import SystemClock
from secops.kernel.pages import PageRequest
from secops.terminal.output import progress_bar
from secops.terminal.session import Session
from tests.fakes.demo_site import make_demo_home, read_logins

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = str(ROOT / "samples")
Run = Callable[..., int]


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of whoever runs the tests."""
    for name in ("SECOPS_HOME", "SECOPS_TOKEN", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)


def run(*words: object) -> int:
    """Run ``secops`` as the shell does; return the exit code."""
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    assert isinstance(ended.value.code, int)
    return ended.value.code


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo home with the samples in it, as ``make run`` makes it."""
    folder = tmp_path_factory.mktemp("operated") / "home"
    make_demo_home(folder)
    words = ["--home", str(folder), "demo-data", "--samples", SAMPLES]
    cli.main(words, standalone_mode=False)
    return folder


def answer(capsys: pytest.CaptureFixture[str], *words: object) -> Any:
    capsys.readouterr()
    assert run(*words) == 0
    return json.loads(capsys.readouterr().out)


# init


def test_a_second_init_changes_nothing(home: Path) -> None:
    before = [(home / name).read_bytes() for name in ("demo-accounts.txt", "unlock.key")]
    assert run("--home", home, "init", "--demo") == 0
    assert [(home / name).read_bytes() for name in ("demo-accounts.txt", "unlock.key")] == before


def test_what_init_writes_is_its_owners_alone(home: Path) -> None:
    private = ("demo-accounts.txt", "unlock.key")
    assert {name: (home / name).stat().st_mode & 0o777 for name in private} == dict.fromkeys(
        private, 0o600
    )
    assert home.stat().st_mode & 0o777 == 0o700


def test_a_real_home_begins_with_three_administrators_and_no_demo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "passphrase"
    secret.write_text("a passphrase of some length\n")
    monkeypatch.setenv("SECOPS_UNLOCK_PASSPHRASE_FILE", str(secret))
    fresh = tmp_path / "home"
    assert run("--home", fresh, "init") == 0
    enrolments = sorted((fresh / "enrolments").iterdir())
    assert len(enrolments) == 3
    assert {file.stat().st_mode & 0o777 for file in enrolments} == {0o600}
    assert len({file.read_text() for file in enrolments}) == 3
    assert not (fresh / "unlock.key").exists()
    assert run("--home", fresh, "--as", "analyst", "detectors", "list-alerts") == 4
    assert run("--home", fresh, "demo-data", "--samples", SAMPLES) == 4


def test_without_a_passphrase_and_a_terminal_no_home_is_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--home", tmp_path / "home", "init") == 3
    assert "SECOPS_UNLOCK_PASSPHRASE_FILE" in capsys.readouterr().err
    assert not (tmp_path / "home" / "secops.db").exists()


@pytest.mark.parametrize("name", ["absent", "empty"])
def test_commands_on_no_home_say_init(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    (tmp_path / "empty").mkdir()
    assert run("--home", tmp_path / name, "--as", "analyst", "detectors", "list-alerts") == 2
    assert "secops init" in capsys.readouterr().err


# demo-data


def test_the_samples_show_a_brute_force(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = answer(capsys, "--home", home, "--as", "analyst", "detectors", "list-alerts", "--json")
    assert len(page["items"]) >= 1
    assert {alert["status"] for alert in page["items"]} == {"open"}


def test_demo_data_twice_ingests_each_line_once(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--home", home, "--as", "analyst", "logs", "sources", "--json")
    before = answer(capsys, *words)
    assert run("--home", home, "demo-data", "--samples", SAMPLES) == 0
    after = answer(capsys, *words)
    counts = [
        {one["source"]: one["events"] for one in page["stored"] if one["source"] != "govsecops"}
        for page in (before, after)
    ]
    assert len(counts[0]) >= 2
    assert counts[0] == counts[1]


_LISTS = ("systems", "supplier-accesses", "records", "risks", "tasks")


def listed(capsys: pytest.CaptureFixture[str], home: Path) -> dict[str, list[Any]]:
    """Return what the pages of the register list, as who may read all of it."""
    words = ("--home", home, "--as", "security-admin", "audits")
    return {name: answer(capsys, *words, f"list-{name}", "--json")["items"] for name in _LISTS}


def test_the_demos_register_shows_each_thing_that_its_pages_are_for(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = listed(capsys, home)
    assert sorted(one["sag"] for one in found["systems"]) == ["S1A2G2", "S2A2G2", "S3A3G3"]
    assert [one["state"] for one in found["supplier-accesses"]] == ["current"]
    assert sorted(one["state"] for one in found["records"]) == ["soon", "valid"]
    assert {one["source"] for one in found["risks"]} == {"alert", "manual"}
    assert {one["state"] for one in found["risks"]} == {"identified", "treating"}
    (task,) = found["tasks"]
    assert (task["state"], task["owner_name"], task["overdue"]) == ("open", "security-admin", False)
    words = ("--home", home, "--as", "analyst", "audits", "show-system")
    for system in found["systems"]:
        assert "演示" in system["name"]
        (version,) = answer(capsys, *words, system["id"], "--json")["versions"]
        assert version["action"] == "add_system"


def test_the_demos_assets_are_tied_to_its_logs(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--home", home, "--as", "analyst")
    stored = answer(capsys, *words, "logs", "sources", "--json")["stored"]
    claimed = answer(capsys, *words, "audits", "show-source-coverage", "--json")
    names = {one["name"] for one in claimed["sources"] if one["assets"]}
    assert names == {one["source"] for one in stored} - {"govsecops"}
    assert [one["name"] for one in claimed["assets_without_log"]] == ["govdb-01", "mcu-01"]


def test_the_ledger_names_the_demos_people_as_makers_of_its_register(home: Path) -> None:
    house = open_house(home)
    try:
        auditor, ledger = house.act_as("auditor"), house.audits.ledger
        makers = {
            action: {
                entry.actor_id
                for entry in ledger.list_entries(
                    auditor, PageRequest(), EntryFilter(action=f"audits.{action}")
                ).items
            }
            for action in ("add_system", "add_record", "add_risk", "treat_risk", "make_task")
        }
        keeper, analyst = (house.act_as(name).id for name in ("system-admin", "analyst"))
    finally:
        house.close()
    assert makers == {
        "add_system": {keeper},
        "add_record": {keeper},
        "add_risk": {analyst},
        "treat_risk": {analyst},
        "make_task": {analyst},
    }


def test_demo_data_twice_registers_nothing_twice(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = listed(capsys, home)
    assert run("--home", home, "demo-data", "--samples", SAMPLES) == 0
    assert listed(capsys, home) == before


def test_demo_data_without_samples_says_so(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--home", home, "demo-data", "--samples", tmp_path) == 2
    assert str(tmp_path) in capsys.readouterr().err


# backup and restore


def test_a_restored_backup_is_the_same_ledger_and_the_same_keys(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "backup.tar"
    assert run("--home", home, "backup", file) == 0
    other = tmp_path / "other"
    assert run("--home", other, "restore", file) == 0
    assert not (other / "unlock.key").exists()
    shutil.copy(home / "unlock.key", other / "unlock.key")
    verdict = answer(capsys, "--home", other, "audits", "verify-ledger", "--json")
    assert verdict["valid"] is True
    keys = answer(capsys, "--home", other, "--as", "security-admin", "kms", "list-keys", "--json")
    assert {"demo-sm2", "demo-p256"} <= {key["name"] for key in keys["items"]}
    house = open_house(other)
    try:
        tests = list(house.audits.ledger.store.entries(0, 10_000))
    finally:
        house.close()
    assert any(b"os.restore_test" in stored.entry.record for stored in tests)


def test_a_backup_is_not_restored_over_a_home(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "backup.tar"
    assert run("--home", home, "backup", file) == 0
    before = (home / "demo-accounts.txt").read_bytes()
    assert run("--home", home, "restore", file) != 0
    assert (home / "demo-accounts.txt").read_bytes() == before


def changed_in_the_middle(packed: bytes) -> bytes:
    """Flip the first bit from the middle on that matters: one in 14 copies other zeros, no more."""
    plain = gzip.decompress(packed)
    for place in range(len(packed) // 2, len(packed)):
        flipped = packed[:place] + bytes([packed[place] ^ 1]) + packed[place + 1 :]
        try:
            if gzip.decompress(flipped) != plain:
                return flipped
        except (OSError, EOFError, zlib.error):
            return flipped
    raise AssertionError("no bit of it matters")


def test_a_changed_backup_is_not_restored(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "backup.tar"
    assert run("--home", home, "backup", file) == 0
    file.write_bytes(changed_in_the_middle(file.read_bytes()))
    assert run("--home", tmp_path / "other", "restore", file) != 0


# doctor


def findings(home: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, str]]:
    capsys.readouterr()
    code = run("--home", home, "doctor", "--json")
    listed = json.loads(capsys.readouterr().out)["findings"]
    assert code == int(any(one["state"] == "fault" for one in listed))
    return {one["name"]: one for one in listed}


def test_doctor_calls_a_demo_home_unprotected(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = findings(home, capsys)
    assert (seen["demo"]["state"], seen["unlock"]["state"]) == ("unprotected", "unprotected")
    assert (seen["database"]["state"], seen["engines"]["state"]) == ("ok", "ok")
    assert all(one["remedy"] for one in seen.values() if one["state"] in ("fault", "outgrown"))


def test_doctor_prints_a_table_for_people(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--home", str(home), "doctor"])
    assert "secops doctor" in capsys.readouterr().out


def test_doctor_names_what_is_wrong_with_a_home(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text("nonsense = 1\n")
    assert findings(tmp_path, capsys)["settings"]["state"] == "fault"
    settings.write_text('unlock_file = "unlock.key"\nretention_days = 30\n')
    seen = findings(tmp_path, capsys)
    assert (seen["unlock"]["state"], seen["retention"]["state"]) == ("fault", "unprotected")
    assert (seen["database"]["state"], (tmp_path / "secops.db").exists()) == ("fault", False)
    (tmp_path / "secops.db").write_bytes(b"no database " * 1_000)
    assert findings(tmp_path, capsys)["database"]["state"] == "fault"
    (tmp_path / "unlock.key").touch(mode=0o644)
    assert "chmod 600" in findings(tmp_path, capsys)["unlock"]["remedy"]
    settings.write_text('listen = "192.0.2.1:80"\ntrusted_proxies = "192.0.2.0/24"\n')
    seen = findings(tmp_path, capsys)
    assert (seen["listener"]["state"], seen["unlock"]["state"]) == ("unprotected", "ok")


def test_doctor_says_whether_syslog_is_heard(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "settings.toml").write_text('syslog_tcp = "127.0.0.1:6514"\n')
    notes = LocalListenerNotes(tmp_path)
    assert "does not run" in findings(tmp_path, capsys)["syslog"]["seen"]
    notes.note([Endpoint("tcp", "127.0.0.1", 6514)])
    seen = findings(tmp_path, capsys)["syslog"]
    assert (seen["state"], seen["seen"]) == ("ok", "tcp 127.0.0.1:6514")
    notes.note((), "tcp 127.0.0.1:6514: Address already in use")
    seen = findings(tmp_path, capsys)["syslog"]
    assert (seen["state"], "already in use" in seen["seen"]) == ("fault", True)
    notes.forget()
    assert findings(tmp_path, capsys)["syslog"]["state"] == "ok"
    (tmp_path / "settings.toml").write_text("")
    assert "syslog" not in findings(tmp_path, capsys)


# who acts


def test_a_login_acts_for_later_commands(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    login = read_logins(home)["analyst"]
    given = f"{login.password}\n{login.code(SystemClock().now())}\n"
    done = CliRunner().invoke(cli, ["--home", str(home), "login", "--name", "analyst"], input=given)
    assert (done.exception, done.exit_code) == (None, 0)
    saved = home / "login"
    try:
        assert saved.stat().st_mode & 0o777 == 0o600
        assert answer(capsys, "--home", home, "detectors", "list-alerts", "--json")["items"]
    finally:
        saved.unlink()


def test_nobody_may_nothing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--home", home, "detectors", "list-alerts") == 4
    assert "secops login" in capsys.readouterr().err


def test_a_made_up_token_is_nobody(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECOPS_TOKEN", "eyJhbGciOiJub25lIn0.e30.")
    assert run("--home", home, "detectors", "list-alerts") == 4


def test_a_refused_command_is_an_entry_of_the_ledger(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("kms", "create-key", "stolen", "--type", "sm2")
    assert run("--home", home, "--as", "analyst", *words) == 4
    house = open_house(home)
    try:
        records = [stored.entry.record for stored in house.audits.ledger.store.entries(0, 10_000)]
    finally:
        house.close()
    assert any(b'"cli.kms"' in record and b'"refused"' in record for record in records)


# what is printed


@pytest.mark.parametrize(("locale", "remedy"), [("en_US.UTF-8", "Run `secops"), ("", "请先运行")])
def test_a_refusal_is_printed_with_code_and_remedy_in_the_readers_language(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    locale: str,
    remedy: str,
) -> None:
    if locale:
        monkeypatch.setenv("LANG", locale)
    assert run("--home", tmp_path / "none", "--as", "a", "detectors", "list-alerts") == 2
    printed = capsys.readouterr().err
    assert printed.startswith("secops: home.missing: ")
    assert remedy in printed


@pytest.mark.parametrize(
    "words", [("nonsense",), ("kms", "nonsense"), ("serve", "--port", "0"), ("restore", "/none")]
)
def test_wrong_usage_is_exit_2(tmp_path: Path, words: tuple[str, ...]) -> None:
    assert run("--home", tmp_path, *words) == 2


def test_a_file_that_cannot_be_written_is_exit_3_without_a_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    assert run("--home", tmp_path / "file" / "home", "init", "--demo") == 3
    assert "Traceback" not in capsys.readouterr().err


def test_a_folder_of_somebody_else_is_exit_4(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(self: Path, *args: object, **kwargs: object) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "mkdir", refuse)
    assert run("--home", tmp_path / "home", "init", "--demo") == 4
    assert "permission denied" in capsys.readouterr().err


def test_plain_http_beyond_loopback_is_refused_before_anything_starts(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SECOPS_LISTEN", "SECOPS_WORKERS", "SECOPS_HANDOVER_KEY", "SECOPS_HOME"):
        monkeypatch.setenv(name, "unset")  # serve sets them for its children: put back afterwards
        monkeypatch.delenv(name)
    assert run("--home", home, "serve", "--host", "0.0.0.0") == 2  # noqa: S104 - it is refused
    assert "not loopback" in capsys.readouterr().err


def test_every_command_shows_an_example() -> None:
    def walk(command: click.Command, context: click.Context) -> Iterator[tuple[str, str]]:
        if isinstance(command, click.Group):
            for name in command.list_commands(context):
                found = command.get_command(context, name)
                assert found is not None
                yield from walk(found, click.Context(found, parent=context, info_name=name))
        else:
            yield context.command_path, command.get_help(context)

    helped = dict(walk(cli, click.Context(cli, info_name="secops")))
    assert len(helped) > 50
    assert [path for path, text in helped.items() if "Example" not in text] == []


def test_the_help_names_every_group() -> None:
    shown = CliRunner().invoke(cli, ["--help"])
    assert shown.exit_code == 0
    assert [name for name in ("iam", "kms", "logs", "doctor") if name not in shown.output] == []


def test_progress_is_silent_where_nobody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar("lines", 3) as bar:
        bar.advance()
    assert capsys.readouterr() == ("", "")


def test_a_session_without_the_plane_says_which(home: Path) -> None:
    from secops.kernel.errors import Unavailable  # noqa: PLC0415 - only here

    session = Session(home=home, account=None, open_house=open_house)
    with pytest.raises(Unavailable, match="not installed"):
        session.files(dict)
    try:
        with pytest.raises(Unavailable, match="not installed"):
            session.services(dict)
    finally:
        session.close()


def test_a_reader_that_goes_ends_a_command_quietly_and_no_signal_can_end_a_service(
    home: Path,
) -> None:
    words = [sys.executable, "-m", "secops", "--home", str(home), "--as", "analyst"]
    words += ["logs", "search", "*", "--json"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said = process.stderr.read()
        assert (process.wait(60), said) == (1, b"")
    assert signal.getsignal(signal.SIGPIPE) == signal.SIG_IGN
