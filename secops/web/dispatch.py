"""One way from a request to its answer, for both lanes: identify, authorise, handle, record."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from secops.kernel.errors import SecopsError
from secops.kernel.trail import Act, Trail
from secops.web.guard import Guard
from secops.web.headers import secure
from secops.web.messages import Request, Response
from secops.web.problems import problem_response
from secops.web.routes import Route

_LOG: Final = logging.getLogger("secops.web")
_FORBIDDEN: Final = 403

ErrorPage = Callable[[SecopsError, Request], Response]


@dataclass(frozen=True, slots=True)
class Dispatcher:
    """Answers requests. ``error_page`` words errors of the console's pages."""

    guard: Guard
    trail: Trail
    error_page: ErrorPage | None = None

    def answer(self, request: Request, route: Route) -> Response:
        """Return the answer of ``route`` with its acts durable and its headers set."""
        response = self.decide(request, route)
        if response.acts:
            try:
                self.trail.append(response.acts)
            except SecopsError as error:
                response = self.unrecorded(response, error, request, route)
        return secure(response, request)

    def decide(self, request: Request, route: Route) -> Response:
        """Return the answer of ``route``; nothing of it may leave before its acts are durable."""
        try:
            request = self.guard.identify(request, route)
            return self._handle(request, route)
        except SecopsError as error:
            return self._refuse(error, request, route)
        except Exception:  # noqa: BLE001 - the last resort: the caller learns nothing, the log all
            _LOG.exception("request %s: %s failed", request.request_id, route.operation)
            return self._refuse(SecopsError(), request, route)

    def unrecorded(
        self, response: Response, error: SecopsError, request: Request, route: Route
    ) -> Response:
        """Return what is answered instead, because the acts of ``response`` are not durable."""
        if response.status == _FORBIDDEN:
            return response  # a refusal stands even where it can't be written down
        return self._refuse(error, request, route)

    def _handle(self, request: Request, route: Route) -> Response:
        try:
            self.guard.authorise(request, route)
            return route.handler(request)
        except SecopsError as error:
            response = self._refuse(error, request, route)
            if error.status != _FORBIDDEN or request.actor is None:
                return response
            act = _refusal(error, request, route)
            return Response(response.status, response.headers, response.body, (act,))

    def _refuse(self, error: SecopsError, request: Request, route: Route) -> Response:
        if not route.page or self.error_page is None:
            return problem_response(error, request, route.form)
        return self.error_page(error, request)


def _refusal(error: SecopsError, request: Request, route: Route) -> Act:
    return Act(
        action=f"web.{route.operation}",
        actor=request.caller,
        target=f"route:{route.operation}",
        outcome="refused",
        details={"code": error.code, "remote": request.remote},
        request_id=request.request_id,
    )
