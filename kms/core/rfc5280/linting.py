"""Look over a certificate before it is signed: what the standards demand, read back from its DER.

RFC 5280 §4 (its MUSTs for what we write) and GM/T 0015-2012 for SM2. The bytes are read by
the strict reader and not by what wrote them, so that a defect of the writer is found too.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from kms.core.rfc5280.extensions import read_extension
from kms.core.rfc5280.names import AlternativeNames, check_names
from kms.core.rfc5280.profiles import PROFILES, CertificateProfile, Profile
from kms.core.rfc5280.writing import SIGNATURES, KeyAlgorithm, key_identifier
from kms.core.x690 import Element, elements, read_der, values
from secops.crypto.certificates import KEY_USAGES, key_algorithm_of
from secops.crypto.errors import InvalidKey
from secops.crypto.signatures import public_key
from secops.kernel.clock import DAY, from_rfc3339

_MAX_SERIAL: Final = 20
_FIELDS: Final = 8  # version to extensions, without the unique identifiers
_COUNTRY: Final = "2.5.4.6"
_COMMON_NAME: Final = "2.5.4.3"
_BOUNDS: Final = {"2.5.4.10": 64, "2.5.4.11": 64, _COMMON_NAME: 64, _COUNTRY: 2}
"""RFC 5280 appendix A.1, the upper bounds ub-*."""
_FIRST_GENERALIZED: Final = from_rfc3339("2050-01-01T00:00:00Z")
_POINT: Final = b"\x04"
_CRITICAL: Final = {"2.5.29.19": True, "2.5.29.15": True, "2.5.29.37": None}
_PLACES: Final = ("2.5.29.31", "1.3.6.1.5.5.7.1.1")
_NAMES: Final = "2.5.29.17"
_NO_CHECK: Final = "1.3.6.1.5.5.7.48.1.5"
_KNOWN: Final = frozenset({*_CRITICAL, "2.5.29.14", "2.5.29.35", _NAMES, _NO_CHECK, *_PLACES})
_SIGNS: Final = frozenset({"digitalSignature", "nonRepudiation"})
_ENCRYPTS: Final = frozenset({"keyEncipherment", "dataEncipherment", "keyAgreement"})
_ISSUES: Final = frozenset({"keyCertSign", "cRLSign"})
_PURPOSE_TAGS: Final = {0x81: "mails", 0x82: "hosts", 0x87: "addresses"}
_URI: Final = 0x86


class LintRefused(ValueError):
    """A certificate that must not be signed; the message names what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Issuance:
    """What the issuer knows about the certificate it is asked to sign.

    ``issuer_name`` is the issuer's subject in DER, ``until`` the end of its own certificate;
    for a root they are the certificate's own.
    """

    profile: Profile
    algorithm: KeyAlgorithm
    issuer_name: bytes
    issuer_spki: bytes
    until: int


@dataclass(frozen=True, slots=True)
class _Extension:
    critical: bool
    value: Element


def lint_certificate(tbs: bytes, issuance: Issuance) -> None:
    """Return if the TBSCertificate ``tbs`` may be signed; raise ``LintRefused`` otherwise."""
    try:
        found = list(_findings(read_der(tbs), issuance))
    except (ValueError, InvalidKey) as error:
        raise LintRefused(str(error)) from error
    if found:
        raise LintRefused("; ".join(found))


def _findings(root: Element, issuance: Issuance) -> Iterator[str]:
    profile = PROFILES[issuance.profile]
    fields = root.sequence("TBSCertificate", _FIELDS)
    version = fields[0].expect(elements.CONTEXT_0, "version").children
    if len(version) != 1 or values.integer(version[0], "version") != 2:  # noqa: PLR2004 - v3
        yield "the version is not 3"
    serial = fields[1].expect(elements.INTEGER, "serialNumber")
    if values.integer(serial, "serialNumber") <= 0 or len(serial.content) > _MAX_SERIAL:
        yield f"the serial number is not positive and of {_MAX_SERIAL} bytes at most"
    yield from _algorithm_findings(fields[2], issuance.algorithm)
    yield from _name_findings(fields[3], "issuer")
    yield from _name_findings(fields[5], "subject")
    if fields[3].raw != issuance.issuer_name:
        yield "the issuer is not who will sign"
    if (fields[5].raw == fields[3].raw) != profile.is_ca:
        yield "a root issues itself, and nothing else does"
    yield from _validity_findings(fields[4], profile, issuance)
    yield from _key_findings(fields[6], profile)
    yield from _extension_findings(fields, issuance)


def _algorithm_findings(field: Element, algorithm: KeyAlgorithm) -> Iterator[str]:
    # RFC 5758 §3.2, GM/T 0015 §5.2.3: the parameters are absent
    (oid,) = field.sequence("signature", 1)
    if values.oid(oid, "signature") != SIGNATURES[algorithm]:
        yield "its signature algorithm is not the one of the issuer's key"


def _name_findings(field: Element, what: str) -> Iterator[str]:
    seen: set[str] = set()
    for relative in field.sequence(what):
        parts = relative.expect(elements.SET, what).children
        if len(parts) != 1:
            yield f"the {what} has a relative name of several attributes"
            continue
        kind, value = parts[0].sequence(what, 2)
        oid = values.oid(kind, what)
        if oid not in _BOUNDS or oid in seen:
            yield f"the {what} has an attribute that is repeated or not of its form: {oid}"
            continue
        seen.add(oid)
        read = values.printable if oid == _COUNTRY else values.utf8
        text = read(value, what)
        if not 1 <= len(text) <= _BOUNDS[oid] or not text.isprintable() or text != text.strip():
            yield f"the {what} has an attribute without text, or longer than it may be: {oid}"
    if _COMMON_NAME not in seen:
        yield f"the {what} has no common name"


def _validity_findings(
    field: Element, profile: CertificateProfile, issuance: Issuance
) -> Iterator[str]:
    start, end = field.sequence("validity", 2)
    instants = []
    for time in (start, end):
        instant = values.time(time, "validity")
        late = instant >= _FIRST_GENERALIZED
        if (time.tag == elements.GENERALIZED_TIME) != late or b"." in time.content:
            yield "a time is not of the type that its year demands"
        instants.append(instant)
    if not instants[0] < instants[1] <= instants[0] + profile.days * DAY:
        yield f"it is valid for longer than the {profile.days} days of its profile, or not at all"
    if instants[1] > issuance.until:
        yield "it outlives its issuer"


def _key_findings(field: Element, profile: CertificateProfile) -> Iterator[str]:
    algorithm = key_algorithm_of(field.raw)
    if algorithm not in profile.keys:
        yield f"a key of the algorithm {algorithm or 'that is not offered'} is not for its profile"
        return
    public_key(algorithm, field.raw)  # raises InvalidKey: short RSA keys, points off the curve
    bits = values.bits(field.sequence("subjectPublicKeyInfo", 2)[1], "subjectPublicKey")
    if algorithm in ("sm2", "ecdsa-p256", "ecdsa-p384") and not bits.startswith(_POINT):
        yield "the key is not an uncompressed point"


def _extension_findings(fields: tuple[Element, ...], issuance: Issuance) -> Iterator[str]:
    profile = PROFILES[issuance.profile]
    wrapped = fields[7].expect(0xA3, "extensions")
    found: dict[str, _Extension] = {}
    for each in wrapped.only("extensions are not one SEQUENCE").sequence("extensions"):
        oid, extension = _extension(each)
        if oid in found or oid not in _KNOWN:
            yield f"the extension {oid} is repeated or unknown"
        found[oid] = extension
        wanted = _CRITICAL.get(oid, False)
        if extension.critical is not (profile.purposes_critical if wanted is None else wanted):
            yield f"the extension {oid} must be critical, or must not"
    yield from _usage_findings(found, profile)
    yield from _identifier_findings(found, fields[6].raw, issuance)
    yield from _other_findings(found, profile, fields[5])


def _extension(element: Element) -> tuple[str, _Extension]:
    oid, critical, holder = read_extension(element)
    if len(element.children) == 3 and not critical:  # noqa: PLR2004
        element.refuse("FALSE is written out")
    return oid, _Extension(critical, read_der(values.octets(holder, "extnValue")))


def _usage_findings(found: Mapping[str, _Extension], profile: CertificateProfile) -> Iterator[str]:
    if "2.5.29.19" not in found or "2.5.29.15" not in found:
        yield "basicConstraints or keyUsage is missing"
        return
    constraints = found["2.5.29.19"].value.sequence("basicConstraints")
    wanted = [b"\x01\x01\xff", b"\x02\x01\x00"] if profile.is_ca else []
    if [part.raw for part in constraints] != wanted:
        yield "basicConstraints are not those of its profile"
    usages = read_usages(found["2.5.29.15"].value)
    if usages != frozenset(profile.usages):
        yield "keyUsage is not that of its profile"
    kinds = [kind for kind in (_SIGNS, _ENCRYPTS, _ISSUES) if usages & kind]
    if len(kinds) != 1:
        yield "one key signs, encrypts or issues, and never two of these"
    purposes = found.get("2.5.29.37")
    listed = () if purposes is None else purposes.value.sequence("extKeyUsage")
    if tuple(values.oid(each, "purpose") for each in listed) != profile.purposes:
        yield "extKeyUsage is not that of its profile"
    if profile.purposes and "digitalSignature" not in usages:
        yield "its purposes need digitalSignature"


def read_usages(element: Element) -> frozenset[str]:
    """Return the words of a KeyUsage; raise ``DerError`` unless its last bit is a one."""
    content = element.expect(elements.BIT_STRING, "keyUsage").content
    if len(content) < 2 or content[0] > 7 or not content[-1] >> content[0] & 1:  # noqa: PLR2004
        element.refuse("keyUsage is empty, or has zero bits at its end")
    bits = "".join(f"{octet:08b}" for octet in content[1:])
    if "1" in bits[len(KEY_USAGES) :]:
        element.refuse("keyUsage has bits that mean nothing")
    return frozenset(name for name, bit in zip(KEY_USAGES, bits, strict=False) if bit == "1")


def _identifier_findings(
    found: Mapping[str, _Extension], spki: bytes, issuance: Issuance
) -> Iterator[str]:
    own, issuers = found.get("2.5.29.14"), found.get("2.5.29.35")
    if own is None or values.octets(own.value, "subjectKeyIdentifier") != key_identifier(spki):
        yield "subjectKeyIdentifier is not that of the key"
    parts = () if issuers is None else issuers.value.sequence("authorityKeyIdentifier", 1)
    if [part.content for part in parts] != [key_identifier(issuance.issuer_spki)]:
        yield "authorityKeyIdentifier is not that of the issuer's key"


def _other_findings(
    found: Mapping[str, _Extension], profile: CertificateProfile, subject: Element
) -> Iterator[str]:
    if (_NO_CHECK in found) != profile.no_check:
        yield "id-pkix-ocsp-nocheck belongs to OCSP responders alone"
    names = AlternativeNames() if _NAMES not in found else read_names(found[_NAMES].value)
    check_names(names, profile.names)
    if _NAMES in found and not names:
        yield "an empty subjectAltName"
    if profile.names == "hosts" and _common_name(subject) not in (*names.hosts, *names.addresses):
        yield "a server's common name is one of its subjectAltNames"
    for oid in _PLACES:
        if oid in found:
            yield from _url_findings(found[oid].value)


def read_names(element: Element) -> AlternativeNames:
    """Return a subjectAltName's names; raise ``DerError`` for a kind that is not of ours."""
    names: dict[str, list[str]] = {"hosts": [], "addresses": [], "mails": []}
    for each in element.sequence("subjectAltName"):
        kind = _PURPOSE_TAGS.get(each.tag)
        if kind is None:
            each.refuse("a name that is neither host nor address nor mailbox")
        try:
            text = (
                str(ipaddress.ip_address(each.content))
                if kind == "addresses"
                else each.content.decode("ascii")
            )
        except ValueError:
            each.refuse("a name that can't be read")
        names[kind].append(text)
    return AlternativeNames(**{kind: tuple(texts) for kind, texts in names.items()})


def _common_name(subject: Element) -> str:
    """Return the first common name of what was found to be a name before."""
    for relative in subject.children:
        for pair in relative.children:
            kind, value = pair.children
            if values.oid(kind, "subject") == _COMMON_NAME:
                return value.content.decode()
    return ""


def _url_findings(element: Element) -> Iterator[str]:
    waiting = [element]
    while waiting:
        each = waiting.pop()
        waiting += each.children
        if each.tag == _URI:
            parts = urlsplit(each.content.decode("ascii", "replace"))
            if parts.scheme not in ("http", "https") or not parts.hostname:
                yield "a place to look at is no http address"
