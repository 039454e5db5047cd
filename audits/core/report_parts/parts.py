"""A part of a report's file by its name, so that a change can be named; and what changed."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from audits.errors import ReportRejected
from secops.kernel.canonical import canonical_record

MOST_PARTS: Final = 20_000
_LONGEST_NAME: Final = 160
_DIGEST: Final = re.compile(r"[0-9a-f]{64}\Z")

How = Literal["changed", "missing", "added", "marked", "moved", "unreadable"]


@dataclass(frozen=True, slots=True)
class Part:
    """A named part of a file.

    ``content`` is the SHA-256 (hex) of what it says, ``marks`` that of its bytes where they say
    more than that (layout, attributes), ``items`` the ids of the items it is about.
    """

    name: str
    content: str
    marks: str = ""
    items: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """A part that is not what was signed.

    ``marked`` says the same and looks different; ``unreadable`` could not be taken apart.
    """

    how: How
    name: str
    items: tuple[str, ...] = ()


def part(name: str, content: bytes, *, marks: bytes = b"", items: Iterable[str] = ()) -> Part:
    """Return the part ``name`` that says ``content``."""
    return Part(
        " ".join(name.split())[:_LONGEST_NAME],
        hashlib.sha256(content).hexdigest(),
        hashlib.sha256(marks).hexdigest() if marks else "",
        tuple(items),
    )


def cut_by_item(text: str, ids: Iterable[str]) -> list[str]:
    """Return what stands before the first id, then each id and what stands after it, by turns."""
    ordered = sorted(ids, key=len, reverse=True)
    if not ordered:
        return [text]
    return re.split("(" + "|".join(re.escape(each) for each in ordered) + ")", text)


def folded(parts: list[Part]) -> list[Part]:
    """Return at most ``MOST_PARTS``: of a longer list the rest is one part."""
    if len(parts) <= MOST_PARTS:
        return parts
    rest = [part_record(each) for each in parts[MOST_PARTS - 1 :]]
    return [*parts[: MOST_PARTS - 1], part("all the rest", canonical_record({"parts": rest}))]


def part_record(each: Part) -> list[Any]:
    """Return ``each`` as it stands in a proof."""
    return [each.name, each.content, each.marks, list(each.items)]


def read_parts(value: object) -> tuple[Part, ...]:
    """Return the parts in a parsed proof; raise ``ReportRejected`` if malformed."""
    if not isinstance(value, list) or len(value) > MOST_PARTS:
        raise ReportRejected("the proof's list of parts is malformed")
    return tuple(_read_part(entry) for entry in value)


def _read_part(entry: object) -> Part:
    match entry:
        case [str(name), str(content), str(marks), list(items)]:
            digests = _DIGEST.match(content) and (not marks or _DIGEST.match(marks))
            if digests and all(isinstance(item, str) for item in items):
                return Part(name, content, marks, tuple(items))
    raise ReportRejected("the proof's list of parts is malformed")


def compare(signed: Sequence[Part], found: Sequence[Part]) -> tuple[Change, ...]:
    """Return what differs between the parts that were signed and those of the file at hand.

    A file that another program saved anew differs in nearly all marks: that is one change.
    """
    before, after = _by_place(signed), _by_place(found)
    changes = [
        *_differing(before, after),
        *(
            Change("missing", each.name, each.items)
            for key, each in before.items()
            if key not in after
        ),
        *(
            Change("added", each.name, each.items)
            for key, each in after.items()
            if key not in before
        ),
    ]
    marked = [key for key in before if key in after and _marked(before[key], after[key])]
    if 2 * len(marked) > len(before):
        changes.append(Change("marked", "the whole file, as if saved by another program"))
    else:
        changes += [Change("marked", before[key].name, before[key].items) for key in marked]
    return tuple(changes) or _moved(before, after)


_Place = tuple[str, int]


def _by_place(parts: Sequence[Part]) -> Mapping[_Place, Part]:
    seen: Counter[str] = Counter()
    placed = {}
    for each in parts:
        seen[each.name] += 1
        placed[each.name, seen[each.name]] = each
    return placed


def _differing(before: Mapping[_Place, Part], after: Mapping[_Place, Part]) -> list[Change]:
    return [
        Change("changed", each.name, tuple(dict.fromkeys((*each.items, *after[key].items))))
        for key, each in before.items()
        if key in after and each.content != after[key].content
    ]


def _marked(before: Part, after: Part) -> bool:
    return before.content == after.content and before.marks != after.marks


def _moved(before: Mapping[_Place, Part], after: Mapping[_Place, Part]) -> tuple[Change, ...]:
    for (key, each), other in zip(before.items(), after, strict=True):
        if key != other:
            return (Change("moved", each.name, each.items),)
    return ()
