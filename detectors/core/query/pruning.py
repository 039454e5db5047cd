"""Where a query can hold at all: keys of values, looked up before anything is read.

A store keeps, for each key, the places (row groups) that have it. ``keys_of`` says under
which keys a field's values stand; ``possible_places`` asks for the keys of a query and
returns a superset of the places where it holds. Keys are 32 bits: two that collide cost a
look in vain, never an event. Each rule here follows one of ``evaluate`` and ``pattern``.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Collection, Sequence
from itertools import repeat
from typing import Final
from zlib import crc32

from detectors.core.events.text import canonical_address, fold, texts_of
from detectors.core.formats.windows import SYSTEM
from detectors.core.query.evaluate import ID, SOURCE, TIME
from detectors.core.query.pattern import literal_head, network_of, unescaped, whole_value
from secops.kernel.clock import from_rfc3339
from secops.kernel.logs import And, Exists, Not, Or, Query, Range, Term, Value, Window

LookUp = Callable[[int], int]
"""Return the places of a key, as bits."""
_HEAD: Final = 4
_NO_HEAD: Final = b""
_IPV4: Final = re.compile(r"((\d{1,3})\.(\d{1,3})\.\d{1,3})\.\d{1,3}")
_MAYBE_ADDRESS: Final = re.compile(r"[\[\]0-9A-Fa-f:.]{2,60}(?:%.*)?", re.DOTALL)
_V4_BITS: Final = (24, 16, 8)
_V6_BITS: Final = (64, 48, 32)


def presence_key(name: str) -> int:
    """Return the key of "the field is there"."""
    return crc32(b"?" + name.encode())


def keys_of(name: str, values: Sequence[Value]) -> tuple[list[int], list[int]]:
    """Return keys of the values of field ``name``, and for each key the value's place.

    A value has a key of its folded text, one of its first four characters, and, where it is
    an address, of the networks it is in.
    """
    whole, head, inside = (crc32(kind + name.encode() + b"\0") for kind in (b"=", b"^", b"/"))
    texts, of_text = _flat(values)
    joined = "\n".join(texts)
    folded, starts = _folded(texts, joined)
    keys, places = list(map(crc32, folded, repeat(whole))), list(of_text)
    known = {start: crc32(start, head) for start in set(starts)}
    keys += [known[start] for start in starts if start]
    places += [place for start, place in zip(starts, of_text, strict=True) if start]
    if "." in joined or ":" in joined:
        _add_networks(texts, of_text, inside, (keys, places))
    return keys, places


def _folded(texts: Sequence[str], joined: str) -> tuple[list[bytes], list[bytes]]:
    """Return ``texts`` folded, and their first four characters (nothing for a shorter one).

    ``joined`` is all of them by LF: plain ASCII, which most columns hold, is folded at one go.
    """
    if joined.isascii() and "\r" not in joined and joined.count("\n") == len(texts) - 1:
        plain = joined.lower().encode().split(b"\n")  # what ``fold`` does with such texts
        return plain, [text[:_HEAD] if len(text) >= _HEAD else _NO_HEAD for text in plain]
    each = list(map(fold, texts))
    heads = [_bytes_of(text[:_HEAD]) if len(text) >= _HEAD else _NO_HEAD for text in each]
    return list(map(_bytes_of, each)), heads


def _add_networks(
    texts: Sequence[str],
    of_text: Sequence[int],
    seed: int,
    into: tuple[list[int], list[int]],
) -> None:
    """Add the keys of the networks of those ``texts`` that are addresses, and their places."""
    keys, places = into
    around: dict[str, list[int]] = {}
    for text, place in zip(texts, of_text, strict=True):
        if "." in text or ":" in text:
            plain = _IPV4.fullmatch(text)
            neighbours = text if plain is None else plain[1]  # those of a /24 share their networks
            found = around.get(neighbours)
            if found is None:
                found = [crc32(network.encode(), seed) for network in _networks(text)]
                around[neighbours] = found
            keys += found
            places += [place] * len(found)


def _bytes_of(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _flat(values: Sequence[Value]) -> tuple[Sequence[str], Sequence[int]]:
    """Return the texts of ``values`` and where each stands; most fields have no lists."""
    texts = [value for value in values if isinstance(value, str)]
    if len(texts) == len(values):
        return texts, range(len(texts))
    pairs = [(text, place) for place, value in enumerate(values) for text in texts_of(value)]
    return [text for text, _ in pairs], [place for _, place in pairs]


def possible_places(
    query: Query, look_up: LookUp, everywhere: int, sources: Collection[str]
) -> int:
    """Return where ``query`` can hold, as bits of ``everywhere``; ``sources`` are all there."""
    if isinstance(query, And):
        found = everywhere
        for part in query.queries:
            found &= possible_places(part, look_up, found, sources) if found else 0
        return found
    if isinstance(query, Or):
        found = 0
        for part in query.queries:
            found |= possible_places(part, look_up, everywhere, sources)
        return found
    if isinstance(query, Not):
        return everywhere
    return everywhere & _leaf_places(query, look_up, everywhere, sources)


def _leaf_places(
    query: Term | Range | Exists, look_up: LookUp, everywhere: int, sources: Collection[str]
) -> int:
    if query.name is None or query.name == ID:
        return everywhere
    if query.name == SOURCE:
        return _source_places(query, everywhere, sources)
    if isinstance(query, Term):
        return _term_places(query, query.name, look_up)
    return everywhere if query.name == TIME else _present(query.name, look_up)


def possible_window(query: Query, window: Window) -> Window:
    """Return ``window`` narrowed by what ``query`` as a whole says of ``@timestamp``."""
    parts = query.queries if isinstance(query, And) else (query,)
    since, until = window.since, window.until
    for part in parts:
        if isinstance(part, And):
            inner = possible_window(part, Window(since, until))
            since, until = inner.since, inner.until
        if not isinstance(part, Range) or part.name != TIME:
            continue
        if part.low is not None:
            low = from_rfc3339(part.low)
            since = low if since is None else max(since, low)
        if part.high is not None:
            high = from_rfc3339(part.high) + 1
            until = high if until is None else min(until, high)
    return Window(since, until)


def _source_places(query: Term | Range | Exists, everywhere: int, sources: Collection[str]) -> int:
    if not isinstance(query, Term):
        return everywhere
    test = whole_value(query.text, quoted=query.quoted)
    return everywhere if any(map(test, sources)) else 0


def _present(name: str, look_up: LookUp) -> int:
    return look_up(presence_key(name)) | look_up(presence_key(SYSTEM + name))


def _term_places(query: Term, name: str, look_up: LookUp) -> int:
    names = (name, SYSTEM + name)
    literal = query.text if query.quoted else unescaped(query.text)
    if literal is None:
        head = literal_head(query.text)
        if len(head) < _HEAD:
            return _present(name, look_up)
        return _looked_up(b"^", names, head[:_HEAD], look_up)
    found = _looked_up(b"=", names, fold(literal), look_up)
    network = None if query.quoted else network_of(literal)
    if network is None:
        return found
    if network.prefixlen == network.max_prefixlen:  # one address, however it is written
        alone = str(network.network_address)
        found |= _looked_up(b"=", names, alone, look_up)
        return found | _looked_up(b"/", names, alone, look_up)
    key = _network_key(network)
    if key is None:
        return found | _present(name, look_up)
    return found | _looked_up(b"/", names, key, look_up)


def _looked_up(kind: bytes, names: Sequence[str], text: str, look_up: LookUp) -> int:
    found = 0
    for name in names:
        seed = crc32(kind + name.encode() + b"\0")
        found |= look_up(crc32(_bytes_of(text), seed))
    return found


def _networks(text: str) -> list[str]:
    """Return the texts of the networks that ``text``, if it is an address, is in.

    Its own canonical text is one of them, unless ``text`` is that and has a key already.
    """
    plain = _IPV4.fullmatch(text)
    if plain is not None:  # an octet above 255 is no address: a key in vain
        around, first, second = plain.groups()
        return [around, f"{first}.{second}", first]
    if _MAYBE_ADDRESS.fullmatch(text) is None:
        return []
    canonical = canonical_address(text)
    if canonical is None:
        return []
    if _IPV4.fullmatch(canonical) is not None:
        return [canonical, *_networks(canonical)]
    around = (ipaddress.ip_network(f"{canonical}/{bits}", strict=False) for bits in _V6_BITS)
    return [canonical, *map(str, around)]


def _network_key(network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> str | None:
    """Return the text of the smallest kept network around ``network``; None if there is none."""
    kept = _V4_BITS if isinstance(network, ipaddress.IPv4Network) else _V6_BITS
    bits = next((bits for bits in kept if bits <= network.prefixlen), None)
    if bits is None:
        return None
    around = network.supernet(new_prefix=bits)
    if isinstance(around, ipaddress.IPv4Network):
        return ".".join(str(around.network_address).split(".")[: bits // 8])
    return str(around)
