"""Sign-in: password, then TOTP or a recovery code, then a session.

Unknown, locked, pending and wrong get the same answer after the same work: one read, one
argon2id, one unit of work. Passwords are hashed before a unit of work begins, never inside.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from iam.core.names import folded_name
from iam.core.passwords import normal_password
from iam.errors import PasswordWeak, SignInRefused
from iam.models.accounts import Account
from iam.models.credentials import PasswordCredential
from iam.models.options import CLI_CLIENT
from iam.models.sessions import FactorAttempt, Opened, PasswordAttempt
from iam.service.means import Means
from iam.service.sign_on.codes import code_proof
from iam.service.sign_on.guessing import GuessKeys, count_password, guess_keys, password_refused
from iam.service.sign_on.opening import (
    FEDERATED,
    Change,
    Opening,
    Proof,
    Subject,
    resume,
    store_password,
)
from iam.service.sign_on.owning import require_fresh
from iam.service.sign_on.passwords import hash_if_due, hash_of_new, password_due
from iam.service.sign_on.sessions import hang
from iam.service.sign_on.stored_passwords import (
    hash_password,
    password_fits,
    password_outdated,
)
from secops.kernel.actors import ROOT_ORG, Actor, system_actor
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction


@dataclass(frozen=True, slots=True)
class _Password:
    """What a read found for a name: maybe nothing, and nobody outside can tell."""

    account: Account | None
    password: PasswordCredential | None
    refused: bool


@dataclass(frozen=True, slots=True)
class SignInService:
    """The two steps of a sign-in."""

    means: Means
    opening: Opening

    def begin(self, attempt: PasswordAttempt) -> str:
        """Check the password and return a reference for ``finish`` (5 minutes).

        Raises ``SignInRefused`` for every reason alike, ``TooMany`` when too many hash.
        """
        means = self.means
        keys = guess_keys(means, attempt.name, attempt.address, attempt.device)
        found = means.parts.transactions.read(lambda tx: self._look_up(tx, attempt.name, keys))
        stored = None if found.password is None else found.password.hash
        fits = password_fits(means, stored, _normal(attempt.password))
        usable = found.account is not None and found.account.state == "active"
        right = fits and usable and found.password is not None and not found.refused
        self._note_password(attempt, keys, found, right=right)
        if not right or found.account is None:
            raise SignInRefused
        self._rehash(attempt, found.password)
        return self.opening.reference(found.account.id, keys, unusual=False)

    def finish(self, attempt: FactorAttempt) -> Opened:
        """Check the second factor and open a session.

        Raises ``SignInRefused``; ``PasswordExpired`` (nothing consumed yet) when a new
        password is needed; ``PasswordWeak`` for a bad one; ``Forbidden`` for high risk;
        ``SignInUnusual`` when the code was right and one more is needed.
        """
        means = self.means
        begun = resume(means, attempt)
        subject = means.parts.transactions.read(
            lambda tx: self.opening.subject(tx, begun.account_id, begun.keys)
        )
        proof = code_proof(means, subject, attempt.code, begun)
        new_hash = None
        if proof is not None:
            federated = begun.first == FEDERATED
            proof = replace(proof, amr=(begun.first, *proof.amr), upstream=federated)
            # only who may have the factor learns of age and policy
            self.opening.refuse_by_policy(subject, proof, attempt.address)
            if not federated and subject.sealed is None:  # a sealed password doesn't age
                new_hash = hash_if_due(means, subject, _wanted(means, subject, attempt, proof))
        change = Change(begun.once, begun.keys, new_hash, met=begun.unusual)
        return self.opening.open(subject, attempt, proof, change)

    def sign_in(self, attempt: PasswordAttempt, code: str) -> Opened:
        """Do both steps at once, e.g. for ``secops login``."""
        reference = self.begin(attempt)
        return self.finish(FactorAttempt(reference, code, attempt.address))

    def open_terminal(self, attempt: PasswordAttempt, code: str) -> str:
        """Sign in on the command line; return the session that ``by_token`` reads."""
        opened = self.sign_in(attempt, code)
        return hang(self.means, opened.session.id, CLI_CLIENT)

    def change_password(self, actor: Actor, old: str, new: str) -> None:
        """Replace the caller's own password; raise ``SignInRefused`` or ``PasswordWeak``.

        The second factor is the sign-in's or a step-up's, not older than 5 minutes.
        """
        means = self.means
        require_fresh(means, actor)
        keys = guess_keys(means, actor.name, "")
        found = means.parts.transactions.read(lambda tx: self._look_up(tx, actor.name, keys))
        stored = None if found.password is None else found.password.hash
        fits = password_fits(means, stored, _normal(old))
        right = fits and not found.refused and found.account is not None
        if not right or found.account is None or found.account.id != actor.id:
            attempt = PasswordAttempt(actor.name, old, "")
            self._note_password(attempt, keys, found, right=False)
            raise SignInRefused
        subject = means.parts.transactions.read(lambda tx: self.opening.subject(tx, actor.id, keys))
        hashed = hash_of_new(means, subject, new)

        def work(tx: Transaction) -> None:
            store_password(means, tx, actor.id, hashed)
            tx.record(Act("iam.change_password", actor, f"account:{actor.id}"))

        means.parts.transactions.run(work)

    # first step

    def _look_up(self, tx: Transaction, name: str, keys: GuessKeys) -> _Password:
        stores = self.means.stores
        account_id, known = stores.factors_held.account_or_other(tx, folded_name(name))
        account = stores.accounts.get(tx, account_id) if account_id else None
        passwords = stores.credentials.passwords(tx, account_id)
        refused = password_refused(self.means, tx, keys)
        ended = self.means.parts.revocations.is_revoked("account", account_id)
        return _Password(
            account=account if known else None,
            password=passwords[0] if passwords else None,
            refused=refused or ended,
        )

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
        if password is None or not password_outdated(means, password.hash):
            return
        hashed = hash_password(means, _normal(attempt.password))
        renewed = PasswordCredential(password.account_id, hashed, password.set_at)
        means.parts.transactions.run(lambda tx: means.stores.credentials.rehash(tx, renewed))


def _visitor(account: Account | None) -> Actor:
    """Return who tries, as far as it is known, without proof."""
    org_id = None if account is None else account.org_id
    return system_actor("sign-in", org_id or ROOT_ORG)


def _wanted(means: Means, subject: Subject, attempt: FactorAttempt, proof: Proof) -> str | None:
    """Return the new password, if there is one; a code by message changes none before its time."""
    if proof.by_message and not password_due(means, subject):
        return None
    return attempt.new_password or None


def _normal(password: str) -> str:
    try:
        return normal_password(password)
    except PasswordWeak:
        return "\x00longer than any password, and with a character none may hold"
