"""What a report's file consists of, by name and digest, so that a change is named to the item."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final

from audits.core.report_parts.markup import html_parts
from audits.core.report_parts.office import docx_parts, xlsx_parts
from audits.core.report_parts.parts import (
    Change,
    How,
    Part,
    compare,
    folded,
    part_record,
    read_parts,
)
from audits.core.report_parts.pdf import pdf_parts, read_pdf
from audits.core.report_parts.structured import BYTES, byte_parts, json_file_parts, parse_json
from audits.errors import ReportRejected

__all__ = [
    "Change",
    "How",
    "Part",
    "compare",
    "parse_json",
    "part_record",
    "parts_of",
    "read_parts",
    "read_pdf",
    "what_changed",
]

_READERS: Final[Mapping[str, Callable[[bytes, Collection[str]], list[Part]]]] = {
    "html": html_parts,
    "json": json_file_parts,
    "oscal": json_file_parts,
    "oscal-poam": json_file_parts,
    "docx": docx_parts,
    "xlsx": xlsx_parts,
    "pdf": pdf_parts,
}


def parts_of(form: str, content: bytes, ids: Collection[str]) -> list[Part]:
    """Return the parts of a report's file; raise ``ReportRejected`` if it can't be taken apart."""
    reader = _READERS.get(form)
    return [] if reader is None else folded(reader(content, ids))


def what_changed(
    form: str, content: bytes, ids: Collection[str], signed: tuple[Part, ...]
) -> tuple[Change, ...]:
    """Return what a changed file differs in; never raises, whatever was made of the file."""
    said, written = _apart(signed)
    try:
        found, bytes_found = _apart(parts_of(form, content, ids))
    except ReportRejected as error:
        broken = Change("unreadable", f"the whole file: {error.detail}")
        return (broken, *(compare(written, byte_parts(content, ids)) if written else ()))
    changes = compare(said, found) or compare(written, bytes_found)
    return changes or (Change("marked", "bytes that no part of the report lies in"),)


def _apart(parts: Sequence[Part]) -> tuple[list[Part], list[Part]]:
    """Return what parts say, and their bytes: these count where nothing else differs."""
    written = [each for each in parts if each.name.startswith(BYTES)]
    return [each for each in parts if not each.name.startswith(BYTES)], written
