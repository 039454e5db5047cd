"""The command line of the plane, over an opened home."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner, Result

from iam.commands import group
from iam.commands.bench import figures
from iam.core.gb11643.id_number import check_character
from iam.core.rfc6238.totp import hotp, step_at
from iam.errors import EnrolmentRefused, PersonUnproved, ResetTooEarly
from secops.kernel.actors import Actor
from secops.kernel.errors import Conflict, Forbidden, Invalid
from secops.terminal.session import Session
from tests.fakes.iam_home import OWNER, IamHome, open_iam_home

GOOD = "Xk7#mPq9vT2w"
FIRST = "88888819790101001"
CITIZEN = FIRST + check_character(FIRST)


@dataclass
class House:
    home: IamHome

    @property
    def parts(self) -> Any:
        return self.home.spine.parts

    @property
    def services(self) -> Any:
        return (self.home.services,)

    def act_as(self, account: str | None) -> Actor:
        assert account is not None
        return self.home.actor(account)

    def close(self) -> None:
        """The home is the fixture's."""


def run(home: IamHome, who: str | None, *words: str, typed: str = "") -> Result:
    session = Session(Path("/nonexistent"), who, lambda _: House(home))
    return CliRunner().invoke(group, list(words), obj=session, input=typed)


def printed(result: Result) -> Any:
    assert result.exception is None, result.exception
    return orjson.loads(result.stdout)


def refused(result: Result) -> BaseException | None:
    return result.exception


def test_an_account_from_creation_to_enrolment(home: IamHome, tmp_path: Path) -> None:
    file, secret = tmp_path / "enrolment.json", tmp_path / "password"
    made = run(
        home,
        "system-admin",
        *("create-account", "li.lei", "--document-type", "cn-id"),
        *("--document-number", CITIZEN, "--full-name", "李雷", "-o", str(file)),
    )
    assert made.exception is None
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    again = run(home, "system-admin", "create-account", "li.lei2", "-o", str(file))
    assert isinstance(refused(again), Conflict)
    seen = printed(run(home, None, "enrol", str(file), "--show"))
    assert (seen["account"], seen["needs_document"]) == ("li.lei", False)
    secret.write_text(GOOD + "\n")
    key = home.services.enrolment._secret(orjson.loads(file.read_bytes())["token"])
    code = hotp(key, step_at(home.clock.now()))
    given = ("enrol", str(file), "--password-file", str(secret), "--code", code, "--json")
    assert len(printed(run(home, None, *given))["recovery_codes"]) == 10
    assert isinstance(refused(run(home, None, *given)), EnrolmentRefused)
    listed = printed(run(home, "system-admin", "list-accounts", "--json"))
    assert "li.lei" in [item["name"] for item in listed["items"]]
    assert "li.lei" in run(home, "system-admin", "list-accounts").stdout


def test_an_administrator_is_asked_who_they_are(tmp_path: Path) -> None:
    home = open_iam_home(tmp_path, demo=False)
    issued = next(iter(home.services.beginnings.create_administrators(OWNER)))
    file = tmp_path / "e.json"
    file.write_bytes(orjson.dumps({"token": issued.token}))
    code = hotp(home.services.enrolment._secret(issued.token), step_at(home.clock.now()))
    secret = tmp_path / "password"
    secret.write_text(GOOD)
    typed = f"cn-id\n{CITIZEN}\n"
    words = ("enrol", str(file), "--password-file", str(secret), "--code", code)
    done = run(home, None, *words, typed=typed)
    assert done.exception is None, done.exception
    assert len(done.stdout.split()) >= 10
    home.close()


def test_enrolling_asks_for_password_and_code(home: IamHome, tmp_path: Path) -> None:
    made = printed(run(home, "system-admin", "create-account", "li.lei"))
    file = tmp_path / "e.json"
    file.write_bytes(orjson.dumps(made))
    code = hotp(home.services.enrolment._secret(made["token"]), step_at(home.clock.now()))
    done = run(home, None, "enrol", str(file), typed=f"{GOOD}\n{GOOD}\n{code}\n")
    assert done.exception is None, done.exception
    assert GOOD not in done.output


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"token": 1}'])
def test_what_is_no_enrolment_file_is_refused(
    home: IamHome, tmp_path: Path, content: bytes
) -> None:
    file = tmp_path / "e.json"
    file.write_bytes(content)
    assert isinstance(refused(run(home, None, "enrol", str(file))), Invalid)
    assert isinstance(refused(run(home, None, "enrol", str(tmp_path / "none"))), Invalid)


def test_half_a_document_is_wrong_usage(home: IamHome) -> None:
    result = run(home, "system-admin", "create-account", "a", "--document-type", "cn-id")
    assert result.exit_code == 2


def test_roles_are_given_and_taken(home: IamHome) -> None:
    assert run(home, "security-admin", "assign-role", "staff", "analyst").exit_code == 0
    held = printed(run(home, "audit-admin", "list-roles", "--json"))["items"]
    staff = home.actor("staff").id
    assert {"subject": staff, "roles": ["analyst", "staff"]} in held
    assert "analyst" in run(home, "audit-admin", "list-roles").stdout
    assert run(home, "security-admin", "revoke-role", "staff", "analyst").exit_code == 0
    assert isinstance(refused(run(home, "analyst", "assign-role", "staff", "analyst")), Forbidden)
    run(home, "system-admin", "create-account", "nobody")
    result = run(home, "security-admin", "assign-role", "nobody", "system-admin")
    assert isinstance(refused(result), PersonUnproved)


def test_applications_from_creation_to_end(home: IamHome, tmp_path: Path) -> None:
    file = tmp_path / "oa.json"
    made = printed(run(home, "system-admin", "create-client", "svc"))
    assert (made["grants"], len(made["secret"])) == (["client_credentials"], 43)
    uri = "https://oa.example/cb"
    result = run(
        home,
        "system-admin",
        *("create-client", "oa", "--redirect-uri", uri, "-o", str(file)),
        *("--real-name-level", "document"),
    )
    assert result.exception is None
    issued = orjson.loads(file.read_bytes())
    assert issued["grants"] == ["authorization_code"]
    assert (issued["real_name_level"], made["real_name_level"]) == ("document", "none")
    assert (
        run(home, "security-admin", "assign-role", "--client", "svc", "integrator").exit_code == 0
    )
    assert (
        run(home, "security-admin", "revoke-role", "--client", "svc", "integrator").exit_code == 0
    )
    fresh = printed(run(home, "system-admin", "rotate-secret", "svc"))["secret"]
    assert fresh != made["secret"]
    assert run(home, "system-admin", "disable-client", "svc", "--reason", "x").exit_code == 0
    listed = printed(run(home, "system-admin", "list-clients", "--json"))["items"]
    assert [(item["id"], item["disabled"]) for item in listed] == [("oa", False), ("svc", True)]
    assert "oa" in run(home, "system-admin", "list-clients").stdout


def test_sessions_are_listed_and_ended(home: IamHome) -> None:
    opened = home.sign_in("staff")
    listed = printed(run(home, "analyst", "list-sessions", "--account", "staff", "--json"))
    assert [item["id"] for item in listed["items"]] == [opened.session.id]
    assert opened.session.id[:10] in run(home, "analyst", "list-sessions").stdout
    ended = printed(run(home, "analyst", "revoke-sessions", "staff", "--json"))
    assert ended == {"ended": [opened.session.id]}
    assert "0 session" in run(home, "analyst", "revoke-sessions", "staff").stderr


def test_accounts_are_locked_and_unlocked(home: IamHome) -> None:
    assert run(home, "analyst", "lock-account", "staff", "--reason", "x").exit_code == 0
    listed = printed(run(home, "analyst", "list-accounts", "--json"))["items"]
    assert {item["name"]: item["state"] for item in listed}["staff"] == "locked"
    assert run(home, "system-admin", "unlock-account", "staff").exit_code == 0


def test_a_reset_by_two(home: IamHome) -> None:
    asked = run(home, "system-admin", "request-reset", "staff", "--reason", "lost")
    reset = asked.stdout.strip()
    waiting = printed(run(home, "security-admin", "list-resets", "--json"))["items"]
    assert [item["id"] for item in waiting] == [reset]
    assert "lost" in run(home, "security-admin", "list-resets").stdout
    assert run(home, "security-admin", "approve-reset", reset).exit_code == 0
    assert (
        "may be completed"
        in run(home, "audit-admin", "hasten-reset", reset, "--reason", "duty officer").stderr
    )
    assert isinstance(run(home, "system-admin", "complete-reset", reset).exception, ResetTooEarly)
    home.clock.advance(900)
    assert printed(run(home, "system-admin", "complete-reset", reset))["account"] == "staff"
    other = run(home, "system-admin", "request-reset", "analyst", "--reason", "x").stdout.strip()
    assert run(home, "security-admin", "approve-reset", other, "--reject").exit_code == 0
    third = run(home, "system-admin", "request-reset", "analyst", "--reason", "x").stdout.strip()
    assert printed(run(home, "analyst", "list-own-resets", "--json"))["items"][0]["id"] == third
    assert run(home, "analyst", "cancel-reset", third).exit_code == 0
    assert printed(run(home, "analyst", "list-own-resets", "--json"))["items"] == []


def test_figures_are_measured_on_the_real_handlers(home: IamHome) -> None:
    lines = [f"{name} {one.password} {one.otp_secret}" for name, one in home.demo.items()]
    (home.spine.parts.home / "demo-accounts.txt").write_text("\n".join(lines))
    found = figures(home.plane, home.spine.parts)
    assert [figure["name"] for figure in found] == [
        "iam client_credentials",
        "iam introspect",
        "iam password verification",
        "iam sign-in with password and one-time code",
    ]
    assert all(figure["value"] > 0 and figure["per_cpu_second"] for figure in found)


def test_every_command_shows_an_example() -> None:
    for name, command in group.commands.items():
        assert "Example:" in (command.help or ""), name


def test_as_is_for_demo_homes_and_tokens_for_all(home: IamHome) -> None:
    actors, signing = home.services.actors, home.services.sign_in
    from iam.models.sessions import PasswordAttempt  # noqa: PLC0415

    attempt = PasswordAttempt("staff", home.demo["staff"].password, "192.0.2.7")
    session = signing.open_terminal(attempt, home.code("staff"))
    assert actors.by_token(session).name == "staff"
    for wrong in ("", "x", "a.b.c", "x" * 200):
        with pytest.raises(Exception, match=r"session|JWT|token|canonical|header"):
            actors.by_token(wrong)
    home.services.accounts.lock_account(home.actor("analyst"), "staff", "x")
    with pytest.raises(Forbidden):
        actors.by_account("staff")
