"""Passkeys: registered, renamed and removed by their owner, and signing in with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from iam.core.webauthn.answers import read_answer, verify_registration
from iam.core.webauthn.questions import registration_question
from iam.errors import PasskeyRefused
from iam.models.factors import Passkey, PasskeyAttempt, PasskeyQuestion
from iam.models.sessions import FactorAttempt, Opened
from iam.service.means import Means
from iam.service.sign_on.ceremonies import (
    ask_assertion,
    judge_assertion,
    new_ceremony,
    passkey_id,
    passkey_level,
    passkey_words,
    passkeys_usable,
    read_challenge,
    use_passkey,
    user_handle,
    write_challenge,
)
from iam.service.sign_on.guessing import GuessKeys, guess_keys, judge_nameless
from iam.service.sign_on.opening import (
    FEDERATED,
    Change,
    Opening,
    Proof,
    factor_attempt,
    resume,
)
from iam.service.sign_on.owning import factor_name, owner_of, require_another, require_fresh
from secops.kernel.actors import Actor
from secops.kernel.errors import NotFound
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

MOST: Final = 20
_ALONE: Final = "sign-in"
_SECOND: Final = "second"
_REGISTER: Final = "register"


@dataclass(frozen=True, slots=True)
class PasskeyService:
    """What owners do with their passkeys."""

    means: Means
    opening: Opening

    @property
    def usable(self) -> bool:
        """Whether browsers can use passkeys at our address."""
        return passkeys_usable(self.means)

    # owning

    def list_passkeys(self, actor: Actor) -> Sequence[Passkey]:
        """Return the caller's passkeys, oldest first."""
        account_id = owner_of(actor)
        read = self.means.parts.transactions.read
        return read(lambda tx: self.means.stores.passkeys.of_account(tx, account_id))

    def ask_registration(self, actor: Actor) -> PasskeyQuestion:
        """Return the question for a new passkey; raise ``StepUpRequired`` if signed in long ago."""
        means = self.means
        require_fresh(means, actor)
        known = self.list_passkeys(actor)
        if len(known) >= MOST:
            msg = f"an account has at most {MOST} passkeys"
            raise PasskeyRefused(msg)
        ceremony = new_ceremony(means)
        options = registration_question(
            ceremony,
            (user_handle(means, actor.id), actor.name),
            known,
            attestation=bool(means.options.attestation.roots),
        )
        return PasskeyQuestion(options, write_challenge(means, _REGISTER, ceremony, actor.id))

    def register_passkey(self, actor: Actor, name: str, reference: str, answer: str) -> Passkey:
        """Store a new passkey of the caller; raise ``PasskeyRefused`` or ``PasskeyKnown``."""
        means = self.means
        require_fresh(means, actor)
        asked = read_challenge(means, _REGISTER, reference)
        if asked.content["account"] != actor.id:
            raise PasskeyRefused
        policy = means.options.attestation
        new = verify_registration(read_answer(answer), asked.ceremony, policy)
        passkey = Passkey(
            credential_id=new.credential_id,
            org_id=actor.org_id,
            account_id=actor.id,
            name=factor_name(name),
            public_key=new.public_key,
            sign_count=new.sign_count,
            model=new.model,
            attested=new.attested,
            synced=new.synced,
            transports=new.transports,
            created_at=means.now,
        )

        def work(tx: Transaction) -> None:
            if not means.stores.grants.use_once(tx, *asked.once):
                raise PasskeyRefused
            means.stores.passkeys.add(tx, passkey)
            details = {
                "passkey": passkey_id(passkey.credential_id),
                "model": passkey.model,
                "attested": passkey.attested,
                "synced": passkey.synced,
            }
            tx.record(Act("iam.register_passkey", actor, f"account:{actor.id}", details=details))

        means.parts.transactions.run(work)
        return passkey

    def rename_passkey(self, actor: Actor, passkey: str, name: str) -> None:
        """Rename one of the caller's passkeys; raise ``NotFound`` for another's."""
        means = self.means
        require_fresh(means, actor)
        new_name = factor_name(name)

        def work(tx: Transaction) -> None:
            found = self._mine(tx, actor, passkey)
            means.stores.passkeys.rename(tx, actor.id, found.credential_id, new_name)
            self._record(tx, "iam.rename_passkey", actor, passkey)

        means.parts.transactions.run(work)

    def remove_passkey(self, actor: Actor, passkey: str) -> None:
        """Remove one of the caller's passkeys; raise ``NotFound`` or ``LastFactor``."""
        means = self.means
        require_fresh(means, actor)

        def work(tx: Transaction) -> None:
            found = self._mine(tx, actor, passkey)
            require_another(means, tx, actor.id, ("passkey", found.credential_id))
            means.stores.passkeys.remove(tx, actor.id, found.credential_id)
            self._record(tx, "iam.remove_passkey", actor, passkey)

        means.parts.transactions.run(work)

    def _mine(self, tx: Transaction, actor: Actor, wanted: str) -> Passkey:
        for passkey in self.means.stores.passkeys.of_account(tx, owner_of(actor)):
            if passkey_id(passkey.credential_id) == wanted:
                return passkey
        msg = "you have no such passkey"
        raise NotFound(msg)

    @staticmethod
    def _record(tx: Transaction, action: str, actor: Actor, passkey: str) -> None:
        tx.record(Act(action, actor, f"account:{actor.id}", details={"passkey": passkey}))

    # signing in

    def ask(self, second: str = "") -> PasskeyQuestion | None:
        """Return the question of the sign-in page; None where passkeys can't be used.

        With ``second``, the reference of a right password, it is put to that account's
        passkeys; None if there are none. Raises ``SignInRefused`` for a bad reference.
        """
        means = self.means
        if not self.usable:
            return None
        if not second:
            return ask_assertion(means, _ALONE)
        account_id = resume(means, FactorAttempt(second, "", "")).account_id
        read = means.parts.transactions.read
        known = tuple(read(lambda tx: means.stores.passkeys.of_account(tx, account_id)))
        if not any(passkey.suspended_at is None for passkey in known):
            return None
        return ask_assertion(means, _SECOND, account_id, known)

    def sign_in(self, attempt: PasskeyAttempt) -> Opened:
        """Open a session with a passkey, alone or after a password.

        Raises ``PasskeyRefused`` or ``SignInRefused``, ``Forbidden`` by policy. A passkey is
        bound to our site and proves its user each time: no further factor is asked for.
        """
        means = self.means
        begun = None
        if attempt.second:
            begun = resume(means, factor_attempt(attempt))
        asked = read_challenge(means, _SECOND if begun else _ALONE, attempt.reference)
        use = judge_nameless(
            means,
            attempt.address,
            "passkey",
            lambda: judge_assertion(means, asked, attempt.answer),
        )
        passkey = use.passkey
        if begun is not None and begun.account_id != passkey.account_id:
            raise PasskeyRefused
        keys = self._keys(passkey, attempt)
        read = means.parts.transactions.read
        subject = read(
            lambda tx: self.opening.subject(tx, passkey.account_id, keys, guessable=False)
        )
        before = () if begun is None else (begun.first,)
        proof = Proof(
            amr=(*before, *passkey_words(passkey)),
            level=passkey_level(passkey),
            use=lambda tx: use_passkey(means, tx, use),
            strong=True,
            upstream=FEDERATED in before,
        )
        change = Change(asked.once, keys)
        return self.opening.open(subject, factor_attempt(attempt), proof, change)

    def _keys(self, passkey: Passkey, attempt: PasskeyAttempt) -> GuessKeys:
        means = self.means
        try:
            account = means.parts.transactions.read(
                lambda tx: means.stores.accounts.get(tx, passkey.account_id)
            )
        except NotFound as error:
            raise PasskeyRefused from error
        return guess_keys(means, account.name, attempt.address, attempt.device)
