"""The way out of one home that leads straight into the routes of another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from iam.ports import Negotiate, Stream
from secops.kernel.errors import Unavailable
from secops.web.dispatch import Dispatcher
from secops.web.guard import Guard
from secops.web.lanes import path_pattern
from secops.web.messages import Request, Response
from tests.fakes.iam_home import IamHome


@dataclass
class PlaneWire:
    """Implements ``Outbound`` by the real routes, guard and dispatcher of ``home``."""

    home: IamHome
    down: bool = False
    called: list[str] = field(default_factory=list)

    def get(self, url: str, headers: Mapping[str, str], timeout: float) -> tuple[int, bytes]:
        answer = self.ask("GET", url, headers, b"", timeout)
        return answer.status, answer.body

    def post(
        self, url: str, body: bytes, headers: Mapping[str, str], timeout: float
    ) -> tuple[int, bytes]:
        answer = self.ask("POST", url, headers, body, timeout)
        return answer.status, answer.body

    def open_tls(
        self, host: str, port: int, timeout: float, negotiate: Negotiate | None = None
    ) -> Stream:
        raise Unavailable(f"{host}:{port} is no directory within {timeout} s")

    def ask(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, timeout: float
    ) -> Response:
        assert timeout > 0
        self.called.append(url)
        if self.down:
            raise Unavailable("no answer")
        parts = urlsplit(url)
        spine = self.home.spine.parts
        guard = Guard(self.home.services.verification, spine.access, spine.clock)
        known = False
        for route in self.home.plane.routes:
            match = path_pattern(route.path).fullmatch(parts.path)
            known = known or match is not None
            if route.method == method and match:
                request = Request(
                    method=method,
                    path=parts.path,
                    query_string=parts.query,
                    headers={**headers, "host": parts.netloc, "content-length": str(len(body))},
                    body=body,
                    args=match.groupdict(),
                    remote="198.51.100.7",
                    origin=f"{parts.scheme}://{parts.netloc}",
                )
                return Dispatcher(guard, spine.trail).answer(request, route)
        return Response(405 if known else 404)  # as the service does
