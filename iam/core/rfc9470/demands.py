"""How strong and how fresh a sign-in must be: asked for, or demanded by the application."""

from __future__ import annotations

import re
from typing import Final

from iam.errors import InvalidRequest, UnmetAuthentication
from iam.models.clients import Client
from iam.models.sessions import ACR_PREFIX
from secops.kernel.clock import SECOND

LEVELS: Final = (1, 2, 3)
_ACR: Final = re.compile(rf"{ACR_PREFIX}([123])", re.ASCII)


def demanded_level(acr_values: str | None, client: Client) -> int:
    """Return the least level that satisfies both; raise ``UnmetAuthentication``.

    ``acr_values`` are alternatives (OIDC Core §3.1.2.1): the lowest that we know is enough.
    Where we know none of them, nothing that happens here can satisfy the request.
    """
    if acr_values is None or not acr_values.strip():
        return client.level
    known = [int(found[1]) for word in acr_values.split() if (found := _ACR.fullmatch(word))]
    if not known:
        msg = "no acr value of the request is one of ours"
        raise UnmetAuthentication(msg)
    return max(min(known), client.level)


def demanded_age(max_age: str | None, client: Client) -> int | None:
    """Return the greatest age of the sign-in in seconds; raise ``InvalidRequest``."""
    if max_age is None:
        return client.max_age
    if not (max_age.isascii() and max_age.isdigit() and len(max_age) <= len("99999999")):
        msg = "max_age is a number of seconds"
        raise InvalidRequest(msg)
    asked = int(max_age)
    return asked if client.max_age is None else min(asked, client.max_age)


def fresh(auth_time: int, max_age: int | None, now: int) -> bool:
    """Tell whether a sign-in at ``auth_time`` (µs) is young enough."""
    return max_age is None or now - auth_time <= max_age * SECOND
