"""What a browser is asked: ``navigator.credentials.create`` and ``get`` (WebAuthn §5.4, §5.5).

Texts of bytes are base64url; the page's script turns them into buffers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from iam.core.base64url import encode
from iam.models.factors import Ceremony, Passkey

ES256: Final = -7
ED25519: Final = -8
RS256: Final = -257
ALGORITHMS: Final = (ES256, ED25519, RS256)
TIMEOUT_MS: Final = 300_000


def registration_question(
    ceremony: Ceremony,
    user: tuple[bytes, str],
    known: Sequence[Passkey],
    *,
    attestation: bool,
) -> dict[str, Any]:
    """Return the options for a new passkey; ``user`` is (handle, account name).

    A discoverable credential with user verification is required, so that the passkey works
    alone. ``known`` ones are excluded: one authenticator holds one.
    """
    handle, name = user
    return {
        "rp": {"id": ceremony.rp_id, "name": ceremony.rp_id},
        "user": {"id": encode(handle), "name": name, "displayName": name},
        "challenge": encode(ceremony.challenge),
        "pubKeyCredParams": [{"type": "public-key", "alg": number} for number in ALGORITHMS],
        "timeout": TIMEOUT_MS,
        "excludeCredentials": [_descriptor(passkey) for passkey in known],
        "authenticatorSelection": {
            "residentKey": "required",
            "requireResidentKey": True,
            "userVerification": "required",
        },
        "attestation": "direct" if attestation else "none",
    }


def assertion_question(ceremony: Ceremony, known: Sequence[Passkey] = ()) -> dict[str, Any]:
    """Return the options for a proof; without ``known`` ones the person chooses the account."""
    return {
        "challenge": encode(ceremony.challenge),
        "rpId": ceremony.rp_id,
        "timeout": TIMEOUT_MS,
        "userVerification": "required",
        "allowCredentials": [_descriptor(passkey) for passkey in known],
    }


def _descriptor(passkey: Passkey) -> dict[str, Any]:
    described: dict[str, Any] = {"type": "public-key", "id": encode(passkey.credential_id)}
    if passkey.transports:
        described["transports"] = list(passkey.transports)
    return described
