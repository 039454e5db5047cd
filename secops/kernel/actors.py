"""Who acts. Every act in the ledger and every row of somebody's data names an organisation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

from secops.kernel.permissions import Permission, permissions_of

ActorKind = Literal["account", "client", "os", "system"]

ROOT_ORG: Final = "org_root"
_MAX_PLACED: Final = 4_096
ALL_SCOPE: Final = "api"
"""The scope that covers every permission."""


@dataclass(frozen=True, slots=True)
class Actor:
    """A caller whose identity has been proved.

    ``level`` is the authentication level reached (1, 2 or 3), ``auth_time`` when
    (UTC microseconds), ``scopes`` None for an interactive session without narrowing;
    ``address`` where this request comes from, empty where nobody can tell.
    """

    kind: ActorKind
    id: str
    org_id: str
    name: str
    roles: frozenset[str] = frozenset()
    session_id: str | None = None
    client_id: str | None = None
    level: int = 1
    auth_time: int = 0
    scopes: frozenset[str] | None = None
    address: str = ""

    @property
    def permissions(self) -> frozenset[Permission]:
        """What the actor's roles allow."""
        return permissions_of(self.roles)

    def may(self, permission: Permission) -> bool:
        """Tell whether the actor's roles hold ``permission``."""
        return permission in permissions_of(self.roles)

    def covers(self, permission: Permission) -> bool:
        """Tell whether the token's scopes cover ``permission``: itself, its plane, or all of it."""
        scopes = self.scopes
        if scopes is None:
            return True
        plane = permission.partition(".")[0]
        return permission in scopes or plane in scopes or ALL_SCOPE in scopes


class PlacedActors:
    """Actors where they are: the same object for the same two, so that it can be known again."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, str], tuple[Actor, Actor]] = {}

    def at(self, actor: Actor, address: str) -> Actor:
        """Return ``actor`` as asking from ``address``."""
        known = self._known.get((id(actor), address))
        if known is None or known[0] is not actor:
            if len(self._known) >= _MAX_PLACED:
                self._known.clear()
            known = self._known[id(actor), address] = (actor, replace(actor, address=address))
        return known[1]


def system_actor(name: str, org_id: str = ROOT_ORG) -> Actor:
    """Return the product itself as actor, e.g. the scheduler; it holds no role."""
    return Actor(kind="system", id=name, org_id=org_id, name=name)


def os_actor(user: str) -> Actor:
    """Return whoever holds the home's file permissions as actor ``os:<user>``."""
    return Actor(kind="os", id=f"os:{user}", org_id=ROOT_ORG, name=user)
