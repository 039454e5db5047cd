"""sshd's messages (OpenSSH 6–10; auth.c, packet.c, session.c) as ECS fields.

The user name is what the client sent: it may hold spaces and look like the rest of the line.
Patterns are anchored at the end and take the longest name, so the address is always the
last one, which sshd wrote itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from detectors.core.events.text import canonical_address
from secops.kernel.logs import Value

Act = Callable[[re.Match[str], dict[str, Value]], None]
_FROM: Final = r"(?P<ip>\S+) port (?P<port>\d+)"


def _origin(found: re.Match[str], fields: dict[str, Value]) -> None:
    groups = found.groupdict()
    address = canonical_address(groups["ip"])
    fields["source.address"] = groups["ip"]
    if address is not None:
        fields["source.ip"] = address
    if groups.get("port"):
        fields["source.port"] = groups["port"]
    if groups.get("user"):
        fields["user.name"] = groups["user"]
    if groups.get("invalid"):
        fields["ssh.invalid_user"] = "true"


def _login(outcome: str) -> Act:
    def read(found: re.Match[str], fields: dict[str, Value]) -> None:
        _origin(found, fields)
        fields["event.category"] = "authentication"
        method = found["method"]
        fields["event.action"] = "ssh_login" if method != "none" else "ssh_probe"
        fields["event.outcome"] = outcome
        fields["ssh.method"] = method
        if found["key"]:
            fields["ssh.key"] = found["key"]

    return read


def _act(action: str, category: str = "network", outcome: str | None = None) -> Act:
    def read(found: re.Match[str], fields: dict[str, Value]) -> None:
        if "ip" in found.groupdict():
            _origin(found, fields)
        fields["event.category"] = category
        fields["event.action"] = action
        if outcome is not None:
            fields["event.outcome"] = outcome

    return read


_MAYBE_PORT: Final = r"(?P<ip>[^\s:]\S*?)(?: port (?P<port>\d+))?"
_END: Final = r"(?: \[preauth\])?"
_PEER: Final = (
    r"(?:(?:authenticating |(?P<invalid>invalid ))?user (?P<user>.*) (?=\S+ port \d+))?"
    rf"{_MAYBE_PORT}{_END}"
)
_INVALID: Final = r"(?P<invalid>invalid user )?(?P<user>.*)"
_FAILED: Final = (
    rf"Failed (?P<method>\S+) for {_INVALID} from {_FROM}(?: ssh2)?(?:: (?P<key>\S+ \S+))?"
)
_ACCEPTED: Final = (
    rf"Accepted (?P<method>\S+) for (?P<user>.*) from {_FROM}(?: ssh2)?(?:: (?P<key>.+))?"
)
_EXCEEDED: Final = (
    rf"error: maximum authentication attempts exceeded for {_INVALID} from {_FROM} ssh2{_END}"
)
_REVERSE: Final = (
    r"reverse mapping checking getaddrinfo for (?P<name>\S+) \[(?P<ip>[^\]\s]+)\] failed.*"
)
_TABLE: Final[tuple[tuple[str, str, Act], ...]] = (
    ("Failed ", _FAILED, _login("failure")),
    ("Accepted ", _ACCEPTED, _login("success")),
    (
        "Invalid user ",
        rf"(?P<invalid>Invalid user )(?P<user>.*) from {_MAYBE_PORT}",
        _act("ssh_invalid_user", "authentication", "failure"),
    ),
    (
        "error: maximum authentication attempts exceeded ",
        _EXCEEDED,
        _act("ssh_attempts_exceeded", "authentication", "failure"),
    ),
    ("Connection closed by ", f"Connection closed by {_PEER}", _act("ssh_connection_closed")),
    ("Connection reset by ", f"Connection reset by {_PEER}", _act("ssh_connection_closed")),
    ("Disconnected from ", f"Disconnected from {_PEER}", _act("ssh_disconnected")),
    (
        "Received disconnect from ",
        rf"Received disconnect from {_MAYBE_PORT}: ?(?P<code>\d+): .*",
        _act("ssh_disconnected"),
    ),
    (
        "Connection from ",
        rf"Connection from {_FROM}(?: on \S+ port \d+.*)?",
        _act("ssh_connection"),
    ),
    (
        "Did not receive identification string from ",
        rf"Did not receive identification string from {_MAYBE_PORT}",
        _act("ssh_bad_protocol", "intrusion_detection"),
    ),
    (
        "Bad protocol version identification ",
        rf"Bad protocol version identification '.*' from {_FROM}",
        _act("ssh_bad_protocol", "intrusion_detection"),
    ),
    (
        "Unable to negotiate with ",
        rf"Unable to negotiate with {_FROM}: .*",
        _act("ssh_no_agreement"),
    ),
    ("reverse mapping ", _REVERSE, _act("ssh_reverse_mapping", "intrusion_detection")),
    ("Server listening on ", r"Server listening on \S+ port \d+\.", _act("ssh_started", "host")),
)
_PATTERNS: Final = tuple(
    (prefix, re.compile(pattern, re.DOTALL), act) for prefix, pattern, act in _TABLE
)


def read_message(message: str, fields: dict[str, Value]) -> None:
    """Add what an sshd message says; unknown messages add nothing."""
    for prefix, pattern, act in _PATTERNS:
        if message.startswith(prefix):
            found = pattern.fullmatch(message.rstrip())
            if found is not None:
                act(found, fields)
            return
