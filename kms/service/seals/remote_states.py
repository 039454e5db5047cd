"""What the province did to its seals since: one that it suspends or revokes is not used here.

Only what takes away is taken over. Whoever suspended a seal here resumes it here.
"""

from __future__ import annotations

from typing import Final

from kms.errors.remote_seals import RemoteSealerFailed, RemoteSealerRefused
from kms.errors.seals import SealStateConflict
from kms.models.seal_registry import SealRecord, SealState
from kms.service.seals.parts import SealParts
from secops.kernel.actors import system_actor
from secops.kernel.errors import Unavailable
from secops.kernel.trail import Act
from secops.kernel.transactions import Restriction, Transaction

_ACTOR: Final = system_actor("kms-province")
_AT_ONCE: Final = 20
_ACTIONS: Final[dict[SealState, str]] = {
    "suspended": "kms.suspend_seal",
    "revoked": "kms.revoke_seal",
}


class RemoteSealStates:
    """Asks the province after each of its seals, a few at a time."""

    def __init__(self, seals: SealParts) -> None:
        self._seals = seals
        self._parts = seals.parts
        self._after = ""

    def refresh_remote_seals(self) -> bool:
        """Take over what ended there; True if more seals wait to be asked after.

        A province that does not answer is asked again at the next round.
        """
        if not self._seals.remote.is_there:
            return False
        found = self._parts.transactions.read(
            lambda tx: self._seals.lives.living_remote_seals(tx, self._after, _AT_ONCE)
        )
        try:
            for record in found:
                self._refresh(record)
        except (RemoteSealerFailed, Unavailable):
            return False
        more = len(found) == _AT_ONCE
        self._after = found[-1].id if more else ""
        return more

    def _refresh(self, record: SealRecord) -> None:
        try:
            there = self._seals.remote.seal_state(record.remote_reference)
        except RemoteSealerRefused:
            return  # it knows no such seal, or does not say: a use is refused there, too
        if there.state == "suspended" and record.state == "active":
            self._stop(record, "suspended", ("active",), there.reason)
        elif there.state == "revoked":
            self._stop(record, "revoked", ("active", "suspended"), there.reason)

    def _stop(
        self, record: SealRecord, after: SealState, before: tuple[SealState, ...], why: str
    ) -> None:
        reason = f"province: {why}".rstrip(": ")

        def stop(transaction: Transaction) -> None:
            if not self._seals.store.change_state(
                transaction, record.id, before=before, after=after, reason=reason
            ):
                raise SealStateConflict

        details = {"reason": reason, "org": record.org_id}
        act = Act(_ACTIONS[after], _ACTOR, f"seal:{record.id}", details=details)
        try:
            self._parts.transactions.restrict(stop, Restriction("seal", record.id, act))
        except SealStateConflict:
            return  # somebody here was quicker
