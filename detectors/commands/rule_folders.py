"""Rule folders of others on the command line."""

from __future__ import annotations

from pathlib import Path

import click

from detectors.models.rule_folders import FolderOrder, FolderPolicy, FolderReport
from secops.terminal.output import json_option, print_json, print_table, progress_bar, say
from secops.terminal.session import session_of

_PATH = click.Path(path_type=Path, exists=True, file_okay=False)
_SHOWN = 20
_STATUSES = ("stable", "test")
_LEVELS = ("high", "critical")


def _words(text: str | None) -> tuple[str, ...]:
    return tuple(word.strip() for word in (text or "").split(",") if word.strip())


_status = click.option("--status", metavar="WORDS", help="stable,test,experimental …")
_level = click.option("--level", metavar="WORDS", help="low,medium,high,critical")


@click.command("import-rules")
@click.argument("path", type=_PATH)
@click.option("--licence", required=True, help="Under which the rules may be used (DRL-1.1).")
@click.option("--name", help="Default: the folder's name.")
@_status
@_level
@json_option
@click.pass_context
def import_rules(  # noqa: PLR0913 - one parameter per option
    ctx: click.Context,
    path: Path,
    *,
    licence: str,
    name: str | None,
    status: str | None,
    level: str | None,
    as_json: bool,
) -> None:
    """Copy a folder of Sigma rules into the home; all of them stay off.

    --status and --level only count what enable-rule-folder would switch on.

    Example: secops --as security-admin detectors import-rules ./sigma/rules --licence DRL-1.1
    """
    from detectors.service import DetectorsServices  # noqa: PLC0415 - heavy
    from detectors.service.triage.presentation import folder_report_json  # noqa: PLC0415 - heavy

    session = session_of(ctx)
    folders = session.services(DetectorsServices).rule_folders
    wanted = FolderPolicy(_words(status) or _STATUSES, _words(level) or _LEVELS)
    order = FolderOrder(name or path.resolve().name.lower(), licence, str(path))
    with progress_bar("import-rules", 1.0) as bar:
        before = [0.0]

        def checked(done: int, total: int) -> None:
            bar.advance(done / total - before[0])
            before[0] = done / total

        report = folders.import_rules(session.actor, order, path, checked)
    _tell(report)
    if as_json:
        print_json(folder_report_json(report, wanted))
        return
    click.echo(
        f"{report.folder.name}: files {report.folder.files} rules {report.rules} "
        f"refused {len(report.problems)} enabled 0 "
        f"would enable {report.chosen(wanted)} ({'+'.join(wanted.statuses)}; "
        f"{'+'.join(wanted.levels)})"
    )


def _tell(report: FolderReport) -> None:
    for problem in report.problems[:_SHOWN]:
        say(f"refused {problem}")
    if len(report.problems) > _SHOWN:
        say(f"and {len(report.problems) - _SHOWN} more, all of them with --json")


@click.command("list-rule-folders")
@json_option
@click.pass_context
def list_rule_folders(ctx: click.Context, *, as_json: bool) -> None:
    """Show imported folders, their licence and which of their rules run.

    Example: secops --as analyst detectors list-rule-folders
    """
    from detectors.service import DetectorsServices  # noqa: PLC0415 - heavy
    from detectors.service.triage.presentation import folder_json  # noqa: PLC0415 - heavy

    session = session_of(ctx)
    found = session.services(DetectorsServices).rule_folders.list_folders(session.actor)
    if as_json:
        print_json({"items": [folder_json(each) for each in found], "next": None})
        return
    rows = [
        (f.name, f.licence, f.files, ",".join(f.policy.statuses), ",".join(f.policy.levels))
        for f in found
    ]
    print_table("Rule folders", ("name", "licence", "files", "statuses", "levels"), rows)


@click.command("enable-rule-folder")
@click.argument("name")
@_status
@_level
@json_option
@click.pass_context
def enable_rule_folder(
    ctx: click.Context, name: str, *, status: str | None, level: str | None, as_json: bool
) -> None:
    """Let a folder's rules of these statuses and levels run; without any, none of them.

    Example: secops --as security-admin detectors enable-rule-folder sigmahq --status stable,test
    --level high,critical
    """
    from detectors.service import DetectorsServices  # noqa: PLC0415 - heavy
    from detectors.service.triage.presentation import folder_json  # noqa: PLC0415 - heavy

    session = session_of(ctx)
    services = session.services(DetectorsServices)
    policy = FolderPolicy(_words(status), _words(level))
    folder = services.rule_folders.choose_rules(session.actor, name, policy)
    if as_json:
        print_json(folder_json(folder))
    else:
        click.echo(f"{folder.name}: statuses {status or '-'} levels {level or '-'}")


@click.command("remove-rule-folder")
@click.argument("name")
@click.option("--reason", required=True, help="Why this instance is to see less.")
@click.pass_context
def remove_rule_folder(ctx: click.Context, name: str, reason: str) -> None:
    """Remove an imported folder; alerts of its rules stay.

    Example: secops --as security-admin detectors remove-rule-folder sigmahq --reason "replaced"
    """
    from detectors.service import DetectorsServices  # noqa: PLC0415 - heavy

    session = session_of(ctx)
    session.services(DetectorsServices).rule_folders.remove_folder(session.actor, name, reason)
    click.echo(f"{name}: removed")


FOLDER_COMMANDS = (import_rules, list_rule_folders, enable_rule_folder, remove_rule_folder)
