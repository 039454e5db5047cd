"""What ``requests`` calls a transport, leading straight into a demo site's application."""

from __future__ import annotations

import io
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from tests.fakes.demo_site import ORIGIN, DemoSite


class SiteAdapter(BaseAdapter):
    """Answers for ``site``; every other address is refused."""

    def __init__(self, site: DemoSite) -> None:
        super().__init__()
        self.site = site
        self.asked: list[str] = []

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:
        assert request.url is not None
        assert request.method is not None
        assert request.url.startswith(f"{ORIGIN}/"), request.url
        self.asked.append(request.url)
        parts = urlsplit(request.url)
        body = request.body or b""
        headers = {name.replace("-", "_").lower(): value for name, value in request.headers.items()}
        kind = headers.pop("content_type", "")
        headers.pop("content_length", None)
        answer = self.site.call(
            request.method,
            f"{parts.path}?{parts.query}" if parts.query else parts.path,
            body=body.encode() if isinstance(body, str) else body,
            kind=kind,
            **headers,
        )
        response = requests.Response()
        response.status_code = answer.status
        response.headers = CaseInsensitiveDict(answer.headers)
        response.raw = io.BytesIO(answer.body)
        response.url, response.request = request.url, request
        response.encoding = "utf-8"
        return response

    def close(self) -> None:
        """Nothing is open."""
