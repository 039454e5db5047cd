"""Signatures of playbooks (CACAO 2.0, data type ``signature``): SM2 with SM3 over RFC 8785.

What is signed: the playbook with ``signatures`` holding this one signature object alone,
without its ``value`` and without a countersignature, in the one form of RFC 8785; SM3 of that
(32 bytes) is the message of the SM2 signature. The standard removes the other signatures, too;
it says "hash, e.g. SHA-256 in hex" and leaves open whether the hex or the bytes are signed:
we sign the bytes. Signing changes neither the version nor the content's hash.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from playbooks.core.cacao20.references import instant
from playbooks.errors.signatures import (
    PlaybookNotInForce,
    PlaybookRevoked,
    PlaybookUnsigned,
    SignatureInvalid,
)
from playbooks.models.signatures import TrustedKey, VerifiedSignature
from secops.crypto.errors import InvalidKey, InvalidSignature, MalformedEncoding
from secops.crypto.hashes import sm3
from secops.crypto.sm2 import PublicKey
from secops.kernel.canonical import canonical
from secops.kernel.clock import MILLISECOND, SECOND, to_rfc3339
from secops.kernel.errors import SecopsError

HASH_ALGORITHM: Final = "sm3"
ALGORITHM: Final = "SM2-SM3"
MAX_SIGNATURES: Final = 10
MAX_KEY: Final = 400
"""Characters; an SM2 key has 124."""
MAX_VALUE: Final = 100
"""Characters; an SM2 signature in DER has at most 96."""
KEY_FIELDS: Final = ("public_key", "public_cert_chain", "cert_url", "thumbprint")
_NOT_SIGNED: Final = ("value", "signature")


def without_signatures(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the playbook itself: what its content hash is over."""
    return {key: value for key, value in document.items() if key != "signatures"}


def signed_digest(document: Mapping[str, Any], signature: Mapping[str, Any]) -> bytes:
    """Return the SM3 that ``signature`` signs of ``document``."""
    bare = {key: value for key, value in signature.items() if key not in _NOT_SIGNED}
    return sm3(canonical({**without_signatures(document), "signatures": [bare]}))


@dataclass(frozen=True, slots=True)
class Signee:
    """Who signs: a name for people, a STIX identity, and the SPKI (DER) of the key."""

    name: str
    identity: str
    key: bytes


def milliseconds(at: int) -> str:
    """Return the instant as CACAO wants it: with exactly three digits after the second."""
    return f"{to_rfc3339(at // SECOND * SECOND)[:19]}.{at % SECOND // MILLISECOND:03}Z"


def new_signature(
    document: Mapping[str, Any], signee: Signee, *, identifier: str, at: str
) -> dict[str, Any]:
    """Return a signature object of ours, still without its ``value``."""
    return {
        "type": "jss",
        "id": identifier,
        "created_by": signee.identity,
        "created": at,
        "modified": at,
        "signee": signee.name,
        "related_to": document["id"],
        "related_version": document["modified"],
        "hash_algorithm": HASH_ALGORITHM,
        "algorithm": ALGORITHM,
        "public_key": base64.b64encode(signee.key).decode(),
    }


def with_value(signature: Mapping[str, Any], made: bytes) -> dict[str, Any]:
    """Return ``signature`` with the DER that the signer made of its digest."""
    value = base64.urlsafe_b64encode(made).rstrip(b"=").decode()
    return {**signature, "value": value}


def verify_signatures(
    document: Mapping[str, Any],
    signatures: Sequence[Mapping[str, Any]],
    keys: Sequence[TrustedKey],
    now: int,
    *,
    own: str,
) -> VerifiedSignature:
    """Return the first signature by one of ``keys`` that is in force at ``now``.

    1. The playbook is not revoked and its own time is now.
    2. Each signature is about this playbook in this version.
    3. Each by SM2 fits, whoever made it; one by a trusted key has no other algorithm.
    4. One by our key says that it was made for ``own``, the identity of the organisation.
    5. One by a trusted key is not revoked, and its time is now.

    Raises ``PlaybookRevoked``, ``PlaybookNotInForce``, ``SignatureInvalid`` or
    ``PlaybookUnsigned``. A key that stands in the file is trusted only if it is in ``keys``.
    """
    require_in_force(document, now, "the playbook")
    if len(signatures) > MAX_SIGNATURES:
        msg = f"more than {MAX_SIGNATURES} signatures"
        raise SignatureInvalid(msg)
    found = [(one, key) for one in signatures if (key := _verify(document, one, keys))]
    ours = [(s, k) for s, k in found if k.origin == "foreign" or s.get("created_by") == own]
    if not ours:
        msg = "no trusted key has signed this version"
        raise PlaybookUnsigned(msg)
    refused: list[SecopsError] = []
    for signature, key in ours:
        try:
            require_in_force(signature, now, "the signature")
        except (PlaybookRevoked, PlaybookNotInForce) as error:
            refused.append(error)
            continue
        return VerifiedSignature(
            signature["id"], signature["signee"], signature["created"], key.origin
        )
    raise refused[0]


def _verify(
    document: Mapping[str, Any], signature: Mapping[str, Any], keys: Sequence[TrustedKey]
) -> TrustedKey | None:
    """Return the trusted key behind ``signature``, None if it is nobody's that counts."""
    if (signature.get("related_to"), signature.get("related_version")) != (
        document["id"],
        document["modified"],
    ):
        msg = "a signature is about another playbook, or another version of it"
        raise SignatureInvalid(msg)
    if sum(field in signature for field in KEY_FIELDS) != 1:
        msg = "a signature names its key in exactly one way"
        raise SignatureInvalid(msg)
    if "public_key" not in signature:
        return None  # a chain, an address or a thumbprint: no key that we could compare
    der = _key_of(signature)
    trusted = _trusted(keys, der)
    if (signature.get("hash_algorithm"), signature.get("algorithm")) != (HASH_ALGORITHM, ALGORITHM):
        if trusted is not None:
            msg = f"a trusted key signs with {ALGORITHM} over {HASH_ALGORITHM}, nothing else"
            raise SignatureInvalid(msg)
        return None
    try:
        key = PublicKey(der)
        key.verify(_value_of(signature), signed_digest(document, signature))
    except (InvalidKey, InvalidSignature, MalformedEncoding) as error:
        msg = "a signature does not fit the playbook"
        raise SignatureInvalid(msg) from error
    return _trusted(keys, key.der)


def _trusted(keys: Sequence[TrustedKey], der: bytes) -> TrustedKey | None:
    return next((key for key in keys if hmac.compare_digest(key.der, der)), None)


def _key_of(signature: Mapping[str, Any]) -> bytes:
    text = signature.get("public_key", "")
    return _decoded(text, url=False) if isinstance(text, str) and len(text) <= MAX_KEY else b""


def _value_of(signature: Mapping[str, Any]) -> bytes:
    text = signature.get("value", "")
    return _decoded(text, url=True) if isinstance(text, str) and len(text) <= MAX_VALUE else b""


def _decoded(text: str, *, url: bool) -> bytes:
    """Return the bytes of exactly one spelling of them, else nothing."""
    try:
        raw = base64.b64decode(
            text + "=" * (-len(text) % 4) if url else text,
            altchars=b"-_" if url else None,
            validate=True,
        )
    except (binascii.Error, ValueError):
        return b""
    again = base64.urlsafe_b64encode(raw).rstrip(b"=") if url else base64.b64encode(raw)
    return raw if again == text.encode() else b""


def require_in_force(thing: Mapping[str, Any], now: int, name: str) -> None:
    """Raise ``PlaybookRevoked`` or ``PlaybookNotInForce``; ``name`` says what of."""
    if thing.get("revoked") is True:
        msg = f"{name} is revoked"
        raise PlaybookRevoked(msg)
    since, until = instant(thing.get("valid_from")), instant(thing.get("valid_until"))
    if since is not None and now < since:
        msg = f"{name} is valid from {thing['valid_from']}"
        raise PlaybookNotInForce(msg)
    if until is not None and now >= until:
        msg = f"{name} was valid until {thing['valid_until']}"
        raise PlaybookNotInForce(msg)
