"""Apply for a seal, and decide the application: never the applicant's own."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final

from kms.errors.seals import PictureRejected, SealNotFound, SealStateConflict
from kms.models.seal_registry import (
    FORMAT_VERSIONS,
    MAX_NAME,
    MIN_NAME,
    ORIGINS,
    SHAPES,
    HolderName,
    SealApplication,
    SealRequest,
)
from kms.models.seals import MARKING
from kms.ports.seals import PictureRequest, SealPainter
from kms.service.reasons import check_lines_of_reason
from kms.service.refusals import refusals_recorded
from kms.service.seals.parts import SealParts
from secops.crypto.hashes import sha256
from secops.kernel.actors import Actor
from secops.kernel.approvals import Approval
from secops.kernel.canonical import canonical
from secops.kernel.clock import DAY
from secops.kernel.errors import Invalid
from secops.kernel.pages import Page, PageRequest, page_of
from secops.kernel.permissions.kms import SEAL_APPLY, SEAL_APPROVE, SEAL_READ
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

_APPROVAL_KIND: Final = "seal"
_APPROVAL_DAYS: Final = 30
_MAX_HOLDERS: Final = 20


_CODE: Final = re.compile(r"[0-9]{13}", re.ASCII)
"""印章编码 (GA 241.1): area and running number."""


@dataclass(frozen=True, slots=True)
class ApplicationView:
    """An application as whoever decides sees it: ``picture`` is PNG."""

    application: SealApplication
    approval: Approval
    picture: bytes


class SealApplications:
    """The way to a seal: applied for by one, approved by another."""

    def __init__(self, seals: SealParts) -> None:
        self._seals = seals
        self._parts = seals.parts

    def apply_seal(self, actor: Actor, request: SealRequest) -> SealApplication:
        """Store the application and ask for its approval; raises ``Invalid``, ``NotFound``."""
        self._parts.access.require(actor, SEAL_APPLY, "seal_application:new")
        _check(request)
        holders = tuple(self._holder(actor, name) for name in request.holders)
        filed = None
        if request.picture is not None:
            filed = self._seals.painter.normalise(request.picture, wanted_picture(request, ""))
        draft = SealApplication(
            id=self._parts.ids.new("sap"),
            org_id=actor.org_id,
            name=request.name,
            shape=request.shape,
            organization=request.organization,
            holders=holders,
            reason=request.reason,
            applicant_id=actor.id,
            applied_at=self._parts.clock.now(),
            approval_id=self._parts.ids.new("apr"),
            subject_hash="",
            format_version=request.format_version,
            code=request.code,
            picture=filed,
            origin=request.origin,
        )
        application = replace(draft, subject_hash=subject_hash(draft))

        def store(transaction: Transaction) -> SealApplication:
            self._seals.store.insert_application(transaction, application)
            self._parts.approvals.request(transaction, _approval(application))
            details = {"application": application.subject_hash, "shape": application.shape}
            target = f"seal_application:{application.id}"
            transaction.record(Act("kms.apply_seal", actor, target, details=details))
            return application

        return self._parts.transactions.run(store)

    def decide_application(
        self, actor: Actor, application_id: str, *, grant: bool, reason: str
    ) -> Approval:
        """Approve or reject; raises ``SelfApproval``, ``Forbidden`` or ``NotPending``."""
        target = f"seal_application:{application_id[:60]}"
        self._parts.access.require(actor, SEAL_APPROVE, target)
        check_lines_of_reason(reason)

        def decide(transaction: Transaction) -> Approval:
            application = self.load(transaction, actor, application_id)
            approval = self._parts.approvals.decide(
                transaction, application.approval_id, actor, grant=grant, reason=reason
            )
            details = {"application": application.subject_hash, "grant": grant}
            transaction.record(Act("kms.decide_application", actor, target, details=details))
            return approval

        with refusals_recorded(self._parts, "kms.decide_application", actor, target):
            return self._parts.transactions.run(decide)

    def show_application(self, actor: Actor, application_id: str) -> ApplicationView:
        """Return the application with its approval and the picture that it would get."""
        self._parts.access.require(actor, SEAL_READ, f"seal_application:{application_id[:60]}")

        def read(transaction: Transaction) -> tuple[SealApplication, Approval]:
            application = self.load(transaction, actor, application_id)
            approval = self._parts.approvals.get(transaction, application.approval_id)
            return application, approval

        application, approval = self._parts.transactions.read(read)
        picture = draw(self._seals.painter, application, MARKING)
        return ApplicationView(application, approval, picture)

    def list_applications(
        self, actor: Actor, request: PageRequest
    ) -> Page[tuple[SealApplication, Approval]]:
        """Return applications of the actor's organisation, newest first."""
        self._parts.access.require(actor, SEAL_READ, "seal_application:*")

        def read(transaction: Transaction) -> Page[tuple[SealApplication, Approval]]:
            rows = self._seals.store.applications(transaction, actor.org_id, request)
            approvals = self._parts.approvals
            pairs = [(row, approvals.get(transaction, row.approval_id)) for row in rows]
            return page_of(pairs, request.limit, [(row.applied_at, row.id) for row in rows])

        return self._parts.transactions.read(read)

    def load(self, transaction: Transaction, actor: Actor, application_id: str) -> SealApplication:
        """Return the application; raise ``SealNotFound``, also for another organisation's."""
        found = self._seals.store.application(transaction, actor.org_id, application_id)
        if found is None:
            msg = f"there is no application {application_id[:40]!r}"
            raise SealNotFound(msg)
        return found

    def _holder(self, actor: Actor, name: str) -> HolderName:
        subject = self._seals.subjects.resolve_subject(actor.org_id, name)
        kind, _, identifier = subject.partition(":")
        if kind != "account":
            msg = f"{name!r} is no account: only people hold seals"
            raise Invalid(msg)
        return HolderName(identifier, name)


def wanted_picture(seal: SealRequest | SealApplication, marking: str) -> PictureRequest:
    """Return the picture that a seal asks for."""
    width, height = SHAPES[seal.shape]
    return PictureRequest(seal.shape, seal.name, marking, width, height, seal.code)


def draw(painter: SealPainter, application: SealApplication, marking: str) -> bytes:
    """Return the seal's picture: the one that was filed, or one that is drawn."""
    wanted = wanted_picture(application, marking)
    if application.picture is None:
        return painter.paint(wanted)
    return painter.normalise(application.picture, wanted)


def subject_hash(application: SealApplication) -> str:
    """Return what the approval is bound to: any other seal needs another approval."""
    return sha256(
        canonical(
            {
                "id": application.id,
                "org": application.org_id,
                "name": application.name,
                "shape": application.shape,
                "organization": application.organization,
                "holders": [holder.account_id for holder in application.holders],
                "format": application.format_version,
                "code": application.code,
                "picture": "" if application.picture is None else sha256(application.picture).hex(),
                "origin": application.origin,
            }
        )
    ).hex()


def require_undone(application: SealApplication) -> None:
    """Raise ``SealStateConflict`` if the seal was made already."""
    if application.state != "applied":
        msg = "the seal of this application was made already"
        raise SealStateConflict(msg)


def _approval(application: SealApplication) -> Approval:
    return Approval(
        id=application.approval_id,
        org_id=application.org_id,
        kind=_APPROVAL_KIND,
        subject=f"seal_application:{application.id}",
        subject_hash=application.subject_hash,
        permission=SEAL_APPROVE,
        requester_id=application.applicant_id,
        requested_at=application.applied_at,
        expires_at=application.applied_at + _APPROVAL_DAYS * DAY,
        reason=application.reason,
    )


def _check(request: SealRequest) -> None:
    for text in (request.name, request.organization):
        if not text.isprintable() or not MIN_NAME <= len("".join(text.split())) <= MAX_NAME:
            msg = f"a name has {MIN_NAME} to {MAX_NAME} printable characters"
            raise PictureRejected(msg)
    check_lines_of_reason(request.reason)
    if request.code and not _CODE.fullmatch(request.code):
        msg = "a seal's number has 13 digits: 6 of the area, 7 of the seal"
        raise Invalid(msg)
    if request.origin not in ORIGINS:
        msg = f"a seal lives at one of {', '.join(ORIGINS)}"
        raise Invalid(msg)
    if request.shape not in SHAPES:
        msg = f"a seal is one of {', '.join(SHAPES)}"
        raise Invalid(msg)
    if request.format_version not in FORMAT_VERSIONS:
        msg = "a seal is written in format 4 or 5"
        raise Invalid(msg)
    holders = request.holders
    if not 0 < len(holders) <= _MAX_HOLDERS or len(set(holders)) != len(holders):
        msg = f"a seal has 1 to {_MAX_HOLDERS} holders, each named once"
        raise Invalid(msg)
