"""The two lanes: fast routes without Flask, everything else through it, one dispatcher."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, cast

import flask
from werkzeug.exceptions import HTTPException, InternalServerError, MethodNotAllowed, NotFound

from secops.kernel.catalogue import Text
from secops.kernel.errors import Invalid, SecopsError
from secops.kernel.errors import NotFound as NothingThere
from secops.web.dispatch import Dispatcher
from secops.web.headers import secure
from secops.web.messages import Request, Response
from secops.web.problems import problem_response
from secops.web.routes import Route
from secops.web.wsgi import Environ, RequestReader, StartResponse, Wsgi, clean_environ, send

_VARIABLE: Final = re.compile(r"<(?:(?P<kind>path):)?(?P<name>[a-z_]+)>")
_PATHS: Final = {None: "[^/]+", "path": ".+"}
_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


class WrongMethod(Invalid):
    """The path exists, the method doesn't."""

    code = "web.method_not_allowed"
    status = 405
    title = Text("不支持该方法", "Method not allowed")
    remedy = Text("请查看接口文档中的方法。", "See the API description for the methods.")


def path_pattern(path: str) -> re.Pattern[str]:
    """Return ``path`` (``/a/<name>/<path:rest>``) as a pattern with named groups."""
    pieces = []
    last = 0
    for match in _VARIABLE.finditer(path):
        pieces.append(re.escape(path[last : match.start()]))
        pieces.append(f"(?P<{match['name']}>{_PATHS[match['kind']]})")
        last = match.end()
    pieces.append(re.escape(path[last:]))
    return re.compile("".join(pieces))


@dataclass(frozen=True, slots=True)
class Lane:
    """Answers requests for the routes of a table."""

    reader: RequestReader
    dispatcher: Dispatcher

    def answer(self, environ: Environ, route: Route, args: Mapping[str, str]) -> Response:
        """Return the answer of ``route``, even where the request can't be read."""
        try:
            request = self.reader.read(environ, args, route.max_body, proxied=route.proxied)
        except SecopsError as error:
            bare = self.reader.bare_of(environ)
            return secure(problem_response(error, bare, route.form), bare)
        return self.dispatcher.answer(request, route)


class RouteTable:
    """Finds a route by method and path: fixed paths at once, others by pattern."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._fixed: dict[tuple[str, str], Route] = {}
        self._patterns: dict[str, list[tuple[re.Pattern[str], Route]]] = {}
        for route in routes:
            if "<" in route.path:
                table = self._patterns.setdefault(route.method, [])
                table.append((path_pattern(route.path), route))
            else:
                self._fixed[route.method, route.path] = route

    def find(self, method: str, path: str) -> tuple[Route, Mapping[str, str]] | None:
        """Return the route and its path's variables, None if there is none."""
        fixed = self._fixed.get((method, path))
        if fixed is not None:
            return fixed, _NOTHING
        for pattern, route in self._patterns.get(method, ()):
            match = pattern.fullmatch(path)
            if match is not None:
                return route, match.groupdict()
        return None


class FastLane:
    """Finds fast routes by method and pattern; hands the rest to the ``slow`` lane.

    Our server asks the route table and the slow lane itself; any WSGI server can call this.
    """

    def __init__(self, lane: Lane, routes: Sequence[Route], otherwise: Wsgi) -> None:
        self.lane = lane
        self.routes = tuple(routes)
        self.slow = otherwise
        self._fast = RouteTable(route for route in routes if route.fast)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one WSGI request."""
        environ = clean_environ(environ)
        found = self._fast.find(environ["REQUEST_METHOD"], environ.get("PATH_INFO", "/"))
        if found is not None:
            return send(self.lane.answer(environ, *found), start_response)
        return self.slow(environ, start_response)


def build_flask(lane: Lane, routes: Sequence[Route]) -> flask.Flask:
    """Return a Flask app whose rules are exactly ``routes``."""
    app = flask.Flask("secops", static_folder=None)
    for number, route in enumerate(routes):
        app.add_url_rule(
            route.path,
            endpoint=f"{number}.{route.operation}",
            view_func=_view(lane, route),
            methods=[route.method],
            provide_automatic_options=False,
            strict_slashes=True,
        )
    app.register_error_handler(HTTPException, _refusal(lane))
    return app


def _view(lane: Lane, route: Route) -> Any:
    def view(**args: str) -> flask.Response:
        return _flask_response(lane.answer(flask.request.environ, route, args))

    return view


def _refusal(lane: Lane) -> Any:
    def refuse(error: HTTPException) -> flask.Response:
        bare = lane.reader.bare_of(flask.request.environ)
        answer = _refused(lane, error, bare)
        return _flask_response(secure(answer, bare))

    return refuse


def _refused(lane: Lane, error: HTTPException, request: Request) -> Response:
    reason: SecopsError
    if isinstance(error, MethodNotAllowed):
        reason = WrongMethod()
    elif isinstance(error, NotFound):
        reason = NothingThere("there is no such address")
    elif isinstance(error, InternalServerError):
        reason = SecopsError()
    else:
        reason = Invalid(error.description or "the request can't be read")
    wants_page = not request.path.startswith(("/api/", "/v1/", "/oauth2/", "/log/"))
    if wants_page and lane.dispatcher.error_page is not None:
        return lane.dispatcher.error_page(reason, request)
    vault = request.path.startswith("/v1/")  # Vault's clients read its own form only
    return problem_response(reason, request, "vault" if vault else "problem")


def _flask_response(answer: Response) -> flask.Response:
    response = flask.Response(answer.body, status=answer.status)
    response.headers.clear()
    for name, value in answer.headers:
        response.headers.add(name, value)
    return response


def build_wsgi(lane: Lane, routes: Sequence[Route]) -> FastLane:
    """Return the whole WSGI application of ``routes``: fast lane in front of Flask."""
    slow = build_flask(lane, routes)
    return FastLane(lane, routes, cast("Wsgi", slow.wsgi_app))
