"""The standards an assessment can be against, each with its own catalogue and rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final

from audits.core.gbt22239 import assess as graded
from audits.core.gbt22239.catalogue import read_catalogue
from audits.core.gbt22239.judging import Basis, Checks, Judged
from audits.core.gbt39786 import assess as crypto
from audits.core.gbt39786.catalogue import read_units
from audits.models.catalogue import Catalogue

Assess = Callable[[Basis, date], Judged]
ASSESS: Final[Mapping[str, Assess]] = {"gbt22239": graded.assess, "gbt39786": crypto.assess}
CHECKS: Final[Mapping[str, Checks]] = {
    "gbt22239": graded.ALL_CHECKS,
    "gbt39786": crypto.ALL_CHECKS,
}
READERS: Final[Mapping[str, Callable[[Mapping[str, Any]], Catalogue]]] = {
    "gbt22239": read_catalogue,
    "gbt39786": read_units,
}
"""What makes a standard's catalogue of its data."""
