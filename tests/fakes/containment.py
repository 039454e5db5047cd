"""Accounts and sessions in memory or in a file; counts every effect per idempotency key."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from playbooks.ports import Order, RestrainedKind
from secops.kernel.containment import Contained
from secops.kernel.errors import Invalid, NotFound, Unavailable

_WORDS = {"account": ("lock", "unlock"), "step-up": ("demand", "clear")}


class FakeContainment:
    """``accounts`` maps an id to name, locked, sessions and protected.

    With ``file`` the state survives this process: the crash tests kill it at every boundary.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._state: dict[str, Any] = {"accounts": {}, "effects": {}, "calls": []}
        self.down = False
        self.inert = False

    def _load(self) -> dict[str, Any]:
        if self._file is not None and self._file.exists():
            self._state = json.loads(self._file.read_bytes())
        return self._state

    def _save(self) -> None:
        if self._file is not None:
            partial = self._file.with_suffix(".partial")
            partial.write_text(json.dumps(self._state))
            partial.replace(self._file)

    def forget(self) -> None:
        """Begin anew: nobody is there and nothing was done."""
        self._state = {"accounts": {}, "effects": {}, "calls": []}
        self._save()

    def add(self, account_id: str, name: str, sessions: int = 0, protected: str = "") -> None:
        """Make an account with that many sessions."""
        self._load()["accounts"][account_id] = {
            "name": name,
            "locked": False,
            "sessions": [f"ses_{name}_{number}" for number in range(sessions)],
            "protected": protected,
        }
        self._save()

    def sign_in(self, account_id: str, session_id: str) -> None:
        """Add a session."""
        self._load()["accounts"][account_id]["sessions"].append(session_id)
        self._save()

    @property
    def effects(self) -> dict[str, int]:
        """How many effects each idempotency key had."""
        return dict(self._load()["effects"])

    @property
    def calls(self) -> list[str]:
        """What was asked to be changed, in order."""
        return list(self._load()["calls"])

    def sessions_of(self, account_id: str) -> Sequence[str]:
        """Return the ids of its sessions."""
        self._require_up()
        return tuple(self._load()["accounts"][account_id]["sessions"])

    def revoke_sessions(self, account_id: str, order: Order) -> int:
        """End them; an effect only if there were any."""
        self._require_up()
        values = self._load()["accounts"][account_id]
        count = len(values["sessions"])
        self._change(order, f"revoke {account_id}", count > 0, values["sessions"].clear)
        return count

    def subject(self, kind: RestrainedKind, subject: str, name: str, protected: str = "") -> None:
        """Make a client, an address, a key or a seal."""
        known = self._load().setdefault("subjects", {})
        known[f"{kind}:{subject}"] = {"name": name, "protected": protected}
        self._save()

    def look(self, kind: RestrainedKind, org_id: str, name: str) -> Contained | None:
        """Return the subject with this id or name; every organisation sees the same."""
        self._require_up()
        if kind in ("account", "step-up"):
            return self._account(kind, name)
        for subject, values in self._load().get("subjects", {}).items():
            of_kind, _, identifier = subject.partition(":")
            if of_kind == kind and name in (identifier, values["name"]):
                return self._seen(kind, (identifier, values["name"]), values["protected"])
        return None

    def _account(self, kind: RestrainedKind, name: str) -> Contained | None:
        for account_id, values in self._load()["accounts"].items():
            if name in (account_id, values["name"]):
                if kind == "step-up":
                    return self._seen(kind, (account_id, values["name"]), "")
                seen = self._seen(kind, (account_id, values["name"]), values["protected"])
                state = "locked" if values["locked"] else "active"
                return replace(seen, state=state, held=values["locked"])
        return None

    def restrain(self, kind: RestrainedKind, subject: str, order: Order) -> None:
        """Hold it; an effect only if this order did not before."""
        self._require_up()
        holds = self._load().setdefault("holds", {})
        word, _ = _WORDS.get(kind, (f"suspend {kind}", ""))
        self._change(
            order,
            f"{word} {subject}",
            order.key not in holds,
            lambda: self._hold(order.key, kind, subject),
        )

    def give_back(self, kind: RestrainedKind, subject: str, order: Order) -> None:
        """Lift what the order undoes, or everything."""
        self._require_up()
        if self.look(kind, order.org_id, subject) is None:
            raise NotFound
        mine = [key for key in self._holders(kind, subject) if order.undoes in ("", key)]
        _, word = _WORDS.get(kind, ("", f"resume {kind}"))
        self._change(
            order, f"{word} {subject}", bool(mine), lambda: self._lift(mine, kind, subject)
        )

    def is_in_force(self, kind: RestrainedKind, subject: str, key: str) -> bool:
        """Tell whether the order ``key`` holds it."""
        self._require_up()
        return key in self._holders(kind, subject)

    def is_token_revoked(self, token_id: str) -> bool:
        """Tell whether it was ended."""
        self._require_up()
        if not token_id.isalnum() or not 16 <= len(token_id) <= 64:
            raise Invalid
        return token_id in self._load().get("tokens", [])

    def revoke_token(self, token_id: str, order: Order) -> None:
        """End it; an effect only if it lived."""
        lives = not self.is_token_revoked(token_id)
        tokens = self._load().setdefault("tokens", [])
        self._change(order, f"end token {token_id}", lives, lambda: tokens.append(token_id))

    def _holders(self, kind: str, subject: str) -> tuple[str, ...]:
        holds = self._load().get("holds", {}).items()
        return tuple(sorted(key for key, values in holds if values == [kind, subject, True]))

    def _hold(self, key: str, kind: str, subject: str) -> None:
        self._state["holds"][key] = [kind, subject, True]
        if kind == "account":
            self._state["accounts"][subject]["locked"] = True

    def _lift(self, keys: Sequence[str], kind: str, subject: str) -> None:
        for key in keys:
            self._state["holds"][key][2] = False
        held = [kind, subject, True] in self._state["holds"].values()
        if kind == "account":
            self._state["accounts"][subject]["locked"] = held

    def _seen(self, kind: str, named: tuple[str, str], protected: str) -> Contained:
        holders = self._holders(kind, named[0])
        state = "held" if holders else "free"
        return Contained(*named, state, bool(holders), holders, protected=protected)

    def _change(self, order: Order, call: str, effective: bool, change: Any) -> None:  # noqa: FBT001
        self._state["calls"].append(call)
        if effective and not self.inert:
            change()
            self._state["effects"][order.key] = self._state["effects"].get(order.key, 0) + 1
        self._save()

    def _require_up(self) -> None:
        if self.down:
            raise Unavailable
