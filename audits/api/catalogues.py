"""Catalogues of standards over HTTP."""

from __future__ import annotations

from typing import Final

from audits.models.catalogue import ItemFilter
from audits.service.catalogues.catalogues import CatalogueService
from audits.service.catalogues.documents import item_document, item_view_document
from secops.kernel.errors import Invalid
from secops.kernel.permissions.audits import READ_CATALOGUES
from secops.web.messages import Request, Response, json_response
from secops.web.paging import page_response, wanted_page
from secops.web.routes import Route, named_route

_BASE: Final = "/api/v1/audits/items"
_STANDARD: Final = "gbt22239"
"""The standard that is meant where the query string names none."""


class _Catalogues:
    def __init__(self, catalogues: CatalogueService) -> None:
        self._catalogues = catalogues

    def list_items(self, request: Request) -> Response:
        page = self._catalogues.list_items(
            request.caller, wanted_items(request), wanted_page(request)
        )
        return page_response(page, item_document)

    def show_item(self, request: Request) -> Response:
        view = self._catalogues.show_item(
            request.caller, request.query.get("standard", _STANDARD), request.args["item_id"]
        )
        return json_response(item_view_document(view))


def wanted_items(request: Request) -> ItemFilter:
    """Return what the query string asks for; raise ``Invalid``."""
    query = request.query
    level = query.get("level") or "0"
    if level not in ("0", "1", "2", "3", "4"):
        raise Invalid("a level is from 1 to 4")
    return ItemFilter(
        standard=query.get("standard", _STANDARD),
        level=int(level),
        extensions=tuple(each for each in query.get("extensions", "").split(",") if each),
        class_code=query.get("class", ""),
        assess=query.get("assess", ""),
    )


def catalogue_routes(catalogues: CatalogueService) -> tuple[Route, ...]:
    """Return the routes of catalogues."""
    here = _Catalogues(catalogues)
    return (
        named_route("GET", _BASE, READ_CATALOGUES, here.list_items, listing=True),
        named_route("GET", f"{_BASE}/<item_id>", READ_CATALOGUES, here.show_item),
    )
