"""Make an approved seal (制章): certificates, picture, the maker's signature, the record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from kms.core.gbt38540 import writing
from kms.core.gbt38540.evidence import Evidence
from kms.core.gbt38540.structures import V5, Picture, SealProperty
from kms.core.gbt38540.verification import verify_seal
from kms.core.gbt38540.writing import SealContent
from kms.core.rfc5280.writing import Name
from kms.errors.seals import SealRejected, SealStateConflict
from kms.models.seal_registry import (
    SEAL_KINDS,
    SHAPES,
    IssuedCertificate,
    SealApplication,
    SealHolder,
    SealRecord,
)
from kms.models.seals import MARKING
from kms.service.authority import Issuers, Order, common_name
from kms.service.outside_signers import find_outside_signers, holder_key
from kms.service.seals.applications import SealApplications, draw, require_undone
from kms.service.seals.parts import SealParts
from kms.service.seals.remote import RemoteSeals
from secops.crypto.hashes import sm3
from secops.kernel.actors import Actor
from secops.kernel.approvals import NotPending
from secops.kernel.clock import DAY, SECOND
from secops.kernel.permissions.kms import SEAL_MAKE
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

_LIFETIME: Final = 3 * 365 * DAY
_ID_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class _Made:
    """A new seal before it is kept."""

    application: SealApplication
    signers: _Signers
    record: SealRecord
    content: bytes


@dataclass(frozen=True, slots=True)
class _Signers:
    """By whose certificates a seal is made; ``marking`` is empty under outside CAs alone."""

    maker: IssuedCertificate
    holders: tuple[IssuedCertificate, ...]
    marking: str


class SealMaking:
    """Makes seals under the built-in test CA, or where outside CAs certified all its keys."""

    def __init__(self, seals: SealParts, applications: SealApplications) -> None:
        self._seals = seals
        self._parts = seals.parts
        self._applications = applications
        self._remote = RemoteSeals(seals)

    def make_seal(self, actor: Actor, application_id: str) -> SealRecord:
        """Make the seal of an approved application, once.

        Raises ``NotPending`` without an approval, ``FontMissing``, ``PoolLocked``. One that
        shall live at the province is asked for there, and kept when it is made:
        ``SealStateConflict`` until then, and what ``RemoteSeals.obtain`` raises.
        """
        target = f"seal_application:{application_id}"
        self._parts.access.require(actor, SEAL_MAKE, target)

        def look(transaction: Transaction) -> SealApplication:
            application = self._applications.load(transaction, actor, application_id)
            require_undone(application)
            approval = self._parts.approvals.get(transaction, application.approval_id)
            if approval.state != "approved":
                raise NotPending
            return application

        application = self._parts.transactions.read(look)
        if application.origin == "remote":
            record, content = self._remote.obtain(actor, application)
            return self._parts.transactions.run(
                lambda transaction: self._keep_remote(
                    transaction, actor, (record, content), application
                )
            )
        signers = self._signers(actor, application)
        record, content = self._seal(application, signers, actor=actor)
        self._require_valid(content)
        made = _Made(application, signers, record, content)
        return self._parts.transactions.run(
            lambda transaction: self._keep(transaction, made, actor)
        )

    def _signers(self, actor: Actor, application: SealApplication) -> _Signers:
        authority = self._seals.authority
        outside = self._parts.transactions.read(
            lambda transaction: find_outside_signers(transaction, authority, application)
        )
        if outside is not None:
            return _Signers(outside.maker, outside.holders, "")
        issuers = authority.ensure_issuers(actor)
        places = range(len(application.holders))
        holders = tuple(self._signer(application, place, issuers) for place in places)
        return _Signers(issuers.maker, holders, MARKING)

    def _signer(
        self, application: SealApplication, place: int, issuers: Issuers
    ) -> IssuedCertificate:
        name = common_name(application.holders[place].name)
        order = Order(
            profile="signer",
            org_id=application.org_id,
            key_name=holder_key(application.id, place),
            subject=Name(application.organization, MARKING, name),
        )
        return self._seals.authority.issue(order, issuers.root)

    def _seal(
        self, application: SealApplication, signers: _Signers, *, actor: Actor
    ) -> tuple[SealRecord, bytes]:
        width, height = SHAPES[application.shape]
        picture = draw(self._seals.painter, application, signers.marking)
        now = self._parts.clock.now() // SECOND * SECOND
        ends = [certificate.not_after for certificate in signers.holders]
        until = min(now + _LIFETIME, signers.maker.not_after, *ends)
        marking = f"({signers.marking})" if signers.marking else ""
        es_id = self._parts.randomness.bytes(_ID_BYTES).hex()
        info = writing.seal_info(
            SealContent(
                es_id=es_id,
                property=SealProperty(
                    kind=SEAL_KINDS[application.shape],
                    name=f"{application.name}{marking}",
                    certificates=tuple(certificate.der for certificate in signers.holders),
                    certificate_digests=(),
                    created_at=now,
                    valid_from=now,
                    valid_until=until,
                ),
                picture=Picture("PNG", picture, width, height),
                version=application.format_version,
            )
        )
        signature = self._seals.keys.sign(signers.maker.key_name, info)
        stamped = application.format_version == V5
        token = self._seals.stamp_seal(signature) if stamped else None
        content = writing.seal(info, signers.maker.der, signature, token)
        record = SealRecord(
            id=self._parts.ids.new("seal"),
            org_id=application.org_id,
            es_id=es_id,
            name=application.name,
            shape=application.shape,
            application_id=application.id,
            digest=sm3(content).hex(),
            valid_from=now,
            valid_until=until,
            made_at=now,
            made_by=actor.id,
            format_version=application.format_version,
            marking=signers.marking,
        )
        return record, content

    def _require_valid(self, content: bytes) -> None:
        """Raise ``SealRejected`` unless what was made would be accepted by a verifier."""
        report = verify_seal(content, Evidence(), self._seals.authority.trust())
        if not report.valid:
            steps = report.signatures[0].steps
            failed = ", ".join(step.what for step in steps if step.ok is not True)
            msg = f"the new seal does not verify ({failed}); it is not kept"
            raise SealRejected(msg)

    def _keep(self, transaction: Transaction, made: _Made, actor: Actor) -> SealRecord:
        application, record = made.application, made.record
        self._parts.approvals.use(transaction, application.approval_id, application.subject_hash)
        self._keep_certificates(transaction, made, actor)
        holders = [
            SealHolder(record.id, record.org_id, holder.account_id, holder.name, certificate.id)
            for holder, certificate in zip(application.holders, made.signers.holders, strict=True)
        ]
        self._seals.store.insert_seal(transaction, record, made.content, holders=holders)
        details = {"sm3": record.digest, "application": application.id, "marking": record.marking}
        transaction.record(Act("kms.make_seal", actor, f"seal:{record.id}", details=details))
        return record

    def _keep_remote(
        self,
        transaction: Transaction,
        actor: Actor,
        obtained: tuple[SealRecord, bytes],
        application: SealApplication,
    ) -> SealRecord:
        """Enter the province's seal; its holders' keys are there, and no certificates here."""
        record, content = obtained
        self._parts.approvals.use(transaction, application.approval_id, application.subject_hash)
        holders = [
            SealHolder(record.id, record.org_id, holder.account_id, holder.name, "")
            for holder in application.holders
        ]
        self._seals.store.insert_seal(transaction, record, content, holders=holders)
        details = {"sm3": record.digest, "application": application.id, "origin": record.origin}
        transaction.record(Act("kms.make_seal", actor, f"seal:{record.id}", details=details))
        return record

    def _keep_certificates(self, transaction: Transaction, made: _Made, actor: Actor) -> None:
        authority = self._seals.authority
        if not made.signers.marking:
            # they were imported before; what was retired or revoked meanwhile makes no seal
            found = find_outside_signers(transaction, authority, made.application)
            if found is None or (found.maker, found.holders) != (
                made.signers.maker,
                made.signers.holders,
            ):
                msg = "the outside certificates have changed meanwhile: try again"
                raise SealStateConflict(msg)
            return
        for certificate in made.signers.holders:
            if not authority.keep(transaction, certificate, actor):
                msg = "a holder's key has a certificate already"
                raise SealStateConflict(msg)
