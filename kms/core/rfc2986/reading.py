"""Read a PKCS#10 request, prove that its key signed it, and say what of it counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from kms.core.rfc5280.linting import read_names
from kms.core.rfc5280.names import AlternativeNames
from kms.core.x690 import Element, elements, read_der, values
from secops.crypto import names, sm2
from secops.crypto.certificates import key_algorithm_of, verify_by_key
from secops.crypto.errors import InvalidKey, InvalidSignature, MalformedEncoding
from secops.crypto.hashes import sha256
from secops.kernel.catalogue import Text

MAX_REQUEST: Final = 32 << 10
_ATTRIBUTES: Final = 0xA0
_EXTENSION_REQUEST: Final = "1.2.840.113549.1.9.14"
_ALTERNATIVE_NAMES: Final = "2.5.29.17"
_COMMON_NAME: Final = "2.5.4.3"
_ORGANIZATION: Final = "2.5.4.10"
_OTHER_IDS: Final = {
    Text("空用户标识", "an empty user id"): b"",
    Text("用户标识 ALICE123@YAHOO.COM", "the user id ALICE123@YAHOO.COM"): b"ALICE123@YAHOO.COM",
}
"""What SM2 requests are signed with by mistake: openssl without distid, the standard's example."""


class RequestRefused(ValueError):
    """The request proves nothing; ``why`` says why not."""

    def __init__(self, why: Text) -> None:
        """Keep ``why``; the message is its English."""
        super().__init__(why.en)
        self.why = why


@dataclass(frozen=True, slots=True)
class ProvedRequest:
    """A request that its own key signed. Of its wishes only names are taken over, once checked.

    ``ignored`` are the OIDs of other extensions and attributes that it asks for.
    """

    spki: bytes
    key_algorithm: str
    organization: str
    common_name: str
    names: AlternativeNames
    ignored: tuple[str, ...]

    @property
    def key_digest(self) -> str:
        """SHA-256 of the SPKI, hex."""
        return sha256(self.spki).hex()


def verify_request(encoded: bytes) -> ProvedRequest:
    """Return the PKCS#10 in DER ``encoded``; raise ``RequestRefused``."""
    if len(encoded) > MAX_REQUEST:
        why = Text(f"请求最多 {MAX_REQUEST} 字节", f"a request has at most {MAX_REQUEST} bytes")
        raise RequestRefused(why)
    try:
        root = read_der(encoded)
        info, algorithm, signature = root.sequence("CertificationRequest", 3)
        version, subject, key, attributes = info.sequence("CertificationRequestInfo", 4)
        if values.integer(version, "version") != 0:
            version.refuse("the version is not 1")
        kind = values.oid(algorithm.sequence("signatureAlgorithm", 1, 2)[0], "algorithm")
        _prove(key.raw, kind, values.bits(signature, "signature"), info.raw)
        wanted, ignored = _wishes(attributes)
        return ProvedRequest(
            spki=key.raw,
            key_algorithm=key_algorithm_of(key.raw),
            organization=names.attribute(subject.raw, _ORGANIZATION),
            common_name=names.attribute(subject.raw, _COMMON_NAME),
            names=wanted,
            ignored=ignored,
        )
    except RequestRefused:
        raise
    except (ValueError, MalformedEncoding, InvalidKey) as error:
        why = Text(f"不是可用的 PKCS#10:{error}", f"no PKCS#10 that can be used: {error}")
        raise RequestRefused(why) from error


def _prove(spki: bytes, algorithm: str, signature: bytes, message: bytes) -> None:
    try:
        verify_by_key(spki, algorithm, signature, message)
    except InvalidSignature as error:
        why = Text("请求不是由其自身的密钥签名", "its own key did not sign the request")
        if key_algorithm_of(spki) == "sm2":
            why = _explained(spki, signature, message)
        raise RequestRefused(why) from error


def _explained(spki: bytes, signature: bytes, message: bytes) -> Text:
    """Return why an SM2 request is refused, and which user id would have verified."""
    zh = "请求不是由其自身的密钥以用户标识 1234567812345678 签名"
    en = "its own key did not sign the request with the user id 1234567812345678"
    key = sm2.PublicKey(spki)
    for words, user_id in _OTHER_IDS.items():
        try:
            key.verify(signature, message, user_id)
        except InvalidSignature:
            continue
        return Text(f"{zh};以{words.zh}可以验证", f"{en}; {words.en} would verify")
    return Text(zh, en)


def _wishes(attributes: Element) -> tuple[AlternativeNames, tuple[str, ...]]:
    """Return the names that the attributes ask for, and the OIDs of all else in them."""
    found = AlternativeNames()
    ignored: list[str] = []
    for attribute in attributes.expect(_ATTRIBUTES, "attributes").children:
        kind, content = attribute.sequence("attribute", 2)
        oid = values.oid(kind, "attribute")
        if oid != _EXTENSION_REQUEST:
            ignored.append(oid)
            continue
        listed = content.expect(elements.SET, "extensionRequest")
        wanted = listed.only("extensionRequest is not one list of extensions")
        for extension in wanted.sequence("extensions"):
            parts = extension.sequence("extension", 2, 3)
            oid = values.oid(parts[0], "extnID")
            if oid != _ALTERNATIVE_NAMES:
                ignored.append(oid)
            elif found:
                extension.refuse("subjectAltName is asked for twice")
            else:
                found = read_names(read_der(values.octets(parts[-1], "extnValue")))
    return found, tuple(sorted(set(ignored)))
