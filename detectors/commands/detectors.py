"""The group ``detectors``: rules over files and over what is stored, alerts, triage."""

from __future__ import annotations

import gc
import resource
from pathlib import Path
from typing import Any

import click

from detectors.commands.alerts import COMMANDS
from detectors.commands.files import CacheFile, log_files, rule_files, samples_of
from detectors.commands.models import COMMANDS as MODEL_COMMANDS
from detectors.commands.rule_folders import FOLDER_COMMANDS
from secops.kernel.clock import SystemClock
from secops.kernel.errors import Invalid
from secops.terminal.output import json_option, print_json, print_json_line, progress_bar, say
from secops.terminal.session import session_of

_PATHS = click.Path(path_type=Path, exists=True)


@click.group("detectors")
def group() -> None:
    """Rules, runs and alerts.

    Example: secops detectors scan-files --rules rules/sigma Security.evtx
    """


@group.command("scan-files")
@click.option("--rules", "folders", type=_PATHS, multiple=True, required=True, help="Rules.")
@click.argument("paths", type=_PATHS, nargs=-1, required=True)
@json_option
@click.pass_context
def scan_files(
    ctx: click.Context, folders: tuple[Path, ...], paths: tuple[Path, ...], *, as_json: bool
) -> None:
    """Ask rules about log files without storing anything.

    Reads EVTX, JSON Lines and log lines, also inside .xz, .gz and .zip.

    Example: secops detectors scan-files --rules ./sigma/rules --json events.jsonl.xz
    """
    from detectors.service.rule_files import compile_rules  # noqa: PLC0415 - heavy
    from detectors.service.scan import Scanner  # noqa: PLC0415 - heavy

    # trees of rules hold no cycles, and looking for some in them costs a third of the time
    gc.disable()
    rules = compile_rules(rule_files(folders), CacheFile(session_of(ctx).home))
    for problem in rules.problems:
        say(f"skipped {problem}")
    if not rules.rules:
        msg = "no rule could be read"
        raise Invalid(msg)
    bad: list[str] = []
    scanner = Scanner(
        rules,
        SystemClock().now(),
        lambda record: bad.append(f"{record.file}:{record.index}: {record.why}"),
    )
    files = log_files(paths)
    with progress_bar("scan-files", len(files)) as bar:
        for path in files:
            with path.open("rb") as stream:
                for hit in scanner.scan(str(path), path.name, stream):
                    _print_hit(hit, as_json=as_json)
            bar.advance()
    for line in bad[:20]:
        say(f"unreadable {line}")
    counts = scanner.counts
    if not counts.events:
        msg = "no record could be read"
        raise Invalid(msg)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    say(
        f"events {counts.events} rules {len(rules.rules)} hits {counts.hits} "
        f"unreadable {counts.bad} CPU seconds {usage.ru_utime + usage.ru_stime:.2f}"
    )


@group.command("check-rules")
@click.argument("folders", type=_PATHS, nargs=-1, required=True)
@json_option
def check_rules(folders: tuple[Path, ...], *, as_json: bool) -> int:
    """Parse and lint rules, and run each over the samples beside it.

    Samples of FOLDER/NAME.yml are FOLDER/samples/NAME/positive.* and negative.*.

    Example: secops detectors check-rules rules/sigma
    """
    from detectors.service.checks import check_rules as check  # noqa: PLC0415 - heavy

    files = rule_files(folders)
    if not files:
        msg = "there is no .yml file"
        raise Invalid(msg)
    report = check(files, samples_of, SystemClock().now())
    for problem in report.problems:
        say(f"{'bad' if problem.fatal else 'odd'} {problem}")
    if as_json:
        print_json(report.as_json())
    else:
        click.echo(
            f"files {len(files)} rules {report.rules} correlations {report.correlations} "
            f"samples {report.samples} problems {len(report.problems)}"
        )
    return 0 if report.good else 1


def _print_hit(hit: Any, *, as_json: bool) -> None:
    if as_json:
        print_json_line(
            {
                "rule_id": hit.rule.id,
                "rule_title": hit.rule.title,
                "event_id": hit.event_id,
                "record": {"file": hit.file, "index": hit.index},
            }
        )
    else:
        click.echo(f"{hit.file}:{hit.index}\t{hit.rule.severity}\t{hit.rule.title}")


for _command in (*COMMANDS, *MODEL_COMMANDS, *FOLDER_COMMANDS):
    group.add_command(_command)
