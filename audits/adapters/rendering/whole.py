"""What a report says of the whole: its first page, figures, risks, conclusions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from audits.adapters.rendering.charts import Axis, Legend, Moment, radar, trend
from audits.adapters.rendering.items import counted, window_of
from audits.adapters.rendering.look import Look, day_of, judged_share, lines, share, share_of
from audits.adapters.rendering.paper import Block, Column, Facts, Figure, Grid, Row, Sentence
from audits.models.assessments import STATUSES
from audits.models.systems import THIS_INSTANCE
from secops.kernel.rounding import percent


def cover(look: Look, outline: Mapping[str, str]) -> tuple[Block, ...]:
    """Return the first page: what was checked, how much of it, and what that is worth."""
    return (
        Sentence(look.text(look["disclaimer"]), "warning"),
        _system_facts(look),
        Facts((*_figures(look), (look.word("outline"), outline[look.language]))),
        Sentence(look.word("proof")),
    )


def system_name(look: Look) -> str:
    """Return the name of what was checked."""
    name = look.text(look["system"]["name"])
    this = look["system"]["id"] == THIS_INSTANCE
    return name or (look.word("this_instance") if this else look.text(look["system"]["id"]))


def _system_facts(look: Look) -> Facts:
    """Return what is known of the system."""
    system = look["system"]
    rows = (
        (look.word("object"), system_name(look)),
        (look.word("level"), f"{look['level']} ({look.text(system['sag'])})"),
        (look.word("filing"), look.text(system["filing_number"])),
        (look.word("filed_at"), day_of(system["filed_at"])),
        (look.word("owner"), look.text(system["owner"])),
        (look.word("domain"), look.text(system["domain"])),
        (look.word("data_grade"), look.text(system["data_grade"])),
        (look.word("edition"), look.text(look["edition"])),
        (
            look.word("made"),
            f"{look['made_at']} · {look.text(look['made_by'])} · {look['id']}",
        ),
    )
    return Facts(tuple(row for row in rows if row[1]))


def _figures(look: Look) -> tuple[tuple[str, str], ...]:
    kinds, coverage = look["kinds"], look["coverage"]
    return (
        (look.word("kinds"), look.word("kinds_value", all=len(look["items"]), **kinds)),
        (look.word("judged_by"), look.word("judged_by_value", **look["judged_by"])),
        (look.word("coverage"), coverage_of(look, coverage)),
        (look.word("results"), counted(look, look["counts"])),
        (_estimated(look, "rate"), _rates(look)),
        (look.word("majors"), majors_of(look)),
        (_estimated(look, "conclusion"), conclusion_of(look)),
    )


def _estimated(look: Look, name: str) -> str:
    """Return the word for a figure, and that it is only an estimate."""
    return f"{look.word(name)}({look.word('estimate')})"


def coverage_of(look: Look, coverage: Mapping[str, int]) -> str:
    """Return how many applicable items were judged; what was not assessed is said beside."""
    judged, unassessed = percent(judged_share(coverage)), look["counts"]["unassessed"]
    return look.word("coverage_value", percent=judged, unassessed=unassessed, **coverage)


def _rates(look: Look) -> str:
    rate = look["rate"]
    return look.word("rate_value", strict=share(rate["strict"]), weighted=share(rate["weighted"]))


def majors_of(look: Look) -> str:
    """Return the number of major risks as the template prints it: before rectification."""
    majors = look["majors"]
    if not majors["rectified"]:
        return str(majors["found"])
    return look.word("majors_value", found=majors["found"], rectified=majors["rectified"])


def conclusion_of(look: Look) -> str:
    """Return the conclusion, or why there is none."""
    return look.text(look["conclusion"]) or look.word("no_conclusion")


def statement(look: Look) -> list[Block]:
    """Return what the report is not, and how its figures are to be read."""
    said = ["own_check", "unassessed_rule", "paraphrase_rule"]
    if not all(item["official_id"] for item in look["items"]):
        said.append("derived_rule")
    notes = [Sentence(look.text(note), "doubt") for note in look["notes"]]
    disclaimer = Sentence(look.text(look["disclaimer"]), "warning")
    return [disclaimer, *(Sentence(look.word(name)) for name in said), *notes]


def conclusion_table(look: Look) -> list[Block]:
    """Return the table that the official reports begin with, every figure an estimate."""
    estimate = look.word("estimate")
    columns = (
        Column(look.word("object"), 3),
        Column(look.word("level"), 2),
        Column(look.word("filing"), 3),
        Column(_estimated(look, "rate"), 4),
        Column(look.word("coverage"), 4),
        Column(look.word("majors"), 3),
        Column(_estimated(look, "conclusion"), 3),
    )
    cells = (
        system_name(look),
        look.text(look["system"]["sag"]),
        look.text(look["system"]["filing_number"]),
        _rates(look),
        coverage_of(look, look["coverage"]),
        majors_of(look),
        conclusion_of(look),
    )
    caption = f"{look.text(look['edition'])} · {estimate}"
    return [Grid(caption, columns, (Row(cells),))]


def overall_view(look: Look) -> list[Block]:
    """Return the counts of results in one line."""
    return [Sentence(counted(look, look["counts"]))]


def class_radar(look: Look) -> list[Block]:
    """Return the wheel of classes."""
    axes = [
        Axis(
            look.text(one["title"]),
            share_of(one["rate"]),
            judged_share(one),
        )
        for one in look["classes"]
        if one["applicable"]
    ]
    return _figure(look, "radar", radar(axes, _legend(look, "radar")), axes)


def earlier(look: Look) -> list[Block]:
    """Return the line over earlier assessments, where the document knows any."""
    moments = [
        Moment(
            day_of(one["made_at"]),
            share_of(one["rate"]),
            judged_share(one),
        )
        for one in look["trend"]
    ]
    return _figure(look, "trend", trend(moments, _legend(look, "trend")), moments)


def _legend(look: Look, name: str) -> Legend:
    return Legend(look.word(name), look.word("radar_rate"), look.word("radar_judged"))


def _figure(
    look: Look, name: Any, svg: str, points: Sequence[Axis] | Sequence[Moment]
) -> list[Block]:
    if not svg:
        return []
    said = (
        look.word(
            "figure_words",
            label=point.label,
            rate=percent(point.rate),
            judged=percent(point.judged),
        )
        for point in points
    )
    return [Figure(name, svg, f"{look.word(name)}. {'; '.join(said)}")]


def classes(look: Look) -> list[Block]:
    """Return the counts of each class and of all."""
    columns = (
        Column(look.word("class"), 4),
        *(Column(text.into(look.language), 2) for text in STATUSES.values()),
        Column(look.word("class_judged"), 2),
        Column(look.word("radar_rate"), 3),
    )
    rows = [
        _class_row(look.text(one["title"]), one["counts"], one, one["rate"])
        for one in look["classes"]
    ]
    strict = look["rate"]["strict"]
    rows.append(_class_row(look.word("total"), look["counts"], look["coverage"], strict))
    return [look.grid(look.word("class"), columns, rows)]


def _class_row(title: str, counts: Mapping[str, int], covered: Mapping[str, Any], rate: str) -> Row:
    judged = f"{covered['judged']} / {covered['applicable']}"
    return Row((title, *(str(counts[status]) for status in STATUSES), judged, share(rate)))


def delta(look: Look) -> list[Block]:
    """Return what changed since the last assessment."""
    changed = look["delta"]
    if changed is None:
        return [Sentence(look.word("no_delta"))]
    since = {"against": changed["against"], "made_at": day_of(changed["made_at"])}
    if not changed["items"]:
        return [Sentence(look.word("no_change", **since))]
    return [_changes(look, look.word("delta", **since), changed["items"])]


def last_problems(look: Look) -> list[Block]:
    """Return what failed the last time, and how it stands now."""
    changed = look["delta"]
    failed = [each for each in (changed or {"items": ()})["items"] if each["before"] != "compliant"]
    if not failed:
        return [Sentence(look.word("no_delta" if changed is None else "none"))]
    return [_changes(look, look.word("last_problems"), failed)]


def _changes(look: Look, caption: str, changes: Sequence[Mapping[str, str]]) -> Grid:
    columns = look.columns(number=2, before=2, after=2)
    rows = (
        Row(
            (look.ids(each["id"]), look.status(each["before"]), look.status(each["after"])),
            str(each["id"]),
        )
        for each in changes
    )
    return look.grid(caption, columns, rows)


def project(look: Look) -> list[Block]:
    """Return purpose, method, period and population of the check."""
    instants = [
        instant
        for item in look["items"]
        for each in item["evidence"]
        for instant in (str(each["taken_at"]), *window_of(each))
        if instant
    ]
    period = f"{min(instants)} … {max(instants)}" if instants else look.word("none")
    return [
        Sentence(look.word("purpose")),
        Sentence(look.word("method_auto")),
        Facts(
            (
                (look.word("edition"), look.text(look["edition"])),
                (look.word("period"), period),
                (
                    look.word("population"),
                    look.word("population_value", assets=len(look["assets"])),
                ),
            )
        ),
    ]


def method(look: Look) -> list[Block]:
    """Return how items are judged from objects."""
    return [Sentence(look.word("method_auto")), Sentence(look.word("value_rule"))]


def system(look: Look) -> list[Block]:
    """Return the facts of the system."""
    return [_system_facts(look)]


def overall(look: Look) -> list[Block]:
    """Return what is said of items together."""
    return [Sentence(look.word("value_rule")), Sentence(look.word("overall_rule"))]


def calculations(look: Look) -> list[Block]:
    """Return what each calculator made of it: edition, figures, parameters, doubts."""
    columns = (
        Column(look.word("calculation"), 4),
        Column(look.word("applies"), 2),
        Column(look.word("figures"), 4),
        Column(_estimated(look, "conclusion"), 3),
        Column(look.word("parameters"), 4),
        Column(look.word("doubts"), 5),
    )
    rows = (_calculation(look, one) for one in look["calculations"])
    whole = Facts(
        (
            (_estimated(look, "rate"), _rates(look)),
            (look.word("coverage"), coverage_of(look, look["coverage"])),
            (_estimated(look, "conclusion"), conclusion_of(look)),
        )
    )
    return [whole, look.grid(look.word("calculation"), columns, rows)]


def _calculation(look: Look, one: Mapping[str, Any]) -> Row:
    figures, parameters = (
        lines(*(f"{look.text(name)}: {look.text(value)}" for name, value in one[of].items()))
        for of in ("figures", "parameters")
    )
    return Row(
        (
            lines(look.text(one["title"]), look.text(one["edition"])),
            look.text(bool(one["applies"])),
            figures,
            look.text(one["conclusion"]) or "—",
            parameters,
            lines(*(look.text(doubt) for doubt in one["doubts"])),
        )
    )
