"""Write a detached SignedData: attributes that the key signs, then the whole (RFC 5652 §5)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from kms.core.x690 import elements
from kms.core.x690 import writing as der
from secops.crypto.certificates import Certificate
from secops.crypto.der import encode
from secops.crypto.hashes import sha256

_SIGNED_DATA: Final = "1.2.840.113549.1.7.2"
_DATA: Final = "1.2.840.113549.1.7.1"
_CONTENT_TYPE: Final = "1.2.840.113549.1.9.3"
_MESSAGE_DIGEST: Final = "1.2.840.113549.1.9.4"
_SIGNING_CERTIFICATE: Final = "1.2.840.113549.1.9.16.2.47"
_SHA256: Final = "2.16.840.1.101.3.4.2.1"
_ECDSA_SHA256: Final = "1.2.840.10045.4.3.2"
_VERSION: Final = 1


def signed_attributes(digest: bytes, signer: Certificate) -> bytes:
    """Return the SET OF attributes to be signed; ``digest`` is SHA-256 of the content.

    The signer's certificate is named by its SHA-256 (RFC 5035), so that no other with the
    same key fits; the time stands in the document (ETSI EN 319 142-1 §5.3).
    """
    certificate = der.sequence(der.sequence(der.sequence(der.octets(sha256(signer.der)))))
    attributes = (
        _attribute(_CONTENT_TYPE, der.oid(_DATA)),
        _attribute(_MESSAGE_DIGEST, der.octets(digest)),
        _attribute(_SIGNING_CERTIFICATE, certificate),
    )
    return _set(attributes)


def signed_data(
    attributes: bytes, signature: bytes, signer: Certificate, others: Sequence[bytes]
) -> bytes:
    """Return the ContentInfo of ``attributes`` with an ECDSA signature of P-256 and SHA-256.

    ``others`` are certificates that lead to an anchor.
    """
    serial = der.integer(signer.serial)
    info = der.sequence(
        der.integer(_VERSION),
        der.sequence(signer.issuer, serial),
        der.sequence(der.oid(_SHA256)),
        bytes([elements.CONTEXT_0]) + attributes[1:],
        der.sequence(der.oid(_ECDSA_SHA256)),
        der.octets(signature),
    )
    signed = der.sequence(
        der.integer(_VERSION),
        _set((der.sequence(der.oid(_SHA256)),)),
        der.sequence(der.oid(_DATA)),
        encode(elements.CONTEXT_0, b"".join(sorted((signer.der, *others)))),
        _set((info,)),
    )
    return der.sequence(der.oid(_SIGNED_DATA), der.explicit(0, signed))


def _attribute(kind: str, value: bytes) -> bytes:
    return der.sequence(der.oid(kind), _set((value,)))


def _set(members: Sequence[bytes]) -> bytes:
    """Return a SET OF, its members in the order of DER (X.690 §11.6)."""
    return encode(elements.SET, b"".join(sorted(members)))
