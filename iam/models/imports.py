"""People read from a file: what each row says, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from iam.models.accounts import IssuedEnrolment, NewAccount
from secops.kernel.catalogue import Text

Wanted = Literal["all", "good"]
"""Everything or nothing, or the good rows alone."""


@dataclass(frozen=True, slots=True)
class RowFault:
    """What is wrong with a row, where, and what to do about it."""

    column: str
    what: Text
    remedy: Text


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A row of the file (the heading is row 1); ``new`` is None where it can't be read."""

    number: int
    name: str
    new: NewAccount | None
    faults: tuple[RowFault, ...] = ()


@dataclass(frozen=True, slots=True)
class PeopleTable:
    """The whole file: how it is written, which heading was taken for which field."""

    encoding: str
    delimiter: str
    columns: Mapping[str, str]
    unknown: tuple[str, ...]
    rows: tuple[PersonRow, ...]


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What was imported, or would be (``dry_run``). Enrolments are handed out this once."""

    table: PeopleTable
    dry_run: bool
    good: int
    faulty: int
    enrolments: tuple[IssuedEnrolment, ...] = field(default=(), repr=False)

    @property
    def faults(self) -> tuple[PersonRow, ...]:
        """The rows with something wrong."""
        return tuple(row for row in self.table.rows if row.faults)
