"""A second judge of sealed OFDs: the zip module, ElementTree, asn1tools and the standard's text.

It shares nothing with the product but libcrypto's SM2 and gives the reasons why a file is
refused; no reason means that it is accepted.
"""

from __future__ import annotations

import base64
import functools
import io
import posixpath
import zipfile
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree as ET

import asn1tools
from cryptography.hazmat.primitives import hashes

from secops.crypto.errors import InvalidSignature
from secops.crypto.sm2 import PublicKey

OFD = "{http://www.ofdspec.org/2016}"
SM2_WITH_SM3 = "1.2.156.10197.1.501"
ASN1 = """
SES DEFINITIONS EXPLICIT TAGS ::= BEGIN
Parts ::= SEQUENCE { first ANY, cert OCTET STRING, algorithm OBJECT IDENTIFIER,
  value BIT STRING }
SealInfo ::= SEQUENCE {
  header SEQUENCE { id IA5String, version INTEGER, vid IA5String },
  esID IA5String,
  property SEQUENCE { type INTEGER, name UTF8String, certListType INTEGER,
    certList SEQUENCE OF OCTET STRING, createDate GeneralizedTime,
    validStart GeneralizedTime, validEnd GeneralizedTime },
  picture SEQUENCE { type IA5String, data OCTET STRING, width INTEGER, height INTEGER } }
TbsSign ::= SEQUENCE { version INTEGER, eseal ANY, timeInfo GeneralizedTime,
  dataHash BIT STRING, propertyInfo IA5String }
Certificate ::= SEQUENCE { tbs ANY, algorithm SEQUENCE { oid OBJECT IDENTIFIER },
  signature BIT STRING }
Tbs ::= SEQUENCE { version [0] INTEGER, serial INTEGER,
  algorithm SEQUENCE { oid OBJECT IDENTIFIER }, issuer ANY,
  validity SEQUENCE { notBefore UTCTime, notAfter UTCTime }, subject ANY, spki ANY,
  extensions [3] ANY }
END
"""


@functools.cache
def spec() -> Any:
    """Return the compiled ASN.1."""
    return asn1tools.compile_string(ASN1, "der")


def parse(content: bytes) -> Any:
    """Return the root of markup that a test made."""
    return ET.fromstring(content)  # noqa: S314 - made by the test, not by a stranger


def sm3(content: bytes) -> bytes:
    digest = hashes.Hash(hashes.SM3())
    digest.update(content)
    return digest.finalize()


def judge_ofd(content: bytes, root_certificate: bytes) -> list[str]:
    """Return all reasons to refuse the OFD ``content``; maker and signer under one root."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/")]
        files = {name: archive.read(name) for name in names}
    if len({name.casefold() for name in names}) != len(names):
        return ["a name twice"]
    try:
        return list(_Judge(files, root_certificate).reasons())
    except (KeyError, AttributeError, ET.ParseError, asn1tools.DecodeError) as error:
        return [f"malformed: {error!r}"]


class _Judge:
    def __init__(self, files: dict[str, bytes], root_certificate: bytes) -> None:
        self.files = files
        self.root = spec().decode("Tbs", _certificate(root_certificate)["tbs"])
        self.pages: dict[str, tuple[float, ...]] = {}

    def reasons(self) -> Iterator[str]:
        body = self._only(parse(self.files["OFD.xml"]), "DocBody")
        self._read_pages(_path(_text(body, "DocRoot"), "OFD.xml"))
        list_path = _path(_text(body, "Signatures"), "OFD.xml")
        entries = parse(self.files[list_path]).findall(f"{OFD}Signature")
        if not entries:
            yield "no signature"
        paths = [_path(entry.attrib["BaseLoc"], list_path) for entry in entries]
        for number, path in enumerate(paths):
            later = {posixpath.dirname(each) for each in paths[number + 1 :]}
            yield from self._signature(path, list_path, later)

    def _read_pages(self, path: str) -> None:
        document = parse(self.files[path])
        box = document.find(f"{OFD}CommonData/{OFD}PageArea/{OFD}PhysicalBox")
        assert box is not None
        size = tuple(float(each) for each in (box.text or "").split())
        for page in document.iterfind(f"{OFD}Pages/{OFD}Page"):
            self.pages[page.attrib["ID"]] = size
            assert _path(page.attrib["BaseLoc"], path) in self.files

    def _signature(self, path: str, list_path: str, later: set[str]) -> Iterator[str]:
        root = parse(self.files[path])
        info = self._only(root, "SignedInfo")
        value_path = _path(_text(root, "SignedValue"), path)
        parts = spec().decode("Parts", self.files[value_path])
        signed = spec().decode("TbsSign", parts["first"])
        yield from self._references(info, path, value_path, list_path=list_path, later=later)
        if signed["dataHash"][0] != sm3(self.files[path]):
            yield "dataHash is not of Signature.xml"
        if signed["propertyInfo"] != f"/{path}":
            yield f"propertyInfo is {signed['propertyInfo']}"
        yield from _signed(parts, parts["first"], "signature")
        yield from self._seal(info, path, parts["cert"], signed)
        yield from self._stamps(info, signed["eseal"])

    def _references(
        self, info: Any, path: str, value_path: str, *, list_path: str, later: set[str]
    ) -> Iterator[str]:
        references = self._only(info, "References")
        if references.attrib["CheckMethod"] != "1.2.156.10197.1.401":
            yield "the digest is not SM3"
        found = {
            _path(each.attrib["FileRef"], path): base64.b64decode(_text(each, "CheckValue"))
            for each in references.findall(f"{OFD}Reference")
        }
        for name, digest in found.items():
            if sm3(self.files[name]) != digest:
                yield f"{name} was changed"
        own = {path, value_path, list_path}
        for name in self.files.keys() - found.keys() - own:
            if posixpath.dirname(name) not in later:
                yield f"{name} is not protected"

    def _seal(self, info: Any, path: str, signer: bytes, signed: Any) -> Iterator[str]:
        location = _path(_text(self._only(info, "Seal"), "BaseLoc"), path)
        if self.files[location] != signed["eseal"]:
            yield "Seal.esl is another seal"
        seal = spec().decode("Parts", signed["eseal"])
        held = spec().decode("SealInfo", seal["first"])
        if (held["header"]["id"], held["header"]["version"]) != ("ES", signed["version"]):
            yield "another version than the seal's"
        yield from _signed(seal, seal["first"], "seal")
        if signer not in held["property"]["certList"]:
            yield "the seal does not list the signer"
        if not held["property"]["validStart"] <= signed["timeInfo"] <= held["property"]["validEnd"]:
            yield "outside the seal's time"
        for name, certificate in (("signer", signer), ("maker", seal["cert"])):
            read = _certificate(certificate)
            if spec().decode("Tbs", read["tbs"])["issuer"] != self.root["subject"]:
                yield f"the {name}'s issuer is not the root"
            yield from _verified(self.root["spki"], read["signature"][0], read["tbs"], name)

    def _stamps(self, info: Any, eseal: bytes) -> Iterator[str]:
        seal = spec().decode("Parts", eseal)
        picture = spec().decode("SealInfo", seal["first"])["picture"]
        stamps = info.findall(f"{OFD}StampAnnot")
        if not stamps:
            yield "no stamp"
        for stamp in stamps:
            x, y, width, height = (float(each) for each in stamp.attrib["Boundary"].split())
            if (width, height) != (picture["width"], picture["height"]):
                yield "the picture is shown in another size"
            if "Clip" in stamp.attrib:
                left, top, width, height = (float(each) for each in stamp.attrib["Clip"].split())
                x, y = x + left, y + top
            _, _, page_width, page_height = self.pages[stamp.attrib["PageRef"]]
            if not (x >= 0 and x + width <= page_width + 0.01 and 0 <= y <= page_height - height):
                yield "the stamp is beyond the page"

    def _only(self, parent: Any, name: str) -> Any:
        (found,) = parent.findall(f"{OFD}{name}") or [None]
        return found


def _text(parent: Any, name: str) -> str:
    found = parent.find(f"{OFD}{name}")
    return str(found.text)


def _path(text: str, holder: str) -> str:
    if text.startswith("/"):
        return text[1:]
    return posixpath.normpath(posixpath.join(posixpath.dirname(holder), text))


def _certificate(encoded: bytes) -> Any:
    return spec().decode("Certificate", encoded)


def _signed(parts: Any, message: bytes, what: str) -> Iterator[str]:
    if parts["algorithm"] != SM2_WITH_SM3:
        yield f"the {what}'s algorithm is not SM2"
    spki = spec().decode("Tbs", _certificate(parts["cert"])["tbs"])["spki"]
    yield from _verified(spki, parts["value"][0], message, what)


def _verified(spki: bytes, signature: bytes, message: bytes, what: str) -> Iterator[str]:
    try:
        PublicKey(bytes(spki)).verify(bytes(signature), bytes(message))
    except InvalidSignature:
        yield f"the {what} does not verify"
