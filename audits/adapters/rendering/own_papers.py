"""PDF from an office's own typst template: set by a child that opens nothing, then looked at."""

from __future__ import annotations

import base64
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from audits.adapters.rendering.duties import claims_in, duties_left_out
from audits.adapters.rendering.own_templates import answer_of
from audits.errors import ReportRejected, TemplateRejected
from audits.models.reports import PdfRead

COMMAND: Final = (sys.executable, "-I", "-m", "audits.adapters.rendering.typst_child")

ReadPdf = Callable[[bytes], PdfRead]


def write_paper(template: bytes, question: Mapping[str, Any], read_pdf: ReadPdf) -> bytes:
    """Return the PDF that ``template`` makes; raise ``TemplateRejected`` with what is wrong.

    ``question`` is what the child is asked beside: ``data``, ``font`` (its file), ``at`` (UTC
    seconds), ``standards``, and ``before``, a line of our own that stands before the template.
    """
    _refuse(list(_source_faults(template)))
    text = base64.b64encode(template.removeprefix(b"\xef\xbb\xbf")).decode()
    made = answer_of(COMMAND, {**question, "template": text})
    try:
        read = read_pdf(made)
    except ReportRejected as error:
        raise TemplateRejected([f"what it makes can't be verified: {error.detail}"]) from error
    _refuse(list(_paper_faults(read, question["data"])))
    return made


def _source_faults(template: bytes) -> Iterator[str]:
    try:
        text = template.decode()
    except UnicodeDecodeError as error:
        yield f"it is not UTF-8: byte {error.start}"
        return
    lines = [(n, claim) for n, line in enumerate(text.split("\n"), 1) for claim in claims_in(line)]
    yield from (f"line {number}: {claim}" for number, claim in lines)
    if not lines:
        yield from claims_in(text)


def _paper_faults(read: PdfRead, data: Mapping[str, Any]) -> Iterator[str]:
    yield from duties_left_out(read.text, data)
    if read.attached != (data["attached"]["content"].encode(),):
        yield "it carries other files than the document"
    if read.links_outside:
        yield "links to the outside are refused"


def _refuse(faults: list[str]) -> None:
    if faults:
        raise TemplateRejected(faults)
