"""``secops iam``: accounts, roles, applications, sessions, enrolment, resets."""

from __future__ import annotations

import click

from iam.commands import (
    accounts,
    applications,
    break_glass,
    cas,
    changes,
    consents,
    enrolment,
    factors,
    locks,
    mandates,
    messages,
    organisations,
    permissions,
    policies,
    registration,
    resets,
    roles,
    sessions,
    upstreams,
)


@click.group("iam")
def group() -> None:
    """Administer accounts, roles, applications and sessions.

    Example: secops --as system-admin iam create-account zhang.wei -o enrolment.json
    """


for command in (
    *accounts.COMMANDS,
    *roles.COMMANDS,
    *applications.COMMANDS,
    *registration.COMMANDS,
    *sessions.COMMANDS,
    *consents.COMMANDS,
    *enrolment.COMMANDS,
    *resets.COMMANDS,
    *break_glass.COMMANDS,
    *factors.COMMANDS,
    *messages.COMMANDS,
    *organisations.COMMANDS,
    *changes.COMMANDS,
    *cas.COMMANDS,
    *mandates.COMMANDS,
    *permissions.COMMANDS,
    *upstreams.COMMANDS,
    *policies.COMMANDS,
    *locks.COMMANDS,
):
    group.add_command(command)
