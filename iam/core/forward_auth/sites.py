"""Which application a URL belongs to, and paths that mean one thing to every server.

A proxy, this code and the application behind must read a path alike, or one of them guards
another page than the other serves. So a path that could be read in two ways is refused.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote_to_bytes, urlsplit

from iam.errors import PathRefused
from iam.models.sites import Site

CALLBACK: Final = "_secops/callback"
"""The end of the redirect URI that makes an application one behind a proxy."""
MAX_URI: Final = 8_192
_HOST: Final = re.compile(r"[a-z0-9.-]+(:[0-9]{1,5})?|\[[0-9a-f:.]+\](:[0-9]{1,5})?", re.ASCII)
_PRINTABLE: Final = re.compile(r"[!-~]+", re.ASCII)
_PLAIN: Final = re.compile(r"(?:/[A-Za-z0-9_][A-Za-z0-9_.-]*)*/?", re.ASCII)
_ESCAPE: Final = re.compile(r"%[0-9a-fA-F]{2}")
_DEFAULT_PORTS: Final = {"https": ":443", "http": ":80"}


def site_of(client_id: str, redirect_uri: str) -> Site | None:
    """Return the site that ``redirect_uri`` registers, None if it registers none."""
    parts = urlsplit(redirect_uri)
    if not parts.path.endswith(f"/{CALLBACK}") or parts.query:
        return None
    return Site(
        client_id=client_id,
        scheme=parts.scheme,
        host=host_of(parts.netloc, parts.scheme),
        prefix=parts.path.removesuffix(CALLBACK),
        redirect_uri=redirect_uri,
    )


def host_of(written: str, scheme: str) -> str:
    """Return a Host in its one form: lower case, without the scheme's own port."""
    host = written.lower().removesuffix(_DEFAULT_PORTS.get(scheme, ""))
    if _HOST.fullmatch(host) is None:
        msg = "the host is not a name"
        raise PathRefused(msg)
    return host


def canonical_path(uri: str) -> str:
    """Return the decoded path of a request's target; raise ``PathRefused`` if it is ambiguous.

    Refused: dot segments in any spelling, doubled slashes, backslashes, control characters,
    encoded slashes, escapes of escapes, anything that is not UTF-8, and a target that is a URL.
    """
    if not uri.startswith("/") or len(uri) > MAX_URI or _PRINTABLE.fullmatch(uri) is None:
        msg = "the request's target is not a path"
        raise PathRefused(msg)
    path = uri.partition("?")[0]
    if _PLAIN.fullmatch(path) is not None:
        return path  # as nearly all are: nothing in it to decode or to doubt
    if "#" in path or "%2f" in path.lower() or _ESCAPE.sub("", path).count("%"):
        msg = "the path holds an encoded slash, a fragment or a broken escape"
        raise PathRefused(msg)
    try:
        decoded = unquote_to_bytes(path).decode()
    except UnicodeDecodeError as error:
        msg = "the path is not UTF-8"
        raise PathRefused(msg) from error
    if "\\" in decoded or _ESCAPE.search(decoded) or any(map(_is_control, decoded)):
        msg = "the path can be read in two ways"
        raise PathRefused(msg)
    segments = decoded.split("/")[1:]
    if any(_is_odd(segment) for segment in segments[:-1]) or _is_dots(segments[-1]):
        msg = "the path holds an empty or dot segment"
        raise PathRefused(msg)
    return decoded


def covers(site: Site, path: str) -> bool:
    """Tell whether ``path`` of its host belongs to ``site``: whole segments only."""
    return path.startswith(site.prefix) or f"{path}/" == site.prefix


def _is_control(char: str) -> bool:
    return char < " " or "\x7f" <= char < "\xa0"


def _is_dots(segment: str) -> bool:
    # a servlet container cuts ";…" off before it resolves dots
    return segment.partition(";")[0].strip() in (".", "..")


def _is_odd(segment: str) -> bool:
    return not segment.partition(";")[0] or _is_dots(segment)
