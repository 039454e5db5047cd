"""Write a signature into an OFD (GB/T 33190-2016 §18): its list, its Signature.xml, its files.

Two moves, so that the key signs bytes and never sees documents: ``draft_signature`` says
what Signature.xml will be, ``write_signature`` puts it and the signed value in.
"""

from __future__ import annotations

import base64
import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from lxml import etree

from kms.core.gbt33190.markup import (
    children,
    namespace,
    numbers_text,
    optional,
    read_xml,
    required,
    to_bytes,
)
from kms.core.gbt33190.package import OfdError, OfdPackage, write_package
from kms.core.gbt33190.pages import OfdDocument
from kms.core.gbt33190.signatures import MAX_SIGNATURES, ROOT, ListedSignature
from kms.core.gbt33190.stamps import Stamp
from kms.core.gbt38540.structures import SM2_WITH_SM3
from secops.crypto.hashes import sm3
from secops.kernel.clock import SECOND, to_rfc3339

_SM3: Final = "1.2.156.10197.1.401"
_PROVIDER: Final = "govsecops"
_DIGITS: Final = re.compile(r"[0-9]{1,6}\Z")
_BEFORE_LIST: Final = ("DocInfo", "DocRoot", "Versions")


@dataclass(frozen=True, slots=True)
class SignatureDraft:
    """A signature before it is signed: ``path`` and bytes of its Signature.xml.

    ``files`` are all files that are new or changed but for the value at ``value_path``.
    """

    path: str
    xml: bytes
    value_path: str
    files: dict[str, bytes]


@dataclass(frozen=True, slots=True)
class SignatureContent:
    """What a signature shows and says: the SESeal, its annotations, and when (UTC µs)."""

    seal: bytes
    stamps: tuple[Stamp, ...]
    signed_at: int


def draft_signature(
    package: OfdPackage,
    document: OfdDocument,
    earlier: Sequence[ListedSignature],
    content: SignatureContent,
) -> SignatureDraft:
    """Return the next signature of ``document``; everything else in the package is protected.

    Raises ``OfdError`` where an ``earlier`` signature closed the list, or it is full.
    """
    list_path = document.list_path or _new_list_path(package, document)
    _require_open(package, list_path, earlier)
    files: dict[str, bytes] = {}
    if document.list_path is None:
        files[ROOT] = _with_list(package, list_path)
    stem = f"{list_path.rpartition('/')[0]}/Sign_".lstrip("/")
    # propertyInfo holds the path in an IA5String
    stem = stem if stem.isascii() else "Signs/Sign_"
    folder = _free_folder(package, (f"{stem}{number}" for number in itertools.count()))
    path, value_path = f"{folder}/Signature.xml", f"{folder}/SignedValue.dat"
    identifier, files[list_path] = _list(package, document, list_path, path)
    seal_path = f"{folder}/Seal.esl"
    files[seal_path] = content.seal
    digests = {
        name: sm3(files[name]) if name in files else package.digest(name)
        for name in sorted({*package.names, ROOT, seal_path} - {list_path})
    }
    signature = _Signature(document.namespace, value_path, seal_path, identifier)
    xml = signature.to_xml(digests, content)
    return SignatureDraft(path, xml, value_path, {**files, path: xml})


def write_signature(package: OfdPackage, draft: SignatureDraft, value: bytes) -> bytes:
    """Return the whole OFD with ``draft`` and its signed ``value``; the same input, the same file.

    One entry is unpacked at a time.
    """
    new = {**draft.files, draft.value_path: value}
    names = sorted({*package.names, *new}, key=lambda name: (name != ROOT, name))
    return write_package((name, new[name] if name in new else package.read(name)) for name in names)


@dataclass(frozen=True, slots=True)
class _Signature:
    namespace: str
    value_path: str
    seal_path: str
    identifier: str

    def to_xml(self, digests: dict[str, bytes], content: SignatureContent) -> bytes:
        root = etree.Element(self._name("Signature"), nsmap={"ofd": self.namespace})
        info = self._add(root, "SignedInfo")
        self._add(info, "Provider").set("ProviderName", _PROVIDER)
        self._add(info, "SignatureMethod", SM2_WITH_SM3)
        signed_at = to_rfc3339(content.signed_at // SECOND * SECOND)
        self._add(info, "SignatureDateTime", signed_at)
        references = self._add(info, "References")
        references.set("CheckMethod", _SM3)
        for path, digest in digests.items():
            reference = self._add(references, "Reference")
            reference.set("FileRef", f"/{path}")
            self._add(reference, "CheckValue", base64.b64encode(digest).decode())
        for number, stamp in enumerate(content.stamps, 1):
            annotation = self._add(info, "StampAnnot")
            annotation.set("ID", f"{self.identifier}a{number}")
            annotation.set("PageRef", stamp.page)
            annotation.set("Boundary", numbers_text(stamp.boundary))
            if stamp.clip is not None:
                annotation.set("Clip", numbers_text(stamp.clip))
        self._add(self._add(info, "Seal"), "BaseLoc", f"/{self.seal_path}")
        self._add(root, "SignedValue", f"/{self.value_path}")
        return to_bytes(root)

    def _name(self, local: str) -> str:
        return f"{{{self.namespace}}}{local}"

    def _add(self, parent: Any, local: str, text: str | None = None) -> Any:
        element = etree.SubElement(parent, self._name(local))
        element.text = text
        return element


def _new_list_path(package: OfdPackage, document: OfdDocument) -> str:
    stem = f"{document.folder}/Signs".lstrip("/")
    names = itertools.chain((stem,), (f"{stem}_{number}" for number in itertools.count(1)))
    return f"{_free_folder(package, names)}/Signatures.xml"


def _require_open(package: OfdPackage, list_path: str, earlier: Sequence[ListedSignature]) -> None:
    """Raise ``OfdError`` where nothing may be added, or was changed after it was signed."""
    if len(earlier) >= MAX_SIGNATURES:
        msg = f"the document has {MAX_SIGNATURES} signatures already"
        raise OfdError(msg)
    for each in earlier:
        for reference in each.references:
            if reference.path == list_path:
                msg = f"the signature {each.identifier} closed the document"
                raise OfdError(msg)
            if each.uses_sm3 and not package.is_unchanged(reference.path, reference.digest):
                msg = f"{reference.path} was changed after the signature {each.identifier}"
                raise OfdError(msg)


def _with_list(package: OfdPackage, list_path: str) -> bytes:
    """Return OFD.xml that names the list of signatures, in the place the schema wants."""
    root = read_xml(package, ROOT, "OFD")
    body = required(root, "DocBody")
    before = [each for name in _BEFORE_LIST for each in children(body, name)]
    element = etree.Element(f"{{{namespace(body)}}}Signatures")
    element.text = f"/{list_path}"
    before[-1].addnext(element)
    return to_bytes(root)


def _list(
    package: OfdPackage, document: OfdDocument, list_path: str, path: str
) -> tuple[str, bytes]:
    """Return the new signature's ID, and the list with it at its end."""
    tag = f"{{{document.namespace}}}"
    if document.list_path is None:
        root = etree.Element(f"{tag}Signatures", nsmap={"ofd": document.namespace})
    else:
        root = read_xml(package, list_path, "Signatures")
        tag = root.tag.removesuffix("Signatures")
    entries = list(children(root, "Signature"))
    taken = {entry.get("ID", "") for entry in entries}
    numbers = [int(found[0]) for name in taken if (found := _DIGITS.search(name))]
    highest = optional(root, "MaxSignId")
    if highest is not None:
        numbers += [int(found[0]) for found in _DIGITS.finditer((highest.text or "").strip())]
    identifier = f"s{max(numbers, default=0) + 1:03d}"
    if highest is None:
        highest = etree.Element(f"{tag}MaxSignId")
        root.insert(0, highest)
    highest.text = identifier
    entry = etree.SubElement(root, f"{tag}Signature")
    for name, value in (("ID", identifier), ("Type", "Seal"), ("BaseLoc", f"/{path}")):
        entry.set(name, value)
    return identifier, to_bytes(root)


def _free_folder(package: OfdPackage, candidates: Iterable[str]) -> str:
    """Return the first of ``candidates`` under which nothing lies, in any case of letters."""
    taken = {name.casefold() for name in package.names}
    return next(
        each
        for each in candidates
        if not any(name.startswith(f"{each}/".casefold()) for name in taken)
    )
