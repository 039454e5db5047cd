"""OpenPGP for partners outside: own signing keys, partners' public keys, protected exports.

A partner's fingerprint is compared by two people before anything is encrypted to it. The secret
key lies sealed under a pool key, so a locked pool signs nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final

import orjson

from kms.errors.openpgp import (
    FingerprintMismatch,
    OpenPgpKeyNotFound,
    PartnerKeyRejected,
    PartnerNotFound,
    PartnerStateConflict,
)
from kms.models.openpgp import (
    MAX_EXPORT,
    MAX_PARTNERS_OF_EXPORT,
    OPENPGP_ALGORITHMS,
    OpenPgpAlgorithm,
    OpenPgpKey,
    OpenPgpSecret,
    Partner,
    ProtectedExport,
)
from kms.ports.openpgp import OpenPgp, OpenPgpStore
from kms.service.refusals import refusals_recorded
from kms.service.system_keys import SystemKeys
from kms.service.tenants import Tenants
from secops.crypto.hashes import sha256, sm3
from secops.kernel.actors import Actor
from secops.kernel.approvals import Approval
from secops.kernel.canonical import canonical
from secops.kernel.clock import DAY
from secops.kernel.errors import Invalid, TooLarge
from secops.kernel.pages import Page, PageRequest, page_of
from secops.kernel.parts import Parts
from secops.kernel.permissions.kms import OPENPGP_CONFIGURE, OPENPGP_READ, OPENPGP_USE
from secops.kernel.trail import Act
from secops.kernel.transactions import Restriction, Transaction

_BOX: Final = "openpgp"
_APPROVAL_KIND: Final = "openpgp.partner"
_APPROVAL_DAYS: Final = 30
_MAX_NAME: Final = 100
_MAX_REASON: Final = 500
_EMAIL: Final = re.compile(r"[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63}){1,8}")
_UNFIT: Final = frozenset('<>()"\\')
"""Signs that would end a name inside a user id (RFC 9580 §5.11, by RFC 5322)."""
_PASSPHRASE_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class OpenPgpParts:
    """What the use cases of OpenPGP work with."""

    parts: Parts
    store: OpenPgpStore
    system_keys: SystemKeys
    openpgp: OpenPgp


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
        _check_name(name)
        if not _EMAIL.fullmatch(email):
            msg = "an e-mail address is like data@county.gov.cn"
            raise Invalid(msg)
        if algorithm not in OPENPGP_ALGORITHMS:
            msg = f"the algorithm is one of {', '.join(OPENPGP_ALGORITHMS)}"
            raise Invalid(msg)
        box = self._openpgp.system_keys.box(_BOX)
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


class Partners:
    """To whom exports may be encrypted: asked for by one, compared and approved by another."""

    def __init__(self, openpgp: OpenPgpParts) -> None:
        self._openpgp = openpgp
        self._parts = openpgp.parts

    def request_partner(
        self, actor: Actor, name: str, public_key: bytes, *, reason: str
    ) -> Partner:
        """Store the key and ask for its approval; raises ``PartnerKeyRejected``, ``Invalid``."""
        self._parts.access.require(actor, OPENPGP_CONFIGURE, "partner:new")
        _check_name(name)
        _check_reason(reason)
        identity = self._openpgp.openpgp.read_public_key(public_key)
        partner = Partner(
            id=self._parts.ids.new("ptn"),
            org_id=actor.org_id,
            name=name,
            fingerprint=identity.fingerprint,
            user_id=identity.user_id[:_MAX_REASON],
            algorithm=identity.algorithm,
            public_key=_armor_of(public_key),
            expires_at=identity.expires_at,
            reason=reason,
            approval_id=self._parts.ids.new("apr"),
            requested_at=self._parts.clock.now(),
        )

        def store(transaction: Transaction) -> Partner:
            self._openpgp.store.insert_partner(transaction, partner)
            self._parts.approvals.request(transaction, _approval(partner, actor))
            self._record(transaction, "kms.request_partner", actor, partner)
            return partner

        return self._parts.transactions.run(store)

    def decide_partner(
        self, actor: Actor, partner_id: str, *, grant: bool, reason: str, fingerprint: str = ""
    ) -> Partner:
        """Approve or reject; raises ``SelfApproval``, ``NotPending``, ``PartnerStateConflict``.

        To approve it ``fingerprint`` is what the partner itself said, hex with or without
        spaces: another one is ``FingerprintMismatch``.
        """
        self._parts.access.require(actor, OPENPGP_CONFIGURE, f"partner:{partner_id}")
        _check_reason(reason)
        approvals, stored = self._parts.approvals, self._openpgp.store

        def decide(transaction: Transaction) -> Partner:
            partner = self._load(transaction, actor, partner_id)
            if grant and "".join(fingerprint.split()).upper() != partner.fingerprint:
                raise FingerprintMismatch
            approvals.decide(transaction, partner.approval_id, actor, grant=grant, reason=reason)
            if grant:
                approvals.use(transaction, partner.approval_id, subject_hash(partner))
                if stored.named(transaction, actor.org_id, partner.name) is not None:
                    msg = f"there is an active partner {partner.name!r}: retire it first"
                    raise PartnerStateConflict(msg)
            after = replace(partner, state="active" if grant else "rejected")
            if not stored.change_state(
                transaction, partner.id, before="requested", after=after.state
            ):
                raise PartnerStateConflict
            self._record(transaction, "kms.decide_partner", actor, partner, grant=grant)
            return after

        target = f"partner:{partner_id[:60]}"
        with refusals_recorded(self._parts, "kms.decide_partner", actor, target):
            return self._parts.transactions.run(decide)

    def retire_partner(self, actor: Actor, partner_id: str) -> None:
        """Let nothing go to an active partner any more; never refused for the ledger."""
        self._parts.access.require(actor, OPENPGP_CONFIGURE, f"partner:{partner_id}")
        self.show_partner(actor, partner_id)
        act = Act("kms.retire_partner", actor, f"partner:{partner_id}")
        change = self._openpgp.store.change_state

        def retire(tx: Transaction) -> None:
            if not change(tx, partner_id, before="active", after="retired"):
                raise PartnerStateConflict

        self._parts.transactions.restrict(retire, Restriction("key", partner_id, act))

    def list_partners(self, actor: Actor, request: PageRequest) -> Page[Partner]:
        """Return the organisation's partners in every state, newest first."""
        self._parts.access.require(actor, OPENPGP_READ, "partner:*")

        def read(transaction: Transaction) -> Page[Partner]:
            rows = self._openpgp.store.partners(transaction, actor.org_id, request)
            return page_of(rows, request.limit, [(row.requested_at, row.id) for row in rows])

        return self._parts.transactions.read(read)

    def show_partner(self, actor: Actor, partner_id: str) -> Partner:
        """Return one partner; raise ``PartnerNotFound``."""
        self._parts.access.require(actor, OPENPGP_READ, f"partner:{partner_id}")
        return self._parts.transactions.read(lambda tx: self._load(tx, actor, partner_id))

    def _load(self, transaction: Transaction, actor: Actor, partner_id: str) -> Partner:
        found = self._openpgp.store.partner(transaction, actor.org_id, partner_id)
        if found is None:
            raise PartnerNotFound
        return found

    def _record(
        self,
        transaction: Transaction,
        action: str,
        actor: Actor,
        partner: Partner,
        **more: bool,
    ) -> None:
        details = {"fingerprint": partner.fingerprint, "partner": subject_hash(partner), **more}
        transaction.record(Act(action, actor, f"partner:{partner.id}", details=details))


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
        self._parts.access.require(actor, OPENPGP_USE, "export:new")
        if not 0 < len(partners) <= MAX_PARTNERS_OF_EXPORT or len(set(partners)) != len(partners):
            msg = f"an export goes to 1 to {MAX_PARTNERS_OF_EXPORT} partners, each named once"
            raise Invalid(msg)
        secret, key = self._signer(actor, content)
        found = [self._usable(actor, name) for name in partners]
        message = self._openpgp.openpgp.protect(content, secret, [p.public_key for p in found])
        export = _export(content, message, key, partners)
        fingerprints = [partner.fingerprint for partner in found]
        self._record(actor, "kms.protect_export", export, partners=fingerprints)
        return export

    def sign_export(self, actor: Actor, content: bytes) -> ProtectedExport:
        """Return a detached signature of ``content``; recorded first."""
        self._parts.access.require(actor, OPENPGP_USE, "export:new")
        secret, key = self._signer(actor, content)
        export = _export(content, self._openpgp.openpgp.sign(content, secret), key, ())
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
        if _over(key.expires_at, self._parts.clock.now()):
            msg = "the signing key has expired"
            raise OpenPgpKeyNotFound(msg)
        packed = self._openpgp.system_keys.box(_BOX).open(key.sealed, key.id.encode())
        return OpenPgpSecret(**orjson.loads(packed)), key

    def _usable(self, actor: Actor, name: str) -> Partner:
        partner = self._parts.transactions.read(
            lambda tx: self._openpgp.store.named(tx, actor.org_id, name)
        )
        if partner is None or self._parts.revocations.is_revoked("key", partner.id):
            msg = f"there is no active partner {name[:_MAX_NAME]!r}"
            raise PartnerNotFound(msg)
        if _over(partner.expires_at, self._parts.clock.now()):
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


def subject_hash(partner: Partner) -> str:
    """Return what the approval is bound to: another key needs another approval."""
    return sha256(
        canonical(
            {
                "id": partner.id,
                "org": partner.org_id,
                "name": partner.name,
                "fingerprint": partner.fingerprint,
                "public_key": sha256(partner.public_key.encode()).hex(),
            }
        )
    ).hex()


def _approval(partner: Partner, actor: Actor) -> Approval:
    return Approval(
        id=partner.approval_id,
        org_id=partner.org_id,
        kind=_APPROVAL_KIND,
        subject=f"partner:{partner.id}",
        subject_hash=subject_hash(partner),
        permission=OPENPGP_CONFIGURE,
        requester_id=actor.id,
        requested_at=partner.requested_at,
        expires_at=partner.requested_at + _APPROVAL_DAYS * DAY,
    )


def _export(
    content: bytes, message: bytes, key: OpenPgpKey, partners: tuple[str, ...]
) -> ProtectedExport:
    digests = sm3(content).hex(), sha256(content).hex()
    return ProtectedExport(message, key.fingerprint, partners, *digests)


def _packed(secret: OpenPgpSecret) -> bytes:
    return orjson.dumps({"armored": secret.armored, "passphrase": secret.passphrase})


def _armor_of(public_key: bytes) -> str:
    """Return the armour as text: it is stored and handed back to gpg as it came."""
    try:
        return public_key.decode("ascii")
    except UnicodeDecodeError as error:
        msg = "a public key comes in armour (BEGIN PGP PUBLIC KEY BLOCK)"
        raise PartnerKeyRejected(msg) from error


def _over(expires_at: int | None, now: int) -> bool:
    return expires_at is not None and expires_at <= now


def _check_name(name: str) -> None:
    if not name.strip() or not name.isprintable() or len(name) > _MAX_NAME or _UNFIT & set(name):
        msg = f"a name has 1 to {_MAX_NAME} printable characters, without brackets and quotes"
        raise Invalid(msg)


def _check_reason(reason: str) -> None:
    if not reason.strip() or len(reason) > _MAX_REASON:
        msg = f"a reason of 1 to {_MAX_REASON} characters is needed"
        raise Invalid(msg)
