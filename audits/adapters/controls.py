"""Reads the catalogues of control items that ship in ``rules/controls``."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, Final

import orjson

from audits.errors import UnknownStandard
from audits.models.catalogue import Catalogue
from audits.ports.catalogues import ReadCatalogue
from secops.kernel.canonical import canonical

_NAME: Final = re.compile(r"^name: (\S+)$", re.MULTILINE)


class PackagedCatalogues:
    """Implements ``audits.ports.Catalogues``; a catalogue is read once a process.

    ``readers`` are by standard, which is the name of its folder.
    """

    def __init__(self, readers: Mapping[str, ReadCatalogue]) -> None:
        self._readers = readers

    def read(self, standard: str) -> Catalogue:
        """Return the catalogue; raise ``UnknownStandard``."""
        if standard not in self._readers:
            raise UnknownStandard(f"there is no catalogue {standard!r} in this release")
        return _read(standard, self._readers[standard])


@cache
def _read(standard: str, reader: ReadCatalogue) -> Catalogue:
    data = catalogue_data(standard)
    return replace(reader(data), digest=hashlib.sha256(canonical(data)).hexdigest())


def catalogue_data(standard: str) -> dict[str, Any]:
    """Return the parsed files of a standard's folder by name, with what all standards share.

    ``evidence`` is the vocabulary of evidence, ``own_evidence`` what checks read beyond it, and
    ``rules`` maps the shipped detection rules to
    the items of ``standard`` that they name.
    """
    controls = files("rules") / "controls"
    folder = controls / standard
    named = {
        file.name.removesuffix(".json"): orjson.loads(file.read_bytes())
        for file in folder.iterdir()
        if file.name.endswith(".json")
    }
    return {
        **named,
        "evidence": orjson.loads((controls / "evidence.json").read_bytes()),
        "own_evidence": orjson.loads((controls / "evidence_own.json").read_bytes()),
        "rules": dict(_named_items(files("rules") / "sigma", standard)),
    }


def _named_items(folder: Traversable, standard: str) -> Iterator[tuple[str, str]]:
    """Yield (rule, item) of the rules under ``folder`` that name an item of ``standard``."""
    wanted = re.compile(rf"^  {re.escape(standard)}: (\S+)$", re.MULTILINE)
    for each in folder.iterdir():
        if each.is_dir():
            if each.name != "samples":
                yield from _named_items(each, standard)
        elif each.name.endswith(".yml"):
            text = each.read_text(encoding="utf-8")
            name, item = _NAME.search(text), wanted.search(text)
            if name and item:
                yield name[1], item[1]
