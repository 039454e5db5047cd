"""How a document is looked at for one language: its texts as plain words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from audits.adapters.rendering.paper import Column, Grid, Row
from audits.adapters.rendering.words import ROW_NAMES, WORDS
from audits.models.assessments import STATUSES
from secops.adapters.typesetting import plain
from secops.kernel.catalogue import Language
from secops.kernel.rounding import percent

MAX_ROWS: Final = 1_000
MAX_LINES: Final = 12
MAX_OBJECTS: Final = 12
"""Of one item on paper; a spreadsheet lists them all."""

_MAX_COLUMNS: Final = 8
_HIDDEN: Final = frozenset({"org_id", "version", "system_id", "account_id"})
_DAY: Final = 10
_DIGEST: Final = 64
_SHOWN: Final = 16


@dataclass(frozen=True, slots=True)
class Look:
    """A document in one language."""

    document: Mapping[str, Any]
    language: Language
    derived: frozenset[str]

    @classmethod
    def at(cls, document: Mapping[str, Any], language: Language) -> Look:
        """Return the look at ``document``, which knows what ids in it are no official ones."""
        derived = (item["id"] for item in document["items"] if not item["official_id"])
        return cls(document, language, frozenset(derived))

    def __getitem__(self, name: str) -> Any:
        """Return a part of the document."""
        return self.document[name]

    def word(self, name: str, **values: object) -> str:
        """Return a word of the report, filled with ``values``."""
        words = WORDS[name].into(self.language)
        return words.format(**values) if values else words

    def columns(self, **weights: int) -> tuple[Column, ...]:
        """Return columns by their words, each as wide beside the others as its weight says."""
        return tuple(Column(self.word(name), weight) for name, weight in weights.items())

    def text(self, value: object) -> str:
        """Return any value of the document as plain words on one line."""
        match value:
            case None:
                said = ""
            case bool():
                said = self.word("yes" if value else "no")
            case {"zh": zh, "en": en}:
                said = str(zh if self.language == "zh" else en)
            case Mapping():
                said = "; ".join(f"{name}: {self.text(each)}" for name, each in value.items())
            case list() | tuple():
                said = ", ".join(self.text(each) for each in value)
            case _:
                said = str(value)
        return plain(said)

    def status(self, status: str) -> str:
        """Return the name of a status."""
        found = STATUSES.get(status)  # type: ignore[call-overload] # any text may stand there
        return found.into(self.language) if found else plain(status)

    def state(self, one: Mapping[str, Any]) -> str:
        """Return the state of a case or a trigger."""
        return self.text(one["state" if self.language == "zh" else "state_en"])

    def rows(self, caption: str, rows: Sequence[Mapping[str, Any]]) -> Grid:
        """Return the rows that another register gave, under the names they have in common."""
        names = list(dict.fromkeys(name for row in rows for name in row if name not in _HIDDEN))
        shown = [name for name in names if any(row.get(name) not in (None, "") for row in rows)]
        shown = shown[:_MAX_COLUMNS]
        columns = [Column(self._heading(name), 2) for name in shown]
        found = (
            Row(
                tuple(self._cell(name, row.get(name)) for name in shown),
                item=str(row.get("item") or ""),
            )
            for row in rows
        )
        return self.grid(caption, columns, found)

    def _cell(self, name: str, value: object) -> str:
        if name in ("item", "items"):
            return self.ids(value)
        text = self.text(value)
        return f"{text[:_SHOWN]}…" if is_digest(text) else text

    def fields(self, row: Mapping[str, Any]) -> str:
        """Return one row of a register on one line, without its own id and its item's."""
        shown = (name for name in row if name not in _HIDDEN and name not in ("id", "item"))
        said = ((self._heading(name), self.text(row[name])) for name in shown)
        return "; ".join(f"{name}: {text}" for name, text in said if text)

    def _heading(self, name: str) -> str:
        """Return what a field of a register is called."""
        return ROW_NAMES[name].into(self.language) if name in ROW_NAMES else plain(name)

    def grid(self, caption: str, columns: Sequence[Column], rows: Iterable[Row]) -> Grid:
        """Return a table of at most ``MAX_ROWS`` rows, which says how many it leaves out."""
        found = tuple(rows)
        left = len(found) - MAX_ROWS
        more = self.word("more_rows", left=left) if left > 0 else ""
        return Grid(caption, tuple(columns), found[:MAX_ROWS], more)

    def ids(self, value: object) -> str:
        """Return ids of items (one, or several), each marked where it is no official one."""
        found = value if isinstance(value, list | tuple) else [value or ""]
        return ", ".join(
            f"{plain(str(each))}{' †' if each in self.derived else ''}" for each in found
        )


def share(fraction: str) -> str:
    """Return ``43/169`` with its percentage, rounded for print only."""
    return f"{fraction} = {percent(share_of(fraction))}"


def share_of(fraction: str) -> Fraction:
    """Return the number of ``43/169``; 0 of nothing."""
    above, below = (int(part) for part in fraction.split("/"))
    return Fraction(above, below) if below else Fraction(0)


def judged_share(covered: Mapping[str, Any]) -> Fraction:
    """Return which part of the applicable items was judged."""
    return share_of(f"{covered['judged']}/{covered['applicable']}")


def day_of(instant: object) -> str:
    """Return the day of an instant as the document writes it (RFC 3339); "" for none."""
    return str(instant or "")[:_DAY]


def is_digest(text: str) -> bool:
    """Return whether a text is a SHA-256 in hex."""
    return len(text) == _DIGEST and all(each in "0123456789abcdef" for each in text)


def lines(*parts: str, most: int | None = None) -> str:
    """Return the parts that say something, one below the other; ``…`` for those beyond ``most``."""
    said = [part for part in parts if part]
    if most is not None and len(said) > most:
        said = [*said[:most], f"… +{len(said) - most}"]
    return "\n".join(said)
