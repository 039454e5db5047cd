"""Refusals that matter are in the ledger too: what a unit of work undoes is entered beside it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from secops.kernel.actors import Actor
from secops.kernel.errors import Conflict, Forbidden
from secops.kernel.parts import Parts
from secops.kernel.trail import Act


@contextmanager
def refusals_recorded(
    parts: Parts, action: str, actor: Actor, target: str, **details: str
) -> Iterator[None]:
    """Enter a ``Forbidden`` or ``Conflict`` that comes out, by its code, and let it go on."""
    try:
        yield
    except (Forbidden, Conflict) as error:
        parts.trail.append([Act(action, actor, target, "refused", {"code": error.code, **details})])
        raise
