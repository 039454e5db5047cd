"""Strict DER: one encoding, everything else is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secops.crypto import der
from secops.crypto.errors import MalformedEncoding
from secops.crypto.sm2 import ORDER

scalars = st.integers(1, ORDER - 1)


@given(scalars, scalars)
def test_signatures_come_back_from_both_forms(r: int, s: int) -> None:
    encoded = der.encode_sequence(der.encode_unsigned(r), der.encode_unsigned(s))
    assert der.read_signature(encoded, ORDER) == (r, s)
    raw = der.signature_to_raw(encoded, ORDER)
    assert len(raw) == 64
    assert der.raw_to_signature(raw, ORDER) == encoded


@given(st.binary(max_size=100))
def test_whatever_is_read_is_written_back_the_same(data: bytes) -> None:
    try:
        r, s = der.read_signature(data, ORDER)
    except MalformedEncoding:
        return
    assert der.encode_sequence(der.encode_unsigned(r), der.encode_unsigned(s)) == data


@given(st.binary(max_size=300), st.integers(0, 255))
def test_elements_come_back(content: bytes, tag: int) -> None:
    if tag & 0x1F == 0x1F:
        tag ^= 1
    element, end = der.read_element(der.encode(tag, content) + b"rest")
    assert (element.tag, element.content) == (tag, content)
    assert end == len(element.raw)


@given(st.integers(0, 2**4096))
def test_numbers_come_back(value: int) -> None:
    element, _ = der.read_element(der.encode_unsigned(value))
    assert der.read_unsigned(element) == value


@given(st.binary(max_size=64))
def test_rubbish_raises_one_kind_of_error(data: bytes) -> None:
    for reader in (
        lambda: list(der.children(data)),
        lambda: der.read_oid(der.Element(der.OID, data, data)),
        lambda: der.read_bits(der.Element(der.BIT_STRING, data, data)),
        lambda: der.read_unsigned(der.Element(der.INTEGER, data, data)),
    ):
        try:
            reader()
        except MalformedEncoding:
            continue


R = "02010a"


@pytest.mark.parametrize(
    ("why", "encoded"),
    [
        ("r = 0", "3006020100" + R),
        ("s = 0", "3006" + R + "020100"),
        ("r = n", "302602210000" + f"{ORDER:064x}"[2:] + "00" + R),
        ("negative r", "3006020181" + R),
        ("r with a leading zero", "3007" + "0202000a" + R),
        ("trailing bytes", "3006" + R + R + "00"),
        ("a third number", "3009" + R + R + R),
        ("one number", "3003" + R),
        ("long form length where short belongs", "308106" + R + R),
        ("indefinite length", "3080" + R + R + "0000"),
        ("a SET", "3106" + R + R),
        ("cut off", "3006" + R),
        ("an empty INTEGER", "3005" + R + "0200"),
        ("empty", ""),
        ("only a tag", "30"),
        ("a high tag number", "3f1f06" + R + R),
        ("a length of five bytes", "3085000000000106"),
        ("a length with leading zero", "30820006" + R + R),
    ],
)
def test_every_other_form_of_a_signature_is_refused(why: str, encoded: str) -> None:
    with pytest.raises(MalformedEncoding):
        der.read_signature(bytes.fromhex(encoded), ORDER)


@pytest.mark.parametrize("raw", [b"", b"\0" * 64, b"\1" * 63, b"\xff" * 64])
def test_raw_signatures_out_of_range_are_refused(raw: bytes) -> None:
    with pytest.raises(MalformedEncoding):
        der.raw_to_signature(raw, ORDER)


@pytest.mark.parametrize(
    ("encoded", "dotted"),
    [
        ("06082a811ccf5501822d", "1.2.156.10197.1.301"),
        ("0603551d13", "2.5.29.19"),
        ("0603883703", "2.999.3"),
        ("060127", "0.39"),
    ],
)
def test_object_identifiers_read_as_dots(encoded: str, dotted: str) -> None:
    element, _ = der.read_element(bytes.fromhex(encoded))
    assert der.read_oid(element) == dotted


@pytest.mark.parametrize("content", ["", "80", "8001", "2a80"])
def test_object_identifiers_have_one_form(content: str) -> None:
    data = bytes.fromhex(content)
    with pytest.raises(MalformedEncoding):
        der.read_oid(der.Element(der.OID, data, data))
