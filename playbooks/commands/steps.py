"""Commands on single steps of a run, and the replay of a finished one."""

from __future__ import annotations

from typing import Any

import click

from playbooks.commands.group import group
from secops.terminal.output import json_option, print_json, print_table
from secops.terminal.session import session_of


@group.command("approve-step")
@click.argument("run_id")
@click.argument("step")
@click.option("--hash", "sha256", required=True, metavar="SHA256", help="The step's hash you saw.")
@click.option("--loop", default="", help="The turn of the loops around it, such as 3.1.")
@click.option("--reject", is_flag=True, help="Refuse it: the step fails.")
@click.option("--reason", default="")
@click.pass_context
def approve_step(ctx: click.Context, /, run_id: str, step: str, **chosen: Any) -> None:
    """Approve what a late-bound step would do, exactly as its hash says; go on.

    Example: secops --as security-admin playbooks approve-step run_01k9 action--… --hash 3f2a
    """
    from playbooks.service import PlaybooksServices, StepDecision  # noqa: PLC0415 - quick --help

    session = session_of(ctx)
    services = session.services(PlaybooksServices)
    decision = StepDecision(
        path=step,
        sha256=chosen["sha256"],
        grant=not chosen["reject"],
        loop=chosen["loop"],
        reason=chosen["reason"],
    )
    services.steps.approve_step(session.actor, run_id, decision)
    gone_on = services.runner.advance(run_id)
    click.echo(f"{gone_on.id} {gone_on.state}")


@group.command("prolong-containment")
@click.argument("run_id")
@click.argument("step")
@click.option("--seconds", required=True, type=click.IntRange(min=1), help="From now.")
@click.pass_context
def prolong_containment(ctx: click.Context, run_id: str, step: str, seconds: int) -> None:
    """Let what a step took away stay so for longer.

    Example: secops playbooks prolong-containment run_01k9 action--… --seconds 86400
    """
    from playbooks.service import PlaybooksServices  # noqa: PLC0415 - quick --help

    session = session_of(ctx)
    services = session.services(PlaybooksServices)
    later = services.steps.prolong_containment(session.actor, run_id, step, seconds=seconds)
    click.echo(f"{later.id} {later.state}")


@group.command("replay-run")
@click.argument("run_id")
@json_option
@click.pass_context
def replay_run(ctx: click.Context, run_id: str, *, as_json: bool) -> None:
    """Decide a finished run again from its record; exit 1 if anything comes out otherwise.

    Example: secops playbooks replay-run run_01k9
    """
    from playbooks.service import PlaybooksServices  # noqa: PLC0415 - quick --help

    session = session_of(ctx)
    replay = session.services(PlaybooksServices).steps.replay_run(session.actor, run_id)
    differences = [
        {"seq": one.seq, "step": one.place, "expected": one.expected, "found": one.found}
        for one in replay.differences
    ]
    if as_json:
        print_json(
            {
                "id": replay.run.id,
                "state": replay.run.state,
                "lines": replay.lines,
                "differences": differences,
            }
        )
    else:
        click.echo(f"{replay.run.id} {replay.run.state}: {replay.lines} lines replayed")
        rows = [tuple(one.values()) for one in differences]
        print_table("不一致 Differences", ("#", "step", "expected", "found"), rows)
    if differences:
        ctx.exit(1)
