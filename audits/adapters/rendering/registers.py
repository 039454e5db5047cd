"""What a report takes from the registers: assets, risks, tasks, waivers, records, evidence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from audits.adapters.rendering.items import evidence_of, window_of
from audits.adapters.rendering.look import Look, lines
from audits.adapters.rendering.paper import Block, Column, Grid, Row, Sentence
from audits.models.systems import ASSET_KINDS

_SCANS = ("scan", "vuln")


def kind_of(look: Look, kind: str) -> str:
    """Return the name of a kind of assets."""
    found = ASSET_KINDS.get(kind)  # type: ignore[call-overload] # any text may stand there
    return found.into(look.language) if found else look.text(kind)


def asset_kinds(look: Look) -> list[Block]:
    """Return how many assets of each kind were in scope."""
    counted = Counter(str(asset["kind"]) for asset in look["assets"])
    if not counted:
        return [Sentence(look.word("population_value", assets=0))]
    columns = look.columns(kind=3, count=1)
    rows = (Row((kind_of(look, kind), str(number))) for kind, number in sorted(counted.items()))
    return [look.grid(look.word("population"), columns, rows)]


def assets(look: Look) -> list[Block]:
    """Return the assets in scope with what is known of them."""
    if not look["assets"]:
        return [Sentence(look.word("population_value", assets=0))]
    names = ("name", "kind", "address", "importance", "department", "place", "data_grade")
    columns = [
        *(Column(look.word(name), 2) for name in names),
        Column(look.word("evidence_count"), 1),
    ]
    rows = (
        Row(
            (
                look.text(asset["name"]),
                kind_of(look, asset["kind"]),
                *(look.text(asset[name] or "") for name in names[2:]),
                str(asset["evidence"]),
            )
        )
        for asset in look["assets"]
    )
    return [look.grid(look.word("assets"), columns, rows)]


def high_risks(look: Look) -> list[Block]:
    """Return the high-risk cases that failing items may be, in the state they are in."""
    if not look["high_risks"]:
        return [Sentence(look.word("no_high"))]
    columns = look.columns(number=3, case=6, state=3, condition=3, may_lower=4, confirmed_by=2)
    rows = (_high_risk(look, risk) for risk in look["high_risks"])
    return [look.grid(look.word("high_risks"), columns, rows)]


def _high_risk(look: Look, risk: Mapping[str, Any]) -> Row:
    return Row(
        (
            look.ids(risk["item"]),
            lines(look.text(risk["id"]), look.text(risk["trigger"])),
            lines(look.state(risk), look.text(risk["reason"])),
            look.text(risk["only_if"]),
            lines(
                look.text(risk["may_lower"]),
                look.text(risk["never"]),
                *(look.text(each) for each in risk["doubts"]),
            ),
            look.text(risk["confirmed_by"]),
        ),
        str(risk["item"]),
    )


def majors(look: Look) -> list[Block]:
    """Return the triggers of major risks that a person judged to be one."""
    found = [one for one in look["majors"]["items"] if one["code"] in ("found", "rectified")]
    return [_triggers(look, found)] if found else [Sentence(look.word("no_majors"))]


def triggers(look: Look) -> list[Block]:
    """Return every trigger of a failing item, in the state it is in."""
    if not look["majors"]["items"]:
        return [Sentence(look.word("no_majors"))]
    return [_triggers(look, look["majors"]["items"])]


def _triggers(look: Look, majors: Sequence[Mapping[str, Any]]) -> Grid:
    columns = look.columns(items=3, trigger=2, state=3, reason=6, confirmed_by=2)
    rows = (
        Row(
            (
                look.ids(one["items"]),
                look.text(one["trigger"]),
                look.state(one),
                lines(look.text(one["reason"]), *(look.text(each) for each in one["doubts"])),
                look.text(one["confirmed_by"]),
            ),
            str(one["items"][0]) if len(one["items"]) == 1 else "",
        )
        for one in majors
    )
    return look.grid(look.word("majors"), columns, rows)


def risks(look: Look) -> list[Block]:
    """Return the register of risks."""
    return _register(look, "risk_register", "risks")


def tasks(look: Look) -> list[Block]:
    """Return the tasks of rectification."""
    return _register(look, "tasks", "tasks")


def waivers(look: Look) -> list[Block]:
    """Return the waivers, expired ones too."""
    return _register(look, "waivers", "waivers")


def records(look: Look) -> list[Block]:
    """Return the records of evidence that are no scans."""
    return _register(look, "records", "records", scans=False)


def all_records(look: Look) -> list[Block]:
    """Return all records of evidence."""
    return _register(look, "records", "records")


def scans(look: Look) -> list[Block]:
    """Return the records of scans for weaknesses."""
    return _register(look, "records", "records", scans=True)


def _register(look: Look, caption: str, name: str, *, scans: bool | None = None) -> list[Block]:
    rows = [
        row
        for row in look[name]
        if scans is None or any(word in str(row.get("kind", "")) for word in _SCANS) == scans
    ]
    title = look.word(caption)
    return [look.rows(title, rows)] if rows else [Sentence(f"{title}: {look.word('none')}")]


def evidence(look: Look) -> list[Block]:
    """Return the index of evidence: every snapshot once, with the items that rest on it."""
    used: dict[str, list[str]] = {}
    found: dict[str, Mapping[str, Any]] = {}
    for item in look["items"]:
        for each in evidence_of(item):
            found[each["sha256"]] = each
            used.setdefault(each["sha256"], []).append(item["id"])
    if not found:
        return [Sentence(look.word("none"))]
    columns = look.columns(kind=3, object_name=2, taken_at=3, source=4, digest=6, items=4)
    rows = (_evidence(look, each, used[digest]) for digest, each in found.items())
    return [look.grid(look.word("evidence_sheet"), columns, rows)]


def _evidence(look: Look, each: Mapping[str, Any], items: list[str]) -> Row:
    origin = each["origin"]
    return Row(
        (
            look.text(each["kind"]),
            look.text(each["object"]) or look.word("this_instance"),
            str(each["taken_at"]),
            lines(
                look.text(origin["source"]),
                look.text(origin["query"]),
                " … ".join(window_of(each)).strip(),
            ),
            look.text(each["sha256"]),
            look.ids(items),
        )
    )
