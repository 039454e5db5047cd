"""What a report says of items: tables of findings, full records, and what failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from audits.adapters.rendering.look import MAX_LINES, MAX_OBJECTS, Look, day_of, lines
from audits.adapters.rendering.paper import Block, Grid, Row, Sentence
from audits.models.assessments import FAILING, STATUSES
from secops.kernel.clock import to_rfc3339

Item = Mapping[str, Any]
_DIGEST_SHOWN: Final = 16
_OPEN: Final = to_rfc3339(0)
"""Where a window begins that asked for all there is."""


def items_of(look: Look, one: Mapping[str, Any]) -> list[Item]:
    """Return the items of a class, in their order."""
    return [item for item in look["items"] if item["class_code"] == one["code"]]


def counted(look: Look, counts: Mapping[str, int]) -> str:
    """Return how many there are of each status, on one line."""
    return " · ".join(f"{look.status(status)} {counts[status]}" for status in STATUSES)


def gaps(look: Look) -> Sequence[Item]:
    """Return the items that fail or are partly met, the failing ones first."""
    return sorted(
        (item for item in look["items"] if item["status"] in FAILING),
        key=lambda item: FAILING.index(item["status"]),
    )


def problems(look: Look) -> list[Block]:
    """Return what fails, with the tasks that mend it."""
    columns = look.columns(number=4, requirement=6, status=3, reason=6, advice=3)
    rows = (
        _row(
            look,
            item,
            look.text(item["requirement"]),
            look.status(item["status"]),
            look.text(item["reason"]),
            look.text(item["tasks"]),
        )
        for item in gaps(look)
    )
    return [look.grid(look.word("gaps"), columns, rows)]


def findings_by_class(look: Look) -> list[Block]:
    """Return for each class its counts and the items that are not met."""
    blocks: list[Block] = []
    for one in look["classes"]:
        title = look.text(one["title"])
        blocks.append(Sentence(title, "heading"))
        blocks.append(Sentence(counted(look, one["counts"])))
        failing = [item for item in items_of(look, one) if item["status"] in FAILING]
        if failing:
            blocks.append(_short(look, title, failing))
    return blocks


def summary_of_items(look: Look) -> list[Block]:
    """Return all items with their results, one line each."""
    return [_short(look, look.word("all_items"), look["items"])]


def _short(look: Look, caption: str, items: Iterable[Item]) -> Grid:
    columns = look.columns(number=4, point=4, requirement=7, status=3, judge=4)
    rows = (
        _row(
            look,
            item,
            look.text(item["control_point"]),
            look.text(item["requirement"]),
            look.status(item["status"]),
            judge_of(look, item),
        )
        for item in items
    )
    return look.grid(caption, columns, rows)


def not_applicable(look: Look) -> list[Block]:
    """Return the items that don't apply, with the reason that a person wrote."""
    items = [item for item in look["items"] if item["status"] == "not_applicable"]
    columns = look.columns(number=3, requirement=6, reason=6, judge=3)
    rows = (
        _row(
            look,
            item,
            look.text(item["requirement"]),
            look.text(item["reason"]),
            judge_of(look, item),
        )
        for item in items
    )
    return [look.grid(look.status("not_applicable"), columns, rows)] if items else []


def item_records(look: Look) -> list[Block]:
    """Return the full record of every item, by class."""
    blocks: list[Block] = []
    columns = look.columns(
        number=4, point=3, requirement=7, object_name=3, record=9, status=2, evidence=5
    )
    for one in look["classes"]:
        rows = (_record(look, item) for item in items_of(look, one))
        blocks.append(look.grid(look.text(one["title"]), columns, rows))
    return blocks


def _record(look: Look, item: Item) -> Row:
    return _row(
        look,
        item,
        look.text(item["control_point"]),
        look.text(item["requirement"]),
        objects_of(look, item),
        record_of(look, item),
        look.status(item["status"]),
        lines(*(evidence_line(look, each) for each in evidence_of(item)), most=MAX_LINES),
    )


def _row(look: Look, item: Item, *cells: str) -> Row:
    """Return an item's row: its id with its clause on the next line, then ``cells``."""
    title = lines(look.ids(item["id"]), look.text(item["clause"]))
    return Row((title, *cells), item["id"], item["status"])


def objects_of(look: Look, item: Item) -> str:
    """Return the objects that are not met first, then the others, cut at ``MAX_OBJECTS``."""
    objects = item["objects"]
    shown = sorted(objects, key=lambda one: list(STATUSES).index(one["status"]), reverse=True)
    named = [
        f"{object_name(look, one)}({look.status(one['status'])}{dak_of(one)})"
        for one in shown[:MAX_OBJECTS]
    ]
    left = len(objects) - MAX_OBJECTS
    return lines(*named, look.word("more_objects", left=left) if left > 0 else "")


def object_name(look: Look, one: Mapping[str, Any]) -> str:
    """Return the name of an object, its id where it has none."""
    return look.text(one["name"] or one["id"]) or look.word("this_instance")


def dak_of(one: Mapping[str, Any]) -> str:
    """Return `` D√ A× K?`` for an object under a unit of GB/T 39786, nothing for others."""
    marks = {True: "√", False: "×", None: "?"}
    return "".join(f" {axis.upper()}{marks[held]}" for axis, held in (one["dak"] or {}).items())


def record_of(look: Look, item: Item) -> str:
    """Return why, what was seen, how many objects stand where, and who judged."""
    return lines(
        look.text(item["reason"]),
        lines(*(observation_line(look, each) for each in item["observations"]), most=MAX_LINES),
        _object_counts(look, item["objects"]),
        f"{look.word('judge')}: {judge_of(look, item)}",
        waiver_line(look, item["waiver"]),
    )


def _object_counts(look: Look, objects: Sequence[Mapping[str, Any]]) -> str:
    if len(objects) < 2:  # noqa: PLR2004 - one object is the item itself
        return ""
    counted = Counter(one["status"] for one in objects)
    said = ", ".join(f"{look.status(name)} {counted[name]}" for name in STATUSES if counted[name])
    return look.word("objects_line", all=len(objects), counts=said)


def observation_line(look: Look, seen: Mapping[str, Any]) -> str:
    """Return what was expected of a fact and what was seen."""
    mark = "√" if seen["ok"] else "×"
    expected, found = look.text(seen["expected"]), look.text(seen["seen"])
    return f"{mark} {look.text(seen['fact'])}: {expected} → {found}"


def evidence_of(item: Item) -> Sequence[Mapping[str, Any]]:
    """Return all evidence of an item and its objects, each once."""
    found = [*item["evidence"], *(each for one in item["objects"] for each in one["evidence"])]
    return list({each["sha256"]: each for each in found}.values())


def evidence_line(look: Look, evidence: Mapping[str, Any]) -> str:
    """Return a snapshot's kind, day and the beginning of its digest."""
    return f"{evidence_taken(look, evidence)} {str(evidence['sha256'])[:_DIGEST_SHOWN]}…"


def evidence_taken(look: Look, evidence: Mapping[str, Any]) -> str:
    """Return a snapshot's kind and day."""
    return f"{look.text(evidence['kind'])} {day_of(evidence['taken_at'])}"


def window_of(evidence: Mapping[str, Any]) -> Sequence[str]:
    """Return begin and end of what a snapshot asked for, "" for the begin of an open window."""
    return ["" if at == _OPEN else str(at) for at in evidence["origin"]["window"] or ()]


def judge_of(look: Look, item: Item) -> str:
    """Return who judged: a machine, a named person and when, or nobody."""
    if item["judge"] == "person":
        return f"{look.text(item['person'])} {day_of(item['judged_at'])}".strip()
    if item["judge"] == "machine":
        return look.word("machine_proposed" if item["proposed"] else "machine")
    return look.word("nobody")


def waiver_line(look: Look, waiver: Mapping[str, Any] | None) -> str:
    """Return an item's waiver on one line."""
    return f"{look.word('waiver_sheet')}: {look.fields(waiver)}" if waiver else ""
