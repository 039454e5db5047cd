"""The page of a list that a request asks for."""

from __future__ import annotations

from secops.kernel.pages import PageRequest, page_request
from secops.web.messages import Request


def wanted_page(request: Request) -> PageRequest:
    """Return what ``limit`` and ``cursor`` of the query string say; raise ``Invalid``."""
    return page_request(request.query.get("limit"), request.query.get("cursor"))
