"""Letting a token or crypto machine open the pool at start, beside the passphrase."""

from __future__ import annotations

from kms.errors.backends import BackendFault, BackendMisconfigured
from kms.ports.unlock import UnlockToken
from kms.service.custody import POOL_TARGET, Pool
from kms.service.tenants import demand_whole
from secops.kernel.actors import Actor
from secops.kernel.parts import Parts
from secops.kernel.permissions.kms import POOL_LOCK
from secops.kernel.trail import Act, Outcome


class UnlockTokenBinding:
    """Has the configured device keep the passphrase."""

    def __init__(self, parts: Parts, pool: Pool, token: UnlockToken | None) -> None:
        self._parts = parts
        self._pool = pool
        self._token = token

    def bind_unlock_token(self, actor: Actor, passphrase: bytes) -> str:
        """Let the device open the pool from the next start on; return its name.

        Whoever binds it proves the passphrase first: a wrong one raises ``WrongPassphrase``
        and is recorded. The device gets a new key: intent and outcome are recorded.
        """
        self._parts.access.require(actor, POOL_LOCK, POOL_TARGET)
        demand_whole(actor)
        token = self._token
        if token is None:
            msg = "the setting unlock_token names no device"
            raise BackendMisconfigured(msg)
        self._pool.unlock(actor, passphrase)
        self._record(actor, token, "intent")
        try:
            token.keep(passphrase)
        except BackendFault:
            self._record(actor, token, "failed")
            raise
        self._record(actor, token, "done")
        return token.name

    def _record(self, actor: Actor, token: UnlockToken, outcome: Outcome) -> None:
        details = {"backend": token.name}
        act = Act("kms.bind_unlock_token", actor, POOL_TARGET, outcome, details)
        self._parts.transactions.run(lambda tx: tx.record(act))
