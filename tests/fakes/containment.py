"""Accounts and sessions in memory or in a file; counts every effect per idempotency key."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from playbooks.ports import AccountState, Order
from secops.kernel.errors import Unavailable


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

    def account_state(self, org_id: str, account: str) -> AccountState | None:
        """Return the account with this id or name."""
        del org_id
        self._require_up()
        for account_id, values in self._load()["accounts"].items():
            if account in (account_id, values["name"]):
                state = "locked" if values["locked"] else "active"
                return AccountState(
                    account_id, values["name"], state, values["locked"], values["protected"]
                )
        return None

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

    def lock_account(self, account_id: str, order: Order) -> None:
        """Lock it; an effect only if it was not."""
        self._require_up()
        values = self._load()["accounts"][account_id]
        self._change(
            order, f"lock {account_id}", not values["locked"], lambda: values.update(locked=True)
        )

    def _change(self, order: Order, call: str, effective: bool, change: Any) -> None:  # noqa: FBT001
        self._state["calls"].append(call)
        if effective and not self.inert:
            change()
            self._state["effects"][order.key] = self._state["effects"].get(order.key, 0) + 1
        self._save()

    def _require_up(self) -> None:
        if self.down:
            raise Unavailable
