"""The group ``detectors``: rules over files and over what is stored, alerts, triage."""

from __future__ import annotations

import gc
import resource
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from detectors.commands.alert_page import COMMANDS as ALERT_PAGE_COMMANDS
from detectors.commands.alerts import COMMANDS
from detectors.commands.bulk_actions import COMMANDS as BULK_COMMANDS
from detectors.commands.correlations import CORRELATION_COMMANDS
from detectors.commands.files import (
    log_files,
    open_log,
    rule_files,
    rules_stamp,
    samples_of,
)
from detectors.commands.models import COMMANDS as MODEL_COMMANDS
from detectors.commands.queue import COMMANDS as QUEUE_COMMANDS
from detectors.commands.rule_folders import FOLDER_COMMANDS
from detectors.commands.situation import show_situation
from detectors.commands.triage import TRIAGE_COMMANDS
from detectors.commands.workers import ForkedWorkers, WorkerDied, cores, worth_processes
from secops.adapters.cache_file import CacheFile
from secops.kernel.clock import SystemClock
from secops.kernel.errors import Invalid
from secops.terminal.output import json_option, print_json, print_json_line, progress_bar, say
from secops.terminal.session import session_of

if TYPE_CHECKING:
    from detectors.service.runs.scan import Scanner, ScanRules

_MEBIBYTE: Final = 1 << 20
_NAMED: Final = 20
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

    Reads EVTX, JSON Lines, JSON arrays and log lines, also inside .xz, .gz and .zip; much of
    them over all cores.

    Example: secops detectors scan-files --rules ./sigma/rules --json events.jsonl.xz
    """
    from detectors.service.runs.scan import Here, Scanner, Source  # noqa: PLC0415 - heavy

    # trees of rules hold no cycles, and looking for some in them costs a third of the time
    gc.disable()
    now = SystemClock().now()
    rules = _scan_rules(folders, session_of(ctx).home, now)
    bad = _Named()
    scanner = Scanner(rules, now, lambda r: bad.add(f"{r.file}:{r.index}: {r.why}"))
    files = [(path, path.stat().st_size) for path in log_files(paths)]
    many = worth_processes([(path.name, size) for path, size in files])
    workers = ForkedWorkers(cores()) if many else Here()
    sources = [Source(str(path), path.name, partial(open_log, path)) for path, _ in files]
    with progress_bar("scan-files", sum(size for _, size in files) / _MEBIBYTE) as bar:
        scanner.progress = lambda count: bar.advance(count / _MEBIBYTE)
        try:
            for hit in scanner.scan_all(sources, workers):
                _print_hit(hit, as_json=as_json)
        except WorkerDied as error:
            say(str(error))
            ctx.exit(3)
    _summarise(scanner, rules, bad)


def _scan_rules(folders: tuple[Path, ...], home: Path, now: int) -> ScanRules:
    from detectors.service.rules.rule_stamp import compiler_stamp  # noqa: PLC0415 - quick --help
    from detectors.service.runs.scan import cached_rules  # noqa: PLC0415 - heavy

    def compiled() -> Any:
        from detectors.service.rules.rule_files import compile_rules  # noqa: PLC0415 - slow

        return compile_rules(rule_files(folders), CacheFile(home, "rules"))

    here = rules_stamp(folders, now)
    stamp = None if here is None else compiler_stamp().encode() + b":" + here
    rules = cached_rules(stamp, CacheFile(home, "program"), compiled)
    for problem in rules.problems:
        say(f"skipped {problem}")
    if rules.correlations:
        say(f"skipped {rules.correlations} correlations: they need stored events")
    if not rules.briefs:
        msg = "no rule could be read"
        raise Invalid(msg)
    return rules


class _Named:
    """The first of many unreadable records by name, and how many there were."""

    def __init__(self) -> None:
        self.first: list[str] = []

    def add(self, line: str) -> None:
        if len(self.first) < _NAMED:
            self.first.append(line)


def _summarise(scanner: Scanner, rules: ScanRules, bad: _Named) -> None:
    counts = scanner.counts
    for line in bad.first:
        say(f"unreadable {line}")
    if counts.bad > len(bad.first):
        say(f"unreadable {counts.bad - len(bad.first)} more")
    for position, why in counts.failed.items():
        say(f"failed {rules.briefs[position].path}: {why}")
    if not counts.events:
        msg = "no record could be read"
        raise Invalid(msg)
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    seconds = sum(each.ru_utime + each.ru_stime for each in used)
    say(
        f"events {counts.events} rules {len(rules.briefs)} hits {counts.hits} "
        f"unreadable {counts.bad} CPU seconds {seconds:.2f}"
    )


@group.command("check-rules")
@click.argument("folders", type=_PATHS, nargs=-1, required=True)
@json_option
def check_rules(folders: tuple[Path, ...], *, as_json: bool) -> int:
    """Parse and lint rules, and run each over the samples beside it.

    Samples of FOLDER/NAME.yml are FOLDER/samples/NAME/positive.* and negative.*.

    Example: secops detectors check-rules rules/sigma
    """
    from detectors.service.rules.checks import check_rules as check  # noqa: PLC0415 - heavy

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


for _command in (
    *COMMANDS,
    *ALERT_PAGE_COMMANDS,
    *CORRELATION_COMMANDS,
    *TRIAGE_COMMANDS,
    *QUEUE_COMMANDS,
    show_situation,
    *BULK_COMMANDS,
    *MODEL_COMMANDS,
    *FOLDER_COMMANDS,
):
    group.add_command(_command)
