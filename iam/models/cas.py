"""Services of the CAS server and the tickets they are given."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from iam.models.real_name import NO_DEMAND


@dataclass(frozen=True, slots=True)
class CasService:
    """A registered service, by its exact address.

    ``pairwise``: it knows people by a name of its own instead of the login name;
    ``attributes`` are what it is told besides; ``single_logout``: it is told of a session's end.
    ``real_name_level`` (one of ``DEMANDS``) is what it demands of people.
    """

    id: str
    org_id: str
    url: str
    name: str
    attributes: tuple[str, ...] = ()
    pairwise: bool = False
    single_logout: bool = False
    disabled: bool = False
    real_name_level: str = NO_DEMAND


@dataclass(frozen=True, slots=True)
class CasTicket:
    """A service ticket. ``fresh``: its person signed in for this very request.

    ``told`` is how far the service has been told of the session's end: none, waiting,
    delivered or silent.
    """

    id: str = field(repr=False)
    org_id: str
    service_id: str
    session_id: str
    account_id: str
    fresh: bool
    created_at: int
    expires_at: int
    used_at: int | None = None
    told: str = "none"
    tries: int = 0
    next_at: int = 0


@dataclass(frozen=True, slots=True)
class CasAnswer:
    """The answer to a service's question, in the form that was asked for."""

    body: bytes
    as_json: bool = False


@dataclass(frozen=True, slots=True)
class CasLogin:
    """Where the browser goes: back to the ``service``, or to ``sign_in`` first.

    For ``post`` the service is given its ``ticket`` by a form instead of in the address.
    """

    kind: Literal["service", "sign_in", "post"]
    location: str
    ticket: str = field(default="", repr=False)
