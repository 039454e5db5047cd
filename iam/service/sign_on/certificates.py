"""Certificates: bound by two administrators, signing in by a signed challenge or a terminator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from iam.core.certificate_sign_in.trust import read_given
from iam.core.notices import CERTIFICATE_ASKED
from iam.errors import CertificateKnown, CertificateRefused
from iam.models.accounts import Account
from iam.models.changes import ChangeRequest
from iam.models.factors import (
    CertificateAttempt,
    CertificateBinding,
    CertificateChallenge,
    NewBinding,
)
from iam.models.sessions import Opened
from iam.service.changes import (
    Asking,
    ChangeDesk,
    Sides,
    Verdict,
    ask_change,
    decide_change,
    use_change,
)
from iam.service.means import Means
from iam.service.persons import refuse_own, refuse_requester
from iam.service.sealed import refuse_break_glass
from iam.service.sign_on.guessing import guess_keys
from iam.service.sign_on.notices import Cause, notify_owner
from iam.service.sign_on.opening import (
    FEDERATED,
    Change,
    Opening,
    Proof,
    factor_attempt,
    resume,
)
from iam.service.sign_on.owning import factor_name, owner_of, require_another, require_fresh
from iam.service.sign_on.presenting import Presenting, key_digest
from iam.service.sign_on.sessions import find_account, same_organisation
from secops.crypto.certificates import Certificate
from secops.kernel.actors import Actor
from secops.kernel.approvals import Approval
from secops.kernel.catalogue import Text
from secops.kernel.clock import to_rfc3339
from secops.kernel.errors import Conflict, NotFound
from secops.kernel.permissions.iam import ACCOUNT_RESET, RESET_APPROVE
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

KIND: Final = "iam.bind_certificate"


@dataclass(frozen=True, slots=True)
class CertificateService:
    """What can be done with certificates as factors."""

    means: Means
    opening: Opening
    presenting: Presenting

    # binding

    def request_binding(self, actor: Actor, new: NewBinding, reason: str) -> str:
        """Ask to bind a trusted certificate to an account, and tell its owner.

        Returns the request's id; raises ``BreakGlassKept`` for an emergency account.
        """
        means = self.means
        means.parts.access.require(actor, ACCOUNT_RESET, "account:*")
        certificate = read_given(new.encoded)
        self.presenting.judge.require_trusted(certificate)
        approval_id = means.parts.ids.new("apr")

        def work(tx: Transaction) -> str:
            found = same_organisation(means, tx, actor, find_account(means, tx, new.account))
            refuse_own(means, tx, actor, found.id)
            refuse_break_glass(means, tx, found.id)  # it would open without its envelopes
            if means.stores.certificates.by_key(tx, key_digest(certificate)) is not None:
                raise CertificateKnown
            asking = Asking(
                id=approval_id,
                org_id=found.org_id,
                kind=KIND,
                target=f"account:{found.id}",
                sides=self._sides(tx, found, _shown(certificate, token_held=new.token_held)),
                permission=RESET_APPROVE,
                life=means.options.lifetimes.reset_request,
                reason=reason,
            )
            ask_change(means, tx, actor, asking)
            notify_owner(means, tx, found.id, Cause(CERTIFICATE_ASKED, approval_id, tx.now))
            _record(tx, "iam.request_certificate", actor, found.id, approval=approval_id)
            return approval_id

        return means.parts.transactions.run(work)

    def approve_binding(
        self, actor: Actor, approval_id: str, *, grant: bool, reason: str = ""
    ) -> None:
        """Approve or reject; raise ``SelfApproval``, ``Forbidden`` or ``Conflict``."""
        means = self.means
        means.parts.access.require(actor, RESET_APPROVE, f"approval:{approval_id}")

        def work(tx: Transaction) -> None:
            approval = self._approval(tx, actor, approval_id)
            account_id = approval.subject.removeprefix("account:")
            refuse_own(means, tx, actor, account_id)
            refuse_requester(means, tx, actor, approval_id)
            change = means.stores.changes.get(tx, approval_id)
            verdict = Verdict("rejected", reason)
            if grant:
                verdict = Verdict("approved", reason, self._look(tx, change))
            decide_change(means, tx, actor, change, verdict)
            action = "iam.approve_certificate" if grant else "iam.reject_certificate"
            _record(tx, action, actor, account_id, approval=approval_id)

        means.parts.transactions.run(work)

    def bind_certificate(
        self, actor: Actor, new: NewBinding, approval_id: str
    ) -> CertificateBinding:
        """Bind exactly what was approved; raise ``Conflict`` for anything else."""
        means = self.means
        means.parts.access.require(actor, ACCOUNT_RESET, f"approval:{approval_id}")
        certificate = read_given(new.encoded)
        self.presenting.judge.require_trusted(certificate)
        binding_id, name = means.parts.ids.new("crt"), factor_name(new.name)

        def work(tx: Transaction) -> CertificateBinding:
            approval = self._approval(tx, actor, approval_id)
            account = means.stores.accounts.get(tx, approval.subject.removeprefix("account:"))
            sides = self._sides(tx, account, _shown(certificate, token_held=new.token_held))
            use_change(means, tx, means.stores.changes.get(tx, approval_id), sides)
            binding = CertificateBinding(
                id=binding_id,
                key_digest=key_digest(certificate),
                org_id=account.org_id,
                account_id=account.id,
                name=name,
                subject=certificate.subject_name[:200],
                serial=f"{certificate.serial:x}",
                not_after=certificate.not_after,
                token_held=new.token_held,
                created_at=tx.now,
                created_by=actor.id,
            )
            means.stores.certificates.add(tx, binding)
            _record(tx, KIND, actor, account.id, approval=approval_id, certificate=binding_id)
            return binding

        return means.parts.transactions.run(work)

    @property
    def desk(self) -> ChangeDesk:
        """How requests are seen and decided beside all others."""
        title = Text("绑定数字证书", "Bind a certificate")
        return ChangeDesk(KIND, title, RESET_APPROVE, self._look, self._decide)

    def _look(self, tx: Transaction, change: ChangeRequest) -> Sides:
        account = self.means.stores.accounts.get(tx, change.target.removeprefix("account:"))
        return self._sides(tx, account, change.after["certificate"])

    def _decide(self, actor: Actor, change: ChangeRequest, *, grant: bool, reason: str) -> None:
        self.approve_binding(actor, change.id, grant=grant, reason=reason)

    def _sides(self, tx: Transaction, account: Account, certificate: Mapping[str, Any]) -> Sides:
        """Return which keys sign the account in, and with the certificate beside them."""
        bound = self.means.stores.certificates.of_account(tx, account.id)
        keys = sorted(each.key_digest.hex() for each in bound)
        before = {"account": account.name, "state": account.state, "keys": keys}
        after = {"keys": sorted({*keys, certificate["key"]}), "certificate": certificate}
        return Sides(before, {**before, **after})

    def list_own(self, actor: Actor) -> Sequence[CertificateBinding]:
        """Return the caller's bindings."""
        account_id, read = owner_of(actor), self.means.parts.transactions.read
        return read(lambda tx: self.means.stores.certificates.of_account(tx, account_id))

    def unbind_own(self, actor: Actor, binding_id: str) -> None:
        """End one of the caller's bindings; raise ``NotFound`` or ``LastFactor``."""
        means = self.means
        require_fresh(means, actor)

        def work(tx: Transaction) -> None:
            require_another(means, tx, actor.id, ("certificate", binding_id.encode()))
            if not means.stores.certificates.remove(tx, actor.id, binding_id):
                msg = "you have no such certificate"
                raise NotFound(msg)
            _record(tx, "iam.unbind_certificate", actor, actor.id, certificate=binding_id)

        means.parts.transactions.run(work)

    def _approval(self, tx: Transaction, actor: Actor, approval_id: str) -> Approval:
        approval = self.means.parts.approvals.get(tx, approval_id)
        reaches = self.means.stores.organisations.reaches
        if approval.kind != KIND or not reaches(tx, actor.org_id, approval.org_id):
            msg = "that is no request to bind a certificate"
            raise Conflict(msg)
        return approval

    # signing in

    @property
    def usable(self) -> bool:
        """Whether the operator trusts any issuer."""
        return self.presenting.usable

    def ask(self) -> CertificateChallenge:
        """Return a challenge of 120 seconds, good once; for anybody."""
        return self.presenting.ask()

    def vouch(self, certificate: bytes) -> str:
        """Return the signed word for a certificate (DER) that our own TLS saw proved."""
        return self.presenting.vouch(certificate)

    def sign_in(self, attempt: CertificateAttempt) -> Opened:
        """Open a session with a certificate, alone or after a password.

        Raises ``CertificateRefused``, ``CertificateUnchecked`` or ``SignInRefused``,
        ``Forbidden`` by policy (a key that no token guards reaches level 1 alone).
        """
        means = self.means
        begun = resume(means, factor_attempt(attempt)) if attempt.second else None
        use = self.presenting.prove(attempt)
        binding = use.binding
        if begun is not None and begun.account_id != binding.account_id:
            raise CertificateRefused
        account = means.parts.transactions.read(
            lambda tx: means.stores.accounts.get(tx, binding.account_id)
        )
        keys = guess_keys(means, account.name, attempt.address, attempt.device)
        subject = means.parts.transactions.read(
            lambda tx: self.opening.subject(tx, account.id, keys, guessable=False)
        )
        proof = Proof(
            amr=use.words if begun is None else (begun.first, *use.words, "mfa"),
            level=use.level(second=begun is not None),
            use=lambda tx: means.stores.certificates.use(tx, binding.key_digest),
            strong=True,
            upstream=begun is not None and begun.first == FEDERATED,
        )
        return self.opening.open(subject, factor_attempt(attempt), proof, Change(use.once, keys))


def _shown(certificate: Certificate, *, token_held: bool) -> dict[str, Any]:
    """Return a certificate as whoever approves it sees it."""
    return {
        "key": key_digest(certificate).hex(),
        "subject": certificate.subject_name[:200],
        "serial": f"{certificate.serial:x}",
        "not_after": to_rfc3339(certificate.not_after),
        "token_held": token_held,
    }


def _record(tx: Transaction, action: str, actor: Actor, account_id: str, **details: str) -> None:
    tx.record(Act(action, actor, f"account:{account_id}", details=details))
