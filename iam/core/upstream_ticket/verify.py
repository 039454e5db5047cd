"""Opening a platform's ticket: signature, decryption, then each member.

Every failure is one refusal: telling a bad padding from a bad signature would be an oracle.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from iam.core.upstream_ticket.layout import split_ticket
from iam.errors import UpstreamRefused
from iam.models.upstream import TicketSettings
from secops.crypto import ciphers, der, sm2
from secops.crypto.errors import (
    DecryptionFailed,
    InvalidKey,
    InvalidSignature,
    MalformedEncoding,
)

KEY_BYTES: Final = 16
LEEWAY_SECONDS: Final = 60
MAX_SUBJECT: Final = 255
_BLOCK_BITS: Final = 128
_RAW: Final = 64


@dataclass(frozen=True, slots=True)
class OpenedTicket:
    """What a ticket says. ``expires_at`` is UTC seconds; ``left``: the person has left."""

    subject: str = field(repr=False)
    identifier: str
    expires_at: int
    id_number: str = field(repr=False)
    credit_code: str
    level: str
    left: bool


def open_ticket(
    settings: TicketSettings, ticket: str, key: bytes, state: str, now: int
) -> OpenedTicket:
    """Return what the ticket says; raise ``UpstreamRefused``. ``now`` is UTC seconds."""
    pieces = split_ticket(settings, ticket)
    members = _members(_authentic(settings, pieces, key))
    if members.get(settings.issuer_field) != settings.issuer:
        msg = "the ticket is another platform's"
        raise UpstreamRefused(msg)
    if members.get(settings.audience_field) != settings.application:
        msg = "the ticket is for another service"
        raise UpstreamRefused(msg)
    if settings.state_field:
        echoed = members.get(settings.state_field)
        if not isinstance(echoed, str) or not hmac.compare_digest(echoed.encode(), state.encode()):
            msg = "the ticket answers another sign-in"
            raise UpstreamRefused(msg)
    issued = members.get(settings.issued_field)
    lifetime = settings.lifetime_seconds
    if type(issued) is not int or not now - lifetime < issued <= now + LEEWAY_SECONDS:
        msg = "the ticket has expired or is from the future"
        raise UpstreamRefused(msg)
    return OpenedTicket(
        subject=_needed(members, settings.subject_field),
        identifier=_needed(members, settings.identifier_field),
        expires_at=issued + lifetime + LEEWAY_SECONDS,
        id_number=_optional(members, settings.id_number_field),
        credit_code=_optional(members, settings.credit_code_field),
        level=_optional(members, settings.level_field),
        left=members.get(settings.disabled_field) is True,
    )


def _authentic(settings: TicketSettings, pieces: Mapping[str, bytes], key: bytes) -> bytes:
    """Return the plaintext once signature and encryption both fit."""
    covered = settings.signed.split("+")
    early = "plaintext" not in covered
    try:
        if early:
            _check_signature(settings, pieces, b"".join(pieces[name] for name in covered))
        plaintext = _decrypted(settings.cipher, key, pieces)
        if not early:
            whole = {**pieces, "plaintext": plaintext}
            _check_signature(settings, pieces, b"".join(whole[name] for name in covered))
    except (InvalidKey, InvalidSignature, MalformedEncoding, DecryptionFailed, ValueError) as error:
        msg = "the ticket is not the platform's"
        raise UpstreamRefused(msg) from error
    return plaintext


def _check_signature(settings: TicketSettings, pieces: Mapping[str, bytes], message: bytes) -> None:
    signature = pieces["signature"]
    if settings.signature_form == "raw":
        if len(signature) != _RAW:
            raise InvalidSignature
        signature = der.raw_to_signature(signature, sm2.ORDER)
    public = sm2.PublicKey.from_point(bytes.fromhex(settings.public_key))
    public.verify(signature, message, settings.user_id.encode())


def _decrypted(cipher: str, key: bytes, pieces: Mapping[str, bytes]) -> bytes:
    if cipher == "sm4-gcm":
        return ciphers.unseal("sm4-gcm", key, pieces["iv"] + pieces["body"] + pieces["tag"])
    decryptor = Cipher(algorithms.SM4(key), modes.CBC(pieces["iv"])).decryptor()
    padded = decryptor.update(pieces["body"]) + decryptor.finalize()
    unpadder = padding.PKCS7(_BLOCK_BITS).unpadder()
    return unpadder.update(padded) + unpadder.finalize()


def _members(plaintext: bytes) -> Mapping[str, Any]:
    try:
        members = orjson.loads(plaintext)
    except orjson.JSONDecodeError as error:
        msg = "the ticket's content is not JSON"
        raise UpstreamRefused(msg) from error
    if not isinstance(members, dict):
        msg = "the ticket's content is no object"
        raise UpstreamRefused(msg)
    return members


def _needed(members: Mapping[str, Any], name: str) -> str:
    value = members.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= MAX_SUBJECT:
        msg = f"the ticket has no {name}"
        raise UpstreamRefused(msg)
    return value


def _optional(members: Mapping[str, Any], name: str) -> str:
    value = members.get(name, "") if name else ""
    return value if isinstance(value, str) else str(value) if type(value) is int else ""
