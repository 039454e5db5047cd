"""nginx, from ``nginx -T``: the whole tree of its configuration, each file under its name.

Source: nginx.org/en/docs, core, http, ssl and log modules. ``ssl_protocols`` of a socket is its
default server's. What the files say is not what runs until nginx was told to reload.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Final

from audits.core.collectors.reading import Budget, Looker, listed

KIND: Final = "nginx.config"
_FILE: Final = "# configuration file "
_TOKEN: Final = re.compile(
    r"\s+|#[^\n]*"
    r"|\"((?:[^\"\\]|\\.)*)\"|'((?:[^'\\]|\\.)*)'"
    r"|([{};])"
    r"|((?:\$\{[^}\s]{0,80}\}|\\.|[^\s\"'{};\\])+)",
    re.DOTALL,
)
_MOST_STEPS: Final = 100_000
_DEPTH: Final = 20
_WEAK_PROTOCOLS: Final = frozenset(("sslv2", "sslv3", "tlsv1", "tlsv1.1"))
_WEAK_CIPHERS: Final = ("rc4", "3des", "des", "null", "export", "exp", "md5", "anull", "adh", "low")
_FORMAT_PARTS: Final = {
    "time": ("$time_local", "$time_iso8601", "$msec"),
    "client": (
        "$remote_addr",
        "$realip_remote_addr",
        "$http_x_forwarded_for",
        "$proxy_protocol_addr",
    ),
    "user": ("$remote_user", "$jwt_claim", "$http_x_user", "$ssl_client_s_dn", "$cookie_user"),
    "request": ("$request", "$request_uri", "$uri"),
    "outcome": ("$status",),
}
_EVERYTHING: Final = re.compile(r"\^?/?\(?(?:\.[*+])?\)?\$?")
"""Patterns of ``rewrite`` that fit each address, such as ``^/(.*)$``."""
_COMBINED: Final = "$remote_addr - $remote_user [$time_local] $request $status"


@dataclass(slots=True)
class Directive:
    """A directive with its arguments; ``block`` is what stands in its braces."""

    name: str
    arguments: tuple[str, ...]
    block: list[Directive] = field(default_factory=list)

    def all(self, name: str) -> list[Directive]:
        """Return the directives of ``name`` that stand right in this block."""
        return [each for each in self.block if each.name == name]

    def one(self, name: str) -> tuple[str, ...] | None:
        """Return the arguments of the last directive of ``name``, None where there is none."""
        found = self.all(name)
        return found[-1].arguments if found else None


def look_at_nginx(look: Looker) -> None:
    """Note what listens in clear, what TLS offers, what is logged."""
    version = look.lines("nginx.version", needed=False)
    if version and (found := re.search(r"nginx/([0-9.]{1,20})", version[0])):
        look.note("version", found[1])
    lines = look.lines("nginx.config")
    if lines is None:
        return
    files = _files(lines)
    if not files:
        look.lack("nginx.config: this is not what `nginx -T` prints")
        return
    budget = Budget(_MOST_STEPS)
    root = Directive("", ())
    trees = {path: _parsed(text, budget) for path, text in files.items()}
    main = next(iter(files))
    root.block = list(_included(trees, main, trees[main], _DEPTH, budget))
    if budget.left < 0:
        look.lack("nginx.config: more of it than is looked at, or not all of it can be read")
        return
    _look_at_servers(look, root)


def _files(lines: Sequence[str]) -> dict[str, str]:
    """Return the text of each file of the dump, the main one first."""
    found: dict[str, list[str]] = {}
    current: list[str] | None = None
    for line in lines:
        if line.startswith(_FILE):
            current = found.setdefault(line.removeprefix(_FILE).strip().rstrip(":"), [])
        elif current is not None:
            current.append(line)
    return {path: "\n".join(text) for path, text in found.items()}


def _words(text: str, budget: Budget) -> Iterator[tuple[str, bool]]:
    """Yield words, and whether they are a mark of structure; what is no word takes all steps."""
    position = 0
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None:
            budget.left = -1  # a server that stands behind it would not be seen
            return
        position = found.end()
        double, single, mark, bare = found.groups()
        if mark is not None:
            yield mark, True
        else:
            word = next((each for each in (double, single, bare) if each is not None), None)
            if word is not None:
                yield word, False


def _parsed(text: str, budget: Budget) -> list[Directive]:
    """Return the directives of a file; unfinished ones are left out."""
    top = Directive("", ())
    open_blocks, words = [top], list[str]()
    for word, is_mark in _words(text, budget):
        if not budget.spend():
            break
        if not is_mark:
            words.append(word)
            continue
        if words and len(open_blocks) <= _DEPTH:
            made = Directive(words[0].lower(), tuple(words[1:]))
            open_blocks[-1].block.append(made)
            if word == "{":
                open_blocks.append(made)
        elif word == "{":
            open_blocks.append(Directive("", ()))
        if word == "}" and len(open_blocks) > 1:
            open_blocks.pop()
        words = []
    return top.block


def _included(
    trees: Mapping[str, Sequence[Directive]],
    main: str,
    block: Sequence[Directive],
    depth: int,
    budget: Budget,
) -> Iterator[Directive]:
    """Yield directives with those of included files in their place."""
    for each in block:
        if not budget.spend():
            return
        if each.name == "include" and each.arguments:
            folder = main.rpartition("/")[0]
            place = each.arguments[0]
            pattern = place if place.startswith("/") else f"{folder}/{place}"
            for path in sorted(trees) if depth else ():
                if path.count("/") == pattern.count("/") and fnmatchcase(path, pattern):
                    yield from _included(trees, main, trees[path], depth - 1, budget)
        else:
            inner = _included(trees, main, each.block, depth - 1, budget) if depth else ()
            yield Directive(each.name, each.arguments, list(inner))


def _look_at_servers(look: Looker, root: Directive) -> None:
    https = root.all("http")
    pairs = [(http, server) for http in https for server in http.all("server")]
    sockets = _sockets(pairs)
    tls = {place: chosen for place, chosen in sockets.items() if chosen.tls}
    look.note("servers", len(pairs))
    look.note("tls_sockets", len(tls))
    plain = [s for _, s in pairs if _listens_in_clear(s) and not _only_redirects(s)]
    look.note("plain_servers", len(plain))
    names = [(s.one("server_name") or ("",))[0] for s in plain]
    look.note("plain_names", listed([name for name in names if name]))
    _look_at_tls(look, list(tls.values()))
    _look_at_logs(look, pairs)
    look.note("listings", sum(_has(s, "autoindex", "on") for _, s in pairs))
    hidden = [(h.one("server_tokens") or ("on",))[0] == "off" for h in https]
    look.note("version_hidden", bool(hidden) and all(hidden))
    look.note("plain_upstreams", sum(_passes_in_clear(s) for _, s in pairs))


@dataclass(frozen=True, slots=True)
class _Socket:
    """The default server of a socket with the block of http around it."""

    http: Directive
    server: Directive
    tls: bool


def _sockets(pairs: Sequence[tuple[Directive, Directive]]) -> dict[str, _Socket]:
    found: dict[str, _Socket] = {}
    for http, server in pairs:
        for listen in _listens(server):
            place = listen[0]
            chosen = "default_server" in listen or "default" in listen
            tls = "ssl" in listen or "quic" in listen or (server.one("ssl") or ("",))[0] == "on"
            before = found.get(place)
            if before is None or chosen:
                found[place] = _Socket(http, server, tls or bool(before and before.tls))
            elif tls and not before.tls:
                found[place] = _Socket(before.http, before.server, tls=True)
    return found


def _listens(server: Directive) -> list[tuple[str, ...]]:
    given = [each.arguments for each in server.all("listen") if each.arguments]
    return given or [("80",)]


def _is_local(place: str) -> bool:
    host = place.rpartition(":")[0].strip("[]") if ":" in place else ""
    if place.startswith("unix:") or host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _listens_in_clear(server: Directive) -> bool:
    if (server.one("ssl") or ("",))[0] == "on":
        return False
    return any(
        not _is_local(listen[0]) and not {"ssl", "quic"} & set(listen)
        for listen in _listens(server)
    )


def _only_redirects(server: Directive) -> bool:
    """Tell whether a server answers with nothing but a redirection to https, or nothing."""
    if _redirects(server):
        return True
    locations = [
        each
        for each in server.all("location")
        if not any(".well-known/acme-challenge" in word for word in each.arguments)
    ]
    return bool(locations) and all(_redirects(each) for each in locations)


def _redirects(block: Directive) -> bool:
    for words in [each.arguments for each in block.all("return")]:
        if words and (words[0] == "444" or words[-1].startswith("https://")):
            return True
    return any(
        len(each.arguments) > 1
        and each.arguments[1].startswith("https://")
        and _EVERYTHING.fullmatch(each.arguments[0])
        for each in block.all("rewrite")
    )


def _look_at_tls(look: Looker, sockets: Sequence[_Socket]) -> None:
    weak, unsaid, ciphers = 0, 0, 0
    for socket in sockets:
        protocols = socket.server.one("ssl_protocols") or socket.http.one("ssl_protocols")
        if protocols is None:
            unsaid += 1
        else:
            weak += bool(_WEAK_PROTOCOLS & {word.lower() for word in protocols})
        chosen = socket.server.one("ssl_ciphers") or socket.http.one("ssl_ciphers")
        ciphers += bool(chosen and _is_weak(chosen[0]))
    look.note("weak_ciphers", ciphers)
    if weak or not unsaid:
        look.note("weak_protocols", weak)
    if unsaid:
        look.lack("ssl_protocols: not set, what is offered depends on the version of nginx")


def _is_weak(ciphers: str) -> bool:
    names = [name.lower() for name in ciphers.replace(",", ":").split(":")]
    return any(
        part in _WEAK_CIPHERS
        for name in names
        if not name.startswith(("!", "-"))
        for part in re.split(r"[-+@]", name)
    )


def _look_at_logs(look: Looker, pairs: Sequence[tuple[Directive, Directive]]) -> None:
    off = incomplete = 0
    for http, server in pairs:
        formats = {
            d.arguments[0]: " ".join(d.arguments[1:]) for d in http.all("log_format") if d.arguments
        }
        formats["combined"] = _COMBINED
        logs = server.all("access_log") or http.all("access_log") or [Directive("", ("default",))]
        if any(log.arguments[:1] == ("off",) for log in logs):
            off += 1
            continue
        names = [next((w for w in log.arguments[1:] if w in formats), "combined") for log in logs]
        incomplete += not any(_is_complete(formats[name]) for name in names)
    look.note("logs_off", off)
    look.note("logs_incomplete", incomplete)


def _is_complete(log_format: str) -> bool:
    return all(
        any(variable in log_format for variable in variables)
        for variables in _FORMAT_PARTS.values()
    )


def _has(block: Directive, name: str, value: str) -> bool:
    """Tell whether a directive has that value in a block or any within it."""
    if any(each.arguments[:1] == (value,) for each in block.all(name)):
        return True
    return any(_has(each, name, value) for each in block.block if each.block)


def _passes_in_clear(block: Directive) -> bool:
    for words in [each.arguments for each in block.all("proxy_pass")]:
        place = words[0].removeprefix("http://") if words else ""
        if words and place != words[0] and not _is_local(_with_port(place.partition("/")[0])):
            return True
    return any(_passes_in_clear(each) for each in block.block if each.block)


def _with_port(place: str) -> str:
    return place if re.search(r":[0-9]{1,5}$", place) else f"{place}:80"
