"""The use policy of a seal: shown to its readers, set by a security administrator."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Final

from kms.errors.seals import SealStateConflict
from kms.models.seal_policies import (
    APPROVALS,
    DAY_MINUTES,
    MAX_CLASS_NAME,
    NO_RISK_LIMIT,
    WEEKDAYS,
    UsePolicy,
    is_class_name,
)
from kms.service.seals.parts import SealParts
from secops.kernel.actors import Actor
from secops.kernel.errors import Invalid
from secops.kernel.permissions.kms import SEAL_CONFIGURE, SEAL_READ
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

_MAX_CLASSES: Final = 50
_MAX_CAP: Final = 1_000_000


class SealPolicies:
    """Says how a seal may be used."""

    def __init__(self, seals: SealParts) -> None:
        self._seals = seals
        self._parts = seals.parts

    def show_use_policy(self, actor: Actor, seal_id: str) -> UsePolicy:
        """Return the seal's policy; raise ``SealNotFound``."""
        self._parts.access.require(actor, SEAL_READ, f"seal:{seal_id}")

        def read(transaction: Transaction) -> UsePolicy:
            self._seals.load_seal(transaction, actor, seal_id)
            return self._seals.policies.policy(transaction, seal_id)

        return self._parts.transactions.read(read)

    def set_use_policy(self, actor: Actor, wish: UsePolicy) -> UsePolicy:
        """Put ``wish`` in place of the policy whose ``version`` it names, and return it.

        ``wish.users`` are sign-in names of holders. Raises ``Invalid``, ``SealNotFound``, and
        ``SealStateConflict`` where somebody else changed it meanwhile.
        """
        seal_id = wish.seal_id
        self._parts.access.require(actor, SEAL_CONFIGURE, f"seal:{seal_id}")
        _check(wish)

        def work(transaction: Transaction) -> UsePolicy:
            self._seals.load_seal(transaction, actor, seal_id)
            before = self._seals.policies.policy(transaction, seal_id)
            users = self._holders(transaction, wish)
            after = replace(wish, users=users, version=wish.version + 1)
            stored = before.version == wish.version and self._seals.policies.put_policy(
                transaction, actor.org_id, after
            )
            if not stored:
                msg = f"the policy is at version {before.version}: look at it again"
                raise SealStateConflict(msg)
            details = {"before": _record(before), "after": _record(after)}
            target = f"seal:{seal_id}"
            transaction.record(Act("kms.set_use_policy", actor, target, details=details))
            return after

        return self._parts.transactions.run(work)

    def _holders(self, transaction: Transaction, wish: UsePolicy) -> tuple[str, ...]:
        """Return the account ids of ``wish.users``; only holders can be named."""
        holders = self._seals.store.holders(transaction, wish.seal_id)
        known = {holder.name: holder.account_id for holder in holders}
        known |= {holder.account_id: holder.account_id for holder in holders}
        missing = [name for name in wish.users if name not in known]
        if missing:
            msg = f"{missing[0][:60]!r} is not a holder of the seal"
            raise Invalid(msg)
        return tuple(sorted({known[name] for name in wish.users}))


def _check(wish: UsePolicy) -> None:
    classes = wish.document_classes
    if len(classes) > _MAX_CLASSES or not all(map(is_class_name, classes)):
        msg = f"a policy names at most {_MAX_CLASSES} classes of {MAX_CLASS_NAME} characters"
        raise Invalid(msg)
    days = set(wish.weekdays)
    if not days or not days <= set(WEEKDAYS) or len(days) != len(wish.weekdays):
        msg = "weekdays are 1 (Monday) to 7, at least one, each once"
        raise Invalid(msg)
    if not 0 <= wish.opens < wish.closes <= DAY_MINUTES:
        msg = "the hours begin before they end, within one day"
        raise Invalid(msg)
    if wish.daily_cap is not None and not 0 <= wish.daily_cap <= _MAX_CAP:
        msg = f"a daily cap is 0 to {_MAX_CAP}"
        raise Invalid(msg)
    if wish.approval not in APPROVALS:
        msg = f"approval is one of {', '.join(APPROVALS)}"
        raise Invalid(msg)
    if not 0 <= wish.max_risk <= NO_RISK_LIMIT:
        msg = f"a risk is 0 to {NO_RISK_LIMIT}"
        raise Invalid(msg)


def _record(policy: UsePolicy) -> dict[str, object]:
    lists = ("users", "document_classes", "weekdays")
    return {**asdict(policy), **{name: list(getattr(policy, name)) for name in lists}}
