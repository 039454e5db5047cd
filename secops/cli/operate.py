"""The operator's commands: init, serve, doctor, login, backup, restore.

They need the home's file permissions and are recorded as ``os:<user>``.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import secrets
import socket
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import click

from secops.kernel.actors import Actor, os_actor
from secops.kernel.clock import to_rfc3339
from secops.kernel.errors import Conflict, Unavailable
from secops.terminal.output import json_option, print_json, print_table, say
from secops.terminal.session import Session, session_of

if TYPE_CHECKING:
    from secops.adapters.backup.service import BackupReport
    from secops.bridges.house import House

UNLOCK_FILE: Final = "unlock.key"
_PRIVATE: Final = 0o600
_PRIVATE_FOLDER: Final = 0o700

__all__ = ["backup", "doctor", "init", "login", "restore", "serve"]


def this_user() -> Actor:
    """Return whoever runs the command, as ``os:<user>``."""
    return os_actor(getpass.getuser())


@click.command("init")
@click.option("--demo", is_flag=True, help="Make demo accounts, keys and a seal (演示数据).")
@click.pass_context
def init(ctx: click.Context, *, demo: bool) -> None:
    """Make a home: database, root key, ledger, the first three administrators.

    Idempotent. Without --demo it writes three enrolment files (mode 0600, valid 24 hours)
    for the system, security and audit administrator; hand each to its person.

    Example: secops --home /var/lib/secops init
    """
    from secops.app import open_house  # noqa: PLC0415 - quick --help
    from secops.cli.demo import write_demo_accounts  # noqa: PLC0415

    home = session_of(ctx).home.resolve()
    _make_home(home, demo=demo)
    _migrate(home)
    house = open_house(home)
    try:
        actor = this_user()
        house.kms.pool.initialise(actor)
        house.kms.pool.require_unlocked()
        if demo:
            write_demo_accounts(house, actor)
        else:
            for issued in house.iam.beginnings.create_administrators(actor):
                file = home / "enrolments" / f"{issued.account_name}.txt"
                file.parent.mkdir(mode=_PRIVATE_FOLDER, exist_ok=True)
                write_private(file, issued.token + "\n")
                say(f"{file}: valid until {to_rfc3339(issued.expires_at)}")
    finally:
        house.close()
    say(f"the home is ready: {home}")


def _make_home(home: Path, *, demo: bool) -> None:
    home.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
    settings = home / "settings.toml"
    if settings.exists():
        return
    lines = ["# docs/manual/settings.md describes every setting"]
    if demo:
        write_private(home / UNLOCK_FILE, secrets.token_urlsafe(32) + "\n")
        lines += ["demo = true", f'unlock_file = "{UNLOCK_FILE}"']
    elif not any(name.startswith("SECOPS_UNLOCK_") for name in _environment_names()):
        passphrase = _ask_passphrase()
        write_private(home / UNLOCK_FILE, passphrase + "\n")
        lines += [f'unlock_file = "{UNLOCK_FILE}"']
    settings.write_text("\n".join(lines) + "\n")


def _environment_names() -> list[str]:
    from secops.settings import environment_names  # noqa: PLC0415 - quick --help

    return environment_names()


def _ask_passphrase() -> str:
    if not sys.stdin.isatty():
        raise Unavailable(
            "no passphrase for the key pool: set SECOPS_UNLOCK_PASSPHRASE_FILE or use a terminal"
        )
    chosen: str = click.prompt(
        "passphrase of the key pool (12 characters or more)",
        hide_input=True,
        confirmation_prompt=True,
    )
    return chosen


def write_private(file: Path, content: str) -> None:
    """Write ``content`` to a file that only its owner may read."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(content)


def _migrate(home: Path) -> None:
    from secops.adapters.database.engine import make_engine  # noqa: PLC0415 - quick --help
    from secops.migrations import upgrade  # noqa: PLC0415
    from secops.settings import read_settings  # noqa: PLC0415

    engine = make_engine(read_settings(home).database)
    upgrade(engine)
    engine.dispose()


@click.command("serve")
@click.option("--host", help="Default: localhost, on 127.0.0.1 and ::1.")
@click.option("--port", type=click.IntRange(1, 65_535))
@click.option("--workers", type=click.IntRange(1, 64))
@click.pass_context
def serve(ctx: click.Context, *, host: str | None, port: int | None, workers: int | None) -> None:
    """Run gateway, console and scheduler until Ctrl-C or SIGTERM.

    Plain HTTP on loopback only; elsewhere set tls_cert and tls_key, or trusted_proxies.

    Example: secops --home ./.demo-home serve --port 8080
    """
    from secops.adapters.gateway import GatewayOptions, Supervisor  # noqa: PLC0415 - quick --help
    from secops.settings import export_for_children, read_settings  # noqa: PLC0415

    home = session_of(ctx).home.resolve()
    before = read_settings(home)
    listen = f"{host or before.host}:{port or before.port}"
    export_for_children(home, listen=listen, workers=workers or before.workers)
    settings = read_settings(home)
    options = GatewayOptions(
        target="secops.app:gateway",
        addresses=usable_addresses(settings.addresses),
        port=settings.port,
        workers=settings.workers,
        threads=settings.threads,
        tls_cert=settings.tls_cert,
        tls_key=settings.tls_key,
        tls_client_ca=str(home / settings.tls_client_ca) if settings.tls_client_ca else "",
    )
    _require_free(settings.addresses, settings.port)
    say(f"govsecops: starting on {settings.origin} …")
    ready = partial(_answers, settings.addresses[0], settings.port)
    code = Supervisor(options, _scheduler).run(
        lambda: say(f"govsecops: serving on {settings.origin} (Ctrl-C stops it)"), ready
    )
    ctx.exit(code)


def _scheduler() -> None:
    """Run the scheduler in its own process; the parent stays small."""
    from secops.app import run_scheduler  # noqa: PLC0415 - imported by the child alone

    run_scheduler()


def usable_addresses(addresses: tuple[str, ...]) -> tuple[str, ...]:
    """Return ``addresses`` without an IPv6 loopback that this machine does not have."""
    if len(addresses) == 1:
        return addresses  # somebody named it: let the gateway say what is wrong with it
    found = []
    for address in addresses:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with contextlib.suppress(OSError), socket.socket(family) as probe:
            probe.bind((address, 0))
            found.append(address)
    return tuple(found) or addresses


def _require_free(addresses: tuple[str, ...], port: int) -> None:
    for address in addresses:
        if _answers(address, port):
            raise Conflict(f"something already listens on {address} port {port}")


def _answers(address: str, port: int) -> bool:
    try:
        with socket.create_connection((address, port), timeout=0.2):
            return True
    except OSError:
        return False


@click.command("doctor")
@json_option
@click.pass_context
def doctor(ctx: click.Context, *, as_json: bool) -> None:
    """Say what is wrong, unprotected, or outgrown, each with a remedy; exit 1 on a fault.

    Example: secops --home /var/lib/secops doctor
    """
    from secops.bridges.doctor import examine  # noqa: PLC0415 - quick --help

    findings = examine(session_of(ctx).home.resolve())
    if as_json:
        print_json({"findings": [finding.to_record() for finding in findings]})
    else:
        rows = [(f.state, f.name, f.seen, f.remedy) for f in findings]
        print_table("secops doctor", ("state", "what", "seen", "remedy"), rows)
    if any(finding.state == "fault" for finding in findings):
        ctx.exit(1)


@click.command("login")
@click.option("--name", help="The account, to sign in here with password and one-time code.")
@click.pass_context
def login(ctx: click.Context, *, name: str | None) -> None:
    """Sign in for later commands: in a browser, or here where no service runs.

    Example: secops login
    """
    from secops.bridges.house import LOGIN_FILE  # noqa: PLC0415 - quick --help
    from secops.cli.device_login import sign_in_by_browser  # noqa: PLC0415

    session = session_of(ctx)
    house = cast("House", session.house)
    token = None if name else sign_in_by_browser(house.settings.origin)
    if token is None:
        secret = _sign_in_here(session, name or click.prompt("account"))
    else:
        secret = house.iam.actors.open_terminal(token)
    write_private(session.home / LOGIN_FILE, secret + "\n")
    say(f"signed in as {house.iam.actors.by_token(secret).name}")


def _sign_in_here(session: Session, name: str) -> str:
    from iam.models.sessions import PasswordAttempt  # noqa: PLC0415 - quick --help
    from iam.service import IamServices  # noqa: PLC0415

    password = click.prompt("password", hide_input=True)
    code = click.prompt("one-time code")
    attempt = PasswordAttempt(name, password, "local")
    return session.services(IamServices).sign_in.open_terminal(attempt, code)


@click.command("backup")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.pass_context
def backup(ctx: click.Context, *, file: Path) -> None:
    """Back the home up into FILE while the service runs.

    FILE holds wrapped keys. The unlock file (unlock.key) is not in it: keep that apart, for
    without it or the passphrase no key can ever be used again.

    Example: secops backup /backup/secops-$(date +%F).tar
    """
    from secops.bridges.backups import back_up  # noqa: PLC0415 - quick --help

    session = session_of(ctx)
    made = back_up(cast("House", session.house), this_user(), file)
    say(f"wrote {file}: {_facts_of(made)}")


@click.command("restore")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.pass_context
def restore(ctx: click.Context, *, file: Path) -> None:
    """Restore FILE into an empty home and verify ledger roots and key fingerprints.

    Example: secops --home /var/lib/secops-new restore /backup/secops-2026-11-22.tar
    """
    from secops.app import open_house  # noqa: PLC0415 - quick --help
    from secops.bridges.backups import restore_into  # noqa: PLC0415

    home = session_of(ctx).home.resolve()
    made = restore_into(home, file, open_house, this_user())
    say(f"restored into {home}: {_facts_of(made)}; roots and fingerprints are equal")
    say("put unlock.key (or SECOPS_UNLOCK_PASSPHRASE_FILE) back before `secops serve`")


def _facts_of(report: BackupReport) -> str:
    keys, entries = len(report.facts["keys"]), report.facts["ledger_entries"]
    return (
        f"{report.files} files, {report.content_bytes} bytes, {entries} ledger entries, "
        f"{keys} key versions"
    )
