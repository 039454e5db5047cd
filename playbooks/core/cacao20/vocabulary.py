"""Closed sets and vocabularies of CACAO 2.0, and the names of our profile."""

from __future__ import annotations

import re
from typing import Final

from playbooks.core.stix21 import OBJECT_PATH
from playbooks.models.runs import WAIT

STEP_TYPES: Final = frozenset(
    {
        "start",
        "end",
        "action",
        "playbook-action",
        "parallel",
        "if-condition",
        "while-condition",
        "switch-condition",
    }
)
BRANCHING: Final = frozenset({"parallel", "if-condition", "while-condition", "switch-condition"})
COMMAND_TYPES: Final = frozenset(
    {
        "manual",
        "bash",
        "caldera-cmd",
        "elastic",
        "http-api",
        "jupyter",
        "kestrel",
        "openc2-http",
        "powershell",
        "sigma",
        "ssh",
        "yara",
    }
)
AGENT_TYPES: Final = frozenset(
    {
        "group",
        "individual",
        "location",
        "organization",
        "sector",
        "http-api",
        "linux",
        "net-address",
        "security-category",
        "ssh",
    }
)

SECOPS: Final = "secops"
"""Type of our commands and agents."""
EXTENSION: Final = "extension-definition--6b0f2a64-5c8e-4d3b-9a71-2f4c8d0e9b15"
"""The step extension of our profile: arguments, approval, retries."""

ACTIONS: Final[dict[str, frozenset[str]]] = {
    "session.revoke": frozenset({"account"}),
    "token.revoke": frozenset({"token"}),
    "account.lock": frozenset({"account"}),
    "account.unlock": frozenset({"account"}),
    "account.require-step-up": frozenset({"account"}),
    "account.clear-step-up": frozenset({"account"}),
    "key.suspend": frozenset({"key"}),
    "key.resume": frozenset({"key"}),
    "seal.suspend": frozenset({"seal"}),
    "seal.resume": frozenset({"seal"}),
    "client.suspend": frozenset({"client"}),
    "client.resume": frozenset({"client"}),
    "address.block": frozenset({"address"}),
    "address.unblock": frozenset({"address"}),
    "evidence.collect": frozenset({"query"}),
    "notice.issue": frozenset({"template"}),
    "notify.send": frozenset({"channel", "title", "text"}),
    WAIT: frozenset({"permission"}),
}
"""The closed set of actions and the arguments each takes (all required)."""
INVERSES: Final[dict[str, str]] = {
    "account.lock": "account.unlock",
    "account.require-step-up": "account.clear-step-up",
    "key.suspend": "key.resume",
    "seal.suspend": "seal.resume",
    "client.suspend": "client.resume",
    "address.block": "address.unblock",
}
"""What takes a restricting act back; ended sessions and revoked tokens don't come back."""
GRANTING_ACTIONS: Final = frozenset(INVERSES.values())
RESTRICTING_ACTIONS: Final = frozenset(INVERSES) | {"session.revoke", "token.revoke"}

_HEX: Final = "[0-9a-fA-F]"
UUID: Final = f"{_HEX}{{8}}-{_HEX}{{4}}-[1-5]{_HEX}{{3}}-[89abAB]{_HEX}{{3}}-{_HEX}{{12}}"
"""Versions 1 to 5, as the published schema has it: others' tools must read our files too."""
IDENTIFIER: Final = re.compile(r"([a-z][a-z0-9-]{0,250}[a-z0-9])--" + UUID)
TIMESTAMP: Final = re.compile(
    r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])"
    r"T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.(\d{1,9}))?Z",
    re.ASCII,
)
VARIABLE: Final = re.compile(r"__[a-zA-Z_][a-zA-Z0-9_-]{0,199}__")
REFERENCE: Final = re.compile(OBJECT_PATH)
HTTP_START_LINE: Final = re.compile(r"[A-Z]{3,10} \S{1,4096} HTTP/\d(?:\.\d)?")
