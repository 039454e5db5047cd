"""What a collector does while it reads: remembers facts, what it used, what was not there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from audits.models.collectors import Bundle, Reading
from audits.models.evidence import Fact

MOST_TEXT: Final = 400
"""Characters of a fact that is a text, and of a reason."""
MAX_LINE: Final = 64 << 10
MAX_LINES: Final = 100_000
"""What no program prints that collectors know: such a text is not read at all."""
_MONTHS: Final = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()  # noqa: SIM905 - easier to check
_EPOCH: Final = date(1970, 1, 1).toordinal()
_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,15}")
_REASON: Final = 120


def number(text: str) -> int | None:
    """Return the whole number that ``text`` is, None for anything else."""
    found = _NUMBER.fullmatch(text.strip())
    return int(found[0]) if found else None


def listed(names: Sequence[str]) -> str:
    """Return names as one text, within the bound of a fact."""
    text = ", ".join(names)
    return text if len(text) <= MOST_TEXT else f"{text[: MOST_TEXT - 1]}…"


def day_of(year: str, month: str, day: str) -> int | None:
    """Return a day such as 2026, Nov, 23 in days since 1970; None where there is none."""
    numbers = number(year), number(day)
    if month not in _MONTHS or None in numbers:
        return None
    try:
        return date(numbers[0] or 0, _MONTHS.index(month) + 1, numbers[1] or 0).toordinal() - _EPOCH
    except (ValueError, OverflowError):
        return None


@dataclass(slots=True)
class Budget:
    """Steps that are left: what includes or jumps to itself must not cost more than these."""

    left: int

    def spend(self) -> bool:
        """Take one step; False when none was left."""
        self.left -= 1
        return self.left >= 0


@dataclass(slots=True)
class Looker:
    """Looks into a bundle for one kind of facts.

    A fact that could not be read is not noted; ``lack`` says so by name. With ``in_part`` only
    some lines of a list could be read: that there is none of something is then not noted.
    """

    bundle: Bundle
    facts: dict[str, Fact] = field(default_factory=dict)
    used: dict[str, None] = field(default_factory=dict)
    unread: dict[str, None] = field(default_factory=dict)
    in_part: bool = False

    def lines(self, name: str, *, needed: bool = True) -> list[str] | None:
        """Return the lines of a section, None where it was not read whole.

        Where it is ``needed``, that is said. Of what was cut short nobody knows what the rest
        would have told: that there is none of something can't be seen in a part.
        """
        section = self.bundle.sections.get(name)
        if section is None:
            if needed:
                self.lack(f"{name}: not in the bundle")
            return None
        self.used[name] = None
        if not section.is_read:
            if needed:
                self.lack(f"{name}: {section.state}, {_shown(section.text)}")
            return None
        if section.state == "cut":
            self.lack(f"{name}: cut short")
            return None
        if section.text.count("\n") > MAX_LINES:
            self.lack(f"{name}: more than {MAX_LINES} lines")
            return None
        lines = section.text.split("\n")
        if max(map(len, lines)) > MAX_LINE:
            self.lack(f"{name}: a line of more than {MAX_LINE} characters")
            return None
        return lines

    def text(self, name: str) -> str | None:
        """Return the text of a section that is one document, however long its lines."""
        section = self.bundle.sections.get(name)
        if section is None or section.state != "ok":
            self.lines(name)  # says what is missing
            return None
        self.used[name] = None
        return section.text

    def files(self, kind: str) -> dict[str, list[str]]:
        """Return the lines of every file of ``kind``, by its path; of none unless all were read.

        A file that is not there is none. One that is there and was refused may say the contrary
        of all others.
        """
        found = {}
        for name, section in self.bundle.sections.items():
            before, _, path = name.partition(":")
            if before != kind or not path:
                continue
            lines = self.lines(name)
            if lines is not None:
                found[path] = lines
            elif section.state != "missing":
                return {}
        return found

    def note(self, name: str, value: Fact | None) -> None:
        """Remember a fact; None is none."""
        if value is None or (self.in_part and value == 0 and not isinstance(value, bool)):
            return
        self.facts[name] = value[:MOST_TEXT] if isinstance(value, str) else value

    def lack(self, what: str) -> None:
        """Remember that something could not be read."""
        self.unread[_shown(what, MOST_TEXT)] = None

    def reading(self, kind: str) -> Reading:
        """Return what was found."""
        return Reading(kind, dict(self.facts), tuple(self.unread), tuple(self.used))

    @property
    def day(self) -> int:
        """The day of collecting by the host's clock, in days since 1970."""
        return self.bundle.finished // 86_400


def _shown(text: str, limit: int = _REASON) -> str:
    """Return ``text`` without what could steer a terminal, cut."""
    return "".join(c if c.isprintable() else " " for c in text[: 2 * limit]).strip()[:limit]
