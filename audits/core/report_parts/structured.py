"""Parts of a report in JSON: the assessment's document, or OSCAL."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from audits.core.report_parts.parts import Part, part
from audits.errors import ReportRejected

BYTES: Final = "bytes "
_DEPTH: Final = 6
_LONGEST_STEP: Final = 1_000
_HOLDERS: Final = frozenset({"items", "findings", "observations", "risks", "poam-items"})
"""Lists of which each element is one part, however deep they stand."""


def parse_json(content: bytes) -> Any:
    """Return the value; raise ``ReportRejected`` for no JSON, or a name that stands twice."""
    try:
        return json.loads(content.decode(), object_pairs_hook=_object)
    except (ValueError, RecursionError) as error:
        raise ReportRejected("it is no JSON, or a name stands twice in one object") from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError
    return value


def plain_bytes(value: Any) -> bytes:
    """Return one byte form of a parsed value; raise ``ReportRejected`` for half a character."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise ReportRejected("it holds half a character") from error


def json_parts(content: bytes, ids: Collection[str], prefix: str = "") -> list[Part]:
    """Return the parts of a JSON file; elements of lists are named by their item or id."""
    return list(_walk(parse_json(content), prefix, ids, _DEPTH))


def json_file_parts(content: bytes, ids: Collection[str]) -> list[Part]:
    """Return the parts of a report in JSON, and its bytes from one item's id to the next."""
    return [*json_parts(content, ids), *byte_parts(content, ids)]


def byte_parts(content: bytes, ids: Collection[str]) -> list[Part]:
    """Return a file's bytes, cut at the items' ids: they have names even if it can't be parsed."""
    ordered = "|".join(re.escape(each) for each in ids)
    pieces = re.split(f'"({ordered})"'.encode(), content) if ids else [content]
    parts = [part(f"{BYTES}before the items", b"", marks=pieces[0] or b"\x00")]
    for name, piece in zip(pieces[1::2], pieces[2::2], strict=True):
        item = name.decode()
        parts.append(part(f"{BYTES}after {item}", b"", marks=piece or b"\x00", items=(item,)))
    return parts


def _walk(value: Any, path: str, ids: Collection[str], depth: int) -> Iterator[Part]:
    if isinstance(value, dict) and depth:
        for key, inner in value.items():
            yield from _walk(inner, _step(path, key), ids, depth - 1)
    elif isinstance(value, list) and value and all(isinstance(each, dict) for each in value):
        for number, element in enumerate(value, 1):
            yield from _element(element, _step(path, _name(element, number)), ids, depth)
    else:
        yield part(path or "JSON", plain_bytes(value))


def _step(path: str, name: str) -> str:
    """Return the path to what is inside; a long key is not said again for all that it holds."""
    return f"{path[:_LONGEST_STEP]} {name[:_LONGEST_STEP]}"


def _element(
    element: Mapping[str, Any], path: str, ids: Collection[str], depth: int
) -> Iterator[Part]:
    item = _item_of(element)
    if depth and item not in ids and _holds(element):
        yield from _walk(element, path, ids, depth - 1)
        return
    yield part(path, plain_bytes(element), items=(item,) if item in ids else ())


def _holds(element: Mapping[str, Any]) -> bool:
    return any(key in _HOLDERS and isinstance(inner, list) for key, inner in element.items())


def _item_of(element: Mapping[str, Any]) -> str:
    """Return the id of the item that an element is about, "" if it says none."""
    target = element.get("target")
    if isinstance(target, dict):
        return str(target.get("target-id", ""))
    for name in ("item", "id"):
        if isinstance(element.get(name), str):
            return str(element[name])
    return _property(element.get("props"))


def _property(props: object) -> str:
    named: Sequence[Any] = props if isinstance(props, list) else ()
    for prop in named:
        if isinstance(prop, dict) and prop.get("name") in ("item", "item-id"):
            return str(prop.get("value", ""))
    return ""


def _name(element: Mapping[str, Any], number: int) -> str:
    return _item_of(element) or str(element.get("code") or element.get("uuid") or number)
