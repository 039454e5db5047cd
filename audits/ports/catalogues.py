"""Where the catalogues of standards come from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from audits.models.catalogue import Catalogue

ReadCatalogue = Callable[[Mapping[str, Any]], Catalogue]
"""Makes a catalogue of its data (parsed JSON by part) and checks totals and references."""


class Catalogues(Protocol):
    """Reads the catalogues that ship with the product."""

    def read(self, standard: str) -> Catalogue:
        """Return the catalogue; raise ``UnknownStandard``."""
        ...
