"""``secops kms``: keys that are destroyed, backed up and restored; mounts."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import click

from kms.commands.services import services_of
from secops.terminal.output import json_option, print_json, print_list, print_table, say
from secops.terminal.session import session_of

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_OUT = click.Path(dir_okay=False, path_type=Path)
_LIMIT: Final = 200
_MOUNT = click.option("--mount", default="transit", help="Where the key lies.")


@click.command("destroy-key")
@click.argument("name")
@click.option("--reason", default="", help="Shown to whoever approves it.")
@click.option("--delay-days", type=click.IntRange(1, 90), default=7, help="After the approval.")
@_MOUNT
@click.confirmation_option(prompt="It is out of use at once, and later gone for good. Go on?")
@click.pass_context
def destroy_key(ctx: click.Context, /, name: str, **options: Any) -> None:
    """Ask for the key NAME to be destroyed, after configure-key --deletion-allowed.

    Another person approves it (decide-destruction); the material is erased days later.

    Example: secops --as security-admin kms destroy-key old-key --reason "replaced" --yes
    """
    made = services_of(ctx).key_destruction.destroy_key(
        session_of(ctx).actor,
        name,
        mount=options["mount"],
        reason=options["reason"],
        delay_days=options["delay_days"],
    )
    say(f"{name} is out of use; another person approves its destruction")
    click.echo(made.id)


@click.command("decide-destruction")
@click.argument("request")
@click.option("--reject", is_flag=True, help="Keep the key, suspended.")
@click.option("--reason", required=True)
@click.pass_context
def decide_destruction(ctx: click.Context, *, request: str, reject: bool, reason: str) -> None:
    """Approve that the key of REQUEST is destroyed, or reject it; never one's own.

    Example: secops --as security-admin-2 kms decide-destruction apr_01… --reason agreed
    """
    from secops.kernel.clock import to_rfc3339  # noqa: PLC0415 - quick --help

    key = services_of(ctx).key_destruction.decide_destruction(
        session_of(ctx).actor, request, grant=not reject, reason=reason
    )
    when = f", destroyed at {to_rfc3339(key.destroy_at)}" if key.destroy_at else ""
    say(f"{key.name}: {key.state}{when}")


@click.command("call-off-destruction")
@click.argument("name")
@_MOUNT
@click.pass_context
def call_off_destruction(ctx: click.Context, name: str, mount: str) -> None:
    """Call off that the key NAME is destroyed; it is suspended then.

    Example: secops --as security-admin kms call-off-destruction old-key
    """
    service = services_of(ctx).key_destruction
    key = service.call_off_destruction(session_of(ctx).actor, name, mount=mount)
    say(f"{key.name}: {key.state}")


@click.command("list-destructions")
@json_option
@click.pass_context
def list_destructions(ctx: click.Context, *, as_json: bool) -> None:
    """List which keys somebody asked to be destroyed, newest first.

    Example: secops --as security-admin kms list-destructions --json
    """
    from kms.service.presenting import describe_destruction  # noqa: PLC0415 - quick --help
    from secops.kernel.pages import PageRequest  # noqa: PLC0415

    service = services_of(ctx).key_destruction
    page = service.list_destructions(session_of(ctx).actor, PageRequest(_LIMIT))
    rows = [describe_destruction(*pair) for pair in page.items]
    if as_json:
        print_json({"items": rows, "next": page.next})
        return
    columns = ("id", "key_name", "mount", "approval", "delay_days")
    print_table("Destructions", columns, [[row[column] for column in columns] for row in rows])


@click.command("backup-key")
@click.argument("name")
@click.option("-o", "--output", type=_OUT, required=True, help="Where the sealed backup goes.")
@_MOUNT
@click.pass_context
def backup_key(ctx: click.Context, /, name: str, *, output: Path, mount: str) -> None:
    """Write a sealed backup of the key NAME: only this pool and mount can restore it.

    The key must be exportable and allow its backup (configure-key).

    Example: secops --as security-admin kms backup-key payroll -o payroll.backup
    """
    session, services = session_of(ctx), services_of(ctx)
    made = services.key_backups.backup_key(session.actor, name, mount=mount)
    services.key_backups.record(made)
    output.write_text(made.text, encoding="ascii")
    say(f"{output}: backup of {name}")


@click.command("restore-key")
@click.argument("file", type=_FILE)
@click.option("--name", default="", help="Another name than it had.")
@_MOUNT
@click.option("--force", is_flag=True, help="It is no error if the key is there already.")
@click.pass_context
def restore_key(ctx: click.Context, /, file: Path, **options: Any) -> None:
    """Bring a key back from FILE; never one that was destroyed, nor versions that were trimmed.

    Example: secops --as security-admin kms restore-key payroll.backup --name payroll-copy
    """
    from kms.service.key_backup import RestoreRequest, read_backup_file  # noqa: PLC0415

    request = RestoreRequest(read_backup_file(file), **options)
    loaded = services_of(ctx).key_backups.restore_key(session_of(ctx).actor, request)
    say(f"{loaded.key.name}: version {loaded.key.latest_version}, {loaded.key.state}")


@click.command("enable-mount")
@click.argument("path")
@click.option("--description", default="")
@click.pass_context
def enable_mount(ctx: click.Context, path: str, description: str) -> None:
    """Make a mount at PATH: a name under which keys are kept apart.

    Example: secops --as security-admin kms enable-mount payments
    """
    mount = services_of(ctx).mounts.enable_mount(session_of(ctx).actor, path, description)
    click.echo(mount.id)


@click.command("disable-mount")
@click.argument("path")
@click.pass_context
def disable_mount(ctx: click.Context, path: str) -> None:
    """Take the mount at PATH away with its keys; nothing is destroyed (restore-mount).

    Example: secops --as security-admin kms disable-mount payments
    """
    mount = services_of(ctx).mounts.disable_mount(session_of(ctx).actor, path)
    say(f"{path} is taken away; restore-mount {mount.id} brings it back")


@click.command("restore-mount")
@click.argument("mount_id")
@click.pass_context
def restore_mount(ctx: click.Context, mount_id: str) -> None:
    """Bring back the mount MOUNT_ID that was taken away.

    Example: secops --as security-admin kms restore-mount mnt_01…
    """
    mount = services_of(ctx).mounts.restore_mount(session_of(ctx).actor, mount_id)
    say(f"{mount.path} is back")


@click.command("list-mounts")
@click.option("--retired", is_flag=True, help="Those that were taken away.")
@json_option
@click.pass_context
def list_mounts(ctx: click.Context, *, retired: bool, as_json: bool) -> None:
    """List the mounts of the own organisation beside transit.

    Example: secops --as auditor kms list-mounts
    """
    found = services_of(ctx).mounts.list_mounts(session_of(ctx).actor, retired=retired)
    rows = [{"id": one.id, "path": one.path, "description": one.description} for one in found]
    print_list("Mounts", ("path", "id", "description"), rows, as_json=as_json)


COMMANDS: Final = (
    destroy_key,
    decide_destruction,
    call_off_destruction,
    list_destructions,
    backup_key,
    restore_key,
    enable_mount,
    disable_mount,
    restore_mount,
    list_mounts,
)
