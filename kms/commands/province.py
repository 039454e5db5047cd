"""``secops kms verify-seal-at-province``: the province's verdict beside ours."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from kms.commands.seal_files import FILE, OK, content_of
from secops.terminal.output import json_option, print_json, print_table
from secops.terminal.session import session_of


@click.command("verify-seal-at-province")
@click.argument("file", type=FILE)
@click.option("--document", type=FILE, help="What a detached value was put on; it is sent there.")
@json_option
@click.pass_context
def verify_seal_at_province(
    ctx: click.Context, *, file: Path, document: Path | None, as_json: bool
) -> None:
    """Verify FILE here and at the province; ours counts: exit 1 if it is not valid here.

    Example: secops --as auditor kms verify-seal-at-province notice.pdf.dat --document notice.pdf
    """
    from kms.service import KmsServices  # noqa: PLC0415 - quick --help

    session = session_of(ctx)
    both = session.services(KmsServices).remote_seals.verify_seal_at_province(
        session.actor, content_of(file), None if document is None else content_of(document)
    )
    if as_json:
        print_json(both.to_record())
    else:
        (ours,) = both.ours.signatures or (None,)
        failed = [] if ours is None else [step.what for step in ours.steps if step.ok is False]
        rows = [
            ("本系统 here", OK[both.ours.valid], ", ".join(failed)),
            ("省级 province", OK[both.theirs.valid], "; ".join(both.theirs.reasons)),
        ]
        print_table("", ("whose", "ok", "why"), rows)
    if not both.ours.valid:
        ctx.exit(1)


COMMANDS: Final[tuple[click.Command, ...]] = (verify_seal_at_province,)
"""What the group ``secops kms`` takes up."""
