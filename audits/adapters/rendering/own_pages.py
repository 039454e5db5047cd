"""HTML pages from an office's own template: well-formed, and of elements that do nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from jinja2 import StrictUndefined, Undefined
from lxml import etree
from markupsafe import Markup

from audits.adapters.rendering.sandbox import Faults, Sandbox

_DRAWN: Final = frozenset({"svg", "polygon", "polyline", "line", "circle", "text", "title"})
_NAMES: Final = (
    "html head body meta style h1 h2 h3 h4 h5 h6 p div span table caption colgroup col thead tbody"
    " tfoot tr th td ul ol li dl dt dd br hr strong em b i u small sub sup code pre blockquote"
    " section article header footer main nav aside figure figcaption a img"
)
_ELEMENTS: Final = _DRAWN.union(_NAMES.split())
_QUIET: Final = (
    "class id lang dir title alt style colspan rowspan scope width height viewBox points x y x1 x2"
    " y1 y2 cx cy r fill fill-opacity stroke stroke-width stroke-dasharray font-size font-family"
    " text-anchor role aria-label data-item charset href src name content span"
)
_ATTRIBUTES: Final = frozenset(_QUIET.split())
_STYLE: Final = re.compile(r"url\s*\(|@import|expression|javascript:|behavior|\\|<", re.IGNORECASE)
_IMAGE: Final = re.compile(r"data:image/(png|jpeg);base64,[A-Za-z0-9+/=\s]+\Z")
_POLICY: Final = (
    '<meta charset="utf-8"/><meta http-equiv="content-security-policy"'
    " content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\"/>"
)
_HEAD: Final = "<head>"
_DOCTYPE: Final = "<!doctype html>\n"
_HTML_SPACE: Final = "{http://www.w3.org/1999/xhtml}"
_SVG_SPACE: Final = "{http://www.w3.org/2000/svg}"


def write_page(
    template: str,
    fields: Mapping[str, Any],
    undefined: type[Undefined] = StrictUndefined,
    faults: Faults | None = None,
) -> str:
    """Return ``template`` filled with ``fields``; raises what Jinja raises."""
    environment = Sandbox(faults or Faults(), undefined)
    drawn = {name: Markup(fields[name]) for name in ("radar", "trend")}  # noqa: S704 - our own SVG
    page = environment.from_string(template).render({**fields, **drawn})
    body = re.sub(r"\A\s*<!doctype html>\s*", "", page, flags=re.IGNORECASE)
    return _DOCTYPE + body.replace(_HEAD, f"{_HEAD}\n{_POLICY}", 1)


def page_faults(page: str) -> Iterator[str]:
    """Yield what in a page could run, fetch, or be read otherwise than it is written.

    It has to be well-formed XML: then the browser's parser and ours see the same elements.
    """
    body = page.removeprefix(_DOCTYPE)
    if any(mark in body for mark in ("<!--", "<![CDATA[", "<?", "<!")):
        yield "comments, CDATA, instructions and document types are refused"
        return
    if _HEAD not in body:
        yield "it needs <head>, in which the policy against scripts is put"
        return
    try:
        parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
        tree = etree.fromstring(body.encode(), parser)
    except etree.XMLSyntaxError as error:
        yield f"it is not well-formed: {error}"[:200]
        return
    for element in tree.iter():
        yield from _element(element)


def _element(element: etree._Element) -> Iterator[str]:
    name = str(element.tag).removeprefix(_HTML_SPACE).removeprefix(_SVG_SPACE)
    where = f"line {element.sourceline}: <{name[:40]}>"
    if name not in _ELEMENTS:
        yield f"{where} is refused"
        return
    if name in ("style", "title") and len(element):
        yield f"{where} holds elements"
    if name == "style" and _STYLE.search(element.text or ""):
        yield f"{where} reaches outside"
    for attribute, value in element.attrib.items():
        if name == "meta" and attribute == "http-equiv" and value == "content-security-policy":
            continue
        if not _is_quiet(str(attribute), str(value)):
            yield f"{where} {str(attribute)[:40]} is refused"


def _is_quiet(attribute: str, value: str) -> bool:
    if attribute not in _ATTRIBUTES:
        return False
    if attribute == "href":
        return value.startswith("#")
    if attribute == "src":
        return bool(_IMAGE.match(value))
    return not (attribute == "style" and _STYLE.search(value))
