"""The pages of an OFD with their sizes (GB/T 33190-2016 §7.4 to §7.7)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

from kms.core.gbt33190.markup import MarkupReader, children, namespace, optional, required, text_of
from kms.core.gbt33190.package import OfdError, OfdPackage, resolve
from kms.core.gbt33190.signatures import ROOT

MAX_PAGES: Final = 2_000
_MAX_SIDE: Final = 10_000.0
_BOX: Final = 4
_MAX_TEXT: Final = 100


@dataclass(frozen=True, slots=True)
class OfdPage:
    """A page: its ID, and its PhysicalBox in mm."""

    identifier: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class OfdDocument:
    """The only document of a package. ``list_path`` is its Signatures.xml, if it has one.

    ``folder`` is where Document.xml lies, "" for the root.
    """

    namespace: str
    folder: str
    list_path: str | None
    pages: tuple[OfdPage, ...]


def read_document(package: OfdPackage) -> OfdDocument:
    """Return the document; raise ``OfdError`` for none, several, or pages without size."""
    reader = MarkupReader(package)
    root = reader.read(ROOT, "OFD")
    body = required(root, "DocBody")
    path = resolve(text_of(required(body, "DocRoot")), ROOT)
    document = reader.read(path, "Document")
    listing = optional(body, "Signatures")
    common = _box(optional(required(document, "CommonData"), "PageArea"))
    entries = list(children(required(document, "Pages"), "Page"))
    if not 0 < len(entries) <= MAX_PAGES:
        msg = f"the document has {len(entries)} pages"
        raise OfdError(msg)
    pages = tuple(_page(reader, entry, path, common) for entry in entries)
    if len({page.identifier for page in pages}) != len(pages):
        msg = "two pages have one ID"
        raise OfdError(msg)
    return OfdDocument(
        namespace=namespace(root),
        folder=path.rpartition("/")[0],
        list_path=None if listing is None else resolve(text_of(listing), ROOT),
        pages=pages,
    )


def _page(
    reader: MarkupReader, entry: Any, holder: str, common: tuple[float, ...] | None
) -> OfdPage:
    identifier = entry.get("ID", "")
    path = resolve(entry.get("BaseLoc", ""), holder)
    box = _box(optional(reader.read(path, "Page"), "Area")) or common
    if not identifier or box is None:
        msg = f"the page {path} has no ID or no size"
        raise OfdError(msg)
    return OfdPage(identifier, *box)


def _box(area: Any | None) -> tuple[float, ...] | None:
    """Return the PhysicalBox of ``area``; None where it says nothing."""
    element = None if area is None else optional(area, "PhysicalBox")
    if element is None:
        return None
    text = text_of(element)
    try:
        numbers = tuple(float(each) for each in text.split()) if len(text) <= _MAX_TEXT else ()
    except ValueError:
        numbers = ()
    sides = numbers[2:]
    if (
        len(numbers) != _BOX
        or not all(math.isfinite(each) and abs(each) <= _MAX_SIDE for each in numbers)
        or not all(side > 0 for side in sides)
    ):
        msg = "a PhysicalBox is four numbers, its sides above zero"
        raise OfdError(msg)
    return numbers
