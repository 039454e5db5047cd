"""The command ``secops``: global options, each plane's group, and how refusals are printed."""

from __future__ import annotations

import gc
import importlib
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import click

from secops.kernel.catalogue import Language
from secops.kernel.errors import Forbidden, SecopsError
from secops.settings import default_home, prefers_english
from secops.terminal.output import say
from secops.terminal.session import OpenHouse, Session

_GROUPS: Final = {
    "iam": ("iam.commands", "group"),
    "kms": ("kms.commands", "group"),
    "logs": ("detectors.commands", "logs_group"),
    "detectors": ("detectors.commands", "group"),
    "playbooks": ("playbooks.commands", "group"),
    "audits": ("audits.commands", "group"),
    "init": ("secops.cli.operate", "init"),
    "serve": ("secops.cli.operate", "serve"),
    "doctor": ("secops.cli.operate", "doctor"),
    "login": ("secops.cli.operate", "login"),
    "demo-data": ("secops.cli.demo", "demo_data"),
    "backup": ("secops.cli.operate", "backup"),
    "restore": ("secops.cli.operate", "restore"),
    "witness": ("secops.cli.witness", "witness"),
    "bench": ("secops.cli.bench", "bench"),
}
_SUMMARIES: Final = {
    "iam": "Accounts, roles, clients, sessions.",
    "kms": "Keys and seals.",
    "logs": "Ingest and search logs.",
    "detectors": "Rules, runs and alerts.",
    "playbooks": "Incidents and playbooks.",
    "audits": "The ledger, assessments and reports.",
    "init": "Make a home.",
    "serve": "Run gateway, console and scheduler.",
    "doctor": "Say what is wrong or unprotected.",
    "login": "Sign in on the command line.",
    "demo-data": "Ingest the samples and detect once (demo homes).",
    "backup": "Back the home up.",
    "restore": "Restore a backup into an empty home.",
    "witness": "Cosign other installations' ledgers.",
    "bench": "Measure, with circumstances.",
}


class _Groups(click.Group):
    """Loads a plane's commands when they are first asked for: ``--help`` stays quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_GROUPS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _GROUPS:
            return None
        module, name = _GROUPS[cmd_name]
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a refusal of somebody known becomes an entry of the ledger."""
        try:
            return super().invoke(ctx)
        except Forbidden as error:
            session: Session = ctx.obj
            session.note_refusal(error, ctx.invoked_subcommand or "")
            raise

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(_SUMMARIES.items()))


@click.group(cls=_Groups, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--home", type=click.Path(path_type=Path, file_okay=False), help="The home folder.")
@click.option("--as", "account", metavar="ACCOUNT", help="Act as this account (demo homes only).")
@click.version_option(package_name="govsecops", prog_name="secops")
@click.pass_context
def cli(ctx: click.Context, home: Path | None, account: str | None) -> None:
    """One sign-on, one key pool, one watch over all logs, one body of evidence.

    Example: secops --home ./.demo-home --as analyst detectors list-alerts
    """
    session = Session(home=home or default_home(), account=account, open_house=_open_house)
    session.open_files = _open_files
    ctx.obj = session
    ctx.call_on_close(session.close)


def _open_house(home: Path) -> OpenHouse:
    with _loading():
        from secops.app import open_house  # noqa: PLC0415 - opened only when a command needs it

    return open_house(home)


def _open_files(home: Path) -> Iterable[object]:
    with _loading():
        from secops.app import open_files  # noqa: PLC0415 - opened only when a command needs it

    return open_files(home)


@contextmanager
def _loading() -> Iterator[None]:
    """Look for no garbage among what is loaded: that took a sixth of a command's start."""
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        gc.enable()


def _print_refusal(error: SecopsError, language: Language) -> None:
    say(f"secops: {error.code}: {error.detail}")
    for name, value in error.facts.items():
        if value is not None and str(value) not in error.detail:
            say(f"  {name}: {value}")
    say(f"  {error.remedy.into(language)}")


def main(arguments: list[str] | None = None) -> Any:
    """Run the command line; exit 0 done, 1 "no", 2 usage, 3 part down, 4 not allowed.

    SIGPIPE stays ignored, as Python has it: a service that dies of it could be ended by any
    peer that hangs up. A closed pipe (``| head``) ends a command with 1, by click.
    """
    language: Language = "en" if prefers_english() else "zh"
    try:
        result = cli.main(args=arguments, standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("secops: interrupted", err=True)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except SecopsError as error:
        _print_refusal(error, language)
        sys.exit(error.exit_code)
    except PermissionError as error:
        _print_refusal(Forbidden(f"{error.filename}: permission denied"), language)
        sys.exit(4)
    except OSError as error:
        click.echo(f"secops: {error.filename or ''}: {os.strerror(error.errno or 0)}", err=True)
        sys.exit(3)
    sys.exit(result if isinstance(result, int) else 0)
