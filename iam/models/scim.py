"""What provisioning systems (SCIM) know of people and groups."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ScimRow:
    """One resource: ``content`` is its JSON (a user's sealed), ``version`` counts changes."""

    id: str
    org_id: str
    content: bytes = field(repr=False)
    version: int
    created_at: int
    changed_at: int


@dataclass(frozen=True, slots=True)
class ScimAnswer:
    """A resource or list as JSON, with the status and ETag it is answered by."""

    status: int
    body: object
    version: int | None = None
    location: str = ""
