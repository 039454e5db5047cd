"""Records of one audit event, joined: interleaved, torn, damaged, with hostile arguments."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.core.formats.audit_events import WINDOW, read_audit, read_audit_piece
from detectors.core.formats.auditd import socket_address
from detectors.core.formats.line import Line, Record, Reject
from detectors.core.formats.reader import read_lines, read_piece
from detectors.core.formats.record import Context
from detectors.models.privacy import Prepared
from secops.kernel.clock import from_rfc3339

CONTEXT = Context(ZoneInfo("UTC"), from_rfc3339("2026-11-24T00:00:00Z"))
AT = "1795000000.985"


def record(kind: str, serial: int, rest: str, at: str = AT) -> str:
    return f"type={kind} msg=audit({at}:{serial}): {rest}"


def execution(serial: int, *arguments: str, exe: str = "/bin/uname") -> list[str]:
    written = " ".join(f"a{n}={a}" for n, a in enumerate(arguments))
    return [
        record(
            "SYSCALL",
            serial,
            "arch=c000003e syscall=59 success=yes exit=0 a0=10 a1=1070208 a2=1152008 a3=59 items=2 "
            f'ppid=10027 pid=10043 auid=1001 uid=1001 tty=pts0 ses=11 comm="x" exe="{exe}" '
            'key="run"\x1dARCH=x86_64 SYSCALL=execve AUID="ann" UID="ann"',
        ),
        record("EXECVE", serial, f"argc={len(arguments)} {written}"),
        record("CWD", serial, 'cwd="/home/ann"'),
        record("PATH", serial, f'item=0 name="{exe}" inode=1 nametype=NORMAL'),
        record("PATH", serial, 'item=1 name="/lib64/ld.so" inode=2 nametype=NORMAL'),
        record("PROCTITLE", serial, "proctitle=756E616D65002D61"),
    ]


def lines_of(*texts: str) -> list[Line]:
    return list(read_lines(("\n".join(texts).encode() + b"\n",)))


def events(*texts: str) -> list[Record]:
    return [e for e in read_audit(lines_of(*texts), CONTEXT) if isinstance(e, Record)]


def test_an_execution_is_one_event_with_what_process_rules_ask_for() -> None:
    texts = execution(8_972, '"uname"', "2D61206220", '"-c"')
    (event,) = events(*texts, record("EOE", 8_972, ""))

    fields = event.parsed.fields
    assert fields["event.category"] == "process"
    assert (fields["event.type"], fields["event.action"]) == ("start", "executed")
    assert fields["process.executable"] == "/bin/uname"
    assert fields["process.command_line"] == "uname -a b  -c"
    assert fields["process.args"] == ("uname", "-a b ", "-c")
    assert fields["process.working_directory"] == "/home/ann"
    assert (fields["process.pid"], fields["process.parent.pid"]) == ("10043", "10027")
    assert (fields["user.name"], fields["user.id"]) == ("ann", "1001")
    assert fields["file.path"] == ("/bin/uname", "/lib64/ld.so")
    assert fields["type"] == ("SYSCALL", "EXECVE", "CWD", "PATH", "PROCTITLE")
    assert fields["a0"] == ("uname", "10")
    assert fields["audit.serial"] == "8972"
    assert event.raw == "\n".join(texts).encode()
    assert event.index == 0


def test_a_long_argument_comes_in_parts() -> None:
    texts = execution(1, '"sh"', '"-c"')
    texts[1] = record("EXECVE", 1, 'argc=2 a0="sh" a1_len=6 a1[0]=6162 a1[1]="cd" a1[2]=6566')
    (event,) = events(*texts)
    assert event.parsed.fields["process.args"] == ("sh", "abcdef")


def test_a_shell_fed_by_an_encoded_newline_stays_one_event() -> None:
    (event,) = events(*execution(1, '"sh"', '"-c"', "".join(f"{b:02X}" for b in b"id\nwhoami")))
    assert event.parsed.fields["process.command_line"] == "sh -c id\nwhoami"


def test_interleaved_events_are_told_apart() -> None:
    first, second = execution(1, '"one"'), execution(2, '"two"')
    mixed = [text for pair in zip(first, second, strict=True) for text in pair]
    found = events(*mixed)
    assert [e.parsed.fields["process.command_line"] for e in found] == ["one", "two"]
    assert [e.raw.count(b"\n") for e in found] == [5, 5]


def test_what_programs_write_is_an_event_alone_and_without_an_end_the_window_ends_it() -> None:
    login = record("USER_LOGIN", 5, "pid=1 uid=0 msg='op=login acct=\"ann\" res=failed'")
    alone = record("SECCOMP", 6, "auid=1 pid=7 sig=31")
    fillers = [record("USER_CMD", 100 + n, "pid=1") for n in range(WINDOW)]
    found = events(login, alone, *fillers, alone)
    kinds = [str(e.parsed.fields["type"]) for e in found]
    assert kinds.count("SECCOMP") == 2
    assert len(found) == WINDOW + 3


def test_a_connection_names_the_other_side() -> None:
    (event,) = events(
        record("SYSCALL", 3, 'syscall=42 success=yes pid=4 comm="curl" exe="/usr/bin/curl"'),
        record("SOCKADDR", 3, "saddr=02001F90C0A8010500000000"),
        record("EOE", 3, ""),
    )
    fields = event.parsed.fields
    assert (fields["destination.ip"], fields["destination.port"]) == ("192.168.1.5", "8080")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("0A0001BB00000000" + "20010DB8" + "0" * 23 + "1" + "00000000", ("2001:db8::1", "443")),
        (
            "0A00005000000000" + "0" * 20 + "FFFF" + "0A010203" + "00000000",
            ("10.1.2.3", "80"),
        ),
        ("01002F746D702F78", None),
        ("0200", None),
        ("zz", None),
        ("", None),
    ],
)
def test_socket_addresses(written: str, expected: tuple[str, str] | None) -> None:
    found = socket_address(written)
    seen = (found["destination.ip"], found["destination.port"]) if found else None
    assert seen == expected


def test_a_damaged_record_is_refused_alone() -> None:
    texts = execution(1, '"x"')
    texts.insert(2, "type=PATH msg=audit(bad:1): name=1")
    found = list(read_audit(lines_of(*texts), CONTEXT))
    assert [type(item).__name__ for item in found] == ["Reject", "Record"]
    assert isinstance(found[0], Reject)
    assert found[0].index == 2


def test_a_mask_that_eats_a_line_end_loses_no_record() -> None:
    def swallow(raw: bytes) -> Prepared:
        return Prepared(raw.replace(b"\n", b"*"))

    context = replace(CONTEXT, prepare=swallow)
    assert len(list(read_audit(lines_of(*execution(1, '"x"')), context))) == 6


def test_odd_records_are_kept_and_too_long_ones_refused() -> None:
    (bare,) = events(record("EXECVE", 1, "argc=0"), record("CWD", 1, 'cwd="/"'))
    assert "process.command_line" not in bare.parsed.fields
    assert bare.parsed.fields["event.type"] == "start"

    huge = record("PATH", 2, "name=" + "x" * (1 << 20))
    found = list(read_audit([*lines_of(huge), *lines_of("   ")], CONTEXT))
    assert [type(item).__name__ for item in found] == ["Reject"]
    assert isinstance(found[0], Reject)
    assert found[0].reason == "line_too_long"

    assert events(record("EOE", 3, "")) == []


class TestPieces:
    def test_an_event_that_is_not_over_waits_for_its_rest(self) -> None:
        whole, begun = execution(1, '"one"'), execution(2, '"two"')[:3]
        lines = lines_of(*whole, *begun)

        items, taken = read_audit_piece(lines, CONTEXT)
        assert (len(items), taken) == (1, 6)
        items, taken = read_piece(lines, "auditd", CONTEXT, final=False)
        assert (len(items), taken) == (1, 6)
        items, taken = read_piece(lines, "auditd", CONTEXT, final=True)
        assert (len(items), taken) == (2, 9)

    def test_nothing_is_taken_while_only_a_beginning_is_there(self) -> None:
        assert read_audit_piece(lines_of(*execution(1, '"x"')[:2]), CONTEXT) == ([], 0)
        assert read_audit_piece([], CONTEXT) == ([], 0)

    @given(st.lists(st.booleans(), max_size=40), st.lists(st.integers(1, 9), max_size=40))
    def test_where_the_file_is_torn_makes_no_difference(
        self, turns: list[bool], sizes: list[int]
    ) -> None:
        waiting = [execution(n, f'"cmd{n}"') for n in range(5)]
        texts: list[str] = []
        for turn in [*turns, *[False] * 40]:
            if not waiting:
                break
            texts.append(waiting[min(int(turn), len(waiting) - 1)].pop(0))
            waiting = [each for each in waiting if each]
        lines = lines_of(*texts)
        expected = [(e.index, e.raw) for e in read_audit(lines, CONTEXT) if isinstance(e, Record)]

        found, begin, end = [], 0, 0
        for size in [*sizes, *[9] * 40]:
            end = min(max(end, begin) + size, len(lines))
            items, taken = read_audit_piece(lines[begin:end], CONTEXT)
            found += [(e.index, e.raw) for e in items if isinstance(e, Record)]
            begin += taken
        assert sorted(found) == sorted(expected)
