"""``lock-subject``, ``list-locks``, ``ask-to-lift-lock``, ``lift-lock``, and devices."""

from __future__ import annotations

from typing import Final

import click

from iam.models.zero_trust import LOCK_KINDS, Device, Lock, LockKind
from iam.service import IamServices
from iam.service.protection.locks import NewLock
from secops.kernel.clock import rfc3339_or_none, to_rfc3339
from secops.kernel.pages import page_request
from secops.terminal.instants import instant
from secops.terminal.output import json_option, print_list, say
from secops.terminal.session import session_of


@click.command("lock-subject")
@click.argument("kind", type=click.Choice(LOCK_KINDS))
@click.argument("subject")
@click.option("--reason", required=True, help="For the ledger.")
@click.option("--until", default="", help="When it ends by itself (RFC 3339).")
@click.pass_context
def lock_subject(ctx: click.Context, kind: LockKind, subject: str, reason: str, until: str) -> None:
    """Lock somebody or something: sessions, tokens and devices end within a second.

    Example: secops --as analyst iam lock-subject account zhang.wei --reason "stolen laptop"
    """
    session = session_of(ctx)
    locks = session.services(IamServices).protection.locks
    made = locks.lock_subject(
        session.actor, NewLock(kind, subject, reason, instant(until, "--until") if until else None)
    )
    say(f"{made.ended['sessions']} session(s) and {made.ended['devices']} device(s) ended")
    click.echo(made.id)


@click.command("list-locks")
@click.option("--all", "every", is_flag=True, help="Lifted ones too.")
@click.option("--cursor", help="The `next` of the page before.")
@json_option
@click.pass_context
def list_locks(ctx: click.Context, *, every: bool, cursor: str | None, as_json: bool) -> None:
    """List locks, newest first.

    Example: secops --as analyst iam list-locks
    """
    session = session_of(ctx)
    locks = session.services(IamServices).protection.locks
    page = locks.list_locks(session.actor, page_request("200", cursor), lifted=every)
    names = ("id", "kind", "subject", "reason", "created_at", "until", "lifted_at")
    records = [_lock(one) for one in page.items]
    print_list("Locks", names, records, as_json=as_json, following=page.next)


def _lock(lock: Lock) -> dict[str, str | None]:
    return {
        "id": lock.id,
        "kind": lock.kind,
        "subject": lock.subject,
        "reason": lock.reason,
        "created_at": to_rfc3339(lock.created_at),
        "until": rfc3339_or_none(lock.until),
        "lifted_at": rfc3339_or_none(lock.lifted_at),
    }


@click.command("ask-to-lift-lock")
@click.argument("lock")
@click.option("--reason", required=True, help="For the approver and the ledger.")
@click.pass_context
def ask_to_lift_lock(ctx: click.Context, lock: str, reason: str) -> None:
    """Ask another person to lift a lock.

    Example: secops --as analyst iam ask-to-lift-lock lck_01k9… --reason "laptop found"
    """
    session = session_of(ctx)
    locks = session.services(IamServices).protection.locks
    click.echo(locks.ask_to_lift(session.actor, lock, reason))


@click.command("lift-lock")
@click.argument("lock")
@click.option("--refuse", is_flag=True, help="Refuse to lift it instead.")
@click.option("--reason", default="", help="For the ledger.")
@click.pass_context
def lift_lock(ctx: click.Context, lock: str, reason: str, *, refuse: bool) -> None:
    """Lift a lock that another person asked to lift.

    Example: secops --as security-admin iam lift-lock lck_01k9…
    """
    session = session_of(ctx)
    locks = session.services(IamServices).protection.locks
    locks.decide_lift(session.actor, lock, grant=not refuse, reason=reason)
    say("refused" if refuse else "lifted")


@click.command("list-devices")
@click.option("--cursor", help="The `next` of the page before.")
@json_option
@click.pass_context
def list_devices(ctx: click.Context, *, cursor: str | None, as_json: bool) -> None:
    """List the organisation's registered devices.

    Example: secops --as analyst iam list-devices
    """
    session = session_of(ctx)
    devices = session.services(IamServices).protection.devices
    page = devices.list_devices(session.actor, page_request("200", cursor))
    names = ("id", "account", "name", "state", "os", "version", "reported_at")
    records = [_device(one) for one in page.items]
    print_list("Devices", names, records, as_json=as_json, following=page.next)


def _device(device: Device) -> dict[str, str | None]:
    posture = device.posture
    return {
        "id": device.id,
        "account": device.account_id,
        "name": device.name,
        "state": device.state,
        "os": None if posture is None else posture.os,
        "version": None if posture is None else posture.version,
        "reported_at": rfc3339_or_none(device.reported_at),
    }


@click.command("revoke-device")
@click.argument("device")
@click.option("--reason", default="", help="For the ledger.")
@click.pass_context
def revoke_device(ctx: click.Context, device: str, reason: str) -> None:
    """Revoke a device; the sessions it proved itself in end.

    Example: secops --as security-admin iam revoke-device dev_01k9… --reason "lost"
    """
    session = session_of(ctx)
    devices = session.services(IamServices).protection.devices
    devices.revoke_device(session.actor, device, reason)
    say("revoked")


COMMANDS: Final = (
    lock_subject,
    list_locks,
    ask_to_lift_lock,
    lift_lock,
    list_devices,
    revoke_device,
)
