"""Sign-in: password, then TOTP or a recovery code, then a session.

Unknown, locked, pending and wrong get the same answer after the same work: one read, one
argon2id, one unit of work. Passwords are hashed before a unit of work begins, never inside.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from iam.core.base64url import encode
from iam.core.exclusion import administers
from iam.core.names import folded_name
from iam.core.passwords import check_password, normal_password
from iam.core.rfc6238.totp import DIGITS, matching_step
from iam.errors import (
    PasswordExpired,
    PasswordWeak,
    SignInRefused,
    SignInUnusual,
    TokenRefused,
)
from iam.models.accounts import Account
from iam.models.credentials import PasswordCredential, TotpCredential
from iam.models.options import CLI_CLIENT
from iam.models.sessions import FactorAttempt, Opened, OpSession, PasswordAttempt, RpSession
from iam.ports import RiskAdvice
from iam.service.means import Means
from iam.service.sign_on.guessing import (
    GuessKeys,
    count_factor_failure,
    count_password,
    factor_refused,
    forget_failures,
    guess_keys,
    password_refused,
    remember_device,
)
from iam.service.sign_on.recovery_codes import recovery_digest
from iam.service.sign_on.references import read_reference, write_reference
from iam.service.sign_on.sessions import digest_of
from iam.service.sign_on.unusual import advise, read_before, record_advice
from iam.service.zero_trust.decisions import SESSION_OPEN, DecisionService
from secops.kernel.access import Question
from secops.kernel.actors import ROOT_ORG, Actor, system_actor
from secops.kernel.errors import Forbidden, NotFound
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

_PURPOSE: Final = "second-factor"
_LEVEL: Final = 2
Verdict = Literal["right", "wrong", "unusual"]


@dataclass(frozen=True, slots=True)
class _Password:
    """What a read found for a name: maybe nothing, and nobody outside can tell."""

    account: Account | None
    password: PasswordCredential | None
    refused: bool


@dataclass(frozen=True, slots=True)
class _Second:
    account: Account
    totp: TotpCredential
    passwords: tuple[PasswordCredential, ...]
    roles: frozenset[str]
    before: tuple[OpSession | None, int] = (None, 0)


@dataclass(frozen=True, slots=True)
class _Change:
    """What a right second factor changes; ``met`` says that an unusual one was proved again."""

    session: OpSession
    nonce: bytes
    until: int
    keys: GuessKeys
    new_hash: str | None = field(default=None, repr=False)
    advice: RiskAdvice | None = None
    met: bool = False


@dataclass(frozen=True, slots=True)
class SignInService:
    """The two steps of a sign-in."""

    means: Means
    decisions: DecisionService

    def begin(self, attempt: PasswordAttempt) -> str:
        """Check the password and return a reference for ``finish`` (5 minutes).

        Raises ``SignInRefused`` for every reason alike, ``TooMany`` when too many hash.
        """
        means = self.means
        keys = guess_keys(means, attempt.name, attempt.address, attempt.device)
        found = means.parts.transactions.read(lambda tx: self._look_up(tx, attempt.name, keys))
        encoded = means.hasher.decoy if found.password is None else found.password.hash
        fits = means.hasher.verify(encoded, self._peppered(attempt.password))
        ended = found.account is not None and means.parts.revocations.is_revoked(
            "account", found.account.id
        )
        usable = found.account is not None and found.account.state == "active" and not ended
        right = fits and usable and found.password is not None and not found.refused
        self._note_password(attempt, keys, found, right=right)
        if not right or found.account is None:
            raise SignInRefused
        self._rehash(attempt, found.password)
        return self._reference(found.account.id, folded_name(attempt.name), unusual=False)

    def finish(self, attempt: FactorAttempt) -> Opened:
        """Check the second factor and open a session.

        Raises ``SignInRefused``; ``PasswordExpired`` (nothing consumed yet) when a new
        password is needed; ``PasswordWeak`` for a bad one; ``Forbidden`` for high risk;
        ``SignInUnusual`` when the code was right and one more is needed.
        """
        means = self.means
        try:
            content = read_reference(means, _PURPOSE, attempt.reference)
        except TokenRefused as error:
            raise SignInRefused from error
        keys = guess_keys(means, content["name"], attempt.address, attempt.device)
        second = means.parts.transactions.read(
            lambda tx: self._second(tx, content["account"], keys)
        )
        step = self._step(second, attempt.code)
        cookie = encode(means.random(32))
        session = self._session(second, attempt, cookie)
        new_hash, advice = None, None
        if step is not None or len(attempt.code) != DIGITS:
            # only who may have the factor learns of age and risk
            self._decide(second, session)
            new_hash = self._renewed(second, attempt.new_password or None)
            advice = advise(means, second.account, second.roles, (attempt, keys), second.before)
        change = _Change(
            session,
            bytes.fromhex(content["nonce"]),
            content["until"],
            keys,
            new_hash,
            advice,
            met=bool(content.get("unusual")),
        )
        verdict = means.parts.transactions.run(
            lambda tx: self._consume(tx, attempt.code, step, change)
        )
        if verdict == "unusual":
            raise SignInUnusual(self._reference(second.account.id, content["name"], unusual=True))
        if verdict != "right":
            raise SignInRefused
        device = remember_device(means, keys)
        return Opened(cookie, session, second.account.name, device)

    def sign_in(self, attempt: PasswordAttempt, code: str) -> Opened:
        """Do both steps at once, e.g. for ``secops login``."""
        reference = self.begin(attempt)
        return self.finish(FactorAttempt(reference, code, attempt.address))

    def open_terminal(self, attempt: PasswordAttempt, code: str) -> str:
        """Sign in on the command line; return the session that ``by_token`` reads."""
        opened = self.sign_in(attempt, code)
        secret = encode(self.means.random(32))
        stored = RpSession(digest_of(secret), opened.session.id, CLI_CLIENT, self.means.now)
        run = self.means.parts.transactions.run
        run(lambda tx: self.means.stores.sessions.add_rp(tx, stored))
        return secret

    def change_password(self, actor: Actor, old: str, new: str) -> None:
        """Replace the caller's own password; raise ``SignInRefused`` or ``PasswordWeak``."""
        means = self.means
        keys = guess_keys(means, actor.name, "")
        found = means.parts.transactions.read(lambda tx: self._look_up(tx, actor.name, keys))
        encoded = means.hasher.decoy if found.password is None else found.password.hash
        fits = means.hasher.verify(encoded, self._peppered(old))
        right = fits and not found.refused and found.account is not None
        if not right or found.account is None or found.account.id != actor.id:
            attempt = PasswordAttempt(actor.name, old, "")
            self._note_password(attempt, keys, found, right=False)
            raise SignInRefused
        second = means.parts.transactions.read(lambda tx: self._second(tx, actor.id, keys))
        hashed = self._new_hash(second, new)

        def work(tx: Transaction) -> None:
            self._store_password(tx, actor.id, hashed)
            tx.record(Act("iam.change_password", actor, f"account:{actor.id}"))

        means.parts.transactions.run(work)

    def _reference(self, account_id: str, name: str, *, unusual: bool) -> str:
        """Return what the next code is given with; ``unusual``: a right one came before it."""
        content = {
            "account": account_id,
            "name": name,
            "nonce": self.means.random(16).hex(),
            "unusual": unusual,
        }
        lifetime = self.means.options.lifetimes.second_factor
        return write_reference(self.means, _PURPOSE, content, lifetime)

    # first step

    def _look_up(self, tx: Transaction, name: str, keys: GuessKeys) -> _Password:
        stores = self.means.stores
        account = stores.accounts.by_name(tx, folded_name(name))
        passwords = stores.credentials.passwords(tx, "" if account is None else account.id)
        refused = password_refused(self.means, tx, keys)
        return _Password(account, passwords[0] if passwords else None, refused)

    def _peppered(self, password: str) -> bytes:
        try:
            return self.means.peppered(normal_password(password))
        except PasswordWeak:
            return b"longer than any password"

    def _note_password(
        self, attempt: PasswordAttempt, keys: GuessKeys, found: _Password, *, right: bool
    ) -> None:
        del attempt  # neither name nor address goes into the ledger
        target = f"name:{keys.account.hex()[:16]}"
        details = {"step": "password", "address": keys.address.hex()[:16]}
        act = Act(
            "iam.sign_in", _visitor(found.account), target, "done" if right else "refused", details
        )

        def work(tx: Transaction) -> None:
            count_password(self.means, tx, keys, failed=not right)
            tx.record(act)

        self.means.parts.transactions.run(work)

    def _rehash(self, attempt: PasswordAttempt, password: PasswordCredential | None) -> None:
        means = self.means
        if password is None or not means.hasher.outdated(password.hash):
            return
        hashed = means.hasher.hash(self._peppered(attempt.password))
        renewed = PasswordCredential(password.account_id, hashed, password.set_at)
        means.parts.transactions.run(lambda tx: means.stores.credentials.rehash(tx, renewed))

    # second step

    def _second(self, tx: Transaction, account_id: str, keys: GuessKeys) -> _Second:
        stores = self.means.stores
        try:
            account = stores.accounts.get(tx, account_id)
        except NotFound as error:
            raise SignInRefused from error
        totp = stores.credentials.totp(tx, account_id)
        refused = factor_refused(self.means, tx, keys.account)
        if account.state != "active" or totp is None or refused:
            raise SignInRefused
        if self.means.parts.revocations.is_revoked("account", account_id):
            raise SignInRefused
        passwords = tuple(stores.credentials.passwords(tx, account_id))
        roles = stores.roles.of_subject(tx, account_id)
        before = read_before(self.means, tx, account_id, keys)
        return _Second(account, totp, passwords, roles, before)

    def _step(self, second: _Second, code: str) -> int | None:
        secret = self.means.box.open(
            second.totp.sealed_secret, f"totp|{second.account.id}".encode()
        )
        return matching_step(secret, code, self.means.now, second.totp.last_step)

    def _renewed(self, second: _Second, new_password: str | None) -> str | None:
        options = self.means.options
        age = self.means.now - (second.passwords[0].set_at if second.passwords else 0)
        expired = options.passwords_age and age > options.lifetimes.password_age
        if new_password is None:
            if expired:
                raise PasswordExpired
            return None
        return self._new_hash(second, new_password)

    def _new_hash(self, second: _Second, new_password: str) -> str:
        means = self.means
        text = check_password(new_password, means.rules, (second.account.name,))
        peppered = means.peppered(text)
        if any(means.hasher.verify(old.hash, peppered) for old in second.passwords):
            msg = f"one of the last {means.options.password_history} passwords"
            raise PasswordWeak(msg, reason="history")
        return means.hasher.hash(peppered)

    def _session(self, second: _Second, attempt: FactorAttempt, cookie: str) -> OpSession:
        lifetimes = self.means.options.lifetimes
        high = administers(second.roles)
        now = self.means.now
        absolute = lifetimes.administrator_absolute if high else lifetimes.session_absolute
        return OpSession(
            id=self.means.parts.ids.new("ses"),
            digest=digest_of(cookie),
            org_id=second.account.org_id,
            account_id=second.account.id,
            auth_time=now,
            level=_LEVEL,
            amr=("pwd", "otp", "mfa") if len(attempt.code) == DIGITS else ("pwd", "mfa"),
            last_seen=now,
            idle=lifetimes.administrator_idle if high else lifetimes.session_idle,
            expires_at=now + absolute,
            address=attempt.address[:64],
        )

    def _decide(self, second: _Second, session: OpSession) -> None:
        actor = Actor(
            kind="account",
            id=second.account.id,
            org_id=second.account.org_id,
            name=second.account.name,
            roles=second.roles,
            level=session.level,
        )
        decision = self.decisions.decide(Question(actor, SESSION_OPEN, "session:new"))
        if not decision.allowed:
            raise Forbidden(decision.reason)

    def _consume(self, tx: Transaction, code: str, step: int | None, change: _Change) -> Verdict:
        """Consume reference and factor, and open the session: all or nothing."""
        means = self.means
        stores = means.stores
        session = change.session
        right = self._use_factor(tx, session.account_id, code, step)
        if right and not stores.grants.use_once(tx, "second-factor", change.nonce, change.until):
            right = False
        actor = Actor(
            kind="account",
            id=session.account_id,
            org_id=session.org_id,
            name=session.account_id,
            session_id=session.id if right else None,
        )
        details: dict[str, Any] = {"step": "factor", "address": change.keys.address.hex()[:16]}
        if not right:
            count_factor_failure(means, tx, change.keys.account)
            target = f"account:{session.account_id}"
            tx.record(Act("iam.sign_in", actor, target, "refused", details))
            return "wrong"
        unusual = change.advice is not None and change.advice.answer == "step_up"
        if unusual and not change.met:
            target = f"account:{session.account_id}"
            record_advice(tx, replace(actor, session_id=None), change.advice, target, met=False)
            return "unusual"
        forget_failures(means, tx, change.keys.account)
        if change.new_hash is not None:
            self._store_password(tx, session.account_id, change.new_hash)
        stores.sessions.add(tx, session)
        stores.accounts.signed_in(tx, session.account_id, tx.now)
        details["amr"] = list(session.amr)
        tx.record(Act("iam.sign_in", actor, f"session:{session.id}", details=details))
        record_advice(tx, actor, change.advice, f"session:{session.id}", met=change.met)
        return "right"

    def _use_factor(self, tx: Transaction, account_id: str, code: str, step: int | None) -> bool:
        credentials = self.means.stores.credentials
        if len(code) == DIGITS:
            return step is not None and credentials.use_step(tx, account_id, step)
        digest = recovery_digest(self.means, account_id, code)
        return credentials.use_recovery_code(tx, account_id, digest)

    def _store_password(self, tx: Transaction, account_id: str, hashed: str) -> None:
        self.means.stores.credentials.set_password(
            tx,
            PasswordCredential(account_id, hashed, tx.now),
            self.means.options.password_history,
        )


def _visitor(account: Account | None) -> Actor:
    """Return who tries, as far as it is known, without proof."""
    visitor = system_actor("sign-in")
    if account is None:
        return visitor
    return Actor(kind="system", id="sign-in", org_id=account.org_id or ROOT_ORG, name="sign-in")
