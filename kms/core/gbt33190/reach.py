"""Which files of an OFD are shown or steer what is shown.

Found by following everything that looks like a path, from OFD.xml on: no list of element
names to keep complete, and a file nobody points to can't be shown. Only the way to the
signatures is left out: they are judged, not shown.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from typing import Any, Final

from lxml import etree

from kms.core.gbt33190.markup import MAX_MARKUP, read_xml
from kms.core.gbt33190.package import OfdError, OfdPackage, resolve
from kms.core.gbt33190.signatures import ROOT

_MAX_PATH: Final = 1_024
_EVERY_TEXT: Final = etree.XPath(
    "//@* | //text()[not(parent::*[local-name()='Signatures' and ../../self::*"
    "[local-name()='OFD'] and parent::*[local-name()='DocBody']])]",
    smart_strings=False,
)


class _Names:
    """The package's paths without regard to case."""

    def __init__(self, by_folded: Mapping[str, str]) -> None:
        self.by_folded = by_folded
        self._last_parts = frozenset(name.rpartition("/")[2] for name in by_folded)

    def might_hold(self, text: str) -> bool:
        """Tell quickly that most texts are no path: pages have a million of them."""
        return text.rstrip("/.").rpartition("/")[2].casefold() in self._last_parts


def reachable(package: OfdPackage) -> frozenset[str]:
    """Return the paths that OFD.xml leads to, itself included.

    Upper and lower case are not told apart, for some readers don't.
    """
    names = _Names({name.casefold(): name for name in package.names})
    found = {ROOT} & package.names
    waiting = list(found)
    followed = 0
    while waiting:
        holder = waiting.pop()
        if not holder.lower().endswith(".xml"):
            continue
        followed += package.size(holder)
        if followed > MAX_MARKUP:
            msg = f"more than {MAX_MARKUP >> 20} MiB of markup"
            raise OfdError(msg)
        new = {name for name in _targets(package, holder, names) if name not in found}
        found |= new
        waiting += new
    return frozenset(found)


def _targets(package: OfdPackage, holder: str, names: _Names) -> Iterator[str]:
    try:
        root = read_xml(package, holder)
    except OfdError:
        return  # not OFD markup: shown as it is, it leads nowhere
    folders = {"", root.get("BaseLoc", "")}
    for text in filter(names.might_hold, _texts(root)):
        for folder in folders:
            try:
                path = resolve(posixpath.join(folder, text), holder)
            except OfdError:
                continue
            if path.casefold() in names.by_folded:
                yield names.by_folded[path.casefold()]


def _texts(root: Any) -> Iterator[str]:
    return (text.strip() for text in _EVERY_TEXT(root) if len(text) <= _MAX_PATH)
