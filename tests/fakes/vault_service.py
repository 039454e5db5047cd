"""The kms routes under both lanes, without a socket: as WSGI, and for ``requests`` and hvac."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import hvac
import orjson
import requests
from requests.adapters import BaseAdapter

from kms.plane import routes
from secops.kernel.actors import Actor
from secops.kernel.errors import Unauthenticated
from secops.web.dispatch import Dispatcher
from secops.web.guard import Guard
from secops.web.lanes import Lane, build_wsgi
from secops.web.wsgi import Origins, RequestReader
from tests.fakes.key_pool import AUDITOR, KEEPER, OTHER, USER, WHOLE, KeyPool, actor

TOKENS = {
    "keeper": KEEPER,
    "whole": WHOLE,
    "user": USER,
    "other": OTHER,
    "auditor": AUDITOR,
    "keeper-1": replace(KEEPER, level=1),
    "user-1": replace(USER, level=1),
    "staff": actor("acc_staff", "staff"),
    "app": actor("cli_app", "integrator", kind="client", level=1),
}


class Tokens:
    """A token is a name of the table."""

    def verify_token(self, token: str) -> Actor:
        if token not in TOKENS:
            raise Unauthenticated
        return TOKENS[token]

    def verify_session(self, cookie: str) -> Actor:
        raise Unauthenticated


class VaultService:
    def __init__(self, pool: KeyPool, host: str = "localhost:8080") -> None:
        self.pool = pool
        parts = pool.spine.parts
        guard = Guard(Tokens(), parts.access, parts.clock)
        origins = Origins(f"http://{host}", frozenset({host}))
        reader = RequestReader(origins, parts.randomness)
        self.wsgi = build_wsgi(Lane(reader, Dispatcher(guard, parts.trail)), routes(pool.services))

    def call(
        self, method: str, path: str, body: Any = None, *, token: str = "user"
    ) -> tuple[int, dict[str, str], Any]:
        """Return status, headers, and the parsed body (None if empty)."""
        content = b"" if body is None else orjson.dumps(body)
        headers = {"X-Vault-Token": token} if token else {}
        status, answered, text = self.send(method, path, headers, content)
        return status, answered, orjson.loads(text) if text else None

    def send(
        self, method: str, path: str, headers: Mapping[str, str], content: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        url = urlsplit(path)
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "PATH_INFO": url.path,
            "QUERY_STRING": url.query,
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "8080",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_HOST": "localhost:8080",
            "CONTENT_LENGTH": str(len(content)),
            "CONTENT_TYPE": "application/json",
            "wsgi.input": io.BytesIO(content),
            "wsgi.errors": io.StringIO(),
            "wsgi.url_scheme": "http",
            "wsgi.version": (1, 0),
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
        }
        for name, value in headers.items():
            if name.lower() not in ("content-length", "content-type", "host"):
                environ["HTTP_" + name.upper().replace("-", "_")] = value
        answered: list[Any] = []

        def start_response(status: str, pairs: Any, _error: Any = None) -> Any:
            answered[:] = [int(status.split(maxsplit=1)[0]), {k.lower(): v for k, v in pairs}]
            return answered.append

        pieces = self.wsgi(environ, start_response)
        text = b"".join(pieces)
        return answered[0], answered[1], text

    def hvac_client(self, token: str = "user") -> hvac.Client:
        session = requests.Session()
        session.mount("http://", _Direct(self))
        return hvac.Client("http://localhost:8080", token=token, session=session)


class _Direct(BaseAdapter):
    """Hands what ``requests`` would send over the network straight to the application."""

    def __init__(self, service: VaultService) -> None:
        super().__init__()
        self._service = service

    def send(self, request: Any, *_: Any, **__: Any) -> requests.Response:
        content = request.body or b""
        content = content.encode() if isinstance(content, str) else content
        status, headers, text = self._service.send(
            request.method, request.path_url, dict(request.headers), content
        )
        response = requests.Response()
        response.status_code = status
        response.headers = requests.structures.CaseInsensitiveDict(headers)
        response.raw = io.BytesIO(text)
        response.url = request.url
        response.request = request
        return response

    def close(self) -> None:
        return None
