"""The schema of the catalogues' data: each row's fields by name and type, and no others."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any, Final, NoReturn, TypeVar

from audits.errors import CatalogueRejected
from audits.models.catalogue import (
    Algorithm,
    Assess,
    Document,
    EvidenceForm,
    EvidenceKind,
    HighRiskCase,
    MajorTrigger,
)
from secops.kernel.catalogue import Text

LEVELS: Final = (1, 2, 3, 4)
"""The levels of protection that the catalogues know."""
_Word = TypeVar("_Word")
_WEIGHT: Final = re.compile(r"[0-9](\.[0-9])?")
_ASSESS: Final[Mapping[str, Assess]] = {"auto": "auto", "semi": "semi", "manual": "manual"}
_FORMS: Final[Mapping[str, EvidenceForm]] = {
    "log": "log",
    "config": "config",
    "record": "record",
    "document": "document",
    "test": "test",
}


class Row:
    """A JSON object whose fields are taken one by one; every misfit raises."""

    def __init__(self, content: Any) -> None:
        if not isinstance(content, dict):
            raise CatalogueRejected("a row of the catalogue is no object")
        self._left: dict[str, Any] = dict(content)
        self._name = str(content.get("id", content.get("name", "a row")))

    def text(self, name: str) -> str:
        """Take a text that is not empty."""
        value = str(self._take(name, str))
        if not value:
            self._refuse(name)
        return value

    def maybe(self, name: str) -> str | None:
        """Take a text or null; a field that is not there is null."""
        if self._left.get(name) is None:
            self._left.pop(name, None)
            return None
        return self.text(name)

    def number(self, name: str) -> int:
        """Take a number that is not negative."""
        value = int(self._take(name, int))
        if value < 0:
            self._refuse(name)
        return value

    def flag(self, name: str) -> bool:
        """Take true or false."""
        return bool(self._take(name, bool))

    def texts(self, name: str) -> tuple[str, ...]:
        """Take a list of texts."""
        values = self._take(name, list)
        if not all(isinstance(each, str) for each in values):
            self._refuse(name)
        return tuple(values)

    def numbers(self, name: str) -> list[int]:
        """Take a list of numbers."""
        values = self._take(name, list)
        if not all(isinstance(each, int) for each in values):
            self._refuse(name)
        return list(values)

    def by_level(self, name: str) -> dict[int, str]:
        """Take an object from ``L1`` to ``L4`` to texts."""
        values = self._take(name, dict)
        known = {f"L{level}": level for level in LEVELS}
        if not all(key in known and isinstance(text, str) for key, text in values.items()):
            self._refuse(name)
        return {known[key]: text for key, text in values.items()}

    def counts(self, name: str) -> dict[str, int]:
        """Take an object from names to numbers."""
        values = self._take(name, dict)
        if not all(isinstance(each, int) for each in values.values()):
            self._refuse(name)
        return dict(values)

    def rows(self, name: str) -> list[Row]:
        """Take a list of objects."""
        return rows_of(self._take(name, list))

    def end(self) -> None:
        """Raise if a field is left that the schema does not know."""
        for name in self._left:
            self._refuse(name)

    def _take(self, name: str, kind: type) -> Any:
        value = self._left.pop(name, None)
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            self._refuse(name)
        return value

    def _refuse(self, name: str) -> NoReturn:
        raise CatalogueRejected(f"{self._name} of the catalogue has no proper {name}")


def rows_of(content: Any) -> list[Row]:
    """Return the rows of a list of objects."""
    if not isinstance(content, list):
        raise CatalogueRejected("a part of the catalogue is no list")
    return [Row(each) for each in content]


def both(row: Row, name: str) -> Text:
    """Take a text in both languages: ``name_zh`` and ``name_en``."""
    return Text(row.text(f"{name}_zh"), row.text(f"{name}_en"))


def maybe_both(row: Row, name: str) -> Text | None:
    """Take a text in both languages, or none of them."""
    zh, en = row.maybe(f"{name}_zh"), row.maybe(f"{name}_en")
    if zh is None and en is None:
        return None
    if zh is None or en is None:
        raise CatalogueRejected(f"the catalogue says {name} in one language only: {zh or en}")
    return Text(zh, en)


def read_levels(row: Row, name: str) -> tuple[int, ...]:
    """Take a growing list of levels from 1 to 4."""
    values = row.numbers(name)
    if [level for level in LEVELS if level in values] != values:
        raise CatalogueRejected(f"the catalogue's {name} are no levels: {values}")
    return tuple(values)


def read_weights(row: Row, name: str) -> dict[int, Fraction]:
    """Take an object from levels to decimal texts."""
    values = row.by_level(name)
    if not all(_WEIGHT.fullmatch(text) for text in values.values()):
        raise CatalogueRejected(f"the catalogue's {name} are no weights: {values}")
    return {level: Fraction(text) for level, text in values.items()}


def read_assess(row: Row) -> Assess:
    """Take how an item can be judged."""
    return _one_of(row, "assess", _ASSESS)


def _one_of(row: Row, name: str, known: Mapping[str, _Word]) -> _Word:
    word = row.text(name)
    if word not in known:
        raise CatalogueRejected(f"the catalogue's {name} knows no {word!r}")
    return known[word]


def read_doubts(rows: Iterable[Row]) -> tuple[Text, ...]:
    """Return texts in both languages."""
    found = []
    for row in rows:
        found.append(Text(row.text("zh"), row.text("en")))
        row.end()
    return tuple(found)


def read_cases(
    content: Any, doubts: Sequence[Text] = (), guideline: Text | None = None
) -> tuple[HighRiskCase, ...]:
    """Return the high-risk cases of ``guideline``; ``doubts`` are said of each of them."""
    found = []
    for row in rows_of(content):
        own = maybe_both(row, "doubt")
        found.append(
            HighRiskCase(
                id=row.text("id"),
                min_level=row.number("min_level"),
                trigger=both(row, "trigger"),
                item=row.maybe("item"),
                may_lower=maybe_both(row, "may_lower"),
                only_if=maybe_both(row, "only_if"),
                never=maybe_both(row, "never"),
                scope=row.maybe("scope") or "",
                doubts=(*doubts, *((own,) if own else ())),
                guideline=guideline,
            )
        )
        row.end()
    return tuple(found)


def read_triggers(content: Any) -> tuple[MajorTrigger, ...]:
    """Return the triggers of major risks."""
    found = []
    for row in rows_of(content):
        found.append(
            MajorTrigger(
                id=row.text("id"),
                trigger=both(row, "trigger"),
                item=row.maybe("item"),
                scope=row.maybe("scope") or "",
            )
        )
        row.end()
    return tuple(found)


def read_evidence(content: Any) -> dict[str, EvidenceKind]:
    """Return the vocabulary of evidence, by kind."""
    if not isinstance(content, dict):
        raise CatalogueRejected("the vocabulary of evidence is no object")
    found = {}
    for kind, each in content.items():
        row = Row(each)
        found[kind] = EvidenceKind(
            kind, row.text("plane"), both(row, "what"), _one_of(row, "form", _FORMS)
        )
        row.end()
    return found


def read_documents(content: Any) -> tuple[Document, ...]:
    """Return the documents that persons bring."""
    found = []
    for row in rows_of(content):
        found.append(
            Document(
                id=row.text("id"),
                title=both(row, "title"),
                kind=row.text("kind"),
                items=row.texts("items"),
                valid_months=row.number("valid_months"),
            )
        )
        row.end()
    return tuple(found)


def read_algorithms(content: Any) -> dict[str, Algorithm]:
    """Return the algorithms, by name."""
    found = {}
    for row in rows_of(content):
        algorithm = Algorithm(
            row.text("name"), row.flag("approved"), row.number("bits"), row.flag("insecure")
        )
        row.end()
        found[algorithm.name] = algorithm
    return found
