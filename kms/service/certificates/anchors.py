"""Outside CAs that are believed: proposed by one, approved by another, retired at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from kms.core.rfc5280.reading import RevocationList, verify_revocation_list
from kms.core.trust import CLOCK_SKEW
from kms.core.x690 import DerError
from kms.errors.certificates import AnchorNotFound, AnchorRejected, AnchorsElsewhere, because
from kms.errors.seals import RevocationListRejected
from kms.models.certificates import (
    ANCHOR_USES,
    AnchorEntry,
    AnchorState,
    AnchorUse,
    OutsideList,
    TrustAnchor,
)
from kms.service.certificates.parts import CertificateParts
from kms.service.certificates.pem import read_one
from kms.service.reasons import check_reason
from secops.crypto.certificates import Certificate, read_certificate, verify_issued_by
from secops.crypto.errors import InvalidKey, InvalidSignature, MalformedEncoding
from secops.crypto.hashes import sha256
from secops.kernel.actors import ROOT_ORG, Actor
from secops.kernel.approvals import Approval
from secops.kernel.canonical import canonical
from secops.kernel.catalogue import Text
from secops.kernel.clock import DAY, to_rfc3339
from secops.kernel.errors import Conflict, Invalid
from secops.kernel.pages import Page, PageRequest, page_of
from secops.kernel.permissions import Permission
from secops.kernel.permissions.kms import (
    ANCHOR_APPROVE,
    ANCHOR_PROPOSE,
    ANCHOR_READ,
    ANCHOR_RETIRE,
    CERTIFICATE_IMPORT,
)
from secops.kernel.trail import Act
from secops.kernel.transactions import Restriction, Transaction

_APPROVAL_KIND: Final = "trust_anchor"
_APPROVAL_DAYS: Final = 30


class TrustAnchors:
    """Changes whom this instance believes: a matter of the root organisation and two people."""

    def __init__(self, certificates: CertificateParts) -> None:
        self._certificates = certificates
        self._parts = certificates.parts
        self._store = certificates.trust

    def propose_anchor(
        self, actor: Actor, encoded: bytes, uses: Sequence[str], reason: str
    ) -> TrustAnchor:
        """Store the certificate (PEM or DER) as proposed, and ask for another's approval.

        Raises ``AnchorRejected`` for what is no CA's certificate, or out of its time.
        """
        self._require(actor, ANCHOR_PROPOSE, "trust_anchor:new")
        check_reason(reason)
        wanted = tuple(use for use in ANCHOR_USES if use in uses)
        if not wanted or len(wanted) != len(uses):
            msg = f"an anchor is believed for some of {', '.join(ANCHOR_USES)}, each named once"
            raise Invalid(msg)
        anchor = self._anchor(actor, self._certificate(encoded), wanted, reason=reason)

        def store(transaction: Transaction) -> TrustAnchor:
            self._require_new(transaction, anchor)
            self._store.insert_anchor(transaction, anchor)
            self._parts.approvals.request(transaction, _approval(anchor))
            transaction.record(
                Act(
                    "kms.propose_anchor", actor, f"trust_anchor:{anchor.id}", details=_facts(anchor)
                )
            )
            return anchor

        return self._parts.transactions.run(store)

    def decide_anchor(self, actor: Actor, anchor_id: str, *, grant: bool, reason: str) -> Approval:
        """Approve, and believe it from now on, or reject; raises ``SelfApproval``."""
        target = f"trust_anchor:{anchor_id}"
        self._require(actor, ANCHOR_APPROVE, target)
        check_reason(reason)

        def decide(transaction: Transaction) -> Approval:
            anchor = self._load(transaction, actor, anchor_id)
            approval = self._parts.approvals.decide(
                transaction, anchor.approval_id, actor, grant=grant, reason=reason
            )
            if grant:
                self._require_new(transaction, anchor)
                # the hash of the row as it stands: what is believed is what was approved
                self._parts.approvals.use(transaction, anchor.approval_id, anchor_hash(anchor))
                self._change(transaction, anchor, "active", reason)
            details = {**_facts(anchor), "grant": grant}
            transaction.record(Act("kms.decide_anchor", actor, target, details=details))
            return approval

        return self._parts.transactions.run(decide)

    def retire_anchor(self, actor: Actor, anchor_id: str, reason: str) -> None:
        """Believe it no more, at once; never refused because the ledger can't be written."""
        target = f"trust_anchor:{anchor_id}"
        self._require(actor, ANCHOR_RETIRE, target)
        check_reason(reason)
        act = Act("kms.retire_anchor", actor, target, details={"reason": reason})

        def retire(transaction: Transaction) -> None:
            self._change(transaction, self._load(transaction, actor, anchor_id), "retired", reason)

        self._parts.transactions.restrict(retire, Restriction("certificate", anchor_id, act))

    def list_anchors(self, actor: Actor, page: PageRequest) -> Page[AnchorEntry]:
        """Return all that were ever proposed, newest first."""
        self._parts.access.require(actor, ANCHOR_READ, "trust_anchor:*")

        def read(transaction: Transaction) -> Page[AnchorEntry]:
            rows = self._store.anchors(transaction, ROOT_ORG, page)
            entries = [
                AnchorEntry(
                    anchor=row,
                    approval=self._parts.approvals.get(transaction, row.approval_id),
                    revocation_list=self._store.revocation_list(transaction, row.id),
                )
                for row in rows
            ]
            return page_of(entries, page.limit, [(row.requested_at, row.id) for row in rows])

        return self._parts.transactions.read(read)

    def import_revocation_list(self, actor: Actor, anchor_id: str, encoded: bytes) -> OutsideList:
        """Take over an anchor's newer list (PEM or DER).

        Raises ``RevocationListRejected`` unless the anchor signed it, it is in its time and
        its number is greater than that of the list before.
        """
        target = f"trust_anchor:{anchor_id}"
        self._require(actor, CERTIFICATE_IMPORT, target)
        der = read_one(encoded, "X509 CRL")
        anchor = self._parts.transactions.read(
            lambda transaction: self._load(transaction, actor, anchor_id)
        )
        now = self._parts.clock.now()
        found = _proved(der, anchor, now)
        row = OutsideList(
            anchor_id=anchor.id,
            org_id=anchor.org_id,
            number=found.number or 0,
            der=der,
            this_update=found.this_update,
            next_update=found.next_update,
            imported_at=now,
            imported_by=actor.id,
        )

        def store(transaction: Transaction) -> OutsideList:
            if not self._store.put_list(transaction, row):
                why = Text(
                    "已有相同编号或更新的吊销列表",
                    "a list with this number or a later one is here already",
                )
                raise because(RevocationListRejected, why)
            details = {"number": f"{row.number:x}", "sha256": sha256(der).hex()}
            transaction.record(Act("kms.import_revocation_list", actor, target, details=details))
            return row

        return self._parts.transactions.run(store)

    def _require(self, actor: Actor, permission: Permission, target: str) -> None:
        self._parts.access.require(actor, permission, target)
        if actor.org_id != ROOT_ORG:
            raise AnchorsElsewhere

    def _certificate(self, encoded: bytes) -> Certificate:
        """Return the certificate; raise ``AnchorRejected`` unless it may issue, now."""
        try:
            found = read_certificate(read_one(encoded, "CERTIFICATE"))
            if found.subject == found.issuer:
                verify_issued_by(found, found)
            found.public_key()
        except (MalformedEncoding, InvalidSignature, InvalidKey) as error:
            why = Text(
                f"证书无法读取,或自签名不正确:{error}",
                f"it can't be read, or its own key did not sign it: {error}",
            )
            raise because(AnchorRejected, why) from error
        now = self._parts.clock.now()
        if not found.is_ca or not found.allows("keyCertSign"):
            why = Text(
                "不是 CA 证书:缺少 CA:TRUE 或 keyCertSign",
                "it is not a CA's: CA:TRUE or keyCertSign is missing",
            )
            raise because(AnchorRejected, why)
        if found.unknown_critical:
            why = Text(
                f"含未知的关键扩展 {found.unknown_critical[0]}",
                f"it has the unknown critical extension {found.unknown_critical[0]}",
            )
            raise because(AnchorRejected, why)
        if not found.not_before <= now <= found.not_after:
            span = f"{to_rfc3339(found.not_before)} – {to_rfc3339(found.not_after)}"
            why = Text(f"不在有效期内:{span}", f"it is not valid now: {span}")
            raise because(AnchorRejected, why)
        own = self._certificates.authority.anchors()
        # of that name it could say in its lists which of our certificates are revoked
        if found.spki in {each.spki for each in own} or found.subject in {
            each.subject for each in own
        }:
            why = Text(
                "这是本系统的内置 CA(或与其同名),其印章保留测试标记",
                "it is this instance's own CA, whose seals stay marked, or bears its name",
            )
            raise because(AnchorRejected, why)
        return found

    def _anchor(
        self, actor: Actor, found: Certificate, uses: tuple[AnchorUse, ...], *, reason: str
    ) -> TrustAnchor:
        draft = TrustAnchor(
            id=self._parts.ids.new("anc"),
            org_id=ROOT_ORG,
            der=found.der,
            subject=found.subject_name,
            fingerprint=sha256(found.der).hex(),
            uses=uses,
            not_before=found.not_before,
            not_after=found.not_after,
            reason=reason,
            requester_id=actor.id,
            requested_at=self._parts.clock.now(),
            approval_id=self._parts.ids.new("apr"),
            subject_hash="",
        )
        return replace(draft, subject_hash=anchor_hash(draft))

    def _require_new(self, transaction: Transaction, anchor: TrustAnchor) -> None:
        # a second certificate of the same CA is fine; the same certificate twice is not
        for active in self._store.active_anchors(transaction):
            if active.fingerprint == anchor.fingerprint:
                why = Text(
                    "该证书已是信任锚;如需变更用途,请先停用",
                    "this certificate is an anchor already: retire it to change its uses",
                )
                raise because(Conflict, why)

    def _change(
        self, transaction: Transaction, anchor: TrustAnchor, after: AnchorState, reason: str
    ) -> None:
        before: AnchorState = "proposed" if after == "active" else "active"
        changed = self._store.change_anchor(
            transaction, anchor.id, before=before, after=after, reason=reason
        )
        if not changed:
            why = Text(
                f"只有状态为 {before} 的信任锚可以变为 {after}",
                f"only an anchor that is {before} becomes {after}",
            )
            raise because(Conflict, why)

    def _load(self, transaction: Transaction, actor: Actor, anchor_id: str) -> TrustAnchor:
        found = self._store.anchor(transaction, actor.org_id, anchor_id)
        if found is None:
            msg = f"there is no trust anchor {anchor_id[:40]!r}"
            raise AnchorNotFound(msg)
        return found


def anchor_hash(anchor: TrustAnchor) -> str:
    """Return what the approval is bound to: this certificate, for these uses."""
    facts = {"id": anchor.id, "certificate": sha256(anchor.der).hex(), "uses": list(anchor.uses)}
    return sha256(canonical(facts)).hex()


def _proved(der: bytes, anchor: TrustAnchor, now: int) -> RevocationList:
    try:
        found = verify_revocation_list(der, (read_certificate(anchor.der),))
    except DerError as error:
        raise RevocationListRejected(str(error)) from error
    if found.number is None:
        why = Text(
            "吊销列表没有编号,无法判断新旧",
            "the list has no number, so nobody can tell which of two is newer",
        )
        raise because(RevocationListRejected, why)
    if not found.this_update - CLOCK_SKEW <= now <= found.next_update:
        why = Text(
            f"吊销列表应于 {to_rfc3339(found.next_update)} 更新,或时间在未来",
            f"the list was to be renewed {to_rfc3339(found.next_update)}, or is of the future",
        )
        raise because(RevocationListRejected, why)
    return found


def _facts(anchor: TrustAnchor) -> dict[str, object]:
    return {"sha256": anchor.fingerprint, "uses": list(anchor.uses)}


def _approval(anchor: TrustAnchor) -> Approval:
    return Approval(
        id=anchor.approval_id,
        org_id=anchor.org_id,
        kind=_APPROVAL_KIND,
        subject=f"trust_anchor:{anchor.id}",
        subject_hash=anchor.subject_hash,
        permission=ANCHOR_APPROVE,
        requester_id=anchor.requester_id,
        requested_at=anchor.requested_at,
        expires_at=anchor.requested_at + _APPROVAL_DAYS * DAY,
    )
