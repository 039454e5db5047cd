"""What a term of a query matches: folded text with wildcards, or an address network."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Final

from detectors.core.events.text import canonical_address, fold, is_plain_ipv4
from detectors.core.formats.record import decode_line
from secops.kernel.logs import Value

Test = Callable[[str], bool]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_TOKEN: Final = re.compile(r"\\[\\*?]|[*?]|[^\\*?]+|\\", re.DOTALL)


def escape(text: str) -> str:
    """Return ``text`` so that no character in it is a wildcard."""
    return re.sub(r"([\\*?])", r"\\\1", text)


def unescaped(text: str) -> str | None:
    r"""Return ``text`` with ``\\*``, ``\\?`` and ``\\\\`` resolved; None if it has wildcards."""
    plain = []
    for token in _TOKEN.findall(text):
        if token in ("*", "?"):
            return None
        plain.append(token[1] if len(token) > 1 and token[0] == "\\" else token)
    return "".join(plain)


def literal_head(text: str) -> str:
    """Return the folded text before the first wildcard: what every match begins with."""
    tokens = takewhile(lambda token: token not in ("*", "?"), _TOKEN.findall(text))
    return "".join(map(_folded, tokens))


def whole_value(text: str, *, quoted: bool) -> Test:
    """Return the test whether a value is ``text``: folded, with wildcards, or in a network."""
    literal = text if quoted else unescaped(text)
    if literal is None:
        return _glob(text)
    wanted = fold(literal)
    network = None if quoted else network_of(literal)
    if network is None:
        return lambda value: fold(value) == wanted
    inside = network_test(network)
    return lambda value: inside(value) or ("/" in value and fold(value) == wanted)


def one_of(texts: Iterable[str]) -> Test:
    """Return the test whether a value is one of ``texts``, each quoted: folded, no wildcards."""
    wanted = frozenset(map(fold, texts))
    return lambda value: fold(value) in wanted


def needles(text: str, *, quoted: bool) -> tuple[str, ...]:
    """Return texts of which every ASCII value that ``whole_value`` holds for has one in it.

    They are asked of the value in lower case, which is how ASCII without CRLF is folded.
    """
    literal = text if quoted else unescaped(text)
    if literal is None:
        return (
            max(
                (_folded(t) for t in _TOKEN.findall(text) if t not in ("*", "?")),
                key=len,
                default="",
            ),
        )
    wanted = fold(literal)
    network = None if quoted else network_of(literal)
    return (wanted,) if network is None else (wanted, _head_of(network) or ".", ":")


def holders(values: Sequence[Value], wanted: Sequence[str]) -> list[int] | None:
    """Return the places of ``values`` that have one of ``wanted`` in them, as one text is searched.

    None where that can't be said: of lists, of values with line ends, and beyond ASCII.
    """
    plain = [value for value in values if value.__class__ is str]
    joined = "\n".join(plain)
    if len(plain) < len(values) or not joined.isascii() or joined.count("\n") >= len(values):
        return None
    joined = joined.lower()
    found: set[int] = set()
    for needle in wanted:
        place = seen = 0
        at = joined.find(needle)
        while at >= 0:
            place += joined.count("\n", seen, at)
            found.add(place)
            seen = joined.find("\n", at)
            at = joined.find(needle, seen + 1) if seen >= 0 else -1
    return sorted(found)


def part_of_value(text: str, *, quoted: bool) -> Test:
    """Return the test whether a line contains ``text``, folded, wildcards inside."""
    literal = text if quoted else unescaped(text)
    if literal is None:
        return _glob(f"*{text}*")
    wanted = fold(literal)
    return lambda value: wanted in fold(value)


def part_of_line(text: str, *, quoted: bool) -> Callable[[bytes], bool]:
    """Return the test whether a raw line contains ``text``.

    A line and a word of ASCII without CR are compared as bytes: folding is lower case there.
    """
    slow = part_of_value(text, quoted=quoted)
    literal = text if quoted else unescaped(text)
    wanted = fold(literal) if literal is not None else ""
    if literal is None or not wanted.isascii() or "\r" in wanted:
        return lambda line: slow(decode_line(line))
    plain = wanted.encode()

    def contains(line: bytes) -> bool:
        if line.isascii() and b"\r" not in line:
            return plain in line.lower()
        return slow(decode_line(line))

    return contains


def network_of(text: str) -> Network | None:
    """Return the network that ``text`` writes in CIDR; None if it writes none."""
    address, slash, bits = text.partition("/")
    if not slash or not bits.isascii() or not bits.isdigit() or len(bits) > len("128"):
        return None
    try:
        return ipaddress.ip_network(f"{address}/{bits}", strict=False)
    except ValueError:
        return None


def network_test(network: Network) -> Test:
    """Return the test whether a value is an address in ``network``.

    Text that does not begin as IPv4 addresses of the network do is none of them, unless it is
    written in brackets or as IPv6.
    """
    head = _head_of(network)
    whole = bool(head) and network.prefixlen % 8 == 0  # the head alone says it of an IPv4 address

    def test(value: str) -> bool:
        if whole and value.startswith(head) and is_plain_ipv4(value):
            return True
        if not value.startswith(head) and ":" not in value and value[:1] not in ("[", "]"):
            return False
        return is_inside(value, network)

    return test


def _head_of(network: Network) -> str:
    """Return what the text of every address of an IPv4 network begins with."""
    octets = network.prefixlen // 8 if isinstance(network, ipaddress.IPv4Network) else 0
    head = "".join(f"{part}." for part in str(network.network_address).split(".")[:octets])
    return head.removesuffix(".") if octets == len(("a", "b", "c", "d")) else head


def is_inside(value: str, network: Network) -> bool:
    """Tell whether ``value`` is an address in ``network``; ``::ffff:`` ones count as IPv4."""
    canonical = canonical_address(value)
    return canonical is not None and ipaddress.ip_address(canonical) in network


def _glob(text: str) -> Test:
    """Return the test for a pattern with wildcards; linear in the value for any pattern.

    Between stars every piece has a fixed length, so taking its leftmost place is never wrong
    and nothing is tried twice (a regex with many ``.*`` could be made to take minutes).
    """
    pieces: list[list[str]] = [[]]
    for token in _TOKEN.findall(text):
        if token == "*":  # noqa: S105 - a wildcard
            pieces.append([])
        else:
            pieces[-1].append(token)
    compiled = [_piece(piece) for piece in pieces]
    first, last = compiled[0], compiled[-1]
    if len(compiled) == 1:
        return lambda value: first.pattern.fullmatch(fold(value)) is not None
    inner = [piece.pattern for piece in compiled[1:-1] if piece.length]

    def matches(value: str) -> bool:
        folded = fold(value)
        begin = first.pattern.match(folded)
        end = len(folded) - last.length
        if begin is None or end < 0 or last.pattern.fullmatch(folded, end) is None:
            return False
        position = begin.end()
        for pattern in inner:
            found = pattern.search(folded, position)
            if found is None:
                return False
            position = found.end()
        return position <= end

    return matches


@dataclass(frozen=True, slots=True)
class _Piece:
    pattern: re.Pattern[str]
    length: int


def _piece(tokens: list[str]) -> _Piece:
    literal = [None if part == "?" else _folded(part) for part in tokens]
    expression = "".join("." if part is None else re.escape(part) for part in literal)
    length = sum(1 if part is None else len(part) for part in literal)
    return _Piece(re.compile(expression, re.DOTALL), length)


def _folded(token: str) -> str:
    return fold(token[1] if token[0] == "\\" and len(token) > 1 else token)
