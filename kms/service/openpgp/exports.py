"""Exports for partners: signed, encrypted, and recorded before they go out."""

from __future__ import annotations

import orjson

from kms.errors.openpgp import (
    OpenPgpKeyNotFound,
    PartnerKeyRejected,
    PartnerNotFound,
    PartnerStateConflict,
)
from kms.models.openpgp import (
    MAX_EXPORT,
    MAX_PARTNERS_OF_EXPORT,
    OpenPgpKey,
    OpenPgpSecret,
    Partner,
    ProtectedExport,
)
from kms.service.openpgp.parts import BOX, MAX_NAME, OpenPgpParts, is_over
from kms.service.tenants import Tenants
from secops.crypto.hashes import sha256, sm3
from secops.kernel.actors import Actor
from secops.kernel.errors import Invalid, TooLarge
from secops.kernel.permissions.kms import OPENPGP_USE
from secops.kernel.trail import Act


class Exports:
    """Signs what goes out, and encrypts it to partners."""

    def __init__(self, openpgp: OpenPgpParts) -> None:
        self._openpgp = openpgp
        self._parts = openpgp.parts

    def protect_export(
        self, actor: Actor, content: bytes, partners: tuple[str, ...]
    ) -> ProtectedExport:
        """Return ``content`` signed and encrypted to the ``partners`` named; recorded first.

        Raises ``PartnerNotFound``, ``PartnerKeyRejected`` for a key that expired meanwhile,
        ``OpenPgpKeyNotFound``, ``TooLarge``, ``PoolLocked``, ``TenantLocked``.
        """
        secret, key, found = self._ready(actor, content, partners)
        message = self._openpgp.openpgp.protect(content, secret, [p.public_key for p in found])
        # gpg took its time: for what was retired meanwhile nothing goes out
        if [self._usable(actor, name) for name in partners] != found:
            raise PartnerStateConflict
        self._demand_same_signer(actor, key)
        export = _export(content, message, key, partners)
        fingerprints = [partner.fingerprint for partner in found]
        self._record(actor, "kms.protect_export", export, partners=fingerprints)
        return export

    def demand_export(self, actor: Actor, partners: tuple[str, ...]) -> None:
        """Return if ``protect_export`` would find its keys now; raise what it would raise."""
        self._ready(actor, b"", partners)

    def _ready(
        self, actor: Actor, content: bytes, partners: tuple[str, ...]
    ) -> tuple[OpenPgpSecret, OpenPgpKey, list[Partner]]:
        self._parts.access.require(actor, OPENPGP_USE, "export:new")
        if not 0 < len(partners) <= MAX_PARTNERS_OF_EXPORT or len(set(partners)) != len(partners):
            msg = f"an export goes to 1 to {MAX_PARTNERS_OF_EXPORT} partners, each named once"
            raise Invalid(msg)
        secret, key = self._signer(actor, content)
        return secret, key, [self._usable(actor, name) for name in partners]

    def sign_export(self, actor: Actor, content: bytes) -> ProtectedExport:
        """Return a detached signature of ``content``; recorded first."""
        self._parts.access.require(actor, OPENPGP_USE, "export:new")
        secret, key = self._signer(actor, content)
        export = _export(content, self._openpgp.openpgp.sign(content, secret), key, ())
        self._demand_same_signer(actor, key)
        self._record(actor, "kms.sign_export", export)
        return export

    def _signer(self, actor: Actor, content: bytes) -> tuple[OpenPgpSecret, OpenPgpKey]:
        if len(content) > MAX_EXPORT:
            msg = f"an export has at most {MAX_EXPORT} bytes"
            raise TooLarge(msg)
        Tenants(self._parts).demand_open(actor.org_id)
        key = self._parts.transactions.read(
            lambda tx: self._openpgp.store.active_key(tx, actor.org_id)
        )
        if key is None or self._parts.revocations.is_revoked("key", key.id):
            raise OpenPgpKeyNotFound
        if is_over(key.expires_at, self._parts.clock.now()):
            msg = "the signing key has expired"
            raise OpenPgpKeyNotFound(msg)
        packed = self._openpgp.system_keys.box(BOX).open(key.sealed, key.id.encode())
        return OpenPgpSecret(**orjson.loads(packed)), key

    def _demand_same_signer(self, actor: Actor, key: OpenPgpKey) -> None:
        if self._signer(actor, b"")[1] != key:
            raise OpenPgpKeyNotFound

    def _usable(self, actor: Actor, name: str) -> Partner:
        partner = self._parts.transactions.read(
            lambda tx: self._openpgp.store.named(tx, actor.org_id, name)
        )
        if partner is None or self._parts.revocations.is_revoked("key", partner.id):
            msg = f"there is no active partner {name[:MAX_NAME]!r}"
            raise PartnerNotFound(msg)
        if is_over(partner.expires_at, self._parts.clock.now()):
            msg = f"the key of {name!r} has expired"
            raise PartnerKeyRejected(msg)
        return partner

    def _record(
        self, actor: Actor, action: str, export: ProtectedExport, **more: list[str]
    ) -> None:
        details = {
            "sm3": export.sm3,
            "sha256": export.sha256,
            "key": export.fingerprint,
            "message_sm3": sm3(export.message).hex(),
            **more,
        }
        self._parts.trail.append([Act(action, actor, "export:new", details=details)])


def _export(
    content: bytes, message: bytes, key: OpenPgpKey, partners: tuple[str, ...]
) -> ProtectedExport:
    digests = sm3(content).hex(), sha256(content).hex()
    return ProtectedExport(message, key.fingerprint, partners, *digests)
