"""Syslog lines and what sshd, PAM, sudo, su, cron and shadow-utils write into them."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.core.formats.record import BadLine, Context
from detectors.core.formats.syslog import parse_sshd, parse_syslog
from secops.kernel.clock import DAY, from_rfc3339

LATEST = from_rfc3339("2026-11-24T00:00:00Z")
BEIJING = Context(ZoneInfo("Asia/Shanghai"), LATEST)
PAM_FAILURE = "pam_unix(x:auth): authentication failure; logname= uid=0 euid=0"
SAMPLES = Path(__file__).parents[3] / "samples"


def read(line: str, context: Context = BEIJING) -> dict[str, object]:
    parsed = parse_syslog(line.encode(), context)
    return {**parsed.fields, "at": parsed.at}


def sshd(message: str) -> dict[str, object]:
    return read(f"Nov 22 17:31:23 gw sshd[4242]: {message}")


def test_a_classic_header_names_host_program_and_process() -> None:
    fields = read("Nov 22 17:31:23 gw cupsd[12]: ready")

    assert fields == {
        "at": from_rfc3339("2026-11-22T09:31:23Z"),
        "host.name": "gw",
        "process.name": "cupsd",
        "process.pid": "12",
        "event.module": "cupsd",
        "message": "ready",
    }


def test_a_line_without_a_tag_keeps_its_text() -> None:
    fields = read("Nov  2 07:01:03 gw -- MARK --")

    assert fields["message"] == "-- MARK --"
    assert fields["event.module"] == "syslog"
    assert fields["at"] == from_rfc3339("2026-11-01T23:01:03Z")


@pytest.mark.parametrize(
    ("line", "at"),
    [
        ("Nov 24 09:00:00 h p: x", "2025-11-24T01:00:00Z"),
        ("Nov 24 07:59:59 h p: x", "2026-11-23T23:59:59Z"),
        ("Feb 29 08:00:00 h p: x", "2024-02-29T00:00:00Z"),
        ("2026-11-22T17:31:23.123456+08:00 h p: x", "2026-11-22T09:31:23.123456Z"),
        ("2026-11-22 17:31:23,5 h p: x", "2026-11-22T09:31:23.5Z"),
    ],
)
def test_a_time_without_a_year_is_the_latest_that_is_not_in_the_future(line: str, at: str) -> None:
    assert read(line)["at"] == from_rfc3339(at)


def test_a_given_year_is_taken_as_it_is() -> None:
    context = Context(ZoneInfo("Asia/Shanghai"), LATEST, year=2031)

    assert read("Nov 24 08:00:00 h p: x", context)["at"] == from_rfc3339("2031-11-24T00:00:00Z")
    with pytest.raises(BadLine, match="bad_time"):
        read("Feb 29 08:00:00 h p: x", context)


def test_priority_and_rfc_5424_are_read() -> None:
    line = (
        '<165>1 2026-11-22T17:31:23.003Z gw app 77 ID47 [x@1 a="1\\"2" b="\\]"][y c=""] \ufeffhello'
    )

    assert read(line) == {
        "at": from_rfc3339("2026-11-22T17:31:23.003Z"),
        "log.syslog.priority": "165",
        "log.syslog.facility.name": "local4",
        "log.syslog.severity.name": "notice",
        "host.name": "gw",
        "process.name": "app",
        "process.pid": "77",
        "log.syslog.msgid": "ID47",
        "log.syslog.structured_data.x@1.a": '1"2',
        "log.syslog.structured_data.x@1.b": "]",
        "log.syslog.structured_data.y.c": "",
        "event.module": "app",
        "message": "hello",
    }
    assert read("<13>1 2026-11-22T17:31:23Z - - - - - text")["message"] == "text"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("no header", "not_syslog"),
        ("<999>Nov 22 17:31:23 h p: x", "not_syslog"),
        ("<13>1 - h p - - - x", "no_time"),
        ("<13>1 yesterday h p - - - x", "bad_time"),
        ("Foo 22 17:31:23 h p: x", "bad_time"),
        ("Nov 32 17:31:23 h p: x", "bad_time"),
        ("2026-13-22T17:31:23Z h p: x", "bad_time"),
    ],
)
def test_a_line_without_a_readable_header_is_refused_with_the_reason(
    line: str, reason: str
) -> None:
    with pytest.raises(BadLine) as caught:
        read(line)

    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            "Failed password for invalid user admin from 10.0.0.9 port 4711 ssh2",
            {"event.action": "ssh_login", "event.outcome": "failure", "user.name": "admin",
             "source.ip": "10.0.0.9", "source.port": "4711", "ssh.method": "password",
             "ssh.invalid_user": "true"},
        ),
        (
            "Accepted publickey for ann from ::ffff:10.0.0.9 port 22 ssh2: ED25519 SHA256:abc",
            {"event.action": "ssh_login", "event.outcome": "success", "user.name": "ann",
             "source.ip": "10.0.0.9", "ssh.method": "publickey", "ssh.key": "ED25519 SHA256:abc"},
        ),
        ("Failed none for x from 1.2.3.4 port 5 ssh2", {"event.action": "ssh_probe"}),
        ("Invalid user  from 1.2.3.4 port 5", {"event.action": "ssh_invalid_user"}),
        (
            "Invalid user bob from 1.2.3.4",
            {"user.name": "bob", "source.ip": "1.2.3.4", "event.outcome": "failure"},
        ),
        (
            "error: maximum authentication attempts exceeded for root from 1.2.3.4 port 5 ssh2",
            {"event.action": "ssh_attempts_exceeded", "user.name": "root"},
        ),
        (
            "Connection closed by invalid user x y 1.2.3.4 port 5 [preauth]",
            {"event.action": "ssh_connection_closed", "user.name": "x y", "source.ip": "1.2.3.4"},
        ),
        ("Connection reset by 1.2.3.4 port 5", {"event.action": "ssh_connection_closed"}),
        ("Disconnected from user ann fe80::1%eth0 port 5", {"source.ip": "fe80::1"}),
        (
            "Received disconnect from 1.2.3.4: 11: Bye Bye [preauth]",
            {"event.action": "ssh_disconnected", "source.ip": "1.2.3.4"},
        ),
        ("Received disconnect from 1.2.3.4 port 5:11: bye", {"source.port": "5"}),
        (
            "reverse mapping checking getaddrinfo for a.b [1.2.3.4] failed - POSSIBLE",
            {"event.action": "ssh_reverse_mapping", "source.ip": "1.2.3.4"},
        ),
        ("Failed password for x from UNKNOWN port 65535 ssh2", {"source.address": "UNKNOWN"}),
        ("Server listening on 0.0.0.0 port 22.", {"event.action": "ssh_started"}),
        (
            f"{PAM_FAILURE} tty=ssh ruser=bob rhost=1.2.3.4  user=root",
            {"event.action": "pam_authentication", "user.name": "root", "user.by.name": "bob",
             "source.address": "1.2.3.4", "event.outcome": "failure"},
        ),
        (
            "pam_unix(sshd:session): session opened for user ann(uid=7) by root(uid=0)",
            {"event.action": "session_opened", "user.name": "ann", "user.id": "7",
             "user.by.name": "root"},
        ),
        ("pam_unix(sshd:session): session closed for user ann", {"event.action": "session_closed"}),
        ("pam_unix(x:chauthtok): password changed for ann", {"event.action": "password_changed"}),
    ],
)  # fmt: skip
def test_messages_of_sshd_and_pam_are_read(message: str, expected: dict[str, str]) -> None:
    fields = sshd(message)

    assert {name: fields.get(name) for name in expected} == expected
    assert fields["event.module"] == "sshd"
    assert fields["message"] == message


@pytest.mark.parametrize(
    "message",
    ["Failed somehow", "pam_broken", "pam_unix(a:b): check pass", "nothing known", "Failed "],
)
def test_an_unknown_message_adds_nothing_and_is_kept(message: str) -> None:
    fields = sshd(message)

    assert fields["message"] == message
    assert "event.action" not in fields


def test_a_pam_failure_without_origin_still_counts() -> None:
    fields = sshd("pam_unix(a:auth): authentication failure; logname= uid=0 euid=0 tty= ")

    assert fields["event.action"] == "pam_authentication"
    assert "source.address" not in fields


NAMES = st.text(st.characters(blacklist_characters="\r\n", codec="utf-8"), max_size=60)
TRICKS = st.sampled_from(
    [
        "x from 6.6.6.6 port 22 ssh2",
        "x 6.6.6.6 port 22 [preauth]",
        "x from 6.6.6.6",
        "a port",
        "for root from 6.6.6.6 port 1",
    ]
)


@pytest.mark.parametrize(
    "template",
    [
        "Failed password for invalid user {} from 10.9.8.7 port 1234 ssh2",
        "Failed password for {} from 10.9.8.7 port 1234 ssh2",
        "Accepted password for {} from 10.9.8.7 port 1234 ssh2",
        "Invalid user {} from 10.9.8.7 port 1234",
        "Connection closed by invalid user {} 10.9.8.7 port 1234 [preauth]",
        "Connection reset by authenticating user {} 10.9.8.7 port 1234 [preauth]",
        "Disconnected from user {} 10.9.8.7 port 1234",
        "error: maximum authentication attempts exceeded for {} from 10.9.8.7 port 1 ssh2",
    ],
)
@given(name=NAMES | TRICKS)
def test_no_user_name_can_put_the_blame_on_another_address(template: str, name: str) -> None:
    assert sshd(template.format(name))["source.ip"] == "10.9.8.7"


def test_the_recorded_injection_blames_the_real_address() -> None:
    lines = (SAMPLES / "sshd.log").read_bytes().splitlines()
    context = Context(ZoneInfo("Asia/Shanghai"), from_rfc3339("2026-11-22T18:30:00Z") + DAY)
    tricky = [
        parse_sshd(line, context).fields
        for line in lines
        if b"Failed" in line and b"10.0.0.1" in line
    ]

    assert [fields["source.ip"] for fields in tricky] == ["127.0.0.66"] * 3
    assert {fields["user.name"] for fields in tricky} == {"user from 10.0.0.1 port 22 ssh2"}


def test_the_recording_holds_a_guessed_password() -> None:
    context = Context(ZoneInfo("Asia/Shanghai"), from_rfc3339("2026-11-22T18:30:00Z") + DAY)
    events = [
        parse_sshd(line, context) for line in (SAMPLES / "sshd.log").read_bytes().splitlines()
    ]
    logins = [
        (event.at, event.fields["event.outcome"])
        for event in events
        if event.fields.get("source.ip") == "127.0.0.66"
        and event.fields.get("event.action") == "ssh_login"
    ]

    assert [outcome for _, outcome in logins] == ["failure"] * 21 + ["success"]
    assert logins[-1][0] - logins[0][0] < 300_000_000


def test_repeated_messages_are_read_with_their_number() -> None:
    fields = sshd("message repeated 3 times: [ Failed password for a from 1.2.3.4 port 5 ssh2]")

    assert fields["event.repeated"] == "3"
    assert fields["event.action"] == "ssh_login"


def test_the_old_pam_tag_is_read_like_the_new_one() -> None:
    line = (
        "Jun 14 15:16:01 combo sshd(pam_unix)[19939]: authentication failure; logname= uid=0 "
        "euid=0 tty=NODEVssh ruser= rhost=218.188.2.4 "
    )

    assert read(line)["source.address"] == "218.188.2.4"
    assert read(line)["process.name"] == "sshd"


@pytest.mark.parametrize(
    ("program", "message", "expected"),
    [
        (
            "sudo",
            "  ann : TTY=pts/0 ; PWD=/root ; USER=root ; COMMAND=/bin/cat /etc/a ; b",
            {"event.action": "sudo_command", "event.outcome": "success", "user.name": "ann",
             "process.tty": "pts/0", "user.effective.name": "root",
             "process.command_line": "/bin/cat /etc/a ; b"},
        ),
        (
            "sudo",
            "  ann : 3 incorrect password attempts ; PWD=/root ; USER=root ; COMMAND=/bin/id",
            {"event.outcome": "failure", "event.reason": "3 incorrect password attempts",
             "process.working_directory": "/root"},
        ),
        ("sudo", "ann : command not allowed ; COMMAND=x", {"event.reason": "command not allowed"}),
        ("sudo", "ann : GROUP=wheel ; COMMAND=list", {"event.outcome": "success"}),
        ("sudo", "ann : no command here", {"event.action": None}),
        ("sudo", "nothing", {"event.action": None}),
        ("su", "(to root) ann on pts/1", {"event.action": "su", "user.effective.name": "root"}),
        ("su", "FAILED SU (to root) ann on pts/1", {"event.outcome": "failure"}),
        ("su", "else", {"event.action": None}),
        ("/usr/sbin/CRON", "(root) CMD (run-parts)", {"event.action": "cron_command"}),
        ("CRON", "(root) RELOAD", {"event.action": None}),
        ("useradd", "new user: name=eve, UID=0, GID=0", {"event.action": "user_created",
                                                         "user.target.id": "0"}),
        ("groupadd", "new group: name=eve, GID=1", {"event.action": "group_created"}),
        ("userdel", "delete user 'eve'", {"event.action": "user_deleted"}),
        ("usermod", "add 'eve' to group 'sudo'", {"event.action": "group_member_added",
                                                  "group.name": "sudo"}),
        ("usermod", "change user", {"event.action": None}),
        ("fw", "CEF:0|v|p|1|100|n|5|src=1.2.3.4", {"event.module": "cef", "source.ip": "1.2.3.4"}),
    ],
)  # fmt: skip
def test_other_programs_are_read(
    program: str, message: str, expected: dict[str, str | None]
) -> None:
    fields = read(f"Nov 22 17:31:23 gw {program}: {message}")

    assert {name: fields.get(name) for name in expected} == expected


def test_gb18030_names_are_read_and_bad_bytes_hide_nothing() -> None:
    chinese = "Nov 22 17:31:23 gw sshd: Invalid user 张伟 from 1.2.3.4".encode("gb18030")
    broken = b"Nov 22 17:31:23 gw sshd: Invalid user \xff\xff\xff from 1.2.3.4"

    assert parse_syslog(chinese, BEIJING).fields["user.name"] == "张伟"
    assert parse_syslog(broken, BEIJING).fields["user.name"] == "\\xff\\xff\\xff"
    declared = Context(ZoneInfo("UTC"), LATEST, encoding="utf-8")
    assert parse_syslog(broken, declared).fields["user.name"] == "\\xff\\xff\\xff"


@given(line=st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(line: bytes) -> None:
    try:
        parsed = parse_syslog(b"Nov 22 17:31:23 gw " + line, BEIJING)
    except BadLine:
        return
    assert all(type(value) is str for value in parsed.fields.values())
