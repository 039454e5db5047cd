"""Requests and responses as values, the same under every server and in a test without one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, NamedTuple
from urllib.parse import unquote_plus

import orjson

from secops.kernel.actors import Actor
from secops.kernel.catalogue import Language
from secops.kernel.errors import Invalid, LengthRequired, Unauthenticated
from secops.kernel.trail import Act
from secops.web.forms import Upload, parse_multipart
from secops.web.limits import MAX_FIELDS, MAX_JSON_DEPTH, check_json_depth

JSON: Final = "application/json"
HTML: Final = "text/html; charset=utf-8"


_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


class Request(NamedTuple):
    """One request. ``headers`` have lower-case names; ``args`` are the path's variables.

    ``target`` is the path as it was sent, still escaped, without the query.
    ``remote`` is the caller's address after trusted proxies; ``nonce`` is the page's CSP
    nonce; ``actor`` is None on public routes without a valid credential. A tuple, since a frozen
    dataclass of twelve fields costs three times as much to make, once a request.
    """

    method: str
    path: str
    query_string: str = ""
    headers: Mapping[str, str] = _NOTHING
    body: bytes = b""
    args: Mapping[str, str] = _NOTHING
    remote: str = ""
    origin: str = ""
    request_id: str = ""
    nonce: str = ""
    actor: Actor | None = None
    target: str = ""

    def with_actor(self, actor: Actor) -> Request:
        """Return the same request, made by ``actor``."""
        return self._replace(actor=actor)

    @property
    def caller(self) -> Actor:
        """Return who calls; raise ``Unauthenticated`` when nobody proved it."""
        if self.actor is None:
            raise Unauthenticated
        return self.actor

    @property
    def from_our_page(self) -> bool:
        """Whether a page of ours sent it: browsers say so in Origin or Sec-Fetch-Site."""
        origin = self.headers.get("origin")
        site = self.headers.get("sec-fetch-site")
        ours = origin == self.origin if origin else site == "same-origin"
        return ours and site in (None, "same-origin")

    @property
    def language(self) -> Language:
        """The reader's language: cookie ``lang``, else Accept-Language, else Chinese."""
        chosen = self.cookies.get("lang", "")
        if chosen in ("zh", "en"):
            return "zh" if chosen == "zh" else "en"
        wanted = self.headers.get("accept-language", "zh").lstrip().lower()
        return "en" if wanted.startswith("en") else "zh"

    @property
    def query(self) -> Mapping[str, str]:
        """The query string's parameters; raises ``Invalid`` if one is repeated."""
        return _single(self.query_string)

    @property
    def form(self) -> Mapping[str, str]:
        """The fields of a form body; raises ``Invalid`` if one is repeated."""
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind == "multipart/form-data":
            return parse_multipart(self.headers["content-type"], self.body).fields
        if kind != "application/x-www-form-urlencoded":
            msg = "the body must be application/x-www-form-urlencoded"
            raise Invalid(msg)
        try:
            return _single(self.body.decode())
        except UnicodeDecodeError as error:
            msg = "the form is not UTF-8"
            raise Invalid(msg) from error

    @property
    def files(self) -> Mapping[str, Upload]:
        """The files of a multipart/form-data body; raises ``Invalid`` for another body."""
        return parse_multipart(self.headers.get("content-type", ""), self.body).files

    @property
    def cookies(self) -> Mapping[str, str]:
        """The cookies as RFC 6265 §5.4 has them sent; the last of a name counts."""
        header = self.headers.get("cookie", "")
        if not header:
            return {}
        pairs = (part.partition("=") for part in header.split(";", MAX_FIELDS))
        found = ((name.strip(), value.strip().strip('"')) for name, _, value in pairs)
        return {name: value for name, value in found if name.isprintable() and name}

    def json(self) -> Any:
        """Return the body as JSON; raise ``Invalid`` if it is not or is nested too deeply."""
        check_json_depth(self.body, MAX_JSON_DEPTH)
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            msg = "the body is not JSON"
            raise Invalid(msg) from error

    def json_object(self) -> dict[str, Any]:
        """Return the body as a JSON object; an empty body is an empty object."""
        value = self.json() if self.body else {}
        if not isinstance(value, dict):
            msg = "the body must be a JSON object"
            raise Invalid(msg)
        return value

    def require_length(self) -> None:
        """Raise ``LengthRequired`` unless the body came with a Content-Length."""
        if "content-length" not in self.headers:
            raise LengthRequired


def _pairs(encoded: str) -> list[tuple[str, str]]:
    """Return names and values as ``parse_qsl`` does, without its cost for plain ones.

    Raises ValueError. A property test holds the two together.
    """
    if encoded.count("&") >= MAX_FIELDS:
        msg = f"more than {MAX_FIELDS} parameters"
        raise ValueError(msg)
    plain = "%" not in encoded and "+" not in encoded
    pairs = []
    for part in encoded.split("&"):
        if part:
            name, _, value = part.partition("=")
            if not plain:
                name, value = _unquoted(name), _unquoted(value)
            pairs.append((name, value))
    return pairs


def _unquoted(text: str) -> str:
    return unquote_plus(text, errors="strict") if "%" in text or "+" in text else text


def _single(encoded: str) -> Mapping[str, str]:
    try:
        pairs = _pairs(encoded)
    except ValueError as error:
        msg = "the parameters can't be read"
        raise Invalid(msg) from error
    fields = dict(pairs)
    if len(fields) != len(pairs):
        msg = "a parameter is repeated"
        raise Invalid(msg)
    return fields


@dataclass(frozen=True, slots=True)
class Response:
    """One answer. ``acts`` are durable in the journal before a byte of it is sent."""

    status: int = 200
    headers: Sequence[tuple[str, str]] = ()
    body: bytes = b""
    acts: Sequence[Act] = ()

    def header(self, name: str) -> str | None:
        """Return the first header called ``name`` (any case)."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), None)


def json_response(
    value: Any,
    status: int = 200,
    *,
    headers: Sequence[tuple[str, str]] = (),
    acts: Sequence[Act] = (),
) -> Response:
    """Return ``value`` as JSON, never cached unless ``headers`` say so."""
    cache = () if any(k.lower() == "cache-control" for k, _ in headers) else (NO_STORE,)
    body = orjson.dumps(value, option=orjson.OPT_PASSTHROUGH_DATACLASS)
    return Response(status, (("content-type", JSON), *cache, *headers), body, acts)


def html_response(
    page: str, status: int = 200, *, headers: Sequence[tuple[str, str]] = ()
) -> Response:
    """Return ``page`` as HTML, never cached."""
    return Response(status, (("content-type", HTML), NO_STORE, *headers), page.encode())


def file_response(
    content: bytes, content_type: str, name: str, *, headers: Sequence[tuple[str, str]] = ()
) -> Response:
    """Return ``content`` as a file called ``name``, never cached."""
    kind = ("content-type", content_type)
    place = ("content-disposition", f'attachment; filename="{name}"')
    return Response(200, (kind, place, NO_STORE, *headers), content)


def redirect(location: str, *, headers: Sequence[tuple[str, str]] = ()) -> Response:
    """Send the browser to ``location`` with GET (303; a 307 would repeat the body)."""
    return Response(303, (("location", location), NO_STORE, *headers))


NO_STORE: Final = ("cache-control", "no-store")
