"""Which files of an OFD are shown or steer what is shown.

Found by following everything that looks like a path, from OFD.xml on: no list of element
names to keep complete, and a file nobody points to can't be shown. Only the way to the
signatures is left out: they are judged, not shown.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from typing import Any, Final

from kms.core.gbt33190.markup import local_name, read_xml
from kms.core.gbt33190.package import OfdError, OfdPackage, resolve
from kms.core.gbt33190.signatures import ROOT

_MAX_PATH: Final = 1_024


def reachable(package: OfdPackage) -> frozenset[str]:
    """Return the paths that OFD.xml leads to, itself included.

    Upper and lower case are not told apart, for some readers don't.
    """
    by_folded_name = {name.casefold(): name for name in package.names}
    found = {ROOT} & package.names
    waiting = list(found)
    while waiting:
        holder = waiting.pop()
        if not holder.lower().endswith(".xml"):
            continue
        new = {name for name in _targets(package, holder, by_folded_name) if name not in found}
        found |= new
        waiting += new
    return frozenset(found)


def _targets(package: OfdPackage, holder: str, names: Mapping[str, str]) -> Iterator[str]:
    try:
        root = read_xml(package, holder)
    except OfdError:
        return  # not OFD markup: shown as it is, it leads nowhere
    folders = {"", root.get("BaseLoc", "")}
    for text in _texts(root):
        for folder in folders:
            try:
                path = resolve(posixpath.join(folder, text), holder)
            except OfdError:
                continue
            if path.casefold() in names:
                yield names[path.casefold()]


def _texts(root: Any) -> Iterator[str]:
    for element in root.iter():
        if local_name(element) == "Signatures" and local_name(element.getparent()) == "DocBody":
            continue
        candidates = [*element.attrib.values(), element.text or ""]
        yield from (text.strip() for text in candidates if 0 < len(text.strip()) <= _MAX_PATH)
