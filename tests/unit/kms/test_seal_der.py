"""Strict DER: one form of each value, limits kept, stored bytes returned."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kms.core.rfc3161 import read_token
from kms.core.x690 import DerError, read_der, values
from kms.core.x690 import writing as der
from secops.crypto.der import encode
from secops.kernel.clock import SECOND, from_rfc3339
from tests.fakes.sealing import token


@given(st.integers(-(2**2000), 2**2000))
def test_integers_come_back(value: int) -> None:
    assert values.integer(read_der(der.integer(value)), "n") == value


@given(st.lists(st.integers(0, 2**64), min_size=1, max_size=6))
def test_object_identifiers_come_back(arcs: list[int]) -> None:
    dotted = ".".join(map(str, [1, 2, *arcs]))
    assert values.oid(read_der(der.oid(dotted)), "oid") == dotted


@pytest.mark.parametrize("dotted", ["0.39", "1.0", "2.999.3", "2.5.4.3"])
def test_the_first_two_arcs_share_a_number(dotted: str) -> None:
    assert values.oid(read_der(der.oid(dotted)), "oid") == dotted


@given(st.integers(0, 4_000_000_000))
def test_times_come_back(seconds: int) -> None:
    instant = seconds * SECOND
    assert values.time(read_der(der.generalized_time(instant)), "t") == instant


@given(
    st.recursive(
        st.binary(max_size=200).map(der.octets),
        lambda inner: st.lists(inner, max_size=4).map(lambda f: der.sequence(*f)),
        max_leaves=20,
    )
)
def test_stored_bytes_come_back(encoded: bytes) -> None:
    element = read_der(encoded)
    assert element.raw == encoded
    assert b"".join(child.raw for child in element.children) in (element.content, b"")


@given(st.binary(max_size=200))
def test_whatever_is_read_was_der(content: bytes) -> None:
    try:
        element = read_der(content)
    except DerError:
        return
    assert element.raw == content


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x30",
        b"\x30\x01",
        b"\x30\x80\x00\x00",
        b"\x04\x81\x05abcde",
        b"\x04\x82\x00\x80" + bytes(128),
        b"\x04\x85\x00\x00\x00\x00\x01a",
        b"\x04\x84\xff\xff\xff\xff",
        b"\x1f\x81\x00\x00",
        b"\x00\x00",
        b"\x05\x00\x00",
        b"\x30\x02\x04\x01",
        functools.reduce(lambda inner, _: der.sequence(inner), range(65), b""),
        der.sequence(*[b"\x05\x00"] * 65_536),
        der.octets(bytes(4 << 20)),
    ],
)
def test_what_is_not_der_is_refused(content: bytes) -> None:
    with pytest.raises(DerError):
        read_der(content)


def test_the_limits_themselves_are_allowed() -> None:
    nested = functools.reduce(lambda inner, _: der.sequence(inner), range(64), b"")
    assert read_der(nested).raw == nested
    assert len(read_der(der.sequence(*[b"\x05\x00"] * 65_535)).children) == 65_535


VALUES: list[tuple[Callable[..., Any], bytes]] = [
    (values.integer, b"\x02\x00"),
    (values.integer, b"\x02\x02\x00\x01"),
    (values.integer, b"\x02\x02\xff\x80"),
    (values.integer, encode(2, b"\x01" * 5_000)),
    (values.integer, b"\x04\x01\x01"),
    (values.boolean, b"\x01\x01\x01"),
    (values.boolean, b"\x01\x00"),
    (values.bits, b"\x03\x00"),
    (values.bits, b"\x03\x02\x01\x80"),
    (values.oid, b"\x06\x00"),
    (values.oid, b"\x06\x01\x80"),
    (values.oid, b"\x06\x02\x80\x01"),
    (values.oid, encode(6, b"\xff" * 30 + b"\x01")),
    (values.ia5, "\x16\x03县".encode()),
    (values.utf8, b"\x0c\x01\xff"),
    (values.printable, b"\x16\x01a"),
    (values.utc_time, encode(0x17, b"2001010000Z")),
    (values.utc_time, encode(0x17, b"200101000000+0800")),
    (values.utc_time, encode(0x17, b"209901000000Z")),
    (values.utc_time, encode(0x17, b"ab0101000000Z")),
    (values.generalized_time, encode(0x18, b"20200101000000")),
    (values.generalized_time, encode(0x18, b"20200101000000.Z")),
    (values.generalized_time, encode(0x18, b"20200101000000.10Z")),
    (values.generalized_time, encode(0x18, b"20200101000000.1234567Z")),
    (values.generalized_time, encode(0x18, b"20200230000000Z")),
    (values.generalized_time, encode(0x17, b"20200101000000Z")),
]


@pytest.mark.parametrize(("read", "content"), VALUES)
def test_a_value_in_another_form_is_refused(read: Callable[..., Any], content: bytes) -> None:
    with pytest.raises(DerError):
        read(read_der(content), "value")


def test_values_in_their_form_are_read() -> None:
    assert values.boolean(read_der(der.TRUE), "b") is True
    assert values.boolean(read_der(b"\x01\x01\x00"), "b") is False
    assert values.printable(read_der(encode(0x13, b"SM3")), "p") == "SM3"
    assert values.bits_or_octets(read_der(der.octets(b"x")), "b") == b"x"
    assert values.time(read_der(encode(0x17, b"991231235959Z")), "t") == from_rfc3339(
        "1999-12-31T23:59:59Z"
    )
    assert values.generalized_time(
        read_der(encode(0x18, b"20200101000000.5Z")), "t"
    ) == from_rfc3339("2020-01-01T00:00:00.500000Z")


def test_a_token_says_when_and_over_what() -> None:
    read = read_token(token())
    assert read.made_at == from_rfc3339("2026-01-01T00:00:00Z")
    assert (read.digest_algorithm, read.digest) == ("1.2.156.10197.1.401", bytes(32))


@pytest.mark.parametrize(
    "changes",
    [
        {"outer": der.oid("1.2.840.113549.1.7.1")},
        {"kind": der.oid("1.2.3")},
        {"content": der.explicit(0, b"")},
        {"content": der.octets(b"x")},
        {"time": b""},
        {"imprint": der.sequence(der.octets(b"x"))},
    ],
)
def test_what_is_no_token_is_refused(changes: dict[str, bytes]) -> None:
    with pytest.raises(DerError):
        read_token(token(**changes))
