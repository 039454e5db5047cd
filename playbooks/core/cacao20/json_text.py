"""Reads JSON strictly: bounded size and depth, no repeated keys, no NaN."""

from __future__ import annotations

import json
from typing import Any, Final

from playbooks.core.cacao20.problems import Findings

MAX_BYTES: Final = 1 << 20
MAX_DEPTH: Final = 32


class _RepeatedKey(ValueError):
    """A key stands twice in one object."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            raise _RepeatedKey(key)
        seen.add(key)
    return dict(pairs)


def _constant(name: str) -> Any:
    raise ValueError(name)


def read_json(text: bytes, findings: Findings) -> Any:
    """Return the value in ``text``, or None after noting why there is none."""
    if len(text) > MAX_BYTES:
        findings.add("too_large", "", f"{len(text)} > {MAX_BYTES}")
        return None
    try:
        value = json.loads(
            text.decode("utf-8"), object_pairs_hook=_object, parse_constant=_constant
        )
    except _RepeatedKey as error:
        findings.add("duplicate_key", "", str(error))
        return None
    except RecursionError:
        findings.add("too_deep", "")
        return None
    except ValueError as error:  # JSONDecodeError, UnicodeDecodeError, huge integers
        findings.add("not_json", "", str(error))
        return None
    if _depth_exceeds(value, MAX_DEPTH):
        findings.add("too_deep", "", f"> {MAX_DEPTH}")
        return None
    return value


def _depth_exceeds(value: Any, limit: int) -> bool:
    layer: list[Any] = [value]
    for _ in range(limit):
        layer = [
            child
            for node in layer
            if isinstance(node, dict | list)
            for child in (node.values() if isinstance(node, dict) else node)
        ]
        if not layer:
            return False
    return True
