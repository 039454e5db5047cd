"""What a browser answers, judged (WebAuthn Level 3 §7.1 and §7.2).

The library checks id, type, challenge, origin, RP id, presence, verification, backup flags,
signature and attestation statement. Ours is what it leaves open: embedding in other sites'
frames, the attestation policy, and that the caller finds the credential's owner. The counter is
judged by the store's conditional statement, after the signature: else anybody who knows a
credential's id could raise a false alarm.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from iam.core.base64url import decode
from iam.core.webauthn.questions import ALGORITHMS
from iam.errors import PasskeyRefused
from iam.models.factors import AttestationPolicy, Ceremony, NewPasskey, Passkey, PasskeyUse

MAX_ANSWER: Final = 32_768
MAX_CREDENTIAL_ID: Final = 1_023
"""WebAuthn §7.1 step 25."""
_TRANSPORTS: Final = frozenset({"ble", "cable", "hybrid", "internal", "nfc", "smart-card", "usb"})
_AAGUID_EXTENSION: Final = "1.3.6.1.4.1.45724.1.1.4"
_OCTET_STRING_16: Final = b"\x04\x10"


@dataclass(frozen=True, slots=True)
class Assertion:
    """An answer that was read and not yet judged: it names a credential and its user."""

    fields: Mapping[str, Any]
    credential_id: bytes
    user_handle: bytes | None


def read_answer(text: str) -> dict[str, Any]:
    """Return the JSON that the page's script sent; raise ``PasskeyRefused``."""
    if len(text) > MAX_ANSWER:
        raise _refused("the answer is too long")
    try:
        fields = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise _refused("the answer is not JSON") from error
    if not isinstance(fields, dict) or not isinstance(fields.get("response"), dict):
        raise _refused("the answer is no credential")
    return fields


def read_assertion(text: str) -> Assertion:
    """Return what the answer names; raise ``PasskeyRefused``."""
    fields = read_answer(text)
    handle = fields["response"].get("userHandle")
    try:
        return Assertion(
            fields, decode(str(fields.get("id", ""))), decode(str(handle)) if handle else None
        )
    except ValueError as error:
        raise _refused("the answer is not base64url") from error


def verify_registration(
    fields: Mapping[str, Any], ceremony: Ceremony, policy: AttestationPolicy
) -> NewPasskey:
    """Return the new passkey; raise ``PasskeyRefused``."""
    from webauthn import verify_registration_response  # noqa: PLC0415 - heavy
    from webauthn.helpers.cose import COSEAlgorithmIdentifier  # noqa: PLC0415
    from webauthn.helpers.structs import AttestationFormat  # noqa: PLC0415

    _check_frame(fields)
    roots = [pem.encode() for pem in policy.roots]
    try:
        verified = verify_registration_response(
            credential=dict(fields),
            expected_challenge=ceremony.challenge,
            expected_rp_id=ceremony.rp_id,
            expected_origin=ceremony.origin,
            require_user_verification=True,
            supported_pub_key_algs=[COSEAlgorithmIdentifier(number) for number in ALGORITHMS],
            pem_root_certs_bytes_by_fmt=dict.fromkeys(AttestationFormat, roots),
        )
        chained = _has_certificate(verified.attestation_object, verified.aaguid)
    except PasskeyRefused:
        raise
    except Exception as error:
        raise _refused("the new passkey was not accepted") from error
    attested = bool(roots) and chained
    if policy.required and not attested:
        raise _refused("its maker is not vouched for by a configured root")
    if policy.models and verified.aaguid not in policy.models:
        raise _refused("this kind of authenticator is not admitted here")
    if len(verified.credential_id) > MAX_CREDENTIAL_ID:
        raise _refused("the credential's id is too long")
    return NewPasskey(
        credential_id=verified.credential_id,
        public_key=verified.credential_public_key,
        sign_count=verified.sign_count,
        model=verified.aaguid,
        attested=attested,
        synced=verified.credential_device_type == "multi_device",
        transports=_transports(fields),
    )


def verify_assertion(assertion: Assertion, passkey: Passkey, ceremony: Ceremony) -> PasskeyUse:
    """Return the proof that ``passkey`` was used now; raise ``PasskeyRefused``.

    The counter is returned, not judged. A passkey that says it is synced, or no longer is,
    is not the one that was registered (§7.2 step 19).
    """
    from webauthn import verify_authentication_response  # noqa: PLC0415 - heavy

    _check_frame(assertion.fields)
    try:
        verified = verify_authentication_response(
            credential=dict(assertion.fields),
            expected_challenge=ceremony.challenge,
            expected_rp_id=ceremony.rp_id,
            expected_origin=ceremony.origin,
            credential_public_key=passkey.public_key,
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    except Exception as error:
        raise _refused("the passkey's proof was not accepted") from error
    synced = verified.credential_device_type == "multi_device"
    if verified.credential_id != passkey.credential_id or synced != passkey.synced:
        raise _refused("the proof is of another passkey")
    return PasskeyUse(passkey, verified.new_sign_count)


def _check_frame(fields: Mapping[str, Any]) -> None:
    """Refuse proofs made inside another site's frame (§7.1 steps 10-11, §7.2 steps 13-14)."""
    try:
        client_data = orjson.loads(decode(str(fields["response"].get("clientDataJSON", ""))))
    except ValueError as error:
        raise _refused("clientDataJSON can't be read") from error
    if not isinstance(client_data, dict):
        raise _refused("clientDataJSON is no object")
    if client_data.get("crossOrigin", False) is not False or "topOrigin" in client_data:
        raise _refused("it was made inside another site's page")


def _has_certificate(attestation_object: bytes, model: str) -> bool:
    """Tell whether a certificate vouches for the authenticator, not the passkey for itself.

    Where the certificate names a model it must be the one that the passkey claims (§8.2.1).
    """
    from cryptography import x509  # noqa: PLC0415 - with the library above
    from webauthn.helpers import parse_attestation_object  # noqa: PLC0415

    certificates = parse_attestation_object(attestation_object).att_stmt.x5c
    if not certificates:
        return False
    wanted = _OCTET_STRING_16 + bytes.fromhex(model.replace("-", ""))
    for extension in x509.load_der_x509_certificate(certificates[0]).extensions:
        if extension.oid.dotted_string != _AAGUID_EXTENSION:
            continue
        if extension.value.public_bytes() != wanted:
            raise _refused("its certificate is for another kind of authenticator")
    return True


def _transports(fields: Mapping[str, Any]) -> tuple[str, ...]:
    given = fields["response"].get("transports")
    return tuple(sorted(_TRANSPORTS.intersection(given))) if _texts(given) else ()


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _refused(detail: str) -> PasskeyRefused:
    return PasskeyRefused(detail)
