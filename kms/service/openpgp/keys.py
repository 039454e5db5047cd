"""The organisation's own OpenPGP keys, which sign: one active, older ones shown."""

from __future__ import annotations

import re
from typing import Final

import orjson

from kms.errors.openpgp import (
    OpenPgpKeyNotFound,
)
from kms.models.openpgp import (
    OPENPGP_ALGORITHMS,
    OpenPgpAlgorithm,
    OpenPgpKey,
    OpenPgpSecret,
)
from kms.service.openpgp.parts import BOX, OpenPgpParts, check_name
from secops.kernel.actors import Actor
from secops.kernel.errors import Invalid
from secops.kernel.pages import Page, PageRequest, page_of
from secops.kernel.permissions.kms import OPENPGP_CONFIGURE, OPENPGP_READ
from secops.kernel.trail import Act
from secops.kernel.transactions import Restriction, Transaction

_EMAIL: Final = re.compile(r"[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63}){1,8}")
_PASSPHRASE_BYTES: Final = 32


class OpenPgpKeys:
    """The organisation's own signing keys: one active, older ones shown for old messages."""

    def __init__(self, openpgp: OpenPgpParts) -> None:
        self._openpgp = openpgp
        self._parts = openpgp.parts

    def create_openpgp_key(
        self, actor: Actor, name: str, email: str, algorithm: OpenPgpAlgorithm = "ed25519"
    ) -> OpenPgpKey:
        """Make the key that signs exports from now on; the one before it is retired."""
        self._parts.access.require(actor, OPENPGP_CONFIGURE, "openpgp_key:new")
        check_name(name)
        if not _EMAIL.fullmatch(email):
            msg = "an e-mail address is like data@county.gov.cn"
            raise Invalid(msg)
        if algorithm not in OPENPGP_ALGORITHMS:
            msg = f"the algorithm is one of {', '.join(OPENPGP_ALGORITHMS)}"
            raise Invalid(msg)
        box = self._openpgp.system_keys.box(BOX)
        passphrase = self._parts.randomness.bytes(_PASSPHRASE_BYTES).hex()
        identity, public, secret = self._openpgp.openpgp.make_key(
            name, email, algorithm, passphrase
        )
        key_id = self._parts.ids.new("pgp")
        key = OpenPgpKey(
            id=key_id,
            org_id=actor.org_id,
            fingerprint=identity.fingerprint,
            user_id=identity.user_id,
            algorithm=identity.algorithm,
            public_key=public,
            sealed=box.seal(_packed(secret), key_id.encode()),
            created_at=self._parts.clock.now(),
            expires_at=identity.expires_at,
        )

        def store(transaction: Transaction) -> OpenPgpKey:
            self._openpgp.store.insert_key(transaction, key)
            details = {"fingerprint": key.fingerprint, "algorithm": key.algorithm}
            act = Act("kms.create_openpgp_key", actor, f"openpgp_key:{key.id}", details=details)
            transaction.record(act)
            return key

        return self._parts.transactions.run(store)

    def list_openpgp_keys(self, actor: Actor, request: PageRequest) -> Page[OpenPgpKey]:
        """Return the organisation's keys, newest first."""
        self._parts.access.require(actor, OPENPGP_READ, "openpgp_key:*")

        def read(transaction: Transaction) -> Page[OpenPgpKey]:
            rows = self._openpgp.store.keys(transaction, actor.org_id, request)
            return page_of(rows, request.limit, [(row.created_at, row.id) for row in rows])

        return self._parts.transactions.read(read)

    def show_openpgp_key(self, actor: Actor, key_id: str) -> OpenPgpKey:
        """Return one key, for its public half; raise ``OpenPgpKeyNotFound``."""
        self._parts.access.require(actor, OPENPGP_READ, f"openpgp_key:{key_id}")
        found = self._parts.transactions.read(
            lambda tx: self._openpgp.store.key(tx, actor.org_id, key_id)
        )
        if found is None:
            raise OpenPgpKeyNotFound
        return found

    def retire_openpgp_key(self, actor: Actor, key_id: str) -> None:
        """Let the key sign no more, everywhere within a second; its public half stays listed."""
        self._parts.access.require(actor, OPENPGP_CONFIGURE, f"openpgp_key:{key_id}")
        self.show_openpgp_key(actor, key_id)
        act = Act("kms.retire_openpgp_key", actor, f"openpgp_key:{key_id}")
        self._parts.transactions.restrict(
            lambda tx: self._openpgp.store.retire_key(tx, key_id), Restriction("key", key_id, act)
        )


def _packed(secret: OpenPgpSecret) -> bytes:
    return orjson.dumps({"armored": secret.armored, "passphrase": secret.passphrase})
