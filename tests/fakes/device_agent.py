"""What runs on a person's device: a key of its own, and statements signed with it."""

from __future__ import annotations

import functools
from typing import Any

import orjson

from iam.core.base64url import encode
from secops.crypto import signatures
from secops.crypto.options import SignatureOptions
from secops.kernel.clock import SECOND
from tests.fakes.clock import START

ORIGIN = "http://localhost:8080"
NOW = START
POSTURE = {"os": "linux", "version": "6.1.0-18", "disk_encrypted": True, "screen_lock": True}
_ENGINES = {"ES256": "ecdsa-p256", "SM2": "sm2"}
_CURVES = {"ES256": "P-256", "SM2": "SM2"}
_POINT = 64


@functools.cache
def _private(engine: str, seed: str) -> bytes:
    del seed  # one key a seed
    return signatures.generate(engine)


class DeviceAgent:
    """Signs what it is told; ``seed`` names the key."""

    def __init__(self, algorithm: str = "ES256", seed: str = "one") -> None:
        self.algorithm = algorithm
        self._engine = _ENGINES[algorithm]
        self._key = signatures.private_key(self._engine, _private(self._engine, seed))
        self.public_der = self._key.public_key.der
        x, y = self.public_der[-_POINT:][:32], self.public_der[-32:]
        self.jwk: dict[str, Any] = {
            "kty": "EC",
            "crv": _CURVES[algorithm],
            "x": encode(x),
            "y": encode(y),
        }

    def say(
        self,
        said: str,
        /,
        *,
        now: int = NOW,
        header: dict[str, Any] | None = None,
        **changes: Any,
    ) -> str:
        """Return a signed statement, with ``changes`` to its payload."""
        head = {"alg": self.algorithm, "typ": "secops-device+jwt", "jwk": self.jwk}
        payload = {
            "purpose": said,
            "aud": ORIGIN,
            "iat": now // SECOND,
            "challenge": "",
            "posture": POSTURE,
            **changes,
        }
        signed = ".".join(
            encode(orjson.dumps(part)) for part in ({**head, **(header or {})}, payload)
        )
        signature = self._key.sign(signed.encode(), SignatureOptions())
        return f"{signed}.{encode(signatures.to_raw(self._engine, signature))}"
