"""Opening a session, whatever the factors were: who may, for how long, at which level.

A factor's service proves something and hands over a ``Proof``; here the account, policy and
risk are asked, and proof, reference and session are consumed and opened by one unit of work.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from iam.core.base64url import encode
from iam.core.exclusion import administers
from iam.errors import LocalSignInClosed, SignInRefused, SignInUnusual, TokenRefused
from iam.models.accounts import Account
from iam.models.credentials import PasswordCredential, TotpCredential
from iam.models.factors import CertificateAttempt, PasskeyAttempt
from iam.models.recovery import BreakGlass
from iam.models.sessions import FactorAttempt, Opened, OpSession
from iam.ports import RiskAdvice
from iam.service.means import Means
from iam.service.sign_on.breaking_glass import WINDOW, break_seal
from iam.service.sign_on.guessing import (
    GuessKeys,
    count_factor_failure,
    factor_refused,
    forget_failures,
    guess_keys,
    remember_device,
)
from iam.service.sign_on.references import read_reference, write_reference
from iam.service.sign_on.sessions import digest_of
from iam.service.sign_on.unusual import advise, read_before, record_advice
from iam.service.zero_trust.decisions import SESSION_OPEN, DecisionService
from secops.kernel.access import Question
from secops.kernel.actors import Actor
from secops.kernel.errors import Forbidden, NotFound
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

SECOND_FACTOR: Final = "second-factor"
"""The purpose of references between a password and what follows it."""
PASSWORD: Final = "pwd"  # noqa: S105 - a word of RFC 8176
FEDERATED: Final = "fed"
"""Our word for a proof of the organisation's identity provider."""
BY_MESSAGE: Final = "by_message"
"""The fact that policies are told of a sign-in with a code by message."""
Verdict = Literal["right", "wrong", "unusual"]


@dataclass(frozen=True, slots=True)
class Subject:
    """Who signs in, as it was read before anything was decided."""

    account: Account
    totp: TotpCredential | None
    passwords: tuple[PasswordCredential, ...]
    roles: frozenset[str]
    before: tuple[OpSession | None, int] = (None, 0)
    closed: bool = False
    """Whether the organisation signs in upstream and this account is not excepted."""
    sealed: BreakGlass | None = None
    """The seal, for an account kept for emergencies."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What the factors amount to: RFC 8176 words and a level.

    ``use`` consumes the last factor inside the unit of work and tells whether it still could
    be used. ``strong`` ones are bound to our site and can't be guessed: they answer a demand
    for one more by themselves, and their failures count against nobody. ``upstream`` ones come
    from the organisation's identity provider, ``by_message`` ones over a second channel.
    """

    amr: tuple[str, ...]
    level: int
    use: Callable[[Transaction], bool]
    strong: bool = False
    upstream: bool = False
    by_message: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """What a right factor changes; ``met`` says that an unusual sign-in was proved again.

    ``once`` is (kind, key, until) of the reference that is used up with it.
    """

    once: tuple[str, bytes, int]
    keys: GuessKeys
    new_hash: str | None = field(default=None, repr=False)
    met: bool = False


def factor_attempt(attempt: PasskeyAttempt | CertificateAttempt) -> FactorAttempt:
    """Return what is asked of policy and risk, whichever factor came."""
    return FactorAttempt(
        attempt.second,
        "",
        attempt.address,
        user_agent=attempt.user_agent,
        device=attempt.device,
    )


@dataclass(frozen=True, slots=True)
class Opening:
    """Opens sessions for those who proved enough."""

    means: Means
    decisions: DecisionService

    def subject(
        self, tx: Transaction, account_id: str, keys: GuessKeys, *, guessable: bool = True
    ) -> Subject:
        """Return whose factors are looked at; raise ``SignInRefused`` if nobody's may be.

        Wrong codes of strangers don't keep out a factor that can't be guessed.
        """
        means = self.means
        stores = means.stores
        try:
            account = stores.accounts.get(tx, account_id)
        except NotFound as error:
            raise SignInRefused from error
        refused = guessable and factor_refused(means, tx, keys)
        if account.state != "active" or refused:
            raise SignInRefused
        if means.parts.revocations.is_revoked("account", account_id):
            raise SignInRefused
        sealed = stores.break_glass.get(tx, account_id)
        return Subject(
            account=account,
            totp=stores.credentials.totp(tx, account_id),
            passwords=tuple(stores.credentials.passwords(tx, account_id)),
            roles=stores.roles.of_subject(tx, account_id),
            before=read_before(means, tx, account_id, keys),
            closed=sealed is None and _closed_here(means, tx, account),
            sealed=sealed,
        )

    def refuse_by_policy(self, subject: Subject, proof: Proof, address: str = "") -> None:
        """Return if policy lets the account open a session; raise ``Forbidden``."""
        account = subject.account
        actor = Actor(
            kind="account",
            id=account.id,
            org_id=account.org_id,
            name=account.name,
            roles=subject.roles,
            level=proof.level,
            address=address,
        )
        facts = {BY_MESSAGE: "yes"} if proof.by_message else {}
        decision = self.decisions.decide(Question(actor, SESSION_OPEN, "session:new", facts))
        if not decision.allowed:
            raise Forbidden(decision.reason)

    def open(
        self, subject: Subject, attempt: FactorAttempt, proof: Proof | None, change: Change
    ) -> Opened:
        """Consume the proof and open the session.

        ``proof`` None is a wrong one: it is counted and recorded. Raises ``SignInRefused``,
        ``Forbidden`` by policy, or ``SignInUnusual`` when it was right and one more is needed.
        """
        means = self.means
        cookie = encode(means.random(32))
        advice = None
        if proof is not None:
            if subject.closed and not proof.upstream:
                # said only to whoever had the factor: strangers learn nothing of the account
                raise LocalSignInClosed
            self.refuse_by_policy(subject, proof, attempt.address)
            seen = (attempt, change.keys)
            advice = advise(means, subject.account, subject.roles, seen, subject.before)
        session = self._session(subject, attempt, cookie, proof)
        verdict = means.parts.transactions.run(
            lambda tx: self._consume(tx, session, (proof, advice, subject.sealed), change)
        )
        if verdict == "unusual":
            first = FEDERATED if proof is not None and proof.upstream else PASSWORD
            reference = self.reference(subject.account.id, change.keys, unusual=True, first=first)
            raise SignInUnusual(reference)
        if verdict != "right":
            raise SignInRefused
        device = remember_device(means, change.keys)
        return Opened(cookie, session, subject.account.name, device)

    def reference(
        self, account_id: str, keys: GuessKeys, *, unusual: bool, first: str = PASSWORD
    ) -> str:
        """Return what the next factor is given with; ``unusual``: a right one came before it.

        ``first`` is the RFC 8176 word of what was proved first.
        """
        content = {
            "account": account_id,
            "name": keys.name,
            "nonce": self.means.random(16).hex(),
            "unusual": unusual,
            "first": first,
        }
        lifetime = self.means.options.lifetimes.second_factor
        return write_reference(self.means, SECOND_FACTOR, content, lifetime)

    def _session(
        self, subject: Subject, attempt: FactorAttempt, cookie: str, proof: Proof | None
    ) -> OpSession:
        lifetimes = self.means.options.lifetimes
        high = administers(subject.roles)
        now, sealed = self.means.now, subject.sealed
        absolute = lifetimes.administrator_absolute if high else lifetimes.session_absolute
        until = now + absolute
        if sealed is not None:
            until = min(until, now + WINDOW if sealed.open_until is None else sealed.open_until)
        return OpSession(
            id=self.means.parts.ids.new("ses"),
            digest=digest_of(cookie),
            org_id=subject.account.org_id,
            account_id=subject.account.id,
            auth_time=now,
            level=0 if proof is None else proof.level,
            amr=() if proof is None else proof.amr,
            last_seen=now,
            idle=lifetimes.administrator_idle if high else lifetimes.session_idle,
            expires_at=until,
            address=attempt.address[:64],
        )

    def _consume(
        self,
        tx: Transaction,
        session: OpSession,
        judged: tuple[Proof | None, RiskAdvice | None, BreakGlass | None],
        change: Change,
    ) -> Verdict:
        """Consume reference and factor, and open the session: all or nothing."""
        means = self.means
        proof, advice, sealed = judged
        right = proof is not None and self._use(tx, proof, change)
        actor = Actor(
            kind="account",
            id=session.account_id,
            org_id=session.org_id,
            name=session.account_id,
            session_id=session.id if right else None,
        )
        details: dict[str, Any] = {"step": "factor", "address": change.keys.address.hex()[:16]}
        target = f"account:{session.account_id}"
        if proof is None or not right:
            if proof is None or not proof.strong:
                count_factor_failure(means, tx, change.keys)
            tx.record(Act("iam.sign_in", actor, target, "refused", details))
            return "wrong"
        met = change.met or proof.strong
        if advice is not None and advice.answer == "step_up" and not met:
            record_advice(tx, replace(actor, session_id=None), advice, target, met=False)
            return "unusual"
        if sealed is not None and not break_seal(means, tx, session):
            tx.record(Act("iam.sign_in", actor, target, "refused", details))
            return "wrong"
        forget_failures(means, tx, change.keys)
        if change.new_hash is not None:
            store_password(means, tx, session.account_id, change.new_hash)
        means.stores.sessions.add(tx, session)
        means.stores.accounts.signed_in(tx, session.account_id, tx.now)
        details["amr"] = list(session.amr)
        if sealed is not None:
            details["break_glass"] = True  # its one alert is ``breaking_glass``'s
        tx.record(Act("iam.sign_in", actor, f"session:{session.id}", details=details))
        record_advice(tx, actor, advice, f"session:{session.id}", met=met)
        return "right"

    def _use(self, tx: Transaction, proof: Proof, change: Change) -> bool:
        """Consume both, or say no.

        A strong proof's challenge goes first: the same answer sent again must not look like
        a copy of its key. A code's reference goes last: a wrong code may be tried again.
        """
        use_once = self.means.stores.grants.use_once
        if proof.strong:
            return use_once(tx, *change.once) and proof.use(tx)
        if factor_refused(self.means, tx, change.keys):
            return False  # of many guesses at once, those after the last one allowed
        return proof.use(tx) and use_once(tx, *change.once)


@dataclass(frozen=True, slots=True)
class Begun:
    """What the reference of a right password (or provider's proof: ``first``) says.

    ``unusual``: a right factor came too.
    """

    account_id: str
    keys: GuessKeys
    once: tuple[str, bytes, int]
    unusual: bool
    first: str = PASSWORD


def resume(means: Means, attempt: FactorAttempt) -> Begun:
    """Return what was begun; raise ``SignInRefused`` if it is not ours or took too long."""
    try:
        content = read_reference(means, SECOND_FACTOR, attempt.reference)
    except TokenRefused as error:
        raise SignInRefused from error
    return Begun(
        account_id=content["account"],
        keys=guess_keys(means, content["name"], attempt.address, attempt.device),
        once=(SECOND_FACTOR, bytes.fromhex(content["nonce"]), content["until"]),
        unusual=bool(content.get("unusual")),
        first=str(content.get("first", PASSWORD)),
    )


def _closed_here(means: Means, tx: Transaction, account: Account) -> bool:
    """Tell whether a provider in force is the only way in for the account."""
    exclusive = [
        one.plan.trust
        for one in means.stores.upstreams.all_of(tx, account.org_id)
        if one.state == "active" and one.plan.trust.exclusive
    ]
    return bool(exclusive) and not any(account.name in trust.local_names for trust in exclusive)


def store_password(means: Means, tx: Transaction, account_id: str, hashed: str) -> None:
    """Make ``hashed`` the account's password, from now on."""
    means.stores.credentials.set_password(
        tx, PasswordCredential(account_id, hashed, tx.now), means.options.password_history
    )
