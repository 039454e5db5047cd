"""``secops audits`` on the ledger: verify, prove, export, compare, rebuild."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import cast

import click

from audits.commands.group import group
from audits.commands.options import FILE
from audits.models import LedgerVerdict
from audits.ports import TileSink
from audits.ports.ledger import Tree
from secops.terminal.output import json_option, print_json, print_table, say
from secops.terminal.session import session_of

_MAX_FILE = 65_536
_MAX_LINE = 1 << 17


def _read(path: Path) -> str:
    with path.open(encoding="utf-8") as stream:
        return stream.read(_MAX_FILE)


@group.command("verify-ledger")
@click.option("--vkeys", type=FILE, help="Verification keys kept elsewhere, one a line.")
@click.option("--checkpoint", "kept", type=FILE, multiple=True, help="A checkpoint kept elsewhere.")
@click.option(
    "--witness", "witnesses", multiple=True, help="Key of a witness that must have cosigned."
)
@click.option(
    "--quorum", type=click.IntRange(min=1), help="How many of the witnesses are enough: all if not."
)
@json_option
@click.pass_context
def verify_ledger(  # noqa: PLR0913 - a command's options
    ctx: click.Context,
    *,
    vkeys: Path | None,
    kept: tuple[Path, ...],
    witnesses: tuple[str, ...],
    quorum: int | None,
    as_json: bool,
) -> None:
    """Recompute the ledger from its records and check every signed checkpoint.

    Needs the files in home/ledger only. Exit 1 if it does not verify. Without --vkeys the keys
    are those beside the ledger, which whoever can change the ledger can change too. With
    --witness the ledger must extend what that witness cosigned: the checkpoints beside the
    ledger and those given with --checkpoint are looked through for its signature. With --quorum
    so many different keys are enough; but whatever any of them cosigned must be extended.

    Example: secops audits verify-ledger --vkeys ~/kept/vkeys --checkpoint ~/kept/checkpoint
    """
    from audits.service.ledger.files import LedgerFiles  # noqa: PLC0415 - quick --help
    from audits.service.ledger.views import verdict_view  # noqa: PLC0415

    files = session_of(ctx).files(LedgerFiles)
    lines = None if vkeys is None else [line for line in _read(vkeys).splitlines() if line]
    notes = [_read(path) for path in kept]
    with closing(files):
        verdict = files.verify_ledger(lines, notes, witnesses, quorum)
    if as_json:
        print_json(verdict_view(verdict))
    else:
        _print_verdict(verdict)
    if not verdict.valid:
        ctx.exit(1)


def _print_verdict(verdict: LedgerVerdict) -> None:
    newest = verdict.checkpoint
    rows: list[tuple[str, object]] = [
        ("valid", "yes" if verdict.valid else "NO"),
        ("entries", verdict.entries),
        ("SHA-256 root", verdict.sha256_root.hex()),
        ("SM3 root", verdict.sm3_root.hex()),
        ("newest checkpoint", newest.size if newest else "none"),
        ("checkpoints verified", verdict.checkpoints),
        ("entries after it", verdict.unsigned),
    ]
    bad = verdict.first_bad
    if bad is not None:
        place = "" if bad.index is None else f" {bad.index}"
        rows.append(("first bad", f"{bad.what}{place}: {bad.why}"))
    print_table("Ledger", ("what", "value"), rows)


@group.command("prove")
@click.argument("entry")
@click.option("--tree", type=click.Choice(["sha256", "sm3"]), default="sha256", show_default=True)
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path))
@click.pass_context
def prove(ctx: click.Context, entry: str, *, tree: str, output: Path | None) -> None:
    """Print the tlog-proof of ENTRY (its index, or the leaf hash of a receipt in hex).

    Example: secops audits prove 4711 -o 4711.tlog-proof
    """
    from audits.service import AuditsServices  # noqa: PLC0415 - quick --help

    session = session_of(ctx)
    ledger = session.services(AuditsServices).ledger
    proof = ledger.prove_entry(session.actor, entry, cast("Tree", tree))
    if output is None:
        click.echo(proof, nl=False)
    else:
        output.write_text(proof, encoding="utf-8")
        say(f"wrote {output}")


@group.command("export-tiles")
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@click.pass_context
def export_tiles(ctx: click.Context, folder: Path) -> None:
    """Write both trees, all entries, the checkpoints and the keys to DIR as tlog tiles.

    Keep a copy off this machine: it is what later verifications are anchored to.

    Example: secops audits export-tiles /media/usb/ledger
    """
    from audits.service import AuditsServices  # noqa: PLC0415 - quick --help

    session = session_of(ctx)
    services = session.services(AuditsServices)
    sink: TileSink = services.folder_sink(folder)
    checkpoint = services.ledger.export_tiles(session.actor, sink)
    say(f"wrote {checkpoint.size} entries to {folder}")


def _device_lines(folder: Path) -> Iterator[bytes]:
    """Yield the lines of the device's files; one longer than any record comes in parts."""
    for path in sorted(folder.glob("*.jsonl")):
        with path.open("rb") as stream:
            while line := stream.readline(_MAX_LINE):
                yield line.rstrip(b"\n")


@group.command("compare-device")
@click.argument(
    "folder", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@json_option
@click.pass_context
def compare_device(ctx: click.Context, folder: Path, *, as_json: bool) -> None:
    """Look for every record of the second audit device DIR in the ledger.

    Needs the files in home/ledger only. Exit 1 if one is missing: it was removed from the
    ledger, or its act was refused after the device was told (the disk of the journal failed).

    Example: secops audits compare-device /mnt/audit --json
    """
    from audits.service.ledger.files import LedgerFiles  # noqa: PLC0415 - quick --help
    from audits.service.ledger.views import device_view  # noqa: PLC0415

    with closing(session_of(ctx).files(LedgerFiles)) as files:
        found = files.compare_device(_device_lines(folder))
    view = device_view(found)
    if as_json:
        print_json(view)
    else:
        named = view.pop("named")
        print_table("Second audit device", ("what", "number"), [*view.items()])
        for each in named:
            say(f"missing: {each['at']} {each['action']} {each['leaf']}")
    if found.missing:
        ctx.exit(1)


@group.command("prove-growth")
@click.argument("old", type=click.IntRange(min=0))
@click.argument("new", type=click.IntRange(min=0), required=False)
@click.option("--tree", type=click.Choice(["sha256", "sm3"]), default="sha256", show_default=True)
@click.pass_context
def prove_growth(ctx: click.Context, old: int, new: int | None, *, tree: str) -> None:
    """Print the consistency proof (RFC 6962) that NEW entries only add to OLD ones.

    One base64 hash a line; NEW is the newest checkpoint's size by default.

    Example: secops audits prove-growth 4096
    """
    from audits.service import AuditsServices  # noqa: PLC0415 - quick --help

    session = session_of(ctx)
    ledger = session.services(AuditsServices).ledger
    for line in ledger.prove_growth(session.actor, old, new, cast("Tree", tree)):
        click.echo(base64.b64encode(line).decode())


@group.command("rebuild-rows")
@click.pass_context
def rebuild_rows(ctx: click.Context) -> None:
    """Make the ledger's search rows anew from its records.

    Example: secops audits rebuild-rows
    """
    from audits.service import AuditsServices  # noqa: PLC0415 - quick --help

    session = session_of(ctx)
    count = session.services(AuditsServices).ledger.rebuild_rows(session.actor)
    say(f"{count} rows")
