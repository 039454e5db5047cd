"""What sudo, su, cron and the account tools write to syslog, as ECS fields."""

from __future__ import annotations

import re
from typing import Final

from secops.kernel.logs import Value

_SUDO: Final = re.compile(r"\s*(\S+) : (.*)", re.DOTALL)
_PAIR: Final = re.compile(
    r"(?:^| ; )(TTY|PWD|USER|GROUP|CHROOT|TSID|ENV)=(.*?)(?= ; |$)", re.DOTALL
)
_NAMES: Final = {
    "TTY": "process.tty",
    "PWD": "process.working_directory",
    "USER": "user.effective.name",
}
_SU: Final = re.compile(r"(?:(FAILED) )?(?:[Ss][Uu] )?(?:\(to (\S+)\) (\S+) on (\S+)|.*)")
_CRON: Final = re.compile(r"\((\S+)\) CMD \((.*)\)$", re.DOTALL)
_NEW_USER: Final = re.compile(r"new user: name=([^,\s]+), UID=(\d+)")
_NEW_GROUP: Final = re.compile(r"new group: name=([^,\s]+)")
_DELETED: Final = re.compile(r"delete user '([^']+)'")
_ADDED: Final = re.compile(r"add '([^']+)' to (?:shadow )?group '([^']+)'")


def read_sudo(message: str, fields: dict[str, Value]) -> None:
    """Add what sudo logged of a command: who, as whom, where, what, and why not (sudoers(5))."""
    found = _SUDO.match(message)
    if found is None:
        return
    head, command_mark, command = found[2].partition("COMMAND=")
    if not command_mark:
        return
    pairs = list(_PAIR.finditer(head))
    reason = head[: pairs[0].start()] if pairs else head
    fields["event.category"] = "process"
    fields["event.action"] = "sudo_command"
    fields["user.name"] = found[1]
    fields["process.command_line"] = command
    for pair in pairs:
        if pair[1] in _NAMES:
            fields[_NAMES[pair[1]]] = pair[2]
    reason = reason.strip(" ;")
    fields["event.outcome"] = "failure" if reason else "success"
    if reason:
        fields["event.reason"] = reason


def read_su(message: str, fields: dict[str, Value]) -> None:
    """Add who became whom by su (``(to root) ann on pts/0``)."""
    found = _SU.fullmatch(message.strip())
    if found is None or found[2] is None:
        return
    fields["event.category"] = "process"
    fields["event.action"] = "su"
    fields["event.outcome"] = "failure" if found[1] else "success"
    fields["user.effective.name"], fields["user.name"], fields["process.tty"] = found.group(2, 3, 4)


def read_cron(message: str, fields: dict[str, Value]) -> None:
    """Add whose job cron started."""
    found = _CRON.match(message)
    if found is not None:
        fields["event.category"] = "process"
        fields["event.action"] = "cron_command"
        fields["user.name"], fields["process.command_line"] = found[1], found[2]


def read_accounts(message: str, fields: dict[str, Value]) -> None:
    """Add which account or group was made, changed or deleted (shadow-utils)."""
    for pattern, action, names in (
        (_NEW_USER, "user_created", ("user.target.name", "user.target.id")),
        (_NEW_GROUP, "group_created", ("group.name",)),
        (_DELETED, "user_deleted", ("user.target.name",)),
        (_ADDED, "group_member_added", ("user.target.name", "group.name")),
    ):
        found = pattern.match(message)
        if found is not None:
            fields["event.category"] = "iam"
            fields["event.action"] = action
            fields["event.outcome"] = "success"
            fields.update(zip(names, found.groups(), strict=True))
            return
