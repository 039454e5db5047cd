from __future__ import annotations

import base64
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from iam.core.base64url import encode
from iam.core.device_statement import TYPE, read_statement
from iam.errors.zero_trust import DeviceRefused
from secops.kernel.clock import SECOND
from tests.fakes.device_agent import NOW, ORIGIN, POSTURE, DeviceAgent

AGENTS = {name: DeviceAgent(name) for name in ("ES256", "SM2")}
P256 = AGENTS["ES256"]


@pytest.mark.parametrize("algorithm", sorted(AGENTS))
def test_a_device_speaks_with_either_kind_of_key(algorithm: str) -> None:
    agent = AGENTS[algorithm]
    read = read_statement(agent.say("register", challenge="c"), ORIGIN, NOW)
    assert (read.purpose, read.algorithm, read.challenge) == ("register", algorithm, "c")
    assert read.public_der == agent.public_der
    assert (read.posture.os, read.posture.disk_encrypted) == ("linux", True)
    assert read.posture.at == NOW // SECOND * SECOND
    assert read.thumbprint == read_statement(agent.say("report"), ORIGIN, NOW).thumbprint


@pytest.mark.parametrize(
    "payload",
    [
        {"aud": "https://other.example"},
        {"aud": [ORIGIN]},
        {"iat": NOW // SECOND - 301},
        {"iat": NOW // SECOND + 301},
        {"iat": str(NOW // SECOND)},
        {"iat": True},
        {"purpose": "rule"},
        {"challenge": None},
        {"more": 1},
        {"posture": None},
        {"posture": {**POSTURE, "more": 1}},
        {"posture": {**POSTURE, "os": "Linux"}},
        {"posture": {**POSTURE, "os": 1}},
        {"posture": {**POSTURE, "version": ""}},
        {"posture": {**POSTURE, "version": "1" * 65}},
        {"posture": {**POSTURE, "version": 6}},
        {"posture": {**POSTURE, "disk_encrypted": 1}},
        {"posture": {**POSTURE, "screen_lock": "yes"}},
    ],
)
def test_a_statement_that_says_something_else_is_refused(payload: dict[str, Any]) -> None:
    with pytest.raises(DeviceRefused):
        read_statement(P256.say("report", **payload), ORIGIN, NOW)


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none"},
        {"alg": "HS256"},
        {"alg": "SM2"},
        {"typ": "JWT"},
        {"crit": ["b64"]},
        {"jwk": None},
        {"jwk": {**P256.jwk, "d": "AAAA"}},
        {"jwk": {**P256.jwk, "kty": "RSA"}},
        {"jwk": {**P256.jwk, "crv": "P-384"}},
        {"jwk": {**P256.jwk, "x": 1}},
        {"jwk": {**P256.jwk, "x": P256.jwk["x"] + "="}},
        {"jwk": {**P256.jwk, "x": P256.jwk["x"][:-4]}},
        {"jwk": {**P256.jwk, "x": encode(bytes(31))}},
        {"jwk": {**P256.jwk, "y": P256.jwk["x"]}},
        {"jwk": DeviceAgent("ES256", seed="another").jwk},
    ],
)
def test_no_header_of_the_callers_choice_is_believed(header: dict[str, Any]) -> None:
    with pytest.raises(DeviceRefused):
        read_statement(P256.say("report", header=header), ORIGIN, NOW)


def test_the_shape_is_strict() -> None:
    good = P256.say("report")
    head, body, tail = good.split(".")
    raw = base64.urlsafe_b64decode(tail + "==")
    for bad in (
        f"{head}.{body}",
        f"{head}.{body}.{tail}=",
        f"{head}.{body}.",
        f"{head}.{body}.{encode(raw[:-1])}",
        f"{head}.{body}.{encode(bytes(64))}",
        f"{head}.{encode(b'[]')}.{tail}",
        f"{head}.{encode(b'x')}.{tail}",
        f"{encode(orjson.dumps({'alg': 'ES256', 'typ': TYPE}))}.{body}.{tail}",
        good + "." + tail,
        "A" * 8_193,
        "",
    ):
        with pytest.raises(DeviceRefused):
            read_statement(bad, ORIGIN, NOW)


@given(st.integers(0, 600), st.integers(1, 255))
def test_no_changed_byte_gets_through(place: int, flip: int) -> None:
    good = P256.say("report").encode()
    changed = bytearray(good)
    changed[place % len(good)] ^= flip
    try:
        text = changed.decode("ascii")
    except UnicodeDecodeError:
        return
    with pytest.raises(DeviceRefused):
        read_statement(text, ORIGIN, NOW)
