"""Signing in by a provider upstream: begun in one browser, completed in the same, once."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from iam.core.base64url import encode
from iam.errors import (
    SecondFactorNeeded,
    SignInRefused,
    TokenRefused,
    UpstreamLeft,
    UpstreamRefused,
    UpstreamUnlinked,
)
from iam.models.sessions import FactorAttempt, Opened
from iam.models.upstream import (
    Handshake,
    Upstream,
    UpstreamArrival,
    UpstreamButton,
    UpstreamProof,
    UpstreamStart,
)
from iam.service.means import Means
from iam.service.sign_on.guessing import (
    GuessKeys,
    count_password,
    guess_keys,
    password_refused,
)
from iam.service.sign_on.opening import FEDERATED, Change, Opening, Proof, Subject
from iam.service.sign_on.references import read_reference, write_reference
from iam.service.upstream.leaving import lock_leaver
from iam.service.upstream.linking import Linking
from iam.service.upstream.providers import Providers
from secops.kernel.actors import system_actor
from secops.kernel.errors import Invalid, SecopsError
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

_PURPOSE: Final = "upstream"
ENOUGH: Final = 2
"""The level a session opens at."""
MAX_COOKIE: Final = 3_800
"""Browsers keep cookies of 4,096 bytes, name and attributes included."""


@dataclass(frozen=True, slots=True)
class UpstreamOpened:
    """A session was opened; ``transaction`` is the application's request that waits for it."""

    opened: Opened
    transaction: str


@dataclass(frozen=True, slots=True)
class _Begun:
    handshake: Handshake
    transaction: str
    until: int


@dataclass(frozen=True, slots=True)
class UpstreamSignIn:
    """Begins and completes sign-ins by providers."""

    means: Means
    providers: Providers
    opening: Opening

    def buttons(self) -> Sequence[UpstreamButton]:
        """Return what the sign-in page offers, the organisation's own by title."""
        read = self.means.parts.transactions.read
        return [
            UpstreamButton(one.plan.id, one.plan.title, form=one.plan.kind == "ldap")
            for one in read(self.means.stores.upstreams.active)
        ]

    def begin(self, upstream_id: str, transaction: str) -> UpstreamStart:
        """Return where the browser goes, and the cookie that binds the answer to it.

        Raises ``UpstreamRefused`` or ``UpstreamDown``.
        """
        upstream = self.providers.require(upstream_id)
        values = {name: encode(self.means.random(32)) for name in ("state", "nonce", "verifier")}
        handshake = Handshake(upstream_id, self.callback(upstream_id), **values)
        location = self.providers.open(upstream).begin(handshake)
        content = {
            **values,
            "upstream": upstream_id,
            "changed": upstream.changed_at,
            "transaction": transaction,
        }
        lifetime = self.means.options.lifetimes.transaction
        cookie = write_reference(self.means, _PURPOSE, content, lifetime)
        if len(cookie) > MAX_COOKIE:
            msg = "the application's request is too long for a sign-in upstream"
            raise Invalid(msg)
        return UpstreamStart(location, cookie)

    def transaction_of(self, cookie: str) -> str:
        """Return the application's request that waits behind a begun sign-in, "" for none."""
        try:
            return str(read_reference(self.means, _PURPOSE, cookie)["transaction"])
        except TokenRefused:
            return ""

    def callback(self, upstream_id: str) -> str:
        """Return the one address answers of a provider come back to.

        Each has its own: another provider's answer never gets to its checks (mix-up).
        """
        return f"{self.means.options.issuer}/login/upstream/{upstream_id}/callback"

    def complete(
        self,
        upstream_id: str,
        cookie: str,
        parameters: Mapping[str, str],
        arrival: UpstreamArrival,
    ) -> UpstreamOpened:
        """Check the answer, find the account, open a session.

        Raises ``UpstreamRefused``, ``UpstreamUnlinked``, ``UpstreamLeft``, ``UpstreamDown``,
        ``Forbidden`` by policy, ``SecondFactorNeeded`` where a local factor must follow.
        """
        upstream = self.providers.require(upstream_id)
        begun = self._begun(upstream, cookie)
        given = f"{upstream_id}|{parameters.get('name', '')}"
        asked_here = upstream.plan.kind == "ldap"
        keys = guess_keys(self.means, given, arrival.address)
        try:
            if asked_here:
                self._refuse_guessing(keys)
            proof = self.providers.open(upstream).complete(begun.handshake, parameters)
            account_id = self._accept(upstream, proof)
        except SecopsError as error:
            self._note_refusal(upstream, error, keys if asked_here else None)
            raise
        if asked_here:
            self.means.parts.transactions.run(
                lambda tx: count_password(self.means, tx, keys, failed=False)
            )
        return UpstreamOpened(
            self._open(upstream, proof, account_id, (begun, arrival)), begun.transaction
        )

    def _begun(self, upstream: Upstream, cookie: str) -> _Begun:
        try:
            content = read_reference(self.means, _PURPOSE, cookie)
        except TokenRefused as error:
            msg = "this browser did not begin the sign-in, or it took too long"
            raise UpstreamRefused(msg) from error
        plan = upstream.plan
        if (content["upstream"], content["changed"]) != (plan.id, upstream.changed_at):
            msg = "the sign-in was begun at another provider"
            raise UpstreamRefused(msg)
        handshake = Handshake(
            plan.id,
            self.callback(plan.id),
            content["state"],
            content["nonce"],
            content["verifier"],
        )
        return _Begun(handshake, content["transaction"], content["until"])

    def _refuse_guessing(self, keys: GuessKeys) -> None:
        read = self.means.parts.transactions.read
        if read(lambda tx: password_refused(self.means, tx, keys)):
            msg = "too many wrong passwords"
            raise UpstreamRefused(msg)

    def _accept(self, upstream: Upstream, proof: UpstreamProof) -> str:
        """Return the account of a proof, linked; a leaver's is locked instead."""
        linking = Linking(self.means)
        if proof.left:
            read = self.means.parts.transactions.read
            account_id = read(lambda tx: linking.find(tx, upstream, proof))
            if account_id is not None:
                lock_leaver(self.means, upstream, account_id)
            if upstream.plan.kind == "ldap":
                # nobody has proved anything here: who asks learns nothing about the name
                msg = "the directory refused the password"
                raise UpstreamRefused(msg)
            raise UpstreamLeft

        def work(tx: Transaction) -> str:
            once = proof.once
            grants = self.means.stores.grants
            if once is not None and not grants.use_once(
                tx, "upstream-ticket", once, proof.once_until
            ):
                msg = "the ticket was used before"
                raise UpstreamRefused(msg)
            return linking.link(tx, upstream, proof)

        return self.means.parts.transactions.run(work)

    def _open(
        self,
        upstream: Upstream,
        proof: UpstreamProof,
        account_id: str,
        asked: tuple[_Begun, UpstreamArrival],
    ) -> Opened:
        begun, arrival = asked
        means = self.means
        name = means.parts.transactions.read(
            lambda tx: means.stores.accounts.get(tx, account_id).name
        )
        keys = guess_keys(means, name, arrival.address, arrival.device)
        subject = means.parts.transactions.read(
            lambda tx: self.opening.subject(tx, account_id, keys, guessable=False)
        )
        assured = proof.assurance or upstream.plan.trust.assurance
        state = hashlib.sha256(begun.handshake.state.encode()).digest()
        once = ("upstream", state, begun.until)
        if assured < ENOUGH:
            self._ask_for_a_factor(subject, keys, once)
        attempt = FactorAttempt(
            "", "", arrival.address, user_agent=arrival.user_agent, device=arrival.device
        )
        proved = Proof(
            amr=(FEDERATED, "mfa"),
            level=assured,
            use=lambda _: True,
            strong=True,
            upstream=True,
        )
        change = Change(once, keys)
        return self.opening.open(subject, attempt, proved, change)

    def _ask_for_a_factor(
        self, subject: Subject, keys: GuessKeys, once: tuple[str, bytes, int]
    ) -> NoReturn:
        """Raise what asks for a local factor: a session takes two."""
        run = self.means.parts.transactions.run
        if not run(lambda tx: self.means.stores.grants.use_once(tx, *once)):
            raise SignInRefused
        account_id = subject.account.id
        reference = self.opening.reference(account_id, keys, unusual=False, first=FEDERATED)
        raise SecondFactorNeeded(reference)

    def _note_refusal(self, upstream: Upstream, error: SecopsError, keys: GuessKeys | None) -> None:
        """Record why; count it where a password was given here."""
        actor = system_actor("upstream", upstream.org_id)
        details: dict[str, Any] = {"code": error.code, "why": error.detail[:200]}
        act = Act("iam.sign_in_upstream", actor, f"upstream:{upstream.plan.id}", "refused", details)
        wrong = isinstance(error, (UpstreamRefused, UpstreamUnlinked))

        def work(tx: Transaction) -> None:
            if keys is not None and wrong:
                count_password(self.means, tx, keys, failed=True)
            tx.record(act)

        self.means.parts.transactions.run(work)
