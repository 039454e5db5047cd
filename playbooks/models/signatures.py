"""Signatures of playbooks: the keys that count, and what was verified."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SignatureOrigin = Literal["own", "foreign"]


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """A public SM2 key (SPKI, DER) that may vouch for playbooks: our own, or a partner's."""

    der: bytes
    origin: SignatureOrigin = "own"


@dataclass(frozen=True, slots=True)
class VerifiedSignature:
    """A signature by a trusted key that fits, and is in force: holding one is the proof."""

    id: str
    signee: str
    created: str
    origin: SignatureOrigin
