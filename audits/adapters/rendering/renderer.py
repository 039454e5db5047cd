"""One renderer for all forms."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, get_args

import orjson

from audits.adapters.rendering.fields import fields_of
from audits.adapters.rendering.look import Look
from audits.adapters.rendering.office import DEFAULT, write_docx
from audits.adapters.rendering.outline import paper_of
from audits.adapters.rendering.own_papers import ReadPdf
from audits.adapters.rendering.own_templates import ask_child
from audits.adapters.rendering.pages import HtmlPages
from audits.adapters.rendering.sheets import workbook
from audits.adapters.rendering.typeset import TEMPLATE, TypstPages
from audits.errors import TemplateNotFound, TemplateRejected
from audits.models.forms import FORMS, Form
from secops.adapters.typesetting import FONTS
from secops.kernel.catalogue import Language

MakeDocument = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""Makes the JSON of another standard of an assessment's document."""

_BUILT_IN: Final[Mapping[Form, Path]] = {"docx": DEFAULT, "pdf": TEMPLATE}


class Renderer:
    """Implements ``audits.ports.ReportRenderer``.

    ``written`` are the forms made by the core, ``read_pdf`` tells what a PDF file shows.
    """

    def __init__(
        self,
        written: Mapping[Form, MakeDocument],
        read_pdf: ReadPdf,
        fonts: Sequence[Path] = FONTS,
    ) -> None:
        self._pages = HtmlPages()
        self._typst = TypstPages(read_pdf, fonts)
        self._forms: Mapping[Form, Callable[[Mapping[str, Any], Language], bytes]] = {
            "html": lambda document, language: self._pages.page(paper_of(document, language)),
            "pdf": lambda document, language: self._typst.pdf(
                paper_of(document, language), document
            ),
            "docx": self._docx,
            "xlsx": lambda document, language: workbook(Look.at(document, language)),
            "json": lambda document, _language: _json(document),
            **{form: _written(make) for form, make in written.items()},
        }

    def render(
        self,
        document: Mapping[str, Any],
        form: Form,
        language: Language,
        template: bytes | None = None,
    ) -> bytes:
        """Return ``document`` in ``form``. Raises ``FontUnavailable``, ``TemplateRejected``."""
        if template is None:
            return self._forms[form](document, language)
        if form == "pdf":
            fields = fields_of(Look.at(document, language))
            return self._typst.own_pdf(template, fields, document)
        return ask_child("fill", form, template, [self._report(document, form, language)])

    def try_template(self, form: Form, template: bytes, sample: Mapping[str, Any]) -> None:
        """Return if ``template`` writes ``sample`` as it should; raise ``TemplateRejected``."""
        if not FORMS[form].template:
            raise TemplateRejected([f"reports in {form} have no templates"])
        languages = get_args(Language)
        if form == "pdf":
            for language in languages:
                self.render(sample, form, language, template)
            return
        ask_child("try", form, template, [self._report(sample, form, each) for each in languages])

    def built_in(self, form: Form) -> bytes:
        """Return our own template, which an office may begin from; raise ``TemplateNotFound``."""
        if form not in _BUILT_IN:
            raise TemplateNotFound(f"there is none of ours for {form}")
        return _BUILT_IN[form].read_bytes()

    def _report(
        self, document: Mapping[str, Any], form: Form, language: Language
    ) -> tuple[Mapping[str, Any], Mapping[str, bytes]]:
        fields = fields_of(Look.at(document, language))
        return fields, self._pictures(fields) if form == "docx" else {}

    def _docx(self, document: Mapping[str, Any], language: Language) -> bytes:
        fields = fields_of(Look.at(document, language))
        return write_docx(fields, self._pictures(fields))

    def _pictures(self, fields: Mapping[str, Any]) -> dict[str, bytes]:
        drawn = {name: str(fields[name]) for name in ("radar", "trend") if fields[name]}
        return {name: self._typst.picture(svg) for name, svg in drawn.items()}


def _written(make: MakeDocument) -> Callable[[Mapping[str, Any], Language], bytes]:
    return lambda document, _language: _json(make(document))


def _json(value: Mapping[str, Any]) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2)
