"""``secops kms preview-stamp``: where a seal will stand, before anything is sealed."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from kms.commands.seal_files import FILE, OUT, content_of, stamping_of
from secops.terminal.output import json_option, print_json, say
from secops.terminal.session import session_of


@click.command("preview-stamp")
@click.argument("seal")
@click.argument("file", type=FILE)
@click.option("-o", "--output", type=OUT, required=True, help="Write the picture (.png) here.")
@click.option("--at", "places", multiple=True, metavar="PAGE,X,Y", help="mm; page -1: the last.")
@click.option("--edge", type=float, metavar="Y", help="Across all pages' right edges (骑缝), mm.")
@json_option
@click.pass_context
def preview_stamp(  # noqa: PLR0913 - a command's options
    ctx: click.Context,
    *,
    seal: str,
    file: Path,
    output: Path,
    places: tuple[str, ...],
    edge: float | None,
    as_json: bool,
) -> None:
    """Draw the page of FILE with SEAL on it; nothing is sealed.

    Of an OFD only the page's size and the seals are drawn.

    Example: secops --as seal-holder kms preview-stamp seal_01… notice.pdf -o page.png
    --at -1,120,200
    """
    from kms.service import KmsServices  # noqa: PLC0415 - quick --help

    session = session_of(ctx)
    seen = session.services(KmsServices).seal_previews.preview_stamp(
        session.actor, seal, content_of(file), stamping_of(places, edge)
    )
    output.write_bytes(seen.picture)
    if as_json:
        print_json({"page": seen.page, "pages": seen.pages, "blank": seen.blank})
    else:
        say(f"page {seen.page} of {seen.pages}: {output}")


COMMANDS: Final[tuple[click.Command, ...]] = (preview_stamp,)
"""What the group ``secops kms`` takes up."""
