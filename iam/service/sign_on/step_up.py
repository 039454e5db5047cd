"""Step-up in place: one more factor inside a living session, and nothing asked twice.

The session keeps its id, so what hangs on it goes on; its cookies are new (session fixation),
its time is now, its level what the factors together reach.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from iam.core.base64url import encode
from iam.errors import PasskeyRefused, SignInRefused
from iam.models.factors import CertificateAttempt, CertificateChallenge, PasskeyQuestion
from iam.models.sessions import OpSession, SteppedUp, StepUpAttempt
from iam.service.means import Means
from iam.service.sign_on.ceremonies import (
    ask_assertion,
    judge_assertion,
    passkey_level,
    passkey_words,
    passkeys_usable,
    read_challenge,
    use_passkey,
)
from iam.service.sign_on.codes import code_proof
from iam.service.sign_on.guessing import (
    GuessKeys,
    count_factor_failure,
    factor_refused,
    guess_keys,
)
from iam.service.sign_on.opening import PASSWORD, Opening, Proof, Subject
from iam.service.sign_on.owning import owner_of
from iam.service.sign_on.presenting import Presenting
from iam.service.sign_on.sessions import digest_of
from secops.kernel.actors import Actor
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

_PURPOSE = "step-up"
_Once = tuple[str, bytes, int] | None


@dataclass(frozen=True, slots=True)
class StepUpView:
    """What the page may ask for: a code, a passkey, a certificate, or all of them."""

    codes: bool
    question: PasskeyQuestion | None
    challenge: CertificateChallenge | None


@dataclass(frozen=True, slots=True)
class StepUpService:
    """Strengthens sessions."""

    means: Means
    opening: Opening
    presenting: Presenting

    def look(self, actor: Actor) -> StepUpView:
        """Return what the caller may prove more with."""
        means, account_id = self.means, owner_of(actor)
        stores = means.stores

        def work(tx: Transaction) -> StepUpView:
            codes = stores.credentials.totp(tx, account_id) is not None
            known = tuple(stores.passkeys.of_account(tx, account_id))
            question = None
            if passkeys_usable(means) and any(p.suspended_at is None for p in known):
                question = ask_assertion(means, _PURPOSE, account_id, known)
            bound = self.presenting.usable and stores.certificates.of_account(tx, account_id)
            return StepUpView(codes, question, self.presenting.ask(account_id) if bound else None)

        return means.parts.transactions.read(work)

    def step_up(self, actor: Actor, attempt: StepUpAttempt) -> SteppedUp:
        """Strengthen the caller's session; raise the refusal of its factor."""
        means = self.means
        account_id = owner_of(actor)
        keys = guess_keys(means, actor.name, attempt.address, attempt.device)
        unguessable = bool(attempt.answer) or attempt.certificate is not None
        subject = means.parts.transactions.read(
            lambda tx: self.opening.subject(tx, account_id, keys, guessable=not unguessable)
        )
        proof, once = self._proof(subject, attempt, actor)
        if proof is not None:
            self.opening.refuse_by_policy(subject, proof, attempt.address)
        op_cookie, rp_cookie = encode(means.random(32)), encode(means.random(32))
        digests = (digest_of(op_cookie), digest_of(attempt.cookie), digest_of(rp_cookie))
        level = means.parts.transactions.run(
            lambda tx: self._consume(tx, actor, (proof, once, keys), digests)
        )
        if level is None:
            raise SignInRefused
        return SteppedUp(op_cookie, rp_cookie, level)

    def _proof(
        self, subject: Subject, attempt: StepUpAttempt, actor: Actor
    ) -> tuple[Proof | None, _Once]:
        means = self.means
        if attempt.certificate is not None:
            return self._certificate_proof(attempt.certificate, actor)
        if not attempt.answer:
            return code_proof(means, subject, attempt.code), None
        asked = read_challenge(means, _PURPOSE, attempt.reference)
        if asked.content["account"] != subject.account.id:
            raise PasskeyRefused
        use = judge_assertion(means, asked, attempt.answer)
        proof = Proof(
            passkey_words(use.passkey),
            passkey_level(use.passkey),
            lambda tx: use_passkey(means, tx, use),
            strong=True,
        )
        return proof, asked.once

    def _certificate_proof(self, attempt: CertificateAttempt, actor: Actor) -> tuple[Proof, _Once]:
        """Return what a certificate of the caller's own proves beside what the session has."""
        means = self.means
        use = self.presenting.prove(attempt, actor.id)
        read = means.parts.transactions.read
        session = read(lambda tx: means.stores.sessions.get(tx, actor.session_id or ""))
        second = session is not None and PASSWORD in session.amr
        proof = Proof(
            (*use.words, "mfa") if second else use.words,
            use.level(second=second),
            lambda tx: means.stores.certificates.use(tx, use.binding.key_digest),
            strong=True,
        )
        return proof, use.once

    def _consume(
        self,
        tx: Transaction,
        actor: Actor,
        judged: tuple[Proof | None, _Once, GuessKeys],
        digests: tuple[bytes, bytes, bytes],
    ) -> int | None:
        """Use the factor up and put the session under its new cookies: all or nothing."""
        means, (proof, once, keys) = self.means, judged
        stores = means.stores
        fresh = once is None or stores.grants.use_once(tx, *once)
        barred = not (proof and proof.strong) and factor_refused(means, tx, keys)
        if proof is None or barred or not fresh or not proof.use(tx):
            if proof is None or not proof.strong:
                count_factor_failure(means, tx, keys)
            tx.record(Act("iam.step_up", actor, f"account:{actor.id}", "refused"))
            return None
        session = stores.sessions.get(tx, actor.session_id or "")
        if session is None or session.account_id != actor.id:
            raise SignInRefused
        stronger = self._stronger(session, proof, digests[0])
        moved = stores.session_levels.move_rp(tx, session.id, digests[1], digests[2])
        if not moved or not stores.session_levels.strengthen(tx, stronger):
            raise SignInRefused
        details = {"amr": list(stronger.amr), "level": stronger.level}
        tx.record(Act("iam.step_up", actor, f"session:{session.id}", details=details))
        return stronger.level

    def _stronger(self, session: OpSession, proof: Proof, digest: bytes) -> OpSession:
        words = tuple(dict.fromkeys((*session.amr, *proof.amr)))
        return replace(
            session,
            digest=digest,
            auth_time=self.means.now,
            level=max(session.level, proof.level),
            amr=words,
        )
