"""Commands of ``logs`` on graded data: classes, policies, reveals, traces."""

from __future__ import annotations

import sys
from typing import Any

import click

from secops.terminal.output import json_option, print_json, print_table, say
from secops.terminal.session import session_of

_GRADES = ("1", "2", "3", "4", "important", "core")


@click.command("data-classes")
@json_option
@click.pass_context
def data_classes(ctx: click.Context, /, *, as_json: bool) -> None:
    """List the classes of data that are recognised in logs, with their grades.

    Example: secops logs data-classes
    """
    from detectors.service import DetectorsServices  # noqa: PLC0415 - heavy
    from detectors.service.logs.privacy_presentation import class_json  # noqa: PLC0415 - heavy

    session = session_of(ctx)
    found = session.services(DetectorsServices).privacy.list_data_classes(session.actor)
    if as_json:
        print_json({"items": [class_json(each) for each in found], "next": None})
        return
    rows = [
        [each.id, each.title.zh, each.title.en, each.grade, "*" if each.masked else "", each.source]
        for each in found
    ]
    print_table("data classes", ("id", "名称", "name", "grade", "masked", "source"), rows)


@click.command("set-policy")
@click.argument("source")
@click.option("--grade", type=click.Choice(_GRADES), default="2", help="Highest that belongs here.")
@click.option("--mask", "masked", multiple=True, help="A class to star out; repeatable.")
@click.option("--mask-all", is_flag=True, help="Every class that is masked by default.")
@click.option("--keep-originals", is_flag=True, help="Keep masked lines under a pool key.")
@json_option
@click.pass_context
def set_policy(ctx: click.Context, /, source: str, *, as_json: bool, **written: Any) -> None:
    """Decide what is done with graded data in a source's lines (security administrator).

    Lines that are stored already stay as they are: segments are never rewritten.

    Example: secops logs set-policy portal.log --grade 2 --mask-all --keep-originals
    """
    from detectors.models.privacy import SourcePolicy  # noqa: PLC0415 - quick --help
    from detectors.service import DetectorsServices  # noqa: PLC0415 - heavy
    from detectors.service.logs.privacy_presentation import policy_json  # noqa: PLC0415 - heavy

    session = session_of(ctx)
    masked = ("*",) if written["mask_all"] else written["masked"]
    policy = SourcePolicy(
        source, session.actor.org_id, written["grade"], masked, written["keep_originals"]
    )
    kept = session.services(DetectorsServices).privacy.set_policy(session.actor, policy)
    if as_json:
        print_json(policy_json(kept))
        return
    say(f"{source}: grade {kept.grade}, masked: {', '.join(kept.masked) or 'nothing'}")


@click.command("policies")
@json_option
@click.pass_context
def policies(ctx: click.Context, /, *, as_json: bool) -> None:
    """List what is done with graded data, by source.

    Example: secops logs policies --json
    """
    from detectors.service import DetectorsServices  # noqa: PLC0415 - heavy
    from detectors.service.logs.privacy_presentation import policy_json  # noqa: PLC0415 - heavy

    session = session_of(ctx)
    found = session.services(DetectorsServices).privacy.list_policies(session.actor)
    documents = [policy_json(each) for each in found]
    if as_json:
        print_json({"items": documents, "next": None})
        return
    columns = ("source", "grade", "masked", "keeps_originals", "changed_by", "changed_at")
    rows = [each | {"masked": ", ".join(each["masked"])} for each in documents]
    print_table("policies", columns, [[str(row[name]) for name in columns] for row in rows])


@click.command("reveal")
@click.argument("event_id")
@click.option("--reason", required=True, help="Why; the ledger keeps it.")
@click.pass_context
def reveal(ctx: click.Context, /, event_id: str, *, reason: str) -> None:
    """Show a masked line as it came; who and why stands in the ledger first.

    Example: secops logs reveal 3f2a… --reason "incident 12: whose number was it"
    """
    from detectors.service import DetectorsServices  # noqa: PLC0415 - heavy

    session = session_of(ctx)
    privacy = session.services(DetectorsServices).privacy
    original = privacy.reveal_original(session.actor, event_id, reason)
    sys.stdout.write(original.decode("utf-8", "backslashreplace") + "\n")


@click.command("trace")
@click.argument("subject")
@click.option("--since", help="From: 2026-11-01, 7d, 12h …")
@click.option("--until", help="To; a date is the whole day.")
@json_option
@click.pass_context
def trace(
    ctx: click.Context, /, subject: str, *, since: str | None, until: str | None, as_json: bool
) -> None:
    """Show who touched a subject, from logs and ledger: a number, account, address, key.

    Numbers that were masked are found, too. A row with ledger entries can be proved by
    ``secops audits prove ENTRY``.

    Example: secops logs trace 13800138000 --since 30d
    """
    from detectors.service import DetectorsServices  # noqa: PLC0415 - heavy
    from detectors.service.logs.privacy_presentation import trace_json  # noqa: PLC0415 - heavy

    session = session_of(ctx)
    tracing = session.services(DetectorsServices).tracing
    found = trace_json(tracing.trace_subject(session.actor, subject, window=(since, until)))
    if as_json:
        print_json(found)
        return
    columns = ("last_at", "who", "action", "target", "outcome", "source", "count", "ledger_entries")
    print_table(subject, columns, [[str(row[name]) for name in columns] for row in found["items"]])
    said = "" if found["complete"] else "; there are more: narrow it with --since"
    say(f"{found['events']} events, recognised as {', '.join(found['classes']) or 'text'}{said}")
