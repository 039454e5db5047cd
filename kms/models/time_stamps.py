"""The verdict on a time-stamp token, step by step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

from kms.models.seals import sentence
from secops.kernel.catalogue import Text
from secops.kernel.clock import rfc3339_or_none

TokenWhat = Literal[
    "structure",
    "imprint",
    "content",
    "signature",
    "certificate",
    "purpose",
    "chain",
    "validity",
    "revocation",
]

TOKEN_NUMBERS: Final[dict[TokenWhat, int]] = {
    "structure": 1,
    "imprint": 2,
    "content": 3,
    "signature": 4,
    "certificate": 5,
    "purpose": 6,
    "chain": 7,
    "validity": 8,
    "revocation": 9,
}
StamperKey = Literal["sm2", "ecdsa-p256"]
"""The kinds of key that the built-in authority has."""

QUERY_TYPE: Final = "application/timestamp-query"
"""The media type of a query (RFC 3161 §3.4)."""

MAX_QUERY: Final = 4_096
"""Bytes of a query: a digest, a nonce, a policy, and room."""

MAX_TOKEN: Final = 256 << 10
"""Bytes of a token or answer: certificates and lists may stand in it."""

_PROVED: Final = frozenset(TOKEN_NUMBERS) - {"imprint", "revocation"}
"""What must be true; an imprint or a revocation that could not be judged is no "no"."""


@dataclass(frozen=True, slots=True)
class TimeStampSources:
    """Addresses of outside authorities for imprints of SHA-2 and SM3; "" is the built-in one."""

    sha2: str = ""
    sm3: str = ""


@dataclass(frozen=True, slots=True)
class TokenStep:
    """One verdict: ``ok`` None means it could not be judged."""

    what: TokenWhat
    ok: bool | None
    why: Text

    @property
    def n(self) -> int:
        """The step's number."""
        return TOKEN_NUMBERS[self.what]


@dataclass(frozen=True, slots=True)
class StampedTime:
    """What a token says: ``made_at`` ± ``accuracy`` in (UTC) microseconds, by ``authority``.

    ``policy`` is an OID, ``serial`` hex.
    """

    made_at: int
    accuracy: int
    authority: str
    policy: str
    serial: str
    hash_name: str


@dataclass(frozen=True, slots=True)
class TokenVerdict:
    """What was found about a token; ``stamped`` is None where nothing could be read."""

    stamped: StampedTime | None
    steps: tuple[TokenStep, ...]
    warnings: tuple[Text, ...] = ()

    @property
    def valid(self) -> bool:
        """No step is false, and all that must be proved is proved."""
        proved = {step.what for step in self.steps if step.ok}
        return proved >= _PROVED and all(step.ok is not False for step in self.steps)

    @property
    def first_defect(self) -> TokenStep | None:
        """The first step that is false."""
        return next((step for step in self.steps if step.ok is False), None)

    def to_record(self) -> dict[str, Any]:
        """Return the verdict in the JSON shape of the public interface."""
        stamped = self.stamped
        return {
            "valid": self.valid,
            "made_at": rfc3339_or_none(stamped.made_at if stamped else None),
            "accuracy_us": stamped.accuracy if stamped else None,
            "authority": stamped.authority if stamped else None,
            "policy": stamped.policy if stamped else None,
            "serial": stamped.serial if stamped else None,
            "hash": stamped.hash_name if stamped else None,
            "steps": [
                {"n": step.n, "what": step.what, "ok": step.ok, "why": sentence(step.why)}
                for step in self.steps
            ],
            "warnings": [sentence(text) for text in self.warnings],
        }
