"""Streams of syslog cut into messages, however they arrive and whoever sends them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.core.rfc6587.framing import FrameCutter

LIMIT = 100
TEXT = st.binary(min_size=1, max_size=60).filter(lambda b: not set(b) & set(b"\r\n\x00"))


def cut(*pieces: bytes, limit: int = LIMIT) -> list[tuple[bytes, bool]]:
    cutter = FrameCutter(limit)
    frames = [frame for piece in pieces for frame in cutter.feed(piece)]
    return frames + cutter.end()


@pytest.mark.parametrize(
    ("content", "frames"),
    [
        (b"5 <1>ab7 <1>abcd", [b"<1>ab", b"<1>abcd"]),
        (b"<1>a\n<1>b\r\n\n<1>c", [b"<1>a", b"<1>b", b"<1>c"]),
        (b"6 <1>a\nb<1>c\n5 <1>de", [b"<1>a\nb", b"<1>c", b"<1>de"]),
        (b"6 <1>ab\n5 <1>cd", [b"<1>ab", b"<1>cd"]),
        (b"2026-11-22 no frame\n12 apples\n", [b"2026-11-22 no frame", b"12 apples"]),
        (b"99999999999 <1>x\n", [b"99999999999 <1>x"]),
        (b"12345\n", [b"12345"]),
        (b"0 <1>x\n", [b"0 <1>x"]),
        (b"\x00\n\r\n\x00", []),
        (b"12 ", [b"12 "]),
    ],
)
def test_both_framings_are_told_apart_message_by_message(
    content: bytes, frames: list[bytes]
) -> None:
    assert [raw for raw, _ in cut(content)] == frames


def test_a_message_longer_than_the_limit_keeps_its_beginning_and_harms_nobody() -> None:
    long = b"<1>" + b"x" * 500
    assert cut(b"503 " + long + b"5 <1>ab") == [(long[:LIMIT], True), (b"<1>ab", False)]
    assert cut(long + b"\n<1>ab\n") == [(long[:LIMIT], True), (b"<1>ab", False)]
    assert cut(b"<1>" + b"y" * 120) == [(b"<1>" + b"y" * 97, True)]


def test_the_rest_of_a_long_line_is_passed_over_however_it_comes() -> None:
    cutter = FrameCutter(LIMIT)
    assert cutter.feed(b"<1>" + b"x" * 150) == [(b"<1>" + b"x" * 97, True)]
    assert cutter.feed(b"y" * 10) == []
    assert cutter.feed(b"y" * 300) == []
    assert cutter.feed(b"5 <1>ab\n5 <1>cd") == [(b"<1>cd", False)]
    assert cutter.feed(b"<1>" + b"x" * 150) != []
    assert cutter.end() == []


def test_a_count_that_never_comes_holds_no_memory_and_ends_with_the_connection() -> None:
    cutter = FrameCutter(LIMIT)
    assert cutter.feed(b"4000000000 <1>" + b"x" * 1_000) == [(b"<1>" + b"x" * 97, True)]
    for _ in range(50):
        assert cutter.feed(b"y" * 10_000) == []
    assert cutter.end() == []
    assert cut(b"50 <1>half") == [(b"<1>half", True)]


@given(
    st.lists(st.tuples(TEXT, st.booleans()), max_size=8),
    st.lists(st.integers(1, 7), min_size=1, max_size=20),
)
def test_where_the_stream_is_torn_makes_no_difference(
    messages: list[tuple[bytes, bool]], sizes: list[int]
) -> None:
    stream = b"".join(
        b"%d <1>%b" % (len(text) + 3, text) if counted else b"<1>%b\n" % text
        for text, counted in messages
    )
    pieces, rest, turn = [], stream, 0
    while rest:
        size = sizes[turn % len(sizes)]
        pieces.append(rest[:size])
        rest, turn = rest[size:], turn + 1
    assert cut(*pieces) == [(b"<1>" + text, False) for text, _ in messages]


@given(st.lists(st.binary(max_size=300), max_size=6))
def test_any_bytes_give_messages_within_the_limit(pieces: list[bytes]) -> None:
    assert all(0 < len(raw) <= LIMIT for raw, _ in cut(*pieces))
