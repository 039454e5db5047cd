"""Is a certificate good for signing people in: chain, validity, usage, revocation.

Anchors are configured and never come along; the encryption twin of a UKey's pair of
certificates (GM/T 0015, GM/T 0016) has no digitalSignature and is refused by that.
"""

from __future__ import annotations

import base64
import binascii
import itertools
import re
from collections.abc import Sequence
from typing import Final

from cryptography import x509

from iam.errors import CertificateRefused
from secops.crypto.certificates import Certificate, read_certificate, verify_chain
from secops.crypto.errors import (
    InvalidKey,
    InvalidSignature,
    MalformedEncoding,
    UntrustedCertificate,
)
from secops.crypto.options import SignatureOptions
from secops.kernel.clock import SECOND

MAX_ENCODED: Final = 32_768
_PEM: Final = re.compile(
    r"-----BEGIN CERTIFICATE-----\s+([A-Za-z0-9+/=\s]+?)-----END CERTIFICATE-----"
)
_KNOWN_IN_LISTS: Final = frozenset({"2.5.29.20", "2.5.29.35"})
_OPTIONS: Final = {
    "1.2.156.10197.1.501": SignatureOptions("sm3"),
    "1.2.840.10045.4.3.2": SignatureOptions("sha256"),
    "1.2.840.113549.1.1.11": SignatureOptions("sha256", padding="pkcs1v15"),
}


def read_given(encoded: bytes) -> Certificate:
    """Return a certificate given as DER or PEM; raise ``CertificateRefused``."""
    if len(encoded) > MAX_ENCODED:
        raise CertificateRefused("the certificate is too long")
    found = _PEM.search(encoded.decode("latin-1")) if encoded[:1] == b"-" else None
    try:
        return read_certificate(base64.b64decode(found[1]) if found else encoded)
    except (MalformedEncoding, binascii.Error) as error:
        raise CertificateRefused("it is no certificate") from error


def verify_trusted(
    certificate: Certificate,
    anchors: Sequence[bytes],
    intermediates: Sequence[bytes],
    lists: Sequence[bytes],
    *,
    at: int,
) -> None:
    """Return if the certificate may sign people in at ``at``; raise ``CertificateRefused``.

    Each certificate below the root needs a current list of its issuer: no list, no trust.
    """
    roots = [read_certificate(each) for each in anchors]
    others = [read_certificate(each) for each in intermediates]
    try:
        chain = verify_chain(certificate, others, roots, at=at)
    except (UntrustedCertificate, MalformedEncoding) as error:
        raise CertificateRefused(str(error)) from error
    if certificate.is_ca or len(chain) < 2:  # noqa: PLR2004 - itself and who issued it
        raise CertificateRefused("a CA's certificate signs nobody in")
    if not certificate.allows("digitalSignature"):
        raise CertificateRefused("its key is not for signatures (digitalSignature is missing)")
    for subject, issuer in itertools.pairwise(chain):
        _check_revocation(subject, issuer, lists, at)


def _check_revocation(
    subject: Certificate, issuer: Certificate, lists: Sequence[bytes], at: int
) -> None:
    current = [found for each in lists if (found := _current_list(each, issuer, at)) is not None]
    if not current:
        raise CertificateRefused("whether it was revoked can't be told: no current list")
    if any(found.get_revoked_certificate_by_serial_number(subject.serial) for found in current):
        raise CertificateRefused("it was revoked")


def _current_list(
    encoded: bytes, issuer: Certificate, at: int
) -> x509.CertificateRevocationList | None:
    """Return the list if ``issuer`` signed it, it is of its time and holds nothing unknown."""
    try:
        found = x509.load_der_x509_crl(encoded)
        options = _OPTIONS[found.signature_algorithm_oid.dotted_string]
        if not issuer.allows("cRLSign"):
            return None
        issuer.public_key().verify(found.signature, found.tbs_certlist_bytes, options)
        known = all(
            each.oid.dotted_string in _KNOWN_IN_LISTS or not each.critical
            for each in found.extensions
        )
        until = found.next_update_utc
    except (ValueError, KeyError, InvalidSignature, InvalidKey, x509.DuplicateExtension):
        return None
    if not known or until is None:
        return None
    since = int(found.last_update_utc.timestamp()) * SECOND
    return found if since <= at <= int(until.timestamp()) * SECOND else None
