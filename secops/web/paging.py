"""The page of a list that a request asks for, and the one it is answered with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from secops.kernel.pages import Page, PageRequest, page_request
from secops.web.messages import Request, Response, json_response

T = TypeVar("T")


def wanted_page(request: Request) -> PageRequest:
    """Return what ``limit`` and ``cursor`` of the query string say; raise ``Invalid``."""
    return page_request(request.query.get("limit"), request.query.get("cursor"))


def page_response(page: Page[T], document: Callable[[T], Any]) -> Response:
    """Return ``page`` as JSON, each item as ``document`` makes it."""
    items = [document(item) for item in page.items]
    return json_response({"items": items, "next": page.next})
