"""Sessions: found by cookie, listed, ended. Ending is never refused for the ledger's sake."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from iam.core.base64url import encode
from iam.core.names import folded_name
from iam.errors import AccessDenied, RealNameTooLow
from iam.models.accounts import Account
from iam.models.sessions import OpSession, RpSession
from iam.service.changes import MAX_REASON
from iam.service.means import Means
from iam.service.zero_trust.decisions import APPLICATION_OPEN, DecisionService
from secops.kernel.access import Decision, Question
from secops.kernel.actors import Actor
from secops.kernel.errors import NotFound
from secops.kernel.events import SessionRevoked
from secops.kernel.pages import Page, PageRequest
from secops.kernel.permissions.iam import SESSION_READ, SESSION_REVOKE
from secops.kernel.trail import Act
from secops.kernel.transactions import Restriction, Transaction


def digest_of(cookie: str) -> bytes:
    """Return what the database knows a cookie by."""
    return hashlib.sha256(cookie.encode()).digest()


def hang(means: Means, session: str, client: str, consent: str | None = None) -> str:
    """Hang a session at an application on a provider's session; return its cookie, kept nowhere.

    It ends with the session, and with the consent where the application needs one.
    """
    secret = encode(means.random(32))
    stored = RpSession(digest_of(secret), session, client, means.now, consent or None)
    means.parts.transactions.run(lambda tx: means.stores.sessions.add_rp(tx, stored))
    return secret


def find_account(means: Means, tx: Transaction, name_or_id: str) -> Account:
    """Return the account of this name or id; raise ``NotFound``."""
    account = means.stores.accounts.by_name(tx, folded_name(name_or_id))
    return account or means.stores.accounts.get(tx, name_or_id)


def end_one(means: Means, tx: Transaction, session: OpSession, reason: str) -> None:
    """End a session inside a unit of work: its row, its tokens, and whoever has to be told."""
    means.parts.revocations.revoke(tx, "session", session.id)
    if means.stores.sessions.end(tx, session.id):
        tx.announce(
            SessionRevoked(
                org_id=session.org_id,
                session_id=session.id,
                account_id=session.account_id,
                reason=reason[:MAX_REASON],
            )
        )


def end_within(means: Means, tx: Transaction, account_id: str, reason: str) -> int:
    """End every session of the account inside a unit of work; return how many."""
    ended = means.stores.sessions.alive_of(tx, account_id)
    for session in ended:
        end_one(means, tx, session, reason)
    return len(ended)


def end_sessions(
    means: Means, actor: Actor, sessions: Sequence[OpSession], reason: str
) -> tuple[str, ...]:
    """End ``sessions`` at once, even where the ledger or database can't be written."""

    def work(tx: Transaction) -> None:
        for session in sessions:
            end_one(means, tx, session, reason)

    restrictions = [ending_of(actor, session, reason) for session in sessions]
    if restrictions:
        means.parts.transactions.restrict(work, *restrictions)
    return tuple(session.id for session in sessions)


def ending_of(actor: Actor, session: OpSession, reason: str) -> Restriction:
    """Return what ends a session everywhere, with its record."""
    details = {"account": session.account_id, "reason": reason[:MAX_REASON]}
    act = Act("iam.revoke_session", actor, f"session:{session.id}", details=details)
    return Restriction("session", session.id, act)


@dataclass(frozen=True, slots=True)
class SessionService:
    """What can be done with sessions."""

    means: Means

    def by_cookie(self, cookie: str) -> OpSession | None:
        """Return the living session of a provider's cookie."""
        if not cookie or len(cookie) > 128:  # noqa: PLR2004 - ours have 43 characters
            return None
        digest = digest_of(cookie)
        read = self.means.parts.transactions.read
        session = read(lambda tx: self.means.stores.sessions.by_digest(tx, digest))
        if session is None or not self.usable(session):
            return None
        return session

    def usable(self, session: OpSession) -> bool:
        """Tell whether the session lives and neither it nor its account was revoked."""
        revocations = self.means.parts.revocations
        return (
            session.alive(self.means.now)
            and not revocations.is_revoked("session", session.id)
            and not revocations.is_revoked("account", session.account_id)
        )

    def list_sessions(
        self, actor: Actor, request: PageRequest, account: str | None = None
    ) -> Page[OpSession]:
        """Return living sessions within reach, or of one account (name or id)."""
        self.means.parts.access.require(actor, SESSION_READ, "session:*")
        stores = self.means.stores

        def work(tx: Transaction) -> Page[OpSession]:
            if account is None:
                return stores.sessions.page(tx, actor.org_id, request)
            found = find_account(self.means, tx, account)
            same_organisation(self.means, tx, actor, found)
            return Page(stores.sessions.alive_of(tx, found.id))

        return self.means.parts.transactions.read(work)

    def own_sessions(self, actor: Actor) -> Sequence[OpSession]:
        """Return the caller's own living sessions."""
        read = self.means.parts.transactions.read
        return read(lambda tx: self.means.stores.sessions.alive_of(tx, actor.id))

    def end_others(self, actor: Actor) -> tuple[str, ...]:
        """End every session of the caller's own but the one they speak from; return their ids."""
        others = [each for each in self.own_sessions(actor) if each.id != actor.session_id]
        return end_sessions(self.means, actor, others, "ended by its owner")

    def own_history(self, actor: Actor) -> Sequence[OpSession]:
        """Return the caller's own sign-ins, living and over, newest first, at most 50."""
        read = self.means.parts.transactions.read
        return read(lambda tx: self.means.stores.sessions.history_of(tx, actor.id))

    def end_own(self, actor: Actor, session_id: str) -> None:
        """End one of the caller's own sessions; raise ``NotFound`` for another's."""
        mine = [session for session in self.own_sessions(actor) if session.id == session_id]
        if not mine:
            msg = "you have no such session"
            raise NotFound(msg)
        end_sessions(self.means, actor, mine, "ended by its owner")

    def revoke_session(self, actor: Actor, session_id: str, reason: str) -> None:
        """End a session; raise ``NotFound`` if it is unknown."""
        self.means.parts.access.require(actor, SESSION_REVOKE, f"session:{session_id}")

        def work(tx: Transaction) -> OpSession:
            found = self.means.stores.sessions.get(tx, session_id)
            if found is None or not _may_see(self.means, tx, actor, found.org_id):
                msg = "there is no such session"
                raise NotFound(msg)
            return found

        session = self.means.parts.transactions.read(work)
        end_sessions(self.means, actor, [session], reason)

    def revoke_sessions(self, actor: Actor, account: str, reason: str) -> tuple[str, ...]:
        """End every session of an account (name or id); return their ids."""
        self.means.parts.access.require(actor, SESSION_REVOKE, "session:*")

        def work(tx: Transaction) -> Sequence[OpSession]:
            found = find_account(self.means, tx, account)
            same_organisation(self.means, tx, actor, found)
            return self.means.stores.sessions.alive_of(tx, found.id)

        sessions = self.means.parts.transactions.read(work)
        return end_sessions(self.means, actor, sessions, reason)

    def sign_out(self, cookie: str) -> None:
        """End the session of a provider's cookie; does nothing for a dead one."""
        session = self.by_cookie(cookie)
        if session is not None:
            end_sessions(self.means, own_actor(session), [session], "signed out")


def own_actor(session: OpSession, client_id: str | None = None) -> Actor:
    """Return whoever holds ``session`` as an actor without roles, to record what it did."""
    return Actor(
        kind="account",
        id=session.account_id,
        org_id=session.org_id,
        name=session.account_id,
        session_id=session.id,
        client_id=client_id,
    )


def opening_of(actor: Actor, application: str) -> Question:
    """Return the question whether ``actor`` may open ``application``."""
    return Question(actor, APPLICATION_OPEN, f"application:{application}")


def decide_opening(
    means: Means, decisions: DecisionService, session: OpSession, application: str
) -> Decision:
    """Ask the policies whether the holder of ``session`` may open ``application``."""
    read = means.parts.transactions.read
    actor = replace(
        own_actor(session),
        roles=read(lambda tx: means.stores.roles.of_subject(tx, session.account_id)),
        level=session.level,
        auth_time=session.auth_time,
        address=session.address,
    )
    return decisions.decide(opening_of(actor, application))


def opening_refused(
    decisions: DecisionService, asked: Question, decision: Decision
) -> AccessDenied:
    """Return the refusal of ``asked``, by its own name where the real name is too low."""
    kind = RealNameTooLow if decisions.lacks_real_name(asked) else AccessDenied
    return kind(decision.reason)


def require_opening(
    means: Means, decisions: DecisionService, session: OpSession, application: str
) -> None:
    """Return if the holder of ``session`` may open ``application``; raise ``AccessDenied``."""
    decision = decide_opening(means, decisions, session, application)
    if not decision.allowed:
        raise opening_refused(decisions, opening_of(own_actor(session), application), decision)


def same_organisation(means: Means, tx: Transaction, actor: Actor, account: Account) -> Account:
    """Return ``account``; raise ``NotFound`` unless it is of the actor's organisation or below."""
    if not _may_see(means, tx, actor, account.org_id):
        msg = "there is no such account"
        raise NotFound(msg)
    return account


def _may_see(means: Means, tx: Transaction, actor: Actor, org_id: str) -> bool:
    if actor.kind == "system":
        return True
    return means.stores.organisations.reaches(tx, actor.org_id, org_id)
