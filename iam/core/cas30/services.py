"""What may be registered as a CAS service, and what a ticket looks like."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from iam.core.rfc6749.authorize import registrable_uri
from iam.errors import InvalidRequest
from iam.models.real_name import DEMANDS

ATTRIBUTES: Final = ("acr", "amr", "credit_code", "org", "real_name_level", "roles")
MAX_URL: Final = 255
_FIELDS: Final = {
    "url": str,
    "name": str,
    "attributes": list,
    "pairwise": bool,
    "single_logout": bool,
    "disabled": bool,
    "real_name_level": str,
}
_ID: Final = re.compile(r"[a-z][a-z0-9-]{1,31}", re.ASCII)
_TICKET: Final = re.compile(r"ST-([0-9a-f]{32})-([0-9a-f]{32})", re.ASCII)
_MAX_NAME: Final = 100


def check_service(service_id: str, after: Mapping[str, Any]) -> None:
    """Raise ``InvalidRequest`` unless ``after`` describes a whole service of ours."""
    if _ID.fullmatch(service_id) is None:
        msg = "a service's id has 2 to 32 lower-case letters, digits or -"
        raise InvalidRequest(msg)
    right = set(after) == set(_FIELDS) and all(
        type(after[name]) is kind for name, kind in _FIELDS.items()
    )
    if not right:
        msg = f"a service has exactly the fields {', '.join(_FIELDS)}"
        raise InvalidRequest(msg)
    url = after["url"]
    if len(url) > MAX_URL or not url.isascii() or not registrable_uri(url):
        msg = f"the address is https, or http on loopback, at most {MAX_URL} characters"
        raise InvalidRequest(msg)
    if not 0 < len(after["name"]) <= _MAX_NAME or not after["name"].isprintable():
        msg = f"the name has 1 to {_MAX_NAME} characters"
        raise InvalidRequest(msg)
    wanted = after["attributes"]
    if not all(isinstance(name, str) and name in ATTRIBUTES for name in wanted):
        msg = f"attributes are of {', '.join(ATTRIBUTES)}"
        raise InvalidRequest(msg)
    if after["real_name_level"] not in DEMANDS:
        msg = f"the real-name level is one of {', '.join(DEMANDS)}"
        raise InvalidRequest(msg)


def write_ticket(ticket_id: str, mac: bytes) -> str:
    """Return a ticket's text: its id, and a MAC so that only we can write one."""
    return f"ST-{ticket_id}-{mac[:16].hex()}"


def read_ticket(ticket: str) -> tuple[str, str] | None:
    """Return id and MAC (hex) of a ticket's text, None for any other text."""
    found = _TICKET.fullmatch(ticket)
    return None if found is None else (found[1], found[2])
