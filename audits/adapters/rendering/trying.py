"""Inside the child: a template of an office, tried with a sample or filled with a report."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, Undefined

from audits.adapters.rendering.duties import duties_left_out
from audits.adapters.rendering.limits import output_faults
from audits.adapters.rendering.office import fill_docx
from audits.adapters.rendering.own_pages import page_faults, write_page
from audits.adapters.rendering.packages import package_faults
from audits.adapters.rendering.sandbox import Faults, collecting

_TEXT: Final = re.compile(rb"<w:t(?: [^<>]*)?>([^<>]*)</w:t>")

Fields = Mapping[str, Any]
Pictures = Mapping[str, bytes]


def try_template(
    form: str, template: bytes, samples: Sequence[tuple[Fields, Pictures]]
) -> tuple[list[str], bytes]:
    """Return what is wrong with ``template``, with every place; no content where it does."""
    faults = Faults()
    for fields, pictures in samples:
        made, wrong = _filled(form, template, (fields, pictures), faults, collecting(faults))
        if wrong or faults.found:
            return [*faults.found, *wrong], b""
        if missing := _missing(form, made, fields):
            return missing, b""
    return [], b""


def fill_template(
    form: str, template: bytes, report: tuple[Fields, Pictures]
) -> tuple[list[str], bytes]:
    """Return the report's content, or what is wrong with it."""
    made, wrong = _filled(form, template, report, Faults(), StrictUndefined)
    wrong = wrong or _missing(form, made, report[0])
    return (wrong, b"") if wrong else ([], made)


def _filled(
    form: str,
    template: bytes,
    report: tuple[Fields, Pictures],
    faults: Faults,
    undefined: type[Undefined],
) -> tuple[bytes, list[str]]:
    write: Callable[[], tuple[bytes, list[str]]] = {
        "docx": lambda: _docx(template, report, faults, undefined),
        "html": lambda: _page(template, report[0], faults, undefined),
    }[form]
    try:
        made, wrong = write()
    except TemplateSyntaxError as error:
        return b"", [f"{faults.where(error.lineno)}: {error.message}"]
    except TemplateError as error:
        return b"", [f"{faults.place}: {error.message}"]
    except (RecursionError, MemoryError):
        return b"", ["it is nested or grows beyond the limits"]
    except Exception as error:  # noqa: BLE001 - whatever a stranger's file makes the libraries raise
        return b"", [f"{faults.place}: {type(error).__name__}: {error}"[:300]]
    if larger := output_faults(made):
        return b"", larger
    return made, wrong


def _docx(
    template: bytes, report: tuple[Fields, Pictures], faults: Faults, undefined: type[Undefined]
) -> tuple[bytes, list[str]]:
    if wrong := package_faults(template):
        return b"", wrong
    return fill_docx(template, report[0], report[1], undefined=undefined, faults=faults), []


def _page(
    template: bytes, fields: Fields, faults: Faults, undefined: type[Undefined]
) -> tuple[bytes, list[str]]:
    try:
        source = template.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return b"", [f"it is not UTF-8: byte {error.start}"]
    made = write_page(source, fields, undefined, faults)
    return made.encode(), [] if faults.found else list(page_faults(made))


def _missing(form: str, made: bytes, fields: Fields) -> list[str]:
    """Return which of the duties a report that was made does not say."""
    said = _docx_text(made) if form == "docx" else re.sub(r"<[^<>]*>", "", made.decode())
    return duties_left_out(said, fields)


def _docx_text(made: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        body = archive.read("word/document.xml")
    return b"".join(_TEXT.findall(body)).decode()
