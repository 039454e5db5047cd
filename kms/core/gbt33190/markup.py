"""XML of an OFD: no DTD, no entities, no network, elements of OFD's namespace only."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from lxml import etree

from kms.core.gbt33190.package import OfdError, OfdPackage

NAMESPACES: Final = ("http://www.ofdspec.org/2016", "http://www.ofdspec.org")
MAX_XML: Final = 8 << 20
MAX_NODES: Final = 300_000
"""Tags and attributes of one file: each takes some 130 bytes as a tree, whatever it took before."""
_ENCODING: Final = re.compile(rb"""encoding\s*=\s*["']([^"']*)""")
_ENCODINGS: Final = frozenset({b"utf-8", b"utf-16", b"gbk", b"gb2312", b"gb18030", b"us-ascii"})
"""In all of these ``<`` and ``=`` are the same bytes, so that they can be counted."""
MAX_MARKUP: Final = 24 << 20
"""Bytes of all the XML that is followed: whoever sends a file must not cost minutes."""


@dataclass(slots=True)
class MarkupReader:
    """Reads XML of one package, at most ``MAX_MARKUP`` bytes in all, a file twice counted twice."""

    package: OfdPackage
    _followed: int = 0

    def read(self, name: str, root_name: str) -> Any:
        """Return what ``read_xml`` does; raise ``OfdError`` beyond the limit, too."""
        if name in self.package.names:
            self._followed += self.package.size(name)
        if self._followed > MAX_MARKUP:
            msg = f"more than {MAX_MARKUP >> 20} MiB of markup"
            raise OfdError(msg)
        return read_xml(self.package, name, root_name)


def read_xml(package: OfdPackage, name: str, root_name: str = "") -> Any:
    """Return the root element (called ``root_name``) of the file ``name``; raise ``OfdError``."""
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        huge_tree=False,
        load_dtd=False,
        remove_comments=True,
        remove_pis=True,
    )
    content = package.read(name, MAX_XML)
    declared = _ENCODING.search(content[:200])
    if declared is not None and declared[1].lower() not in _ENCODINGS:
        msg = f"{name} is in no encoding of an OFD"
        raise OfdError(msg)
    if content.count(b"<") + content.count(b"=") > MAX_NODES:
        msg = f"{name} has more than {MAX_NODES} tags and attributes"
        raise OfdError(msg)
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        msg = f"{name} is no well-formed XML"
        raise OfdError(msg) from error
    if root.getroottree().docinfo.doctype or root.getroottree().docinfo.internalDTD is not None:
        msg = f"{name} has a DTD"
        raise OfdError(msg)
    if namespace(root) not in NAMESPACES:
        msg = f"{name} is not in OFD's namespace"
        raise OfdError(msg)
    if root_name and local_name(root) != root_name:
        msg = f"{name} holds {local_name(root)} instead of {root_name}"
        raise OfdError(msg)
    return root


def local_name(element: Any) -> str:
    """Return the element's name without its namespace; "" for what is no element."""
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def namespace(element: Any) -> str:
    """Return the namespace's URI."""
    return str(etree.QName(element).namespace or "") if isinstance(element.tag, str) else ""


def children(parent: Any, name: str) -> Iterator[Any]:
    """Yield the children called ``name``; raise ``OfdError`` for one of a foreign namespace."""
    # lxml looks through them: a list can have millions of others
    for child in parent.iterchildren(f"{{*}}{name}"):
        if namespace(child) != namespace(parent):
            msg = f"{name} is of a foreign namespace"
            raise OfdError(msg)
        yield child


def optional(parent: Any, name: str) -> Any | None:
    """Return the only child called ``name``, or None; raise ``OfdError`` for two."""
    found = list(children(parent, name))
    if len(found) > 1:
        msg = f"{name} is there twice"
        raise OfdError(msg)
    return found[0] if found else None


def required(parent: Any, name: str) -> Any:
    """Return the only child called ``name``; raise ``OfdError`` for none or two."""
    found = optional(parent, name)
    if found is None:
        msg = f"{name} is missing"
        raise OfdError(msg)
    return found


def text_of(element: Any) -> str:
    """Return the text of an element that has no elements inside."""
    if len(element):
        msg = f"{local_name(element)} holds elements instead of text"
        raise OfdError(msg)
    return (element.text or "").strip()


def to_bytes(root: Any) -> bytes:
    """Return a file of the package that holds ``root``."""
    return bytes(etree.tostring(root, encoding="UTF-8", xml_declaration=True))


def numbers_text(numbers: Iterable[float]) -> str:
    """Return ``numbers`` as OFD writes an array: three places at most, no needless zeros."""
    return " ".join(f"{number:.3f}".rstrip("0").rstrip(".") for number in numbers)
