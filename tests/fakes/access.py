"""Access by roles alone, as the permission tables say."""

from __future__ import annotations

from collections.abc import Mapping

from secops.kernel.actors import Actor
from secops.kernel.errors import Forbidden
from secops.kernel.permissions import Permission


class FakeAccess:
    """Allows what the actor's roles hold; ``asked`` are all questions, ``denied`` overrules."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Permission, str]] = []
        self.denied: set[Permission] = set()

    def require(
        self,
        actor: Actor,
        permission: Permission,
        resource: str = "*",
        context: Mapping[str, str | int | bool] | None = None,
    ) -> None:
        self.asked.append((actor.id, permission, resource))
        if permission in self.denied or not actor.may(permission):
            msg = f"{actor.id} may not {permission}"
            raise Forbidden(msg, permission=permission)
