"""Requests for time-stamps, read strictly: what is granted, and the failure for all else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kms.core.rfc3161.requests import (
    FailureInfo,
    RequestRejected,
    TimeStampRequest,
    read_request,
)
from kms.core.rfc3161.writing import query, rejected
from kms.core.x690 import read_der, values
from kms.core.x690 import writing as der
from secops.crypto.der import encode
from secops.crypto.hashes import digest

POLICY = "1.2.3.4"
SM3 = "1.2.156.10197.1.401"
NULL = b"\x05\x00"
FALSE = b"\x01\x01\x00"
IMPRINT = der.sequence(der.sequence(der.oid(SM3), NULL), der.octets(bytes(32)))


def read(*fields: bytes) -> TimeStampRequest:
    return read_request(der.sequence(der.integer(1), IMPRINT, *fields), (POLICY,))


def failure_of(content: bytes) -> FailureInfo:
    with pytest.raises(RequestRejected) as caught:
        read_request(content, (POLICY,))
    return caught.value.failure


def test_all_that_may_be_asked_for_is_read() -> None:
    nonce = der.integer(-129)
    assert read() == TimeStampRequest("sm3", bytes(32), None, certificates=False)
    assert read(der.oid(POLICY), nonce, der.TRUE) == TimeStampRequest("sm3", bytes(32), nonce)


@pytest.mark.parametrize("name", ["sha256", "sha384", "sha512", "sm3"])
def test_what_is_written_is_read(name: str) -> None:
    request = TimeStampRequest(name, digest(name, b"x"), der.integer(2**64), certificates=False)
    assert read_request(query(request), ()) == request
    with_certificates = TimeStampRequest(name, digest(name, b"x"))
    assert read_request(query(with_certificates), ()) == with_certificates


BAD_ALGORITHMS = {
    "SHA-1": der.sequence(der.oid("1.3.14.3.2.26"), NULL),
    "SM3 with parameters": der.sequence(der.oid(SM3), der.integer(1)),
    "SM3 with a NULL that is none": der.sequence(der.oid(SM3), b"\x05\x01\x00"),
}


@pytest.mark.parametrize("name", BAD_ALGORITHMS)
def test_a_hash_that_is_not_accepted_is_a_bad_algorithm(name: str) -> None:
    imprint = der.sequence(BAD_ALGORITHMS[name], der.octets(bytes(20)))
    found = failure_of(der.sequence(der.integer(1), imprint))
    assert found is FailureInfo.BAD_ALGORITHM


def test_another_version_is_a_bad_request() -> None:
    assert failure_of(der.sequence(der.integer(2), IMPRINT)) is FailureInfo.BAD_REQUEST


def test_another_policy_is_not_accepted() -> None:
    content = der.sequence(der.integer(1), IMPRINT, der.oid("1.2.3.5"))
    assert failure_of(content) is FailureInfo.UNACCEPTED_POLICY


@pytest.mark.parametrize("flag", [b"", der.TRUE])
def test_no_extension_is_understood_critical_or_not(flag: bytes) -> None:
    extension = der.sequence(der.oid("1.2.3"), flag, der.octets(b""))
    content = der.sequence(der.integer(1), IMPRINT, encode(0xA0, extension))
    assert failure_of(content) is FailureInfo.UNACCEPTED_EXTENSION


def whole(*fields: bytes) -> bytes:
    return der.sequence(der.integer(1), *fields)


BAD_FORMATS = {
    "nothing": b"",
    "no DER": b"\x30\x80\x00\x00",
    "a long length": b"\x30\x81\x03\x02\x01\x01",
    "bytes behind": whole(IMPRINT) + b"\x00",
    "no imprint": whole(),
    "a digest of another length": whole(
        der.sequence(der.sequence(der.oid(SM3)), der.octets(bytes(31)))
    ),
    "a digest of no bytes": whole(der.sequence(der.sequence(der.oid(SM3)), der.octets(b""))),
    "a digest that is a number": whole(der.sequence(der.sequence(der.oid(SM3)), der.integer(1))),
    "fields out of order": whole(IMPRINT, der.integer(1), der.oid(POLICY)),
    "a policy twice": whole(IMPRINT, der.oid(POLICY), der.oid(POLICY)),
    "a default written out": whole(IMPRINT, FALSE),
    "a truth that is none": whole(IMPRINT, b"\x01\x01\x01"),
    "a padded nonce": whole(IMPRINT, b"\x02\x02\x00\x01"),
    "an endless nonce": whole(IMPRINT, der.integer(1 << 512)),
    "seven fields": whole(IMPRINT, *[NULL] * 5),
    "more than a request has": whole(IMPRINT, der.octets(bytes(5_000))),
}


@pytest.mark.parametrize("name", BAD_FORMATS)
def test_what_is_no_request_is_a_bad_format(name: str) -> None:
    assert failure_of(BAD_FORMATS[name]) is FailureInfo.BAD_DATA_FORMAT


@given(st.binary(max_size=120))
def test_whatever_comes_is_read_or_rejected(content: bytes) -> None:
    assert failure_of(content) in FailureInfo


@given(place=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_a_bent_request_is_another_request_or_none(place: int, bit: int) -> None:
    good = query(TimeStampRequest("sha256", bytes(32), der.integer(77)))
    position = place % len(good)
    bent = good[:position] + bytes([good[position] ^ 1 << bit]) + good[position + 1 :]
    try:
        found = read_request(bent, ())
    except RequestRejected:
        return
    assert found != read_request(good, ())
    assert query(found) == bent


@pytest.mark.parametrize("failure", FailureInfo)
def test_a_refusal_names_its_bit(failure: FailureInfo) -> None:
    status, text, info = read_der(rejected(failure, "为什么")).children[0].children
    assert values.integer(status, "status") == 2
    assert values.utf8(text.children[0], "text") == "为什么"
    unused, *octets = info.content
    bits = "".join(f"{octet:08b}" for octet in octets)[: 8 * len(octets) - unused]
    # DER: a list of named bits ends with the last that is set (X.690 §11.2.2)
    assert (bits.count("1"), bits.index("1"), len(bits)) == (1, failure, failure + 1)
