"""``secops audits``: import-bundle, list-bundles, show-bundle, list-collections."""

from __future__ import annotations

import stat
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import click

from audits.commands.group import group
from audits.commands.options import system
from secops.kernel.errors import Conflict, Invalid
from secops.kernel.pages import page_request
from secops.terminal.output import (
    json_option,
    page_options,
    print_json,
    print_list,
    print_table,
    progress_bar,
    say,
)
from secops.terminal.session import session_of

_ENDINGS: Final = (".gsb", ".gsb.gz")
_MOST_FILES: Final = 10_000
_PATH: Final = click.Path(exists=True, path_type=Path)


@group.command("import-bundle")
@click.argument("paths", nargs=-1, required=True, type=_PATH, metavar="PATH…")
@system
@click.option(
    "--asset", "asset_id", default="", help="Default: the assets with the host's name or address."
)
@json_option
@click.pass_context
def import_bundle(ctx: click.Context, /, paths: tuple[Path, ...], **chosen: Any) -> None:
    """Import bundles that tools/collect_host.sh wrote: files, or folders of *.gsb files.

    A file that is refused is named with the reason; the others are imported. Exit 2 if none
    could be.

    Example: secops audits import-bundle carried/ --system sys_7f… --json
    """
    from audits.service import AuditsServices  # noqa: PLC0415 - quick --help
    from audits.service.collectors.documents import bundle_document  # noqa: PLC0415

    files = _files(paths)
    if chosen["asset_id"] and len(files) > 1:
        raise Invalid("--asset names the asset of one file")
    session = session_of(ctx)
    service = session.services(AuditsServices).collectors
    imported, rejected = [], []
    with progress_bar("import-bundle", float(len(files))) as bar:
        for path in files:
            try:
                made = service.import_bundle(
                    session.actor,
                    _read(path),
                    system_id=chosen["system_id"],
                    asset_id=chosen["asset_id"],
                )
                imported += [{"file": path.name, **bundle_document(each)} for each in made]
            except (Invalid, Conflict) as refused:
                reason = {"code": refused.code, "reason": refused.detail}
                rejected.append({"file": path.name, **reason})
            bar.advance(1)
    _report(imported, rejected, as_json=chosen["as_json"])
    if not imported:
        ctx.exit(2)


def _files(paths: Iterable[Path]) -> Sequence[Path]:
    """Return the files named, and those of folders by their ending, in order of their names."""
    found = []
    for path in paths:
        if path.is_dir():
            found += [p for p in sorted(path.iterdir()) if p.name.endswith(_ENDINGS)]
        else:
            found.append(path)
    if not 0 < len(found) <= _MOST_FILES:
        raise Invalid(f"name 1 to {_MOST_FILES} bundles; in a folder they end in .gsb or .gsb.gz")
    return found


def _read(path: Path) -> bytes:
    """Return a file's bytes, at most one more than a bundle may have; raise ``Invalid``."""
    from audits.models.collectors import MAX_BUNDLE_BYTES  # noqa: PLC0415 - quick --help

    try:
        # a pipe or device in a folder that was carried here would never end
        if not stat.S_ISREG(path.stat().st_mode):
            raise Invalid("not a regular file")
        with path.open("rb") as stream:
            return stream.read(MAX_BUNDLE_BYTES + 1)
    except OSError as error:
        raise Invalid(f"can't be read: {error.strerror}") from error


def _report(
    imported: Sequence[dict[str, Any]], rejected: Sequence[dict[str, Any]], *, as_json: bool
) -> None:
    if as_json:
        print_json({"imported": imported, "rejected": rejected})
        return
    rows = [
        (one["file"], one["asset_name"], one["collected_at"], one["sections"], len(one["unread"]))
        for one in imported
    ]
    print_table("Bundles", ("file", "asset", "collected", "sections", "not read"), rows)
    for one in rejected:
        say(f"{one['file']}: {one['reason']} ({one['code']})")


@group.command("list-bundles")
@click.option("--asset", "asset_id", default="", help="Of one asset.")
@page_options
@json_option
@click.pass_context
def list_bundles(ctx: click.Context, /, **chosen: Any) -> None:
    """List the bundles imported, newest import first.

    Example: secops audits list-bundles --limit 10
    """
    from audits.service import AuditsServices  # noqa: PLC0415 - quick --help
    from audits.service.collectors.documents import bundle_document  # noqa: PLC0415

    session = session_of(ctx)
    page = session.services(AuditsServices).collectors.list_bundles(
        session.actor, page_request(chosen["limit"], chosen["cursor"]), chosen["asset_id"]
    )
    columns = ("id", "asset_name", "host", "collected_at", "imported_at", "imported_by")
    rows = [bundle_document(each) for each in page.items]
    print_list("Bundles", columns, rows, as_json=chosen["as_json"], following=page.next)


@group.command("show-bundle")
@click.argument("bundle_id")
@json_option
@click.pass_context
def show_bundle(ctx: click.Context, /, bundle_id: str, *, as_json: bool) -> None:
    """Show the facts read in a bundle and what could not be read; --json adds its texts.

    Example: secops audits show-bundle bnd_5c…
    """
    from audits.service import AuditsServices  # noqa: PLC0415 - quick --help
    from audits.service.collectors.documents import shown_document  # noqa: PLC0415

    session = session_of(ctx)
    shown = session.services(AuditsServices).collectors.show_bundle(session.actor, bundle_id)
    document = shown_document(shown)
    if as_json:
        print_json(document)
        return
    rows = [
        (reading["kind"], name, str(value))
        for reading in document["readings"]
        for name, value in reading["facts"].items()
    ]
    print_table(f"{document['host']} · {document['collected_at']}", ("kind", "fact", "seen"), rows)
    for line in document["unread"]:
        say(f"not read: {line}")


@group.command("list-collections")
@system
@page_options
@json_option
@click.pass_context
def list_collections(ctx: click.Context, /, **chosen: Any) -> None:
    """List a system's assets with the age of their newest bundle, those without one too.

    Example: secops audits list-collections --system sys_7f…
    """
    from audits.service import AuditsServices  # noqa: PLC0415 - quick --help
    from audits.service.collectors.documents import collection_document  # noqa: PLC0415

    session = session_of(ctx)
    page = session.services(AuditsServices).collectors.list_collections(
        session.actor, page_request(chosen["limit"], chosen["cursor"]), chosen["system_id"]
    )
    columns = ("asset", "name", "kind", "address", "age_days")
    rows = [collection_document(each) for each in page.items]
    print_list("Collections", columns, rows, as_json=chosen["as_json"], following=page.next)
