"""``secops audits``: answer-case, tick-major, set-high-risk, judge-unit, list-person-answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from audits.commands.group import group
from audits.commands.options import FILE, standard, system
from secops.kernel.pages import page_request
from secops.terminal.output import json_option, page_options, print_list, say
from secops.terminal.session import session_of

Command = TypeVar("Command", bound=Callable[..., Any])


def _said(command: Command) -> Command:
    """Add who says so, why, on which documents, for how long, of which system."""
    for option in (
        system,
        click.option("--days", type=click.IntRange(1, 366), default=180, show_default=True),
        click.option("--evidence", type=FILE, multiple=True, help="A document; repeatable."),
        click.option("--person", required=True, help="Who judged."),
        click.option("--reason", required=True, help="What was examined and found."),
    ):
        command = option(command)
    return command


def _read_said(session: Any, chosen: Mapping[str, Any]) -> Any:
    """Keep the documents named and return who says so; needs a session of this home."""
    from audits.service import AuditsServices  # noqa: PLC0415 - quick --help
    from audits.service.assessments.answers import Said  # noqa: PLC0415

    keep = session.services(AuditsServices).assessments.keep_document
    return Said(
        person=chosen["person"],
        reason=chosen["reason"],
        evidence=tuple(keep(session.actor, path.read_bytes()) for path in chosen["evidence"]),
        days=chosen["days"],
        system_id=chosen["system_id"],
    )


def _tick(name: str, help_text: str) -> Callable[[Command], Command]:
    return click.option(f"--{name}/--not-{name}", default=None, help=help_text)


@group.command("answer-case")
@click.argument("case")
@_tick("condition", "The case's condition holds.")
@_tick("triggered", "The trigger is met.")
@_tick("never", "What nothing lowers holds.")
@_tick("mitigated", "A mitigation is proven; needs --evidence.")
@_said
@standard
@click.pass_context
def answer_case(ctx: click.Context, /, **chosen: Any) -> None:
    """Answer high-risk CASE as a named person; it counts from the next assessment on.

    Example: secops audits answer-case 6.4.2.1 --condition --triggered --person 李四
    --reason "默认口令仍可登录"
    """
    from audits.service import AuditsServices  # noqa: PLC0415 - quick --help

    session = session_of(ctx)
    names = ("condition", "triggered", "never", "mitigated")
    answer = session.services(AuditsServices).answers.answer_case(
        session.actor,
        chosen["standard"],
        chosen["case"],
        {name: chosen[name] for name in names},
        _read_said(session, chosen),
    )
    say(f"{answer.id}: {answer.subject}")


@group.command("tick-major")
@click.argument("trigger", nargs=-1, required=True)
@_tick("relevant", "相关性.")
@_tick("severe", "严重性.")
@_tick("frequent", "高发性.")
@_tick("rectified", "Already rectified; needs --evidence.")
@_said
@standard
@click.pass_context
def tick_major(ctx: click.Context, /, **chosen: Any) -> None:
    """Tick what makes TRIGGER a major risk (重大风险隐患), or several items that add up to one.

    Example: secops audits tick-major A-01 --relevant --severe --frequent --person 李四
    --reason "机房无门禁"
    """
    from audits.service import AuditsServices  # noqa: PLC0415 - quick --help

    session = session_of(ctx)
    names = ("relevant", "severe", "frequent", "rectified")
    trigger = chosen["trigger"]
    answer = session.services(AuditsServices).answers.tick_major(
        session.actor,
        chosen["standard"],
        trigger[0] if len(trigger) == 1 else trigger,
        {name: chosen[name] for name in names},
        _read_said(session, chosen),
    )
    say(f"{answer.id}: {answer.subject}")


@group.command("set-high-risk")
@click.argument("item")
@click.option("--lift", is_flag=True, help="Take it back.")
@_said
@standard
@click.pass_context
def set_high_risk(ctx: click.Context, /, **chosen: Any) -> None:
    """Set a high risk on ITEM where no case matches, as a named person.

    Example: secops audits set-high-risk L3-PES1-01 --person 李四 --reason "机房在地下室且进水"
    """
    from audits.service import AuditsServices  # noqa: PLC0415 - quick --help

    session = session_of(ctx)
    answer = session.services(AuditsServices).answers.set_high_risk(
        session.actor,
        chosen["standard"],
        chosen["item"],
        _read_said(session, chosen),
        high=not chosen["lift"],
    )
    say(f"{answer.id}: {answer.subject}")


@group.command("judge-unit")
@click.argument("unit")
@click.option("--effective/--not-effective", required=True, default=None, help="D.")
@click.option("--approved/--not-approved", required=True, default=None, help="A.")
@click.option("--managed/--not-managed", required=True, default=None, help="K.")
@click.option("--bits", type=click.IntRange(0, 1024), default=0, help="Strength where not A.")
@click.option(
    "--module-level",
    type=click.IntRange(0, 4),
    default=0,
    help="Level of the certified module; needs its certificate as --evidence.",
)
@click.option("--compensated-by", default="", help="The unit that makes up for this one.")
@click.option("--object", "object_id", default="", help="An asset. Default: the whole.")
@_said
@click.pass_context
def judge_unit(ctx: click.Context, /, **chosen: Any) -> None:
    """Judge D, A and K of an object under UNIT of GB/T 39786, as a named person.

    Example: secops audits judge-unit MP-6.1.1 --effective --approved --managed
    --module-level 2 --evidence certificate.pdf --person 李四 --reason "门禁用国密卡"
    """
    from audits.service import AuditsServices  # noqa: PLC0415 - quick --help
    from audits.service.assessments.answers import UnitAnswer  # noqa: PLC0415

    session = session_of(ctx)
    unit = UnitAnswer(
        unit_id=chosen["unit"],
        effective=chosen["effective"],
        approved=chosen["approved"],
        managed=chosen["managed"],
        bits=chosen["bits"],
        module_level=chosen["module_level"],
        compensated_by=chosen["compensated_by"],
        object_id=chosen["object_id"],
    )
    answer = session.services(AuditsServices).answers.judge_unit(
        session.actor, "gbt39786", unit, _read_said(session, chosen)
    )
    say(f"{answer.id}: {answer.subject}")


@group.command("list-person-answers")
@standard
@system
@page_options
@json_option
@click.pass_context
def list_person_answers(ctx: click.Context, /, **chosen: Any) -> None:
    """List what persons answered on cases, triggers, high risks and units, newest first.

    Example: secops audits list-person-answers --standard gbt39786
    """
    from audits.service import AuditsServices  # noqa: PLC0415 - quick --help
    from audits.service.assessments.documents import answer_view  # noqa: PLC0415

    session = session_of(ctx)
    page = session.services(AuditsServices).answers.list_person_answers(
        session.actor,
        chosen["standard"],
        page_request(chosen["limit"], chosen["cursor"]),
        chosen["system_id"],
    )
    records = [answer_view(answer) for answer in page.items]
    columns = ("id", "kind", "subject", "object", "person", "at", "expires_at")
    print_list("Answers", columns, records, as_json=chosen["as_json"], following=page.next)
