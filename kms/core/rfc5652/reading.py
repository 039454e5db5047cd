"""SignedData out of stored DER (RFC 5652 §5), whatever it holds and whoever signed.

GB/T 35275 gives the whole another name and nothing else, so that both are read here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from kms.core.rfc5652.schemes import DATA, GM_SIGNED_DATA, SIGNED_DATA
from kms.core.x690 import Element, read_der, values
from kms.core.x690.elements import CONTEXT_0, SEQUENCE, SET
from secops.crypto.der import encode

_CONTEXT_1: Final = 0xA1
_KEY_IDENTIFIER: Final = 0x80
_BY_ISSUER: Final = 1
_BY_KEY: Final = 3
NO_PARAMETERS: Final = (b"", b"\x05\x00")
"""Parameters of an algorithm that has none: absent, or NULL."""

_VERSIONS: Final = {SIGNED_DATA: (1, 3, 4, 5), GM_SIGNED_DATA: (1,)}
"""RFC 5652 §5.1, by what is inside; GB/T 35275 knows version 1 alone."""

_MAX_CERTIFICATES: Final = 20


@dataclass(frozen=True, slots=True)
class SignerInfo:
    """One signer. Nothing here has been verified.

    Named by ``issuer`` (DER) and ``serial``, or by ``key_identifier``. ``signed`` are the
    attributes as they were signed, None where the content was signed itself; ``attributes``
    and ``unsigned`` map OIDs to values in DER. ``parameters`` is the DER beside the signature
    algorithm's OID, empty where there is none.
    """

    issuer: bytes
    serial: int
    key_identifier: bytes | None
    digest_algorithm: str
    signature_algorithm: str
    parameters: bytes
    signature: bytes
    signed: bytes | None = None
    attributes: Mapping[str, tuple[bytes, ...]] = field(default_factory=dict)
    unsigned: Mapping[str, tuple[bytes, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SignedData:
    """What a ContentInfo of SignedData holds; ``content`` is None where it is detached.

    ``outer_type`` is the whole's OID, ``digest_algorithms`` those of the hashes announced.
    """

    outer_type: str
    digest_algorithms: frozenset[str]
    content_type: str
    content: bytes | None
    certificates: tuple[bytes, ...]
    signers: tuple[SignerInfo, ...]


def read_signed_data(encoded: bytes) -> SignedData:
    """Return the SignedData in ``encoded``; raise ``DerError``."""
    return signed_data_at(read_der(encoded))


def signed_data_at(root: Element) -> SignedData:
    """Return the SignedData whose ContentInfo is ``root``; raise ``DerError``."""
    kind, holder = root.sequence("ContentInfo", 2)
    outer_type = values.oid(kind, "contentType")
    versions = _VERSIONS.get(outer_type)
    if versions is None:
        kind.refuse("the content is no SignedData")
    whole = holder.expect(CONTEXT_0, "content").only()
    fields = whole.sequence("SignedData", 4, 5, 6)
    listed = fields[1].expect(SET, "digestAlgorithms").children
    digest_algorithms = frozenset(map(_plain_algorithm, listed))
    optional = {each.tag: each for each in fields[3:-1]}
    if [each.tag for each in fields[3:-1]] != sorted({CONTEXT_0, _CONTEXT_1} & set(optional)):
        fields[3].refuse("not certificates and revocation lists, each once")
    held = optional[CONTEXT_0].children if CONTEXT_0 in optional else ()
    if len(held) > _MAX_CERTIFICATES:
        whole.refuse(f"more than {_MAX_CERTIFICATES} certificates")
    content_type, content = _content(fields[2])
    wanted = versions if content_type == DATA else versions[1:] or versions
    if values.integer(fields[0], "version") not in wanted:
        fields[0].refuse("not the version of SignedData that its content wants")
    signers = tuple(map(_signer, fields[-1].expect(SET, "signerInfos").children))
    if any(each.digest_algorithm not in digest_algorithms for each in signers):
        fields[1].refuse("a signer's hash is not among digestAlgorithms")
    return SignedData(
        outer_type=outer_type,
        digest_algorithms=digest_algorithms,
        content_type=content_type,
        content=content,
        # other kinds (attribute certificates) are of no use here
        certificates=tuple(each.raw for each in held if each.tag == SEQUENCE),
        signers=signers,
    )


def only_signer(data: SignedData, root: Element) -> SignerInfo:
    """Return the one signer of ``data``, which was read at ``root``; raise ``DerError``."""
    if len(data.signers) != 1:
        root.refuse(f"{len(data.signers)} signers where one belongs")
    return data.signers[0]


def _content(element: Element) -> tuple[str, bytes | None]:
    fields = element.sequence("encapContentInfo", 1, 2)
    kind = values.oid(fields[0], "eContentType")
    if len(fields) == 1:
        return kind, None
    return kind, values.octets(fields[1].expect(CONTEXT_0, "content").only(), "eContent")


def _signer(info: Element) -> SignerInfo:
    fields = list(info.sequence("SignerInfo", 5, 6, 7))
    issuer, serial, key_identifier = _identifier(fields[1])
    if values.integer(fields[0], "version") != (_BY_ISSUER if issuer else _BY_KEY):
        fields[0].refuse("not the version of SignerInfo that its identifier wants")
    attributes = fields.pop(3) if fields[3].tag == CONTEXT_0 else None
    if len(fields) not in (5, 6):  # up to the signature, and one field behind it
        info.refuse("SignerInfo has no signature, or more than belongs behind it")
    algorithm = fields[3].sequence("signatureAlgorithm", 1, 2)
    unsigned = fields[5].expect(_CONTEXT_1, "unsignedAttrs") if len(fields) == 6 else None  # noqa: PLR2004
    return SignerInfo(
        issuer=issuer,
        serial=serial,
        key_identifier=key_identifier,
        digest_algorithm=_plain_algorithm(fields[2]),
        signature_algorithm=values.oid(algorithm[0], "signatureAlgorithm"),
        parameters=b"".join(each.raw for each in algorithm[1:]),
        signature=values.octets(fields[4], "signature"),
        # signed under the tag SET OF, in the order in which they are stored
        signed=None if attributes is None else encode(SET, attributes.content),
        attributes={} if attributes is None else _attributes(attributes),
        unsigned={} if unsigned is None else _attributes(unsigned),
    )


def _plain_algorithm(element: Element) -> str:
    """Return the OID of an AlgorithmIdentifier that has no parameters, or NULL."""
    parts = element.sequence("algorithm", 1, 2)
    if any(part.raw not in NO_PARAMETERS for part in parts[1:]):
        element.refuse("a hash has no parameters")
    return values.oid(parts[0], "algorithm")


def _identifier(element: Element) -> tuple[bytes, int, bytes | None]:
    if element.tag == _KEY_IDENTIFIER:
        return b"", 0, element.content
    issuer, serial = element.sequence("issuerAndSerialNumber", 2)
    return issuer.raw, values.integer(serial, "serialNumber"), None


def _attributes(element: Element) -> Mapping[str, tuple[bytes, ...]]:
    found: dict[str, tuple[bytes, ...]] = {}
    for attribute in element.children:
        kind, held = attribute.sequence("attribute", 2)
        name = values.oid(kind, "attribute type")
        if name in found:
            kind.refuse(f"the attribute {name} is there twice")
        found[name] = _raw(held.expect(SET, "attribute values").children)
    return found


def _raw(elements: Sequence[Element]) -> tuple[bytes, ...]:
    return tuple(each.raw for each in elements)
