"""A report as one self-contained HTML page, which prints on A4."""

from __future__ import annotations

from markupsafe import Markup

from audits.adapters.page_templates import templates_of
from audits.adapters.rendering.paper import Block, Figure, Paper


class HtmlPages:
    """Writes a report as a page that fetches nothing and runs nothing."""

    def __init__(self) -> None:
        self._templates = templates_of("audits.adapters.rendering")
        self._templates.filters |= {"kind": _kind, "drawing": _drawing}

    def page(self, paper: Paper) -> bytes:
        """Return the page."""
        template = self._templates.get_template("report.html")
        return template.render(paper=paper).strip().encode()


def _kind(block: Block) -> str:
    return type(block).__name__


def _drawing(figure: Figure) -> Markup:
    return Markup(figure.svg)  # noqa: S704 - our own SVG, its labels are escaped in it
