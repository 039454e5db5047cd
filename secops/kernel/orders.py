"""Orders: who asked for work that goes on when they are gone, and what they may do by then."""

from __future__ import annotations

from dataclasses import asdict

import orjson

from secops.kernel.actors import Actor


def order_of(actor: Actor) -> str:
    """Return ``actor`` as JSON, to be kept beside the work; without the session."""
    known = asdict(actor) | {"session_id": None, "address": ""}
    known["roles"] = sorted(actor.roles)
    known["scopes"] = None if actor.scopes is None else sorted(actor.scopes)
    return orjson.dumps(known).decode()


def actor_of(ordered: str, roles: frozenset[str]) -> Actor:
    """Return who ordered the work, with the ``roles`` of now instead of those of then."""
    known = orjson.loads(ordered)
    scopes = None if known["scopes"] is None else frozenset(known["scopes"])
    return Actor(**{**known, "roles": roles, "scopes": scopes})
