"""Reads the catalogues of control items that ship in ``rules/controls``."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any, Final

import orjson

from audits.errors import UnknownStandard
from audits.models.compliance import Catalogue
from audits.ports.compliance import ReadCatalogue

_FOLDERS: Final = frozenset({"gbt22239"})


class PackagedCatalogues:
    """Implements ``audits.ports.Catalogues``; a catalogue is read once a process."""

    def __init__(self, read: ReadCatalogue) -> None:
        self._read = cache(lambda standard: _catalogue(standard, read))

    def read(self, standard: str) -> Catalogue:
        """Return the catalogue; raise ``UnknownStandard``."""
        if standard not in _FOLDERS:
            raise UnknownStandard(f"there is no catalogue {standard!r} in this release")
        return self._read(standard)


def _catalogue(standard: str, read: ReadCatalogue) -> Catalogue:
    folder = files("rules") / "controls" / standard

    def load(name: str) -> Any:
        return orjson.loads((folder / f"{name}.json").read_bytes())

    return read(load("meta"), load("items"), load("high_risk"))
