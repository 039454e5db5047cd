"""PAM messages, which every program that signs people in writes alike (pam_unix(8))."""

from __future__ import annotations

import re
from typing import Final

from secops.kernel.logs import Value

_PAM: Final = re.compile(r"(pam_\w+)\(([^\s:)]+):(\w+)\): (.*)", re.DOTALL)
_FAILURE: Final = re.compile(r"authentication failure; logname=(\S*) uid=(\S*) euid=\S* tty=(\S*) ")
_RHOST: Final = re.compile(r" ruser=(\S*) rhost=(\S*)(?: +user=(.*?))? *$")
_SESSION: Final = re.compile(
    r"session (opened|closed) for user ([^\s(]+)(?:\(uid=(\d+)\))?(?: by ([^\s(]*)\(uid=(\d+)\))?"
)
_CHANGED: Final = re.compile(r"password changed for (\S+)")


def read_pam(message: str, fields: dict[str, Value]) -> None:
    """Add what a ``pam_*(service:type): text`` message says."""
    found = _PAM.match(message)
    if found is None:
        return
    fields["pam.module"], fields["pam.service"], fields["pam.type"] = found[1], found[2], found[3]
    text = found[4]
    if _FAILURE.match(text):
        _failure(text, fields)
    elif (session := _SESSION.match(text)) is not None:
        fields["event.category"] = "session"
        fields["event.action"] = f"session_{session[1]}"
        fields["event.outcome"] = "success"
        fields["user.name"] = session[2]
        if session[3]:
            fields["user.id"] = session[3]
        if session[4]:
            fields["user.by.name"] = session[4]
    elif (changed := _CHANGED.match(text)) is not None:
        fields["event.category"] = "iam"
        fields["event.action"] = "password_changed"
        fields["event.outcome"] = "success"
        fields["user.name"] = changed[1]


def _failure(text: str, fields: dict[str, Value]) -> None:
    fields["event.category"] = "authentication"
    fields["event.action"] = "pam_authentication"
    fields["event.outcome"] = "failure"
    origin = _RHOST.search(text)
    if origin is None:
        return
    if origin[1]:
        fields["user.by.name"] = origin[1]
    if origin[2]:
        fields["source.address"] = origin[2]
    if origin[3]:
        fields["user.name"] = origin[3]
