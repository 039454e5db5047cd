"""A device's own statements: compact JWS (RFC 7515) by the device's key, P-256 or SM2.

``register`` and ``prove`` answer a challenge of ours, ``report`` stands by its time alone. The
key comes along as ``jwk``: for a registration that is the point, elsewhere it must be the one
on file. A statement is good for our origin only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import orjson

from iam.core.base64url import decode
from iam.core.rfc7638.thumbprint import thumbprint
from iam.errors.zero_trust import DeviceRefused
from iam.models.zero_trust import Posture
from secops.crypto import signatures
from secops.crypto.errors import InvalidKey, InvalidSignature, MalformedEncoding
from secops.crypto.options import SignatureOptions

MAX_STATEMENT: Final = 8_192
TYPE: Final = "secops-device+jwt"
LEEWAY_SECONDS: Final = 300
_MICROS: Final = 1_000_000
_COORDINATE: Final = 32
_SIGNATURE: Final = 64
_SHAPE: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", re.ASCII)
_OS: Final = re.compile(r"[a-z][a-z0-9_.-]{0,31}", re.ASCII)
_VERSION: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._+:~-]{0,63}", re.ASCII)
_POINT: Final = b"\x04"
_P256: Final = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200")
_SM2: Final = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d034200")
_CURVES: Final = {"ES256": ("P-256", _P256, "ecdsa-p256"), "SM2": ("SM2", _SM2, "sm2")}

Purpose = Literal["register", "prove", "report"]
_PURPOSES: Final = ("register", "prove", "report")


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement whose signature was right: holding one is the proof of the key."""

    purpose: Purpose
    algorithm: Literal["ES256", "SM2"]
    public_der: bytes
    thumbprint: str
    audience: str
    issued_at: int
    challenge: str
    posture: Posture


def read_statement(text: str, origin: str, now: int) -> Statement:
    """Return the checked statement; raise ``DeviceRefused``. ``now`` is UTC microseconds."""
    if len(text) > MAX_STATEMENT or _SHAPE.fullmatch(text) is None:
        raise DeviceRefused("a statement is a compact JWS of at most 8 KiB")
    head, body, tail = text.split(".")
    header = _object(head, {"alg", "typ", "jwk"})
    if header["typ"] != TYPE:
        raise DeviceRefused(f"typ is {TYPE}")
    algorithm, spki, mark = _key(header)
    payload = _object(body, {"purpose", "aud", "iat", "challenge", "posture"})
    _verify(algorithm, spki, f"{head}.{body}".encode(), tail)
    issued_at = _issued_at(payload["iat"], now)
    if payload["aud"] != origin:
        raise DeviceRefused("the statement is for another service")
    if payload["purpose"] not in _PURPOSES or not isinstance(payload["challenge"], str):
        raise DeviceRefused("purpose is register, prove or report; challenge is a text")
    return Statement(
        purpose=payload["purpose"],
        algorithm=algorithm,
        public_der=spki,
        thumbprint=mark,
        audience=origin,
        issued_at=issued_at,
        challenge=payload["challenge"],
        posture=_posture(payload["posture"], issued_at),
    )


def _object(segment: str, names: set[str]) -> Mapping[str, Any]:
    try:
        value = orjson.loads(decode(segment))
    except ValueError as error:
        raise DeviceRefused("a segment is not canonical base64url of JSON") from error
    if not isinstance(value, dict) or value.keys() != names:
        raise DeviceRefused(f"exactly {', '.join(sorted(names))} belong here")
    return value


def _key(header: Mapping[str, Any]) -> tuple[Literal["ES256", "SM2"], bytes, str]:
    algorithm, jwk = header["alg"], header["jwk"]
    if algorithm not in ("ES256", "SM2"):
        raise DeviceRefused("alg is ES256 or SM2")
    curve, prefix, _ = _CURVES[algorithm]
    if not isinstance(jwk, dict) or jwk.keys() != {"kty", "crv", "x", "y"}:
        raise DeviceRefused("jwk holds kty, crv, x and y: a public key and nothing else")
    if jwk["kty"] != "EC" or jwk["crv"] != curve:
        raise DeviceRefused("the key is not on the algorithm's curve")
    try:
        x, y = decode(jwk["x"]), decode(jwk["y"])
    except (ValueError, TypeError) as error:
        raise DeviceRefused("x and y are base64url") from error
    if len(x) != _COORDINATE or len(y) != _COORDINATE:
        raise DeviceRefused("x and y have 32 bytes")
    return algorithm, prefix + _POINT + x + y, thumbprint(jwk)


def _verify(algorithm: str, spki: bytes, message: bytes, tail: str) -> None:
    engine = _CURVES[algorithm][2]
    try:
        raw = decode(tail)
        if len(raw) != _SIGNATURE:
            raise InvalidSignature  # noqa: TRY301 - one refusal for every defect
        signature = signatures.from_raw(engine, raw)
        key = signatures.public_key(engine, spki)
        key.verify(signature, message, SignatureOptions())
    except (ValueError, InvalidKey, InvalidSignature, MalformedEncoding) as error:
        raise DeviceRefused("the signature does not fit the key") from error


def _issued_at(value: Any, now: int) -> int:
    if type(value) is not int:
        raise DeviceRefused("iat is a whole number of seconds")
    if abs(value - now // _MICROS) > LEEWAY_SECONDS:
        raise DeviceRefused("the statement's time is not now; set the device's clock")
    return value * _MICROS


def _posture(value: Any, at: int) -> Posture:
    names = {"os", "version", "disk_encrypted", "screen_lock"}
    if not isinstance(value, dict) or value.keys() != names:
        raise DeviceRefused("posture holds os, version, disk_encrypted and screen_lock")
    system, version = value["os"], value["version"]
    named = isinstance(system, str) and _OS.fullmatch(system)
    if not named or not isinstance(version, str) or _VERSION.fullmatch(version) is None:
        raise DeviceRefused("os is like windows, version like 10.0.19045")
    encrypted, locked = value["disk_encrypted"], value["screen_lock"]
    if not isinstance(encrypted, bool) or not isinstance(locked, bool):
        raise DeviceRefused("disk_encrypted and screen_lock are true or false")
    return Posture(system, version, encrypted, locked, at)
