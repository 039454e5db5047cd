"""Use policies of seals in the database."""

from __future__ import annotations

from dataclasses import asdict

import orjson
from sqlalchemy import insert, select, update

from kms.models.seal_policies import UsePolicy
from kms.store.rows import fields_of
from kms.store.tables.seals import kms_seal_policies
from secops.kernel.transactions import Transaction

_LISTS = ("users", "document_classes", "weekdays")


class SqlSealPolicyStore:
    """One row a seal, none before a policy was set."""

    def policy(self, transaction: Transaction, seal_id: str) -> UsePolicy:
        """Return the seal's policy; one that allows every holder everything if none was set."""
        table = kms_seal_policies
        row = transaction.execute(select(table).where(table.c.seal_id == seal_id)).one_or_none()
        if row is None:
            return UsePolicy(seal_id)
        fields = fields_of(row)
        del fields["org_id"]
        lists = {name: tuple(orjson.loads(fields[name])) for name in _LISTS}
        return UsePolicy(**{**fields, **lists})

    def put_policy(self, transaction: Transaction, org_id: str, policy: UsePolicy) -> bool:
        """Store ``policy`` over the version before it; False if another is there meanwhile."""
        lists = {name: orjson.dumps(getattr(policy, name)).decode() for name in _LISTS}
        fields = {**asdict(policy), **lists, "org_id": org_id}
        table = kms_seal_policies
        if policy.version == 1:
            # writers follow one another, so nothing comes between the look and the insert
            if self.policy(transaction, policy.seal_id).version:
                return False
            transaction.execute(insert(table).values(**fields))
            return True
        before = (table.c.seal_id == policy.seal_id, table.c.version == policy.version - 1)
        return bool(transaction.execute(update(table).where(*before).values(**fields)).rowcount)
