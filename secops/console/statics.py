"""Static files: served from the package, named with their hash, cached for good."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files
from typing import Final

from secops.kernel.errors import NotFound
from secops.web.messages import Request, Response
from secops.web.routes import Public, Route

_TYPES: Final = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
FILES: Final = (
    "console.css",
    "console.js",
    "passkey.js",
    "queue.js",
    "icon.svg",
    "vendor/htmx.min.js",
    "vendor/hx-csp.min.js",
    "vendor/uPlot.iife.min.js",
    "vendor/uPlot.min.css",
)
_WEEK: Final = ("cache-control", "public, max-age=604800, immutable")


@cache
def _content(name: str) -> bytes:
    if name not in FILES:
        raise NotFound(f"there is no file {name}")
    return (files("secops.console") / "static" / name).read_bytes()


@cache
def asset_path(name: str) -> str:
    """Return the address of the static file ``name``, with its hash so that it may be cached."""
    return f"/static/{name}?v={hashlib.sha256(_content(name)).hexdigest()[:12]}"


def _static_file(request: Request) -> Response:
    name = request.args["name"]
    body = _content(name)
    kind = _TYPES[name.rpartition(".")[2]]
    return Response(200, (("content-type", kind), _WEEK), body)


def _favicon(_request: Request) -> Response:
    return Response(200, (("content-type", _TYPES["svg"]), _WEEK), _content("icon.svg"))


ROUTES: Final = (
    Route(
        method="GET",
        path="/static/<path:name>",
        operation="static_file",
        access=Public("style sheets and scripts of the sign-in page"),
        handler=_static_file,
    ),
    Route(
        method="GET",
        path="/favicon.ico",
        operation="favicon",
        access=Public("browsers ask for it before anybody signs in"),
        handler=_favicon,
    ),
)
