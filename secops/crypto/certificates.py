"""X.509 certificates of SM2 and the international algorithms: read, check, chain.

Read from the stored bytes: signatures are checked over the TBS as it was signed, never
over a re-encoding, and a name that ``cryptography`` refuses (Chinese text in an IA5String
is common in the field) doesn't hide the key. RFC 5280; GM/T 0015.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from secops.crypto import names, signatures
from secops.crypto.der import (
    BOOLEAN,
    INTEGER,
    OCTET_STRING,
    SEQUENCE,
    Element,
    children,
    read_bits,
    read_oid,
    read_unsigned,
    read_whole,
)
from secops.crypto.errors import (
    InvalidKey,
    InvalidSignature,
    MalformedEncoding,
    UntrustedCertificate,
)
from secops.crypto.hashes import sha256
from secops.crypto.options import SignatureOptions

MAX_CERTIFICATE: Final = 64 * 1024
MAX_CHAIN: Final = 8

_SPKI_ALGORITHMS: Final = {
    "301306072a8648ce3d020106082a811ccf5501822d": "sm2",
    "301306072a8648ce3d020106082a8648ce3d030107": "ecdsa-p256",
    "301006072a8648ce3d020106052b81040022": "ecdsa-p384",
    "300506032b6570": "ed25519",
    "300d06092a864886f70d0101010500": "rsa-3072",
    "300b0609608648016503040312": "ml-dsa-65",
}
_SM3: Final = SignatureOptions("sm3")
_SHA256: Final = SignatureOptions("sha256")
_SHA384: Final = SignatureOptions("sha384")
_SIGNATURE_ALGORITHMS: Final[dict[str, tuple[frozenset[str], SignatureOptions]]] = {
    "1.2.156.10197.1.501": (frozenset({"sm2"}), _SM3),
    "1.2.840.10045.4.3.2": (frozenset({"ecdsa-p256", "ecdsa-p384"}), _SHA256),
    "1.2.840.10045.4.3.3": (frozenset({"ecdsa-p256", "ecdsa-p384"}), _SHA384),
    "1.3.101.112": (frozenset({"ed25519"}), _SHA256),
    "2.16.840.1.101.3.4.3.18": (frozenset({"ml-dsa-65"}), _SHA256),
    "1.2.840.113549.1.1.11": (
        frozenset({"rsa-3072"}),
        SignatureOptions("sha256", padding="pkcs1v15"),
    ),
}
_MAX_PROVED: Final = 4096
_PROVED: Final[set[bytes]] = set()
"""SHA-256 of issuer's key and certificate whose signature verified in this process."""

KEY_USAGES: Final = (
    "digitalSignature",
    "nonRepudiation",
    "keyEncipherment",
    "dataEncipherment",
    "keyAgreement",
    "keyCertSign",
    "cRLSign",
    "encipherOnly",
    "decipherOnly",
)
_BASIC_CONSTRAINTS: Final = "2.5.29.19"
_KEY_USAGE: Final = "2.5.29.15"
_UNDERSTOOD: Final = frozenset({_BASIC_CONSTRAINTS, _KEY_USAGE, "2.5.29.37"})


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a certificate says. Nothing here has been verified.

    ``tbs`` is the stored TBSCertificate; ``issuer`` and ``subject`` are the names' DER;
    ``not_before`` and ``not_after`` UTC microseconds, inclusive. ``path_length`` None is no
    limit; ``key_usage`` None is no such extension. ``extensions`` maps OIDs to the value's
    DER; ``unknown_critical`` lists critical ones that were not understood.
    """

    der: bytes
    tbs: bytes
    serial: int
    issuer: bytes
    subject: bytes
    not_before: int
    not_after: int
    spki: bytes
    key_algorithm: str
    signature_algorithm: str
    signature: bytes
    is_ca: bool
    path_length: int | None
    key_usage: frozenset[str] | None
    extensions: dict[str, bytes]
    unknown_critical: tuple[str, ...]

    @property
    def subject_name(self) -> str:
        """The subject as text, RFC 4514 order; what can't be read is shown in hex."""
        return names.to_text(self.subject)

    @property
    def issuer_name(self) -> str:
        """The issuer as text."""
        return names.to_text(self.issuer)

    @property
    def common_name(self) -> str:
        """The subject's CN, or the whole name where there is none."""
        return names.attribute(self.subject, "2.5.4.3") or self.subject_name

    def public_key(self) -> signatures.PublicKey:
        """Return the subject's key; raise ``InvalidKey`` for an algorithm we don't offer."""
        if not self.key_algorithm:
            msg = "the certificate's key is of an algorithm that is not offered"
            raise InvalidKey(msg)
        return signatures.public_key(self.key_algorithm, self.spki)

    def allows(self, usage: str) -> bool:
        """Tell whether key usage allows ``usage``; a certificate without it allows nothing."""
        return self.key_usage is not None and usage in self.key_usage


@lru_cache(maxsize=128)
def read_certificate(encoded: bytes) -> Certificate:
    """Return the certificate in DER ``encoded``; raise ``MalformedEncoding`` otherwise.

    The same few certificates are read with every seal, so the last ones are kept.
    """
    if len(encoded) > MAX_CERTIFICATE:
        msg = f"a certificate has at most {MAX_CERTIFICATE} bytes"
        raise MalformedEncoding(msg)
    outer = list(children(read_whole(encoded, SEQUENCE).content))
    if len(outer) != 3 or outer[0].tag != SEQUENCE:  # noqa: PLR2004 - RFC 5280 §4.1
        msg = "not a certificate"
        raise MalformedEncoding(msg)
    tbs, algorithm, signature = outer
    fields = list(children(tbs.content))
    if fields and fields[0].tag == 0xA0:  # noqa: PLR2004 - [0] version
        fields = fields[1:]
    if len(fields) < 6 or fields[0].tag != INTEGER or fields[1].raw != algorithm.raw:  # noqa: PLR2004
        msg = "not a certificate, or its two signature algorithms differ"
        raise MalformedEncoding(msg)
    not_before, not_after = names.validity(fields[3])
    extensions, critical = _extensions(fields[6:])
    is_ca, path_length = _basic_constraints(extensions.get(_BASIC_CONSTRAINTS))
    return Certificate(
        der=encoded,
        tbs=tbs.raw,
        serial=int.from_bytes(fields[0].content, "big", signed=True),
        issuer=fields[2].raw,
        subject=fields[4].raw,
        not_before=not_before,
        not_after=not_after,
        spki=fields[5].raw,
        key_algorithm=key_algorithm_of(fields[5].raw),
        signature_algorithm=_algorithm_oid(algorithm),
        signature=read_bits(signature),
        is_ca=is_ca,
        path_length=path_length,
        key_usage=_key_usage(extensions.get(_KEY_USAGE)),
        extensions=extensions,
        unknown_critical=tuple(sorted(critical - _UNDERSTOOD)),
    )


def verify_issued_by(certificate: Certificate, issuer: Certificate) -> None:
    """Return if ``issuer``'s key signed the stored TBS; raise ``InvalidSignature``.

    Says nothing about the issuer's right to issue: see ``verify_chain``. What was proved is
    not computed again: the same bytes under the same key.
    """
    # DER ends itself, and no name of an algorithm has a zero byte: one reading only
    named = f"{issuer.key_algorithm}\0{certificate.signature_algorithm}\0".encode()
    proof = sha256(named + issuer.spki + certificate.tbs + certificate.signature)
    if proof in _PROVED:
        return
    verify_signature_of(
        issuer, certificate.signature_algorithm, certificate.signature, certificate.tbs
    )
    if len(_PROVED) >= _MAX_PROVED:
        _PROVED.clear()
    _PROVED.add(proof)


def verify_signature_of(
    signer: Certificate, algorithm: str, signature: bytes, message: bytes
) -> None:
    """Return if ``signer``'s key made ``signature`` by the algorithm with this OID.

    For what X.509 signs beside certificates: revocation lists, answers of OCSP responders.
    Raises ``InvalidSignature``, ``InvalidKey``.
    """
    verify_by_key(signer.spki, algorithm, signature, message)


def verify_by_key(spki: bytes, algorithm: str, signature: bytes, message: bytes) -> None:
    """Return if the key ``spki`` made ``signature`` by the algorithm with this OID.

    Raises ``InvalidSignature``, ``InvalidKey``, ``MalformedEncoding``.
    """
    key_algorithm = key_algorithm_of(spki)
    known = _SIGNATURE_ALGORITHMS.get(algorithm)
    if known is None or key_algorithm not in known[0]:
        msg = f"the signature algorithm {algorithm} is not accepted here"
        raise InvalidSignature(msg)
    signatures.public_key(key_algorithm, spki).verify(signature, message, known[1])


def verify_chain(
    certificate: Certificate,
    intermediates: Sequence[Certificate],
    anchors: Sequence[Certificate],
    *,
    at: int,
) -> tuple[Certificate, ...]:
    """Return the chain from ``certificate`` to an anchor, both included.

    ``at`` is the instant (UTC microseconds) at which all of it must be valid. An anchor is
    trusted because it was configured: an embedded root is only an intermediate here. An
    anchor that is the certificate itself is a chain of one. Raises ``UntrustedCertificate``.
    """
    chain = [certificate]
    anchored = {anchor.der for anchor in anchors}
    _check_itself(certificate, at)
    while chain[-1].der not in anchored:
        if len(chain) >= MAX_CHAIN:
            msg = f"the chain is longer than {MAX_CHAIN}"
            raise UntrustedCertificate(msg)
        issuer = _issuer_of(chain[-1], [*anchors, *intermediates])
        _check_issuer(issuer, len(chain) - 1, at)
        chain.append(issuer)
    return tuple(chain)


def _issuer_of(certificate: Certificate, candidates: Sequence[Certificate]) -> Certificate:
    for candidate in candidates:
        if candidate.subject != certificate.issuer or candidate.der == certificate.der:
            continue
        try:
            verify_issued_by(certificate, candidate)
        except (InvalidSignature, InvalidKey):
            continue
        return candidate
    msg = f"no trusted issuer of {certificate.subject_name} was found"
    raise UntrustedCertificate(msg)


def _check_itself(certificate: Certificate, at: int) -> None:
    if not certificate.not_before <= at <= certificate.not_after:
        msg = f"{certificate.subject_name} is not valid at that time"
        raise UntrustedCertificate(msg)
    if certificate.unknown_critical:
        msg = f"unknown critical extension {certificate.unknown_critical[0]}"
        raise UntrustedCertificate(msg)


def _check_issuer(issuer: Certificate, below: int, at: int) -> None:
    """RFC 5280 §6.1.4 (k)-(n): CA:TRUE, path length, keyCertSign."""
    _check_itself(issuer, at)
    if not issuer.is_ca:
        msg = f"{issuer.subject_name} is not a CA (basicConstraints CA:TRUE is missing)"
        raise UntrustedCertificate(msg)
    if issuer.path_length is not None and below > issuer.path_length:
        msg = f"{issuer.subject_name} allows only {issuer.path_length} CAs below itself"
        raise UntrustedCertificate(msg)
    if not issuer.allows("keyCertSign"):
        msg = f"{issuer.subject_name} may not issue certificates (keyCertSign is missing)"
        raise UntrustedCertificate(msg)


def _algorithm_oid(algorithm: Element) -> str:
    first = next(children(algorithm.content), None)
    if first is None:
        msg = "an empty algorithm identifier"
        raise MalformedEncoding(msg)
    return read_oid(first)


def key_algorithm_of(spki: bytes) -> str:
    """Return the algorithm of a key in DER, "" for one that is not offered."""
    algorithm = next(children(read_whole(spki, SEQUENCE).content), None)
    return "" if algorithm is None else _SPKI_ALGORITHMS.get(algorithm.raw.hex(), "")


def _extensions(fields: Sequence[Element]) -> tuple[dict[str, bytes], frozenset[str]]:
    found: dict[str, bytes] = {}
    critical: set[str] = set()
    wrapped = [field for field in fields if field.tag == 0xA3]  # noqa: PLR2004 - [3] extensions
    for extension in children(read_whole(wrapped[0].content, SEQUENCE).content) if wrapped else ():
        parts = list(children(extension.content))
        if len(parts) not in (2, 3) or parts[-1].tag != OCTET_STRING:
            msg = "a malformed extension"
            raise MalformedEncoding(msg)
        oid = read_oid(parts[0])
        if oid in found:
            msg = f"the extension {oid} is repeated"
            raise MalformedEncoding(msg)
        found[oid] = parts[-1].content
        # FALSE written out is not DER, but real GM certificates do it
        if len(parts) == 3 and parts[1].tag == BOOLEAN and parts[1].content != b"\x00":  # noqa: PLR2004
            critical.add(oid)
    return found, frozenset(critical)


def _basic_constraints(value: bytes | None) -> tuple[bool, int | None]:
    if value is None:
        return False, None
    parts = list(children(read_whole(value, SEQUENCE).content))
    is_ca = bool(parts) and parts[0].tag == BOOLEAN and parts[0].content != b"\x00"
    length = next((read_unsigned(part) for part in parts if part.tag == INTEGER), None)
    return is_ca, length


def _key_usage(value: bytes | None) -> frozenset[str] | None:
    if value is None:
        return None
    content = read_whole(value, 0x03).content
    if not content or content[0] > 7:  # noqa: PLR2004 - unused bits of the last byte
        msg = "a malformed key usage"
        raise MalformedEncoding(msg)
    bits = "".join(f"{byte:08b}" for byte in content[1:])
    return frozenset(name for name, bit in zip(KEY_USAGES, bits, strict=False) if bit == "1")
