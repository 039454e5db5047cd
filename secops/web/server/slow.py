"""The slow lane: one request through a WSGI application, in a thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from secops.web.messages import Response
from secops.web.wsgi import Environ, Wsgi


def run_wsgi(application: Wsgi, environ: Environ) -> Response:
    """Return the whole answer of ``application``; what it raises comes out."""
    started: list[tuple[int, list[tuple[str, str]]]] = []

    def start_response(
        status: str, headers: list[tuple[str, str]], _exc_info: Any = None
    ) -> Callable[[bytes], None]:
        started[:] = [(int(status[:3]), headers)]
        return _refuse_write

    parts = application(environ, start_response)
    try:
        body = b"".join(parts)
    finally:
        close = getattr(parts, "close", None)
        if close is not None:
            close()
    status, headers = started[0]
    kept = [pair for pair in headers if pair[0].lower() != "content-length"]
    return Response(status, kept, body)


def _refuse_write(_: bytes) -> None:
    msg = "the write() of PEP 3333 is not used here"
    raise RuntimeError(msg)
