"""The device grant (RFC 8628): a device shows a code, its person says yes somewhere else."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from iam.core.base64url import encode
from iam.core.lockout import Limit, after_failure, refused
from iam.core.rfc6749.authorize import allowed_scopes
from iam.core.rfc6749.refresh import FAMILY_BYTES
from iam.core.rfc8628.codes import RANDOM_BYTES, plain_code, user_code
from iam.core.rfc9470.demands import fresh
from iam.errors import (
    AuthorizationPending,
    DeviceCodeRefused,
    DeviceDenied,
    DeviceExpired,
    InvalidGrant,
    SlowDown,
    UnauthorizedClient,
)
from iam.models.clients import DEVICE_GRANT, Client, ClientCredentials
from iam.models.consents import ConsentQuestion
from iam.models.grants import DeviceGrant, TokenContent, TokenSet
from iam.models.sessions import OpSession, acr_of
from iam.service.means import Means
from iam.service.provider.authentication import CallerService
from iam.service.provider.directory import ClientDirectory, actor_of_client
from iam.service.provider.grants import GrantService
from iam.service.sign_on.sessions import opening_of, opening_refused
from secops.kernel.actors import Actor
from secops.kernel.clock import MINUTE, SECOND
from secops.kernel.errors import Conflict, StepUpRequired, Unauthenticated
from secops.kernel.permissions.iam import OWN_USE
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

GUESSES: Final = Limit(failures=5, window=10 * MINUTE, refusal=10 * MINUTE)
SLOWER: Final = 5 * SECOND
MAX_CODE: Final = 128
_KIND: Final = "device-code"
_TRIES: Final = 3
_Outcome = Literal["granted", "unknown", "expired", "denied", "pending", "too_soon"]
_REFUSALS: Final = {
    "unknown": InvalidGrant,
    "expired": DeviceExpired,
    "denied": DeviceDenied,
    "pending": AuthorizationPending,
    "too_soon": SlowDown,
}


@dataclass(frozen=True, slots=True)
class StartedDevice:
    """What a device is told (§3.2); times in seconds."""

    device_code: str = field(repr=False)
    user_code: str
    expires_in: int
    interval: int


@dataclass(frozen=True, slots=True)
class WaitingDevice:
    """What its person is shown before deciding: who asks, from where, for what, since when."""

    client_name: str
    place: str
    scopes: tuple[str, ...]
    created_at: int
    question: ConsentQuestion


@dataclass(frozen=True, slots=True)
class _Polled:
    outcome: _Outcome
    client: Client
    session: OpSession | None = None
    content: TokenContent | None = None


@dataclass(frozen=True, slots=True)
class DeviceGrantService:
    """Devices ask, people decide, devices are answered."""

    means: Means
    callers: CallerService
    directory: ClientDirectory
    grants: GrantService

    def start(self, credentials: ClientCredentials, scope: str | None, place: str) -> StartedDevice:
        """Begin a grant for a device at the address ``place``; raise an ``OAuthRefused``."""
        client, _ = self.callers.authenticate(credentials)
        if DEVICE_GRANT not in client.grants:
            raise UnauthorizedClient
        scopes = allowed_scopes(client, scope)
        lifetimes = self.means.options.lifetimes
        secret = encode(self.means.random(32))
        for _ in range(_TRIES):
            shown = user_code(self.means.random(RANDOM_BYTES))
            waiting = DeviceGrant(
                digest=hashlib.sha256(secret.encode()).digest(),
                user_code=self._digest(plain_code(shown) or ""),
                org_id=client.org_id,
                client_id=client.id,
                scopes=scopes,
                place=place[:64],
                state="pending",
                pause=lifetimes.device_pause,
                polled_at=0,
                created_at=self.means.now,
                expires_at=self.means.now + lifetimes.device_grant,
            )
            if self._keep(client, waiting):
                seconds = lifetimes.device_grant // SECOND
                return StartedDevice(secret, shown, seconds, lifetimes.device_pause // SECOND)
        msg = "no free code was found"
        raise Conflict(msg)

    def _keep(self, client: Client, waiting: DeviceGrant) -> bool:
        def work(tx: Transaction) -> bool:
            if not self.means.stores.device_grants.add(tx, waiting):
                return False
            actor = actor_of_client(client, frozenset())
            details = {"scope": " ".join(sorted(waiting.scopes))}
            tx.record(Act("iam.start_device", actor, f"client:{client.id}", details=details))
            return True

        return self.means.parts.transactions.run(work)

    def _digest(self, plain: str) -> bytes:
        return self.means.keys.mac("device-user-code", plain.encode())

    def look(self, actor: Actor, typed: str) -> WaitingDevice:
        """Return what waits under a code; raise ``DeviceCodeRefused``, alike for every reason.

        Five wrong codes of one account, and it has to wait ten minutes.
        """
        self.means.parts.access.require(actor, OWN_USE, "device:*")
        digest = self._digest(plain_code(typed) or "")
        find = self.means.stores.device_grants.by_user_code
        found = self._guessed(actor, lambda tx: find(tx, digest))
        client = self.directory.find(found.client_id)
        if client is None:
            raise DeviceCodeRefused
        return WaitingDevice(
            client_name=client.name,
            place=found.place,
            scopes=tuple(sorted(found.scopes)),
            created_at=found.created_at,
            question=self.grants.consents.question(client, actor.id, found.scopes),
        )

    def decide(self, actor: Actor, typed: str, *, grant: bool) -> str:
        """Approve or deny the device under a code, once; return its application's name.

        Raises ``DeviceCodeRefused``, or ``StepUpRequired`` where the application demands a
        stronger or fresher sign-in than the caller's, or ``AccessDenied`` by policy.
        """
        self.means.parts.access.require(actor, OWN_USE, "device:*")
        digest = self._digest(plain_code(typed) or "")
        store = self.means.stores.device_grants
        waiting = self._guessed(actor, lambda tx: store.by_user_code(tx, digest))
        client = self.directory.find(waiting.client_id)
        if client is None:
            raise DeviceCodeRefused
        if grant:
            self._demand(actor, client)
        session_id = actor.session_id if grant else None

        def work(tx: Transaction) -> None:
            if store.decide(tx, digest, session_id) is None:
                msg = "somebody decided before"
                raise DeviceCodeRefused(msg)
            if grant and client.consent == "ask":
                self.grants.consents.give(tx, actor, client, waiting.scopes)
            action = "iam.approve_device" if grant else "iam.deny_device"
            tx.record(Act(action, actor, f"client:{client.id}", details={"place": waiting.place}))

        self.means.parts.transactions.run(work)
        return client.name

    def _demand(self, actor: Actor, client: Client) -> None:
        if actor.session_id is None:
            msg = "a device is approved from a session"
            raise Unauthenticated(msg)
        if actor.level < client.level:
            msg = f"{client.name} needs authentication level {client.level}"
            raise StepUpRequired(msg, acr_values=acr_of(client.level))
        if not fresh(actor.auth_time, client.max_age, self.means.now):
            msg = f"{client.name} needs a sign-in of the last {client.max_age} s"
            raise StepUpRequired(msg, max_age=client.max_age)
        asked = opening_of(actor, client.id)
        decision = self.grants.decisions.decide(asked)
        if decision.allowed:
            return
        if (proof := decision.step_up) is not None:
            raise StepUpRequired(
                decision.reason, acr_values=proof.acr_values, max_age=proof.max_age
            )
        raise opening_refused(self.grants.decisions, asked, decision)

    def _guessed(
        self, actor: Actor, find: Callable[[Transaction], DeviceGrant | None]
    ) -> DeviceGrant:
        """Return what was found; count what was not."""
        key = self.means.keys.mac("device-guess", actor.id.encode())
        lockouts = self.means.stores.lockouts

        def work(tx: Transaction) -> DeviceGrant | None:
            attempts = lockouts.read(tx, _KIND, key)
            if refused(attempts, tx.now):
                return None
            found = find(tx)
            if found is None:
                lockouts.write(tx, _KIND, key, after_failure(attempts, GUESSES, tx.now))
            return found

        found = self.means.parts.transactions.run(work)
        if found is None:
            raise DeviceCodeRefused
        return found

    def exchange(self, credentials: ClientCredentials, device_code: str) -> TokenSet:
        """Answer a device that asks whether it may (§3.4); raise as RFC 8628 §3.5 words it."""
        client, key = self.callers.authenticate(credentials)
        if DEVICE_GRANT not in client.grants:
            raise UnauthorizedClient
        digest = hashlib.sha256(device_code[:MAX_CODE].encode()).digest()
        family = self.means.random(FAMILY_BYTES) if "refresh_token" in client.grants else None
        content = TokenContent(self.grants.issuer.token_id(), frozenset(), family, key)
        asked = _Polled("pending", client, None, content)
        find = self.means.stores.device_grants.session_of
        self.grants.ask_again(client, lambda tx: find(tx, digest, client.id))
        # a refusal is returned, not raised: what was noted of the question must stay
        answer = self.means.parts.transactions.run(lambda tx: self._poll(tx, digest, asked))
        if answer.session is None or answer.content is None:
            raise _REFUSALS[answer.outcome]
        return self.grants.hand_out(client, answer.session, answer.content)

    def _poll(self, tx: Transaction, digest: bytes, asked: _Polled) -> _Polled:
        store = self.means.stores.device_grants
        device = store.poll(tx, digest, asked.client.id)
        if device is None or device.state == "used":
            return replace(asked, outcome="unknown", content=None)
        if device.expires_at <= tx.now:
            return replace(asked, outcome="expired", content=None)
        if device.state == "denied":
            return replace(asked, outcome="denied", content=None)
        if device.state == "pending":
            if tx.now - device.polled_at >= device.pause:
                return replace(asked, content=None)
            store.slow_down(tx, digest, device.pause + SLOWER)
            return replace(asked, outcome="too_soon", content=None)
        return self._grant(tx, digest, asked)

    def _grant(self, tx: Transaction, digest: bytes, asked: _Polled) -> _Polled:
        """Consume the approval and open the device's own session, as strong as the approver's."""
        device = self.means.stores.device_grants.take(tx, digest, asked.client.id)
        before = None
        if device is not None and device.session_id is not None:
            before = self.grants.living(tx, device.session_id)
        if device is None or before is None or asked.content is None:
            return replace(asked, outcome="unknown", content=None)
        whose = before.account_id
        consent = self.grants.consents.standing(tx, asked.client, whose, device.scopes)
        if consent is None:
            return replace(asked, outcome="unknown", content=None)
        session = replace(
            before,
            id=self.means.parts.ids.new("ses"),
            digest=hashlib.sha256(self.means.random(32)).digest(),
            last_seen=tx.now,
            expires_at=self._end(tx, before),
            address=device.place,
        )
        self.means.stores.sessions.add(tx, session)
        content = replace(asked.content, scopes=device.scopes, consent=consent)
        if content.family is not None:
            what = (content.family, content.scopes, content.key)
            self.grants.begin_family(tx, asked.client, session, what)
        issued = ("device_code", content.token_id)
        acting = self.grants.note_issue(tx, asked.client, session, issued)
        content = replace(content, acting=acting)
        return replace(asked, outcome="granted", session=session, content=content)

    def _end(self, tx: Transaction, before: OpSession) -> int:
        """Return when a device's session ends: as long as its approver's, from now on.

        An emergency account's hours are over with all it opened: no device prolongs them.
        """
        end = tx.now + before.expires_at - before.auth_time
        sealed = self.means.stores.break_glass.get(tx, before.account_id)
        return end if sealed is None else min(end, before.expires_at)
