"""Write SignedData: attributes that the key signs, then the whole (RFC 5652 §5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from kms.core.rfc5652.schemes import (
    CONTENT_TYPE,
    DATA,
    ECDSA_SHA256,
    MESSAGE_DIGEST,
    SIGNING_CERTIFICATE_V2,
    Scheme,
)
from kms.core.x690 import elements
from kms.core.x690 import writing as der
from secops.crypto.certificates import Certificate
from secops.crypto.der import encode
from secops.crypto.hashes import digest

_SIGNER_VERSION: Final = 1
_WITH_DATA: Final = 1
_WITH_OTHER: Final = 3
_UNSIGNED: Final = 0xA1
_DEFAULT_HASH: Final = "sha256"  # RFC 5035 §4


@dataclass(frozen=True, slots=True)
class Signing:
    """Who signs, how, and what: ``content`` stands inside, None where it is detached.

    ``certificates`` (DER) are put in beside: the signer's and others towards an anchor.
    """

    signer: Certificate
    certificates: Sequence[bytes] = ()
    scheme: Scheme = ECDSA_SHA256
    content_type: str = DATA
    content: bytes | None = None


def signed_attributes(message_digest: bytes, signing: Signing) -> bytes:
    """Return the SET OF attributes to be signed; ``message_digest`` is of the content.

    The signer's certificate is named by its digest (RFC 5035), so that no other with the
    same key fits; the time stands in the document (ETSI EN 319 142-1 §5.3).
    """
    name = signing.scheme.hash_name
    algorithm = () if name == _DEFAULT_HASH else (signing.scheme.digest,)
    identifier = der.sequence(*algorithm, der.octets(digest(name, signing.signer.der)))
    attributes = (
        attribute(CONTENT_TYPE, der.oid(signing.content_type)),
        attribute(MESSAGE_DIGEST, der.octets(message_digest)),
        attribute(SIGNING_CERTIFICATE_V2, der.sequence(der.sequence(identifier))),
    )
    return der.set_of(*attributes)


def signed_data(
    attributes: bytes, signature: bytes, signing: Signing, *, unsigned: Sequence[bytes] = ()
) -> bytes:
    """Return the ContentInfo of ``attributes`` with the signer's ``signature`` over them.

    ``unsigned`` are attributes that came after the signature, such as a time-stamp of it.
    """
    scheme, signer = signing.scheme, signing.signer
    info = der.sequence(
        der.integer(_SIGNER_VERSION),
        der.sequence(signer.issuer, der.integer(signer.serial)),
        scheme.digest,
        bytes([elements.CONTEXT_0]) + attributes[1:],
        scheme.signature,
        der.octets(signature),
        *((bytes([_UNSIGNED]) + der.set_of(*unsigned)[1:],) if unsigned else ()),
    )
    held = () if signing.content is None else (der.explicit(0, der.octets(signing.content)),)
    listed = b"".join(sorted(signing.certificates))
    signed = der.sequence(
        der.integer(_version(signing)),
        der.set_of(scheme.digest),
        der.sequence(der.oid(signing.content_type), *held),
        *((encode(elements.CONTEXT_0, listed),) if listed else ()),
        der.set_of(info),
    )
    return der.sequence(der.oid(scheme.signed_data), der.explicit(0, signed))


def attribute(kind: str, value: bytes) -> bytes:
    """Return the Attribute ``kind`` (an OID) with one value."""
    return der.sequence(der.oid(kind), der.set_of(value))


def _version(signing: Signing) -> int:
    if signing.scheme.version is not None:
        return signing.scheme.version
    return _WITH_DATA if signing.content_type == DATA else _WITH_OTHER
