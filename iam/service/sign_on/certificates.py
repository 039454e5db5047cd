"""Certificates: bound by two administrators, signing in by a signed challenge or a terminator."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from iam.core.base64url import decode, encode
from iam.core.certificate_sign_in.challenge import (
    LIFETIME_SECONDS,
    PURPOSE,
    read_answer,
    verify_answer,
)
from iam.core.certificate_sign_in.terminator import read_header
from iam.core.certificate_sign_in.trust import read_given, verify_trusted
from iam.errors import CertificateKnown, CertificateRefused, SignInRefused, TokenRefused
from iam.models.accounts import Account
from iam.models.factors import (
    CertificateAttempt,
    CertificateBinding,
    CertificateChallenge,
    NewBinding,
)
from iam.models.sessions import FactorAttempt, Opened
from iam.service.means import Means
from iam.service.persons import refuse_requester
from iam.service.sign_on.guessing import address_refused, count_address_failure, guess_keys
from iam.service.sign_on.opening import FEDERATED, Change, Opening, Proof, resume
from iam.service.sign_on.owning import factor_name, owner_of, require_another, require_fresh
from iam.service.sign_on.references import read_reference, write_reference
from iam.service.sign_on.sessions import find_account, refuse_own, same_organisation
from secops.crypto.certificates import Certificate
from secops.kernel.actors import Actor, system_actor
from secops.kernel.approvals import Approval
from secops.kernel.clock import SECOND
from secops.kernel.errors import Conflict, NotFound
from secops.kernel.permissions.iam import ACCOUNT_RESET, RESET_APPROVE
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

KIND: Final = "iam.bind_certificate"
_PURPOSE: Final = "certificate"
_ONCE: Final = "sm2"
_Proved = tuple[Certificate, tuple[str, bytes, int]]


def key_digest(certificate: Certificate) -> bytes:
    """Return what a certificate's key is bound by."""
    return hashlib.sha256(certificate.spki).digest()


@dataclass(frozen=True, slots=True)
class CertificateService:
    """What can be done with certificates as factors."""

    means: Means
    opening: Opening

    # binding

    def request_binding(self, actor: Actor, new: NewBinding, reason: str) -> str:
        """Ask to bind a trusted certificate to an account; return the request's id."""
        means = self.means
        means.parts.access.require(actor, ACCOUNT_RESET, "account:*")
        certificate = read_given(new.encoded)
        self._verify_trusted(certificate)
        approval_id = means.parts.ids.new("apr")

        def work(tx: Transaction) -> str:
            found = same_organisation(means, tx, actor, find_account(means, tx, new.account))
            refuse_own(actor, found.id)
            if means.stores.certificates.by_key(tx, key_digest(certificate)) is not None:
                raise CertificateKnown
            means.parts.approvals.request(
                tx,
                Approval(
                    id=approval_id,
                    org_id=found.org_id,
                    kind=KIND,
                    subject=f"account:{found.id}",
                    subject_hash=_subject_hash(found, certificate, token_held=new.token_held),
                    permission=RESET_APPROVE,
                    requester_id=actor.id,
                    requested_at=tx.now,
                    expires_at=tx.now + means.options.lifetimes.reset_request,
                    reason=reason[:500],
                ),
            )
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
            refuse_own(actor, account_id)
            refuse_requester(means, tx, actor, approval_id)
            means.parts.approvals.decide(tx, approval_id, actor, grant=grant, reason=reason[:500])
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
        self._verify_trusted(certificate)
        binding_id, name = means.parts.ids.new("crt"), factor_name(new.name)

        def work(tx: Transaction) -> CertificateBinding:
            approval = self._approval(tx, actor, approval_id)
            account = means.stores.accounts.get(tx, approval.subject.removeprefix("account:"))
            wanted = _subject_hash(account, certificate, token_held=new.token_held)
            means.parts.approvals.use(tx, approval_id, wanted)
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
        return bool(self.means.trust.roots())

    def ask(self) -> CertificateChallenge:
        """Return a challenge of 120 seconds, good once; for anybody."""
        means = self.means
        nonce = encode(means.random(32))
        lifetime = LIFETIME_SECONDS * SECOND
        reference = write_reference(means, _PURPOSE, {"nonce": nonce}, lifetime)
        return CertificateChallenge(
            PURPOSE, means.options.issuer, nonce, LIFETIME_SECONDS, reference
        )

    def sign_in(self, attempt: CertificateAttempt) -> Opened:
        """Open a session with a certificate, alone or after a password.

        Raises ``CertificateRefused`` or ``SignInRefused``, ``Forbidden`` by policy (a key that
        no token guards reaches level 1 alone).
        """
        means = self.means
        begun = resume(means, _as_factor(attempt)) if attempt.second else None
        certificate, once = self._proved(attempt)
        binding, account = self._bound(certificate)
        if begun is not None and begun.account_id != binding.account_id:
            raise CertificateRefused
        keys = guess_keys(means, account.name, attempt.address, attempt.device)
        subject = means.parts.transactions.read(
            lambda tx: self.opening.subject(tx, account.id, keys, guessable=False)
        )
        proof = Proof(
            amr=_words(certificate, binding, first=None if begun is None else begun.first),
            level=(2 if binding.token_held else 1) + (begun is not None),
            use=lambda tx: means.stores.certificates.use(tx, binding.key_digest),
            strong=True,
            upstream=begun is not None and begun.first == FEDERATED,
        )
        return self.opening.open(subject, _as_factor(attempt), proof, Change(once, keys))

    def _proved(self, attempt: CertificateAttempt) -> _Proved:
        """Return the certificate whose key was used; a refusal is counted and recorded."""
        means = self.means
        keys = guess_keys(means, "", attempt.address)
        if means.parts.transactions.read(lambda tx: address_refused(means, tx, keys)):
            raise SignInRefused
        try:
            proved = self._presented(attempt) if attempt.terminator else self._answered(attempt)
            self._verify_trusted(proved[0])
        except CertificateRefused:
            details = {"step": "certificate", "address": keys.address.hex()[:16]}
            act = Act("iam.sign_in", system_actor("sign-in"), "certificate:*", "refused", details)

            def work(tx: Transaction) -> None:
                count_address_failure(means, tx, keys)
                tx.record(act)

            means.parts.transactions.run(work)
            raise
        return proved

    def _answered(self, attempt: CertificateAttempt) -> _Proved:
        means = self.means
        try:
            content = read_reference(means, _PURPOSE, attempt.reference)
        except TokenRefused as error:
            raise CertificateRefused(error.detail) from error
        answer = read_answer(attempt.answer)
        verify_answer(answer, means.options.issuer, content["nonce"], means.now // SECOND)
        return answer.certificate, (_ONCE, decode(content["nonce"]), int(content["until"]))

    def _presented(self, attempt: CertificateAttempt) -> _Proved:
        options, now = self.means.options, self.means.now
        host = urlsplit(options.issuer).netloc
        shown = read_header(attempt.terminator, options.terminator_key, host, now // SECOND)
        digest = hashlib.sha256(b"terminator|" + shown.nonce).digest()
        return shown.certificate, (_ONCE, digest, now + 5 * 60 * SECOND)

    def _bound(self, certificate: Certificate) -> tuple[CertificateBinding, Account]:
        means = self.means

        def work(tx: Transaction) -> tuple[CertificateBinding, Account]:
            binding = means.stores.certificates.by_key(tx, key_digest(certificate))
            if binding is None:
                raise CertificateRefused
            return binding, means.stores.accounts.get(tx, binding.account_id)

        return means.parts.transactions.read(work)

    def _verify_trusted(self, certificate: Certificate) -> None:
        trust = self.means.trust
        verify_trusted(
            certificate,
            trust.roots(),
            trust.intermediates(),
            trust.revocation_lists(),
            at=self.means.now,
        )


def _words(
    certificate: Certificate, binding: CertificateBinding, *, first: str | None
) -> tuple[str, ...]:
    """Return RFC 8176 words; ``hwk`` is only for keys that a token holds."""
    words = ["hwk" if binding.token_held else "swk"]
    words.append("sm2" if certificate.key_algorithm == "sm2" else "pop")
    return (first, *words, "mfa") if first else tuple(words)


def _as_factor(attempt: CertificateAttempt) -> FactorAttempt:
    return FactorAttempt(
        attempt.second,
        "",
        attempt.address,
        user_agent=attempt.user_agent,
        device=attempt.device,
    )


def _subject_hash(account: Account, certificate: Certificate, *, token_held: bool) -> str:
    held = "token" if token_held else "software"
    text = f"{KIND}|{account.id}|{key_digest(certificate).hex()}|{held}"
    return hashlib.sha256(text.encode()).hexdigest()


def _record(tx: Transaction, action: str, actor: Actor, account_id: str, **details: str) -> None:
    tx.record(Act(action, actor, f"account:{account_id}", details=details))
