"""The navigation: which page stands where, and the permission it takes to see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from secops.kernel.catalogue import Text
from secops.kernel.permissions import Permission


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry; ``permission`` None is for everybody who is signed in."""

    href: str
    title: Text
    permission: Permission | None = None


NAVIGATION: Final[tuple[Entry, ...]] = (Entry("/", Text("我的工作台", "My workplace")),)
