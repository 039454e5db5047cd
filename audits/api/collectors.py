"""Bundles of hosts over HTTP: the file itself is the body of the upload."""

from __future__ import annotations

from typing import Final

from audits.models.collectors import MAX_BUNDLE_BYTES
from audits.models.systems import THIS_INSTANCE
from audits.service.collectors.collectors import CollectorService
from audits.service.collectors.documents import (
    bundle_document,
    collection_document,
    shown_document,
)
from secops.kernel.permissions.audits import IMPORT_BUNDLE, READ_BUNDLES
from secops.web.messages import Request, Response, json_response
from secops.web.paging import page_response, wanted_page
from secops.web.routes import Route, Schema, named_route

_BASE: Final = "/api/v1/audits"


class _Collectors:
    def __init__(self, collectors: CollectorService) -> None:
        self._collectors = collectors

    def import_bundle(self, request: Request) -> Response:
        request.require_length()
        imported = self._collectors.import_bundle(
            request.caller,
            request.body,
            system_id=request.query.get("system", THIS_INSTANCE),
            asset_id=request.query.get("asset", ""),
        )
        return json_response({"items": [bundle_document(each) for each in imported]}, 201)

    def list_bundles(self, request: Request) -> Response:
        page = self._collectors.list_bundles(
            request.caller, wanted_page(request), request.query.get("asset", "")
        )
        return page_response(page, bundle_document)

    def show_bundle(self, request: Request) -> Response:
        shown = self._collectors.show_bundle(request.caller, request.args["bundle_id"])
        return json_response(shown_document(shown))

    def list_collections(self, request: Request) -> Response:
        page = self._collectors.list_collections(
            request.caller, wanted_page(request), request.query.get("system", THIS_INSTANCE)
        )
        return page_response(page, collection_document)


def collectors_routes(collectors: CollectorService) -> tuple[Route, ...]:
    """Return the routes of collectors."""
    here = _Collectors(collectors)
    bundles = f"{_BASE}/bundles"
    return (
        named_route(
            "POST",
            bundles,
            IMPORT_BUNDLE,
            here.import_bundle,
            max_body=MAX_BUNDLE_BYTES,
            response=Schema("ImportedBundles", {"type": "object"}),
        ),
        named_route("GET", bundles, READ_BUNDLES, here.list_bundles, listing=True),
        named_route(
            "GET",
            f"{bundles}/<bundle_id>",
            READ_BUNDLES,
            here.show_bundle,
            response=Schema("ShownBundle", {"type": "object"}),
        ),
        named_route(
            "GET", f"{_BASE}/collections", READ_BUNDLES, here.list_collections, listing=True
        ),
    )
