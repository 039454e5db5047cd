"""Holding the second audit device against the ledger: what was told there must stand here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from audits.core.entries import instant_of, parse_record
from audits.core.rfc6962 import SHA256
from audits.ports.ledger import LedgerReader

_MOST_NAMED: Final = 100
_GAP: Final = b'{"gap":'


@dataclass(frozen=True, slots=True)
class MissingRecord:
    """A record that the device has and the ledger has not."""

    leaf: str
    action: str
    at: int


@dataclass(frozen=True, slots=True)
class DeviceComparison:
    """``records`` were looked for, ``missing`` of them are not in the ledger (the first named).

    ``gaps`` are pauses in which the device was told nothing, ``unreadable`` lines that are
    no records: the last line of a file may be torn by a power cut.
    """

    records: int
    gaps: int
    unreadable: int
    missing: int
    named: tuple[MissingRecord, ...]


def compare_device(ledger: LedgerReader, lines: Iterable[bytes]) -> DeviceComparison:
    """Look for each of the device's ``lines`` in the ledger."""
    size = ledger.head().size
    records = gaps = unreadable = missing = 0
    named: list[MissingRecord] = []
    for line in filter(None, lines):
        if line.startswith(_GAP):
            gaps += 1
            continue
        record = parse_record(line)
        if not record:
            unreadable += 1
            continue
        records += 1
        leaf = SHA256.leaf(line)
        index = ledger.find_leaf(leaf)
        if index is None or not 0 <= index < size:  # beside the tree it proves nothing
            missing += 1
            if len(named) < _MOST_NAMED:
                named.append(
                    MissingRecord(leaf.hex(), str(record.get("action")), instant_of(record))
                )
    return DeviceComparison(records, gaps, unreadable, missing, tuple(named))
