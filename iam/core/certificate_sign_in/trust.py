"""Is a certificate good for signing people in: chain, validity, usage, revocation lists.

Anchors are configured and never come along; the encryption twin of a UKey's pair of
certificates (GM/T 0015, GM/T 0016) has no digitalSignature and is refused by that.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from typing import Final, Literal

from cryptography import x509

from iam.errors import CertificateRefused
from secops.crypto.certificates import (
    Certificate,
    read_certificate,
    verify_chain,
    verify_signature_of,
)
from secops.crypto.errors import (
    InvalidKey,
    InvalidSignature,
    MalformedEncoding,
    UntrustedCertificate,
)
from secops.kernel.clock import SECOND

MAX_ENCODED: Final = 32_768
_PEM: Final = re.compile(
    r"-----BEGIN CERTIFICATE-----\s+([A-Za-z0-9+/=\s]+?)-----END CERTIFICATE-----"
)
_KNOWN_IN_LISTS: Final = frozenset({"2.5.29.20", "2.5.29.35"})
ListedState = Literal["good", "revoked", "unknown"]


def read_given(encoded: bytes) -> Certificate:
    """Return a certificate given as DER or PEM; raise ``CertificateRefused``."""
    if len(encoded) > MAX_ENCODED:
        raise CertificateRefused("the certificate is too long")
    found = _PEM.search(encoded.decode("latin-1")) if encoded[:1] == b"-" else None
    try:
        return read_certificate(base64.b64decode(found[1]) if found else encoded)
    except (MalformedEncoding, binascii.Error) as error:
        raise CertificateRefused("it is no certificate") from error


def trusted_chain(
    certificate: Certificate,
    anchors: Sequence[bytes],
    intermediates: Sequence[bytes],
    *,
    at: int,
) -> tuple[Certificate, ...]:
    """Return the chain to an anchor if the certificate may sign people in at ``at``.

    Raises ``CertificateRefused``. Says nothing about revocation: each certificate below the
    root is still to be asked about, at a responder or in a list.
    """
    roots = [read_certificate(each) for each in anchors]
    others = [read_certificate(each) for each in intermediates]
    try:
        chain = verify_chain(certificate, others, roots, at=at)
    except (UntrustedCertificate, MalformedEncoding) as error:
        raise CertificateRefused(str(error)) from error
    if certificate.is_ca or len(chain) < 2:  # noqa: PLR2004 - itself and who issued it
        raise CertificateRefused("a CA's certificate signs nobody in")
    try:
        certificate.public_key()
    except InvalidKey as error:
        raise CertificateRefused("its key is too weak, or of another algorithm") from error
    if not certificate.allows("digitalSignature"):
        raise CertificateRefused("its key is not for signatures (digitalSignature is missing)")
    return chain


def listed_state(
    subject: Certificate, issuer: Certificate, lists: Sequence[bytes], *, at: int
) -> ListedState:
    """Return what the current lists that ``issuer`` signed say; "unknown" where there is none."""
    current = [found for each in lists if (found := _current_list(each, issuer, at)) is not None]
    if any(found.get_revoked_certificate_by_serial_number(subject.serial) for found in current):
        return "revoked"
    return "good" if current else "unknown"


def _current_list(
    encoded: bytes, issuer: Certificate, at: int
) -> x509.CertificateRevocationList | None:
    """Return the list if ``issuer`` signed it, it is of its time and holds nothing unknown."""
    try:
        found = x509.load_der_x509_crl(encoded)
        if not issuer.allows("cRLSign"):
            return None
        algorithm = found.signature_algorithm_oid.dotted_string
        verify_signature_of(issuer, algorithm, found.signature, found.tbs_certlist_bytes)
        known = all(
            each.oid.dotted_string in _KNOWN_IN_LISTS or not each.critical
            for each in found.extensions
        )
        until = found.next_update_utc
    except (ValueError, InvalidSignature, InvalidKey, x509.DuplicateExtension):
        return None
    if not known or until is None:
        return None
    since = int(found.last_update_utc.timestamp()) * SECOND
    return found if since <= at <= int(until.timestamp()) * SECOND else None
