"""What an OFD says about its signatures (GB/T 33190-2016 §18)."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from kms.core.gbt33190.markup import MarkupReader, children, optional, required, text_of
from kms.core.gbt33190.package import OfdError, OfdPackage, resolve

MAX_SIGNATURES: Final = 200
MAX_REFERENCES: Final = 5_000
ROOT: Final = "OFD.xml"
SM3_NAMES: Final = frozenset({"1.2.156.10197.1.401", "sm3"})
KEYED_SM3: Final = "1.2.156.10197.1.401.2"
"""Real makers write it for plain SM3."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A protected file and the digest it had."""

    path: str
    digest: bytes


@dataclass(frozen=True, slots=True)
class ListedSignature:
    """One Signature of Signatures.xml with what its Signature.xml says. Paths are resolved.

    ``check_method`` is "" where it is absent; ``relative`` names the signature it builds on.
    """

    identifier: str
    kind: str
    relative: str | None
    list_path: str
    path: str
    value_path: str
    seal_path: str | None
    method: str
    check_method: str
    references: tuple[Reference, ...]

    @property
    def uses_sm3(self) -> bool:
        """Whether its references are digests by SM3, however that is written."""
        return self.check_method.lower() in SM3_NAMES | {KEYED_SM3}

    @property
    def files(self) -> frozenset[str]:
        """The signature's own files."""
        own = {self.path, self.value_path}
        return frozenset(own if self.seal_path is None else own | {self.seal_path})


def read_signatures(package: OfdPackage) -> tuple[ListedSignature, ...]:
    """Return all signatures of all documents in the order of their lists."""
    reader = MarkupReader(package)
    entries = list(_entries(reader))
    if len(entries) > MAX_SIGNATURES:
        msg = f"more than {MAX_SIGNATURES} signatures"
        raise OfdError(msg)
    identifiers = {(list_path, entry.get("ID", "")) for list_path, entry in entries}
    if len(identifiers) != len(entries) or any(not name for _, name in identifiers):
        msg = "a signature's ID is absent or there twice"
        raise OfdError(msg)
    found = tuple(_signature(reader, entry, list_path) for list_path, entry in entries)
    for what in ("path", "value_path"):
        if len({getattr(each, what) for each in found}) != len(found):
            msg = "two signatures share a file"
            raise OfdError(msg)
    return found


def _entries(reader: MarkupReader) -> Iterator[tuple[str, Any]]:
    """Yield each listed Signature with the path of its list."""
    seen: set[str] = set()
    for body in children(reader.read(ROOT, "OFD"), "DocBody"):
        listing = optional(body, "Signatures")
        if listing is None:
            continue
        list_path = resolve(text_of(listing), ROOT)
        if list_path in seen:
            msg = f"two documents share the list {list_path}"
            raise OfdError(msg)
        seen.add(list_path)
        for entry in children(reader.read(list_path, "Signatures"), "Signature"):
            yield list_path, entry


def _signature(reader: MarkupReader, entry: Any, list_path: str) -> ListedSignature:
    path = resolve(entry.get("BaseLoc", ""), list_path)
    root = reader.read(path, "Signature")
    info = required(root, "SignedInfo")
    references = required(info, "References")
    seal = optional(info, "Seal")
    seal_location = None if seal is None else optional(seal, "BaseLoc")
    method = optional(info, "SignatureMethod")
    return ListedSignature(
        identifier=entry.get("ID", ""),
        kind=entry.get("Type", "Seal"),
        relative=entry.get("Relative"),
        list_path=list_path,
        path=path,
        value_path=resolve(text_of(required(root, "SignedValue")), path),
        seal_path=None if seal_location is None else resolve(text_of(seal_location), path),
        method="" if method is None else text_of(method),
        check_method=references.get("CheckMethod", ""),
        references=tuple(_references(references, path)),
    )


def _references(parent: Any, holder: str) -> Iterator[Reference]:
    seen: set[str] = set()
    for element in children(parent, "Reference"):
        path = resolve(element.get("FileRef", ""), holder)
        if path in seen or len(seen) >= MAX_REFERENCES:
            msg = f"{path} is referenced twice, or there are too many references"
            raise OfdError(msg)
        seen.add(path)
        try:
            digest = base64.b64decode(text_of(required(element, "CheckValue")), validate=True)
        except ValueError as error:  # binascii.Error, and what is not ASCII
            msg = f"the CheckValue of {path} is not Base64"
            raise OfdError(msg) from error
        yield Reference(path, digest)
