"""A bulk body as actions (Elasticsearch 8 ``POST /_bulk``): pairs of lines, each judged alone.

What is wrong with one item is said of that item; only a body whose lines can't be told apart
any more is refused whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import orjson

from detectors.core.formats.reader import MAX_LINE

ACTIONS: Final = frozenset({"index", "create", "update", "delete"})
KEPT: Final = frozenset({"index", "create"})
MAX_ITEMS: Final = 50_000
MAX_ID: Final = 512
"""Bytes of a document's id, as Elasticsearch has it."""
_WORDS: Final = ("_index", "_id", "pipeline")


class BadBulk(ValueError):
    """The body as a whole is not of this form; the text says where."""


@dataclass(frozen=True, slots=True)
class BulkItem:
    """One item. ``problem`` (type, reason) says why it can't be taken; then nothing is."""

    action: str
    index: str
    identifier: str | None
    document: bytes
    problem: tuple[str, str] | None = None


def read_bulk(body: bytes, index: str | None, pipeline: str | None = None) -> Iterator[BulkItem]:
    """Yield the items of ``body``; ``index`` is that of the address, for those without one.

    Raises ``BadBulk``.
    """
    lines = iter(body.split(b"\n"))
    for number, line in enumerate(lines):
        if not line.strip():
            continue
        if number >= MAX_ITEMS:
            msg = f"more than {MAX_ITEMS} items"
            raise BadBulk(msg)
        action, about = _action(line)
        document = b""
        if action != "delete":
            document = next(lines, b"").removesuffix(b"\r")
            if not document.strip():
                msg = f"action [{action}] has no document"
                raise BadBulk(msg)
        yield _item(action, {"_index": index, "pipeline": pipeline, **about}, document)


def _action(line: bytes) -> tuple[str, dict[str, Any]]:
    try:
        parsed = orjson.loads(line) if len(line) <= MAX_LINE else None
    except orjson.JSONDecodeError as error:
        msg = "Malformed action/metadata line, expected a JSON object"
        raise BadBulk(msg) from error
    if not isinstance(parsed, dict) or len(parsed) != 1:
        msg = "Malformed action/metadata line, expected one action"
        raise BadBulk(msg)
    ((action, about),) = parsed.items()
    if action not in ACTIONS or not isinstance(about, dict):
        msg = "Malformed action/metadata line, expected index, create, update or delete"
        raise BadBulk(msg)
    return action, about


def _item(action: str, about: dict[str, Any], document: bytes) -> BulkItem:
    words = {name: about.get(name) for name in _WORDS}
    texts = {name: value if isinstance(value, str) else "" for name, value in words.items()}
    identifier = texts["_id"] or None
    problem = _problem(action, words, document)
    return BulkItem(action, texts["_index"], identifier, document, problem)


def _problem(action: str, words: dict[str, Any], document: bytes) -> tuple[str, str] | None:
    wrong = "illegal_argument_exception"
    if action not in KEPT:
        return wrong, f"logs are append-only: [{action}] is not possible"
    if any(value is not None and not isinstance(value, str) for value in words.values()):
        return wrong, "_index, _id and pipeline are texts"
    if not words["_index"]:
        return "action_request_validation_exception", "index is missing"
    if words["pipeline"] not in (None, "", "_none"):
        return wrong, f"pipeline with id [{words['pipeline'][:100]}] does not exist"
    return _too_long(words["_id"] or "", document)


def _too_long(identifier: str, document: bytes) -> tuple[str, str] | None:
    if len(identifier.encode("utf-8", "replace")) > MAX_ID:
        reason = f"id is too long, must be no longer than {MAX_ID} bytes"
        return "illegal_argument_exception", reason
    if len(document) > MAX_LINE:
        return "document_too_large", f"{len(document)} bytes, {MAX_LINE} are read"
    return None
