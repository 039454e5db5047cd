"""Seals that live at the province's e-seal system: what is asked there, and what it answers.

Nothing here is believed because the province said so: seals and values are judged by our own
verifier before anything is kept or handed out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from kms.models.seal_registry import FormatVersion, SealShape

RemoteState = Literal["pending", "active", "suspended", "revoked", "refused"]
REMOTE_STATES: tuple[RemoteState, ...] = ("pending", "active", "suspended", "revoked", "refused")


@dataclass(frozen=True, slots=True)
class RemoteSealOrder:
    """A seal that is asked for; ``id`` makes asking again the same order."""

    id: str
    name: str
    shape: SealShape
    organization: str
    code: str
    holders: tuple[str, ...]
    format_version: FormatVersion


@dataclass(frozen=True, slots=True)
class RemoteSeal:
    """What the province says of an order; ``content`` is the SESeal once it is made."""

    state: RemoteState
    content: bytes | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RemoteUse:
    """A value that is asked for: SM3 ``data_hash`` and ``property_info`` go into its TBS_Sign.

    ``id`` makes asking again the same use; ``document_sm3`` is of the document before sealing.
    """

    id: str
    data_hash: bytes
    property_info: str
    document_sm3: bytes
    purpose: str
    account: str


@dataclass(frozen=True, slots=True)
class RemoteVerdict:
    """What the province's verifier says of a file."""

    valid: bool
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProvinceOptions:
    """Where the province's system is reached; without ``url`` there is none.

    ``seconds`` bound each of three attempts.
    """

    url: str = ""
    token: str = field(default="", repr=False)
    seconds: float = 8.0
