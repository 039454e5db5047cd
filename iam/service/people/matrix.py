"""The matrix of rights as people read it, from the table that decides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from iam.service.means import Means
from secops.kernel.actors import Actor
from secops.kernel.catalogue import Text
from secops.kernel.permissions import GRANTS, Permission, Role
from secops.kernel.permissions.clauses import clauses_of
from secops.kernel.permissions.iam import MATRIX_READ


@dataclass(frozen=True, slots=True)
class PermissionRow:
    """One permission: its name, who holds it, and the clauses it belongs to."""

    permission: Permission
    title: Text
    roles: frozenset[Role]
    clauses: tuple[str, ...]

    @property
    def plane(self) -> str:
        """The plane it is about."""
        return self.permission.partition(".")[0]


@dataclass(frozen=True, slots=True)
class MatrixService:
    """What the separation of duties looks like."""

    means: Means

    def list_permissions(self, actor: Actor) -> Sequence[PermissionRow]:
        """Return every permission of the product."""
        self.means.parts.access.require(actor, MATRIX_READ, "permission:*")
        return [
            PermissionRow(grant.permission, grant.title, grant.roles, clauses_of(grant))
            for grant in GRANTS
        ]
