"""SESeal and SES_Signature out of stored DER: v1, v4 and v5, told apart by their shape.

Deviations that real makers write are read, never written: an ``extDatas`` with or without
its tag, ``critical FALSE`` written out, OCTET STRING where a BIT STRING belongs (v1).
"""

from __future__ import annotations

from typing import Final

from kms.core.gbt38540.signing_times import read_signing_time
from kms.core.gbt38540.structures import (
    SM3_BYTES,
    V1,
    V4,
    V5,
    Extension,
    Picture,
    Seal,
    SealProperty,
    SealSignature,
)
from kms.core.x690 import Element, read_der, values
from kms.core.x690.elements import CONTEXT_0, SEQUENCE
from kms.core.x690.writing import sequence

_CERTIFICATES: Final = 1
_DIGESTS: Final = 2
_MAX_CERTIFICATES: Final = 1_000
_MAX_MILLIMETRES: Final = 10_000
_HEADER_VERSIONS: Final = {V1: (1, 11), V4: (4,), V5: (5,)}
"""GM/T 0031-2014 gives 11 as its example; files have 1."""


def read_seal_file(content: bytes) -> Seal | SealSignature:
    """Return the seal or the signature that ``content`` is; raise ``DerError``."""
    root = read_der(content)
    first = root.sequence("the file")[:1]
    if not first or not first[0].children:
        root.refuse("neither a SESeal nor a SES_Signature")
    if first[0].children[0].tag == SEQUENCE:
        return read_seal(root)
    return read_signature(root)


def read_seal(root: Element) -> Seal:
    """Return the SESeal at ``root``; raise ``DerError``."""
    fields = root.sequence("SESeal", 2, 4, 5)
    info = fields[0].sequence("eSealInfo", 4, 5)
    header = info[0].sequence("header", 3)
    if values.ia5(header[0], "header.ID") != "ES":
        header[0].refuse("header.ID is not ES")
    written = values.integer(header[1], "header.version")
    version = _version(len(fields), written)
    if written not in _HEADER_VERSIONS[version]:
        header[1].refuse(f"header.version is {written} in a seal shaped as v{version}")
    vendor = values.ia5(header[2], "header.Vid")
    es_id = values.ia5(info[1], "esID")
    property_ = _property(info[2], version)
    picture = _picture(info[3])
    extensions = _extensions(info[4]) if len(info) > 4 else ()  # noqa: PLR2004 - optional fifth
    maker = _v1_maker(fields) if version == V1 else _maker(fields)
    certificate, algorithm, signed, signature = maker
    timestamp = _timestamp(fields[4]) if version == V5 and len(fields) == V5 else None
    return Seal(
        version=version,
        raw=root.raw,
        vendor=vendor,
        es_id=es_id,
        property=property_,
        picture=picture,
        extensions=extensions,
        maker_certificate=certificate,
        algorithm=algorithm,
        signed=signed,
        signature=signature,
        timestamp=timestamp,
    )


def read_signature(root: Element) -> SealSignature:
    """Return the SES_Signature at ``root``; raise ``DerError``."""
    fields = root.sequence("SES_Signature", 2, 4, 5)
    tbs = fields[0].sequence("toSign")
    if len(tbs) < 5:  # noqa: PLR2004 - version to propertyInfo
        fields[0].refuse(f"toSign has {len(tbs)} fields")
    seal = read_seal(tbs[1])
    shapes = {V1: (2, (7,)), V4: (4, (5, 6)), V5: (4, (5, 6))}
    outer, inner = shapes[seal.version]
    timestamped = seal.version == V5 and len(fields) == outer + 1
    if (len(fields) != outer and not timestamped) or len(tbs) not in inner:
        root.refuse(f"not the shape of a v{seal.version} signature")
    tbs_version = values.integer(tbs[0], "toSign.version")
    if tbs_version not in _HEADER_VERSIONS[seal.version]:
        tbs[0].refuse(f"toSign.version is {tbs_version}, its seal is v{seal.version}")
    data_hash = values.bits_or_octets(tbs[3], "dataHash") if seal.version == V1 else None
    data_hash = values.bits(tbs[3], "dataHash") if data_hash is None else data_hash
    if len(data_hash) != SM3_BYTES:
        tbs[3].refuse(f"dataHash has {len(data_hash)} bytes")
    holder = tbs if seal.version == V1 else fields
    certificate = holder[5] if seal.version == V1 else holder[1]
    algorithm = holder[6] if seal.version == V1 else holder[2]
    return SealSignature(
        version=seal.version,
        tbs_version=tbs_version,
        seal=seal,
        signed_at=read_signing_time(tbs[2], seal.version),
        data_hash=data_hash,
        property_info=values.ia5(tbs[4], "propertyInfo"),
        extensions=_extensions(tbs[5]) if seal.version != V1 and len(tbs) == 6 else (),  # noqa: PLR2004
        signer_certificate=values.octets(certificate, "cert"),
        algorithm=values.oid(algorithm, "signatureAlgID"),
        signed=fields[0].raw,
        signature=values.bits(fields[1] if seal.version == V1 else fields[3], "signature"),
        timestamp=_timestamp(fields[4]) if timestamped else None,
    )


def _version(count: int, written: int) -> int:
    """Return the version that ``count`` fields mean (GM/T 0031-2014, GB/T 38540, -2025)."""
    if count == 2:  # noqa: PLR2004 - eSealInfo, signInfo
        return V1
    return V5 if V5 in (count, written) else V4


def _v1_maker(fields: tuple[Element, ...]) -> tuple[bytes, str, bytes, bytes]:
    """Return certificate, algorithm, signed bytes and signature of a v1 seal.

    Signed is a new SEQUENCE header over the stored eSealInfo, cert and algorithm.
    """
    sign_info = fields[1].sequence("signInfo", 3)
    signed = sequence(fields[0].raw, sign_info[0].raw, sign_info[1].raw)
    return (
        values.octets(sign_info[0], "signInfo.cert"),
        values.oid(sign_info[1], "signInfo.signatureAlgorithm"),
        signed,
        values.bits_or_octets(sign_info[2], "signInfo.signData"),
    )


def _maker(fields: tuple[Element, ...]) -> tuple[bytes, str, bytes, bytes]:
    """Return certificate, algorithm, signed bytes and signature of a v4 or v5 seal."""
    return (
        values.octets(fields[1], "cert"),
        values.oid(fields[2], "signAlgID"),
        fields[0].raw,
        values.bits(fields[3], "signedValue"),
    )


def _property(element: Element, version: int) -> SealProperty:
    if version == V1:
        kind, name, listed, created, start, end = element.sequence("property", 6)
        list_kind = _CERTIFICATES
        read = values.utc_time
    else:
        kind, name, form, listed, created, start, end = element.sequence("property", 7)
        list_kind = values.integer(form, "certListType")
        read = values.generalized_time
    if list_kind not in (_CERTIFICATES, _DIGESTS):
        element.refuse(f"certListType is {list_kind}")
    entries = listed.sequence("certList")
    if not 0 < len(entries) <= _MAX_CERTIFICATES:
        listed.refuse(f"certList has {len(entries)} entries")
    whole = list_kind == _CERTIFICATES
    return SealProperty(
        kind=values.integer(kind, "type"),
        name=values.utf8(name, "name"),
        certificates=tuple(values.octets(e, "certList entry") for e in entries) if whole else (),
        certificate_digests=() if whole else tuple(_digest(entry) for entry in entries),
        created_at=read(created, "createDate"),
        valid_from=read(start, "validStart"),
        valid_until=read(end, "validEnd"),
    )


def _digest(entry: Element) -> bytes:
    kind, value = entry.sequence("certList entry", 2)
    values.printable(kind, "certList entry type")
    return values.octets(value, "certList entry value")


def _picture(element: Element) -> Picture:
    kind, data, width, height = element.sequence("picture", 4)
    size = values.integer(width, "picture.width"), values.integer(height, "picture.height")
    if not all(0 < side <= _MAX_MILLIMETRES for side in size):
        element.refuse("the picture's size is no number of millimetres")
    return Picture(values.ia5(kind, "picture.type"), values.octets(data, "picture.data"), *size)


def _extensions(element: Element) -> tuple[Extension, ...]:
    """Return the ExtDatas, written bare or under [0] EXPLICIT."""
    if element.tag == CONTEXT_0:
        element = element.only("extDatas is not one SEQUENCE")
    return tuple(_extension(entry) for entry in element.sequence("extDatas"))


def _extension(entry: Element) -> Extension:
    fields = entry.sequence("ExtData", 2, 3)
    return Extension(
        oid=values.oid(fields[0], "extnID"),
        critical=len(fields) == 3 and values.boolean(fields[1], "critical"),  # noqa: PLR2004
        value=values.octets(fields[-1], "extnValue"),
    )


def _timestamp(element: Element) -> bytes:
    inner = element.expect(CONTEXT_0, "timeStamp").only("timeStamp is not one BIT STRING")
    return values.bits(inner, "timeStamp")
