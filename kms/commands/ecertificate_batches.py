"""``secops kms``: batches of e-certificates, with progress and the sealed files as zips."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from kms.commands.ecertificates import here
from secops.terminal.output import (
    json_option,
    print_json,
    print_list,
    print_table,
    progress_bar,
    say,
)
from secops.terminal.session import session_of

if TYPE_CHECKING:
    from kms.models.ecertificates import Batch
    from secops.kernel.jobs import Task

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FOLDER = click.Path(file_okay=False, path_type=Path)
_MAX_FILE: Final = 4 << 20
_PAUSE: Final = 0.5
"""Seconds between two looks while another process works on the batch."""
_WORKING: Final = ("queued", "running")
_COLUMNS: Final = ("id", "name", "state", "done", "total")
_ROW_COLUMNS: Final = ("row", "state", "number", "holder", "ecertificate_id")


@click.command("check-ecertificate-batch")
@click.argument("template")
@click.argument("file", type=_FILE)
@json_option
@click.pass_context
def check_ecertificate_batch(
    ctx: click.Context, *, template: str, file: Path, as_json: bool
) -> None:
    """Try all rows of FILE (CSV or JSON Lines) without issuing; exit 1 if one is wrong (试运行).

    Example: secops --as seal-holder kms check-ecertificate-batch ect_01… rows.csv
    """
    found = here(ctx).batches.check_ecertificate_batch(
        session_of(ctx).actor, template, _content(file)
    )
    problems = [
        {"row": each.row, "field": each.field, "zh": each.why.zh, "en": each.why.en}
        for each in found.problems
    ]
    if as_json:
        print_json({"total": found.total, "problems": problems})
    else:
        print_table("Problems", ("row", "field", "zh", "en"), [tuple(p.values()) for p in problems])
        say(f"{found.total} rows, {len(problems)} problems")
    if problems:
        ctx.exit(1)


@click.command("order-ecertificate-batch")
@click.argument("template")
@click.argument("file", type=_FILE)
@click.option("--name", required=True, help="What the batch is called in lists.")
@click.option("--no-wait", is_flag=True, help="Leave the work to the running service.")
@json_option
@click.pass_context
def order_ecertificate_batch(ctx: click.Context, /, template: str, **options: Any) -> None:
    """Issue one e-certificate for each row of FILE, none if one row is wrong; exit 1 if stopped.

    Example: secops --as seal-holder kms order-ecertificate-batch ect_01… rows.csv --name 六月
    """
    batch = here(ctx).batches.order_ecertificate_batch(
        session_of(ctx).actor, template, _content(options["file"]), name=options["name"]
    )
    _finish(ctx, batch, wait=not options["no_wait"], as_json=options["as_json"])


@click.command("resume-ecertificate-batch")
@click.argument("batch")
@click.option("--no-wait", is_flag=True, help="Leave the work to the running service.")
@json_option
@click.pass_context
def resume_ecertificate_batch(
    ctx: click.Context, *, batch: str, no_wait: bool, as_json: bool
) -> None:
    """Go on with a BATCH that was stopped, from its first row that waits.

    Example: secops --as seal-holder kms resume-ecertificate-batch ecb_01…
    """
    actor, batches = session_of(ctx).actor, here(ctx).batches
    batches.resume_ecertificate_batch(actor, batch)
    found = batches.show_ecertificate_batch(actor, batch).batch
    _finish(ctx, found, wait=not no_wait, as_json=as_json)


@click.command("cancel-ecertificate-batch")
@click.argument("batch")
@click.pass_context
def cancel_ecertificate_batch(ctx: click.Context, *, batch: str) -> None:
    """Issue no further row of BATCH; what was issued stays.

    Example: secops --as seal-holder kms cancel-ecertificate-batch ecb_01…
    """
    here(ctx).batches.cancel_ecertificate_batch(session_of(ctx).actor, batch)
    say(f"{batch}: cancelled")


@click.command("list-ecertificate-batches")
@click.option("--limit", type=click.IntRange(1, 200), default=50)
@click.option("--cursor", help="Of the page before.")
@json_option
@click.pass_context
def list_ecertificate_batches(
    ctx: click.Context, *, limit: int, cursor: str | None, as_json: bool
) -> None:
    """List batches with their progress, newest first.

    Example: secops --as auditor kms list-ecertificate-batches
    """
    from secops.kernel.pages import page_request  # noqa: PLC0415 - quick --help

    page = here(ctx).batches.list_ecertificate_batches(
        session_of(ctx).actor, page_request(str(limit), cursor)
    )
    rows = [_batch(batch, task) for batch, task in page.items]
    print_list("Batches", _COLUMNS, rows, as_json=as_json, following=page.next)


@click.command("show-ecertificate-batch")
@click.argument("batch")
@json_option
@click.pass_context
def show_ecertificate_batch(ctx: click.Context, *, batch: str, as_json: bool) -> None:
    """Show BATCH: progress, and why it was stopped if it was.

    Example: secops --as auditor kms show-ecertificate-batch ecb_01…
    """
    _present(ctx, batch, as_json=as_json)


@click.command("list-ecertificate-rows")
@click.argument("batch")
@click.option("--limit", type=click.IntRange(1, 200), default=200)
@click.option("--cursor", help="Of the page before.")
@json_option
@click.pass_context
def list_ecertificate_rows(ctx: click.Context, /, batch: str, **options: Any) -> None:
    """List the rows of BATCH and what came of each.

    Example: secops --as auditor kms list-ecertificate-rows ecb_01…
    """
    from secops.kernel.pages import page_request  # noqa: PLC0415 - quick --help

    page = here(ctx).batches.list_ecertificate_rows(
        session_of(ctx).actor, batch, page_request(str(options["limit"]), options["cursor"])
    )
    rows = [
        {
            "row": row.n,
            "state": row.state,
            "number": row.number,
            "holder": row.holder_masked,
            "ecertificate_id": row.certificate_id,
            "use_id": row.use_id,
            "why": row.error,
        }
        for row in page.items
    ]
    columns, as_json = (*_ROW_COLUMNS, "why"), options["as_json"]
    print_list("Rows", columns, rows, as_json=as_json, following=page.next)


@click.command("zip-ecertificate-batch")
@click.argument("batch")
@click.option("-o", "--output", type=_FOLDER, required=True, help="Write the zips into here.")
@click.pass_context
def zip_ecertificate_batch(ctx: click.Context, *, batch: str, output: Path) -> None:
    """Write the sealed files of BATCH as BATCH-1.zip, BATCH-2.zip …, 200 in each.

    Example: secops --as seal-holder kms zip-ecertificate-batch ecb_01… -o out
    """
    from kms.errors.ecertificates import ECertificateNotFound  # noqa: PLC0415 - quick --help

    actor, batches = session_of(ctx).actor, here(ctx).batches
    found = batches.show_ecertificate_batch(actor, batch)
    output.mkdir(parents=True, exist_ok=True)
    for part in range(1, found.parts + 1):
        path = output / f"{found.batch.id}-{part}.zip"
        try:
            path.write_bytes(batches.zip_ecertificate_batch(actor, batch, part))
        except ECertificateNotFound:  # none of these rows was issued
            continue
        say(str(path))


def _finish(ctx: click.Context, batch: Batch, *, wait: bool, as_json: bool) -> None:
    """Work through ``batch`` in this process, or watch the one that does, then present it."""
    services, actor = here(ctx), session_of(ctx).actor

    def look() -> Task:
        return services.batches.show_ecertificate_batch(actor, batch.id).task

    if wait:
        task = look()
        with progress_bar(batch.name, task.total) as bar:
            bar.advance(task.done)
            while task.state in _WORKING:
                went_on = services.runner.advance(batch)
                before, task = task, look()
                bar.advance(task.done - before.done)
                if not went_on and task.state in _WORKING:
                    time.sleep(_PAUSE)
    _present(ctx, batch.id, as_json=as_json)


def _present(ctx: click.Context, batch_id: str, *, as_json: bool) -> None:
    found = here(ctx).batches.show_ecertificate_batch(session_of(ctx).actor, batch_id)
    record = _batch(found.batch, found.task) | {"counts": dict(found.counts)}
    if as_json:
        print_json(record)
    else:
        click.echo(record["id"])
        say(f"{record['state']}: {record['done']} of {record['total']} {record['why'] or ''}")
    if found.task.state == "failed":
        ctx.exit(1)


def _batch(batch: Batch, task: Task) -> dict[str, Any]:
    import orjson  # noqa: PLC0415 - quick --help

    return {
        "id": batch.id,
        "name": batch.name,
        "template_id": batch.template_id,
        "state": task.state,
        "done": task.done,
        "total": task.total,
        "why": orjson.loads(task.result) if task.result else None,
    }


def _content(path: Path) -> bytes:
    """Return the file's bytes, one more than allowed at most: the service refuses those."""
    with path.open("rb") as stream:
        return stream.read(_MAX_FILE + 1)


COMMANDS: Final[tuple[click.Command, ...]] = (
    check_ecertificate_batch,
    order_ecertificate_batch,
    resume_ecertificate_batch,
    cancel_ecertificate_batch,
    list_ecertificate_batches,
    show_ecertificate_batch,
    list_ecertificate_rows,
    zip_ecertificate_batch,
)
"""What the group ``secops kms`` takes up."""
