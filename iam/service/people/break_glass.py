"""Accounts sealed for emergencies: two envelopes, one use, an alert, a look into it, a new seal.

One for each of the three administrators' roles: separation stays even then. The password is cut
in two: the system administrator gets one half, the security administrator the other with the
one-time codes, each once. Nobody has ever seen both, so nobody opens it alone. It signs in as
everybody does and needs no provider upstream, gateway or device. From its first use on it is
open for four hours; then it opens nothing until it was looked into and sealed anew by two.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from iam.core.readable import in_groups, letters_of
from iam.errors import BreakGlassState, InvalidRequest, LastHolder
from iam.models.accounts import Account, NewAccount
from iam.models.changes import ChangeRequest
from iam.models.credentials import PasswordCredential
from iam.models.recovery import BreakGlass, Envelope
from iam.service.changes import (
    MAX_REASON,
    Asking,
    ChangeDesk,
    Sides,
    Verdict,
    ask_change,
    decide_change,
    use_change,
)
from iam.service.means import Means
from iam.service.people.accounts import AccountService, enrolment_digest
from iam.service.people.roles import RoleService
from iam.service.persons import refuse_requester, refuse_same_person
from iam.service.sealed import refuse_break_glass
from iam.service.sign_on.guessing import count_password, guess_keys, password_refused
from iam.service.sign_on.recovery_codes import make_recovery_codes, recovery_digest
from iam.service.sign_on.sessions import end_within
from iam.service.sign_on.stored_passwords import hash_password, password_fits
from secops.kernel.actors import ROOT_ORG, Actor, system_actor
from secops.kernel.catalogue import Text
from secops.kernel.clock import DAY, rfc3339_or_none
from secops.kernel.errors import Forbidden, NotFound
from secops.kernel.permissions import Permission
from secops.kernel.permissions.iam import (
    BREAK_GLASS_APPROVE,
    BREAK_GLASS_READ,
    BREAK_GLASS_REVIEW,
    BREAK_GLASS_SEAL,
)
from secops.kernel.permissions.roles import ADMINISTRATORS
from secops.kernel.trail import Act, Outcome
from secops.kernel.transactions import Transaction

KIND: Final = "iam.seal_break_glass"
TEST_EVERY: Final = 31 * DAY
_TARGET: Final = "break_glass:"
_ALPHABET: Final = "abcdefghjkmnpqrstvwxyz3479"
_GROUPS: Final = 5
_GROUP: Final = 4
"""A half has 20 characters of 26 (94 bits): without the other it is of no use to a guesser."""
_NAME: Final = 8
_SEALING: Final = system_actor("iam.break_glass")
_SEALED: Final = "sealed"
_RETIRED: Final = "retired"


@dataclass(frozen=True, slots=True)
class SealedAccount:
    """A sealed account with its role, name and state, as administrators see it."""

    sealed: BreakGlass
    role: str
    name: str
    state: str


def state_of(sealed: BreakGlass | None, now: int) -> str:
    """Return none, half (one envelope waits), sealed, open, used (not looked into) or reviewed."""
    if sealed is None:
        return "none"
    if sealed.second is not None:
        return "half"
    if sealed.open_until is None:
        return _SEALED
    if sealed.open_until > now:
        return "open"
    return "used" if sealed.reviewed_at is None else "reviewed"


@dataclass(frozen=True, slots=True)
class BreakGlassService:
    """The system administrator asks, the security administrator approves, audit looks into it."""

    means: Means
    accounts: AccountService
    roles: RoleService

    def request_break_glass(
        self, actor: Actor, role: str, reason: str, *, retire: bool = False
    ) -> str:
        """Ask to seal the emergency account of ``role`` (new or anew), or to retire it."""
        means = self.means
        self._require(actor, BREAK_GLASS_SEAL, "break_glass:*")
        if role not in ADMINISTRATORS:
            msg = f"an emergency account has one of {', '.join(sorted(ADMINISTRATORS))}"
            raise InvalidRequest(msg)
        request_id = means.parts.ids.new("apr")

        def work(tx: Transaction) -> str:
            self._refuse_emergency(tx, actor)
            asking = Asking(
                id=request_id,
                org_id=ROOT_ORG,
                kind=KIND,
                target=f"{_TARGET}{role}",
                sides=self._sides(tx, role, _RETIRED if retire else _SEALED),
                permission=BREAK_GLASS_APPROVE,
                life=means.options.lifetimes.reset_request,
                reason=reason,
            )
            ask_change(means, tx, actor, asking)
            self._record(tx, "iam.request_break_glass", actor, role, reason=reason[:MAX_REASON])
            return request_id

        return means.parts.transactions.run(work)

    def approve_break_glass(
        self, actor: Actor, request_id: str, *, grant: bool, reason: str = ""
    ) -> None:
        """Approve or reject it; raise ``SelfApproval``, ``Forbidden`` or ``NotPending``."""
        means = self.means
        self._require(actor, BREAK_GLASS_APPROVE, f"approval:{request_id}")

        def work(tx: Transaction) -> None:
            self._refuse_emergency(tx, actor)
            change = self._change(tx, request_id)
            refuse_requester(means, tx, actor, request_id)
            verdict = Verdict("rejected", reason)
            if grant:
                verdict = Verdict("approved", reason, self._look(tx, change))
            decide_change(means, tx, actor, change, verdict)
            action = "iam.approve_break_glass" if grant else "iam.reject_break_glass"
            self._record(tx, action, actor, _role_of(change), approval=request_id)

        means.parts.transactions.run(work)

    def create_break_glass(self, actor: Actor, request_id: str) -> Envelope:
        """Seal it as approved; return the first envelope, once. The second waits for its own."""
        means = self.means
        self._require(actor, BREAK_GLASS_SEAL, f"approval:{request_id}")
        first, second = self._letters(_GROUPS), self._letters(_GROUPS)
        hashed = hash_password(means, whole_password(first, second))
        codes = make_recovery_codes(means)
        fresh = self.accounts.prepare(
            NewAccount(f"break-glass-{self._letters(_NAME // _GROUP)}"), ROOT_ORG
        )

        def work(tx: Transaction) -> str:
            self._refuse_emergency(tx, actor)
            change = self._take(tx, request_id, _SEALED)
            role = _role_of(change)
            found = self._of_role(tx, role)
            if found is not None:
                account = found[0]
            else:
                # its name is nobody's guess: strangers can't lock it by wrong passwords
                account, issued = self.accounts.store(tx, _SEALING, fresh)
                means.stores.enrolments.use(tx, enrolment_digest(issued.token))
                means.stores.accounts.set_state(tx, account.id, "active")
                self.roles.grant(tx, _SEALING, account, role)
            self._put_credentials(tx, account, hashed, codes)
            waiting = self._box(account.id, second, codes)
            means.stores.break_glass.seal(
                tx, BreakGlass(account.id, account.org_id, tx.now, actor.id, waiting)
            )
            self._record(tx, "iam.create_break_glass", actor, role, approval=request_id)
            return account.name

        name = means.parts.transactions.run(work)
        return Envelope(name, first)

    def collect_break_glass(self, actor: Actor, role: str) -> Envelope:
        """Return the second envelope, once, to another person than the one with the first.

        Raises ``SelfApproval`` for that one, ``BreakGlassState`` once it was taken.
        """
        means = self.means
        self._require(actor, BREAK_GLASS_APPROVE, f"{_TARGET}{role}")

        def work(tx: Transaction) -> tuple[Account, BreakGlass]:
            self._refuse_emergency(tx, actor)
            found = self._of_role(tx, role)
            if found is None:
                raise BreakGlassState
            account, sealed = found
            refuse_same_person(means, tx, actor.id, (sealed.sealed_by,))
            if not means.stores.break_glass.collect(tx, account.id):
                msg = "the second envelope was taken; if it is lost, have the account sealed anew"
                raise BreakGlassState(msg)
            self._record(tx, "iam.collect_break_glass", actor, role)
            return account, sealed

        account, sealed = means.parts.transactions.run(work)
        content = orjson.loads(means.box.open(sealed.second or b"", _aad(account.id)))
        return Envelope(account.name, content["half"], tuple(content["codes"]))

    def retire_break_glass(self, actor: Actor, request_id: str) -> None:
        """End it as approved; raise ``LastHolder`` if nobody else holds its role."""
        means = self.means
        self._require(actor, BREAK_GLASS_SEAL, f"approval:{request_id}")

        def work(tx: Transaction) -> None:
            self._refuse_emergency(tx, actor)
            change = self._take(tx, request_id, _RETIRED)
            role = _role_of(change)
            found = self._of_role(tx, role)
            if found is None:
                raise BreakGlassState
            account, _ = found
            if means.stores.roles.holders(tx, role) == 0:
                raise LastHolder
            means.stores.break_glass.remove(tx, account.id)
            means.stores.roles.remove(tx, account.id, role)
            means.stores.credentials.clear(tx, account.id)
            means.stores.accounts.set_state(tx, account.id, "closed")
            end_within(means, tx, account.id, "emergency account retired")
            self._record(tx, "iam.retire_break_glass", actor, role, approval=request_id)

        means.parts.transactions.run(work)

    def list_break_glass(self, actor: Actor) -> Sequence[SealedAccount]:
        """Return the emergency accounts, by role: none below the root organisation."""
        self.means.parts.access.require(actor, BREAK_GLASS_READ, "break_glass:*")
        if actor.org_id != ROOT_ORG:
            return ()
        return self.means.parts.transactions.read(self._all)

    def test_break_glass(self, actor: Actor, role: str, password: str) -> None:
        """Check the two halves against the seal without breaking it; raise ``Forbidden``.

        Wrong ones are counted as at sign-in. Done once a month, the envelopes are known to be
        where they should and to hold what they should; open neither for longer than it takes.
        """
        means = self.means
        self._require(actor, BREAK_GLASS_SEAL, f"{_TARGET}{role}")

        def look(tx: Transaction) -> tuple[Account | None, str | None, bool]:
            found = self._of_role(tx, role)
            if found is None:
                return None, None, False
            account, _ = found
            stored = means.stores.credentials.passwords(tx, account.id)
            keys = guess_keys(means, account.name, "")
            refused = account.state != "active" or password_refused(means, tx, keys)
            return account, stored[0].hash if stored else None, refused

        account, stored_hash, refused = means.parts.transactions.read(look)
        fits = password_fits(means, stored_hash, password[:256])
        if account is None:
            raise BreakGlassState
        keys = guess_keys(means, account.name, "")

        def work(tx: Transaction) -> bool:
            count_password(means, tx, keys, failed=not fits)
            right = fits and not refused and means.stores.break_glass.tested(tx, account.id)
            outcome: Outcome = "done" if right else "refused"
            tx.record(Act("iam.test_break_glass", actor, f"{_TARGET}{role}", outcome))
            return right

        if not means.parts.transactions.run(work):
            msg = "these halves open nothing, the seal is broken, or the account is locked"
            raise Forbidden(msg)

    def review_break_glass(self, actor: Actor, role: str, note: str) -> None:
        """Note that audit looked into a use that is over; raise ``BreakGlassState`` if none is."""
        means = self.means
        self._require(actor, BREAK_GLASS_REVIEW, f"{_TARGET}{role}")
        if not note.strip():
            msg = "a review says what was found"
            raise InvalidRequest(msg)

        def work(tx: Transaction) -> None:
            self._refuse_emergency(tx, actor)
            found = self._of_role(tx, role)
            if found is None or state_of(found[1], tx.now) != "used":
                raise BreakGlassState
            if not means.stores.break_glass.reviewed(tx, found[0].id, actor.id):
                raise BreakGlassState
            self._record(tx, "iam.review_break_glass", actor, role, note=note[:MAX_REASON])

        means.parts.transactions.run(work)

    @property
    def desk(self) -> ChangeDesk:
        """How requests are seen and decided beside all others."""
        title = Text("封存应急账户", "Seal an emergency account")
        return ChangeDesk(KIND, title, BREAK_GLASS_APPROVE, self._look, self._decide)

    def _look(self, tx: Transaction, change: ChangeRequest) -> Sides:
        return self._sides(tx, _role_of(change), str(change.after["state"]))

    def _decide(self, actor: Actor, change: ChangeRequest, *, grant: bool, reason: str) -> None:
        self.approve_break_glass(actor, change.id, grant=grant, reason=reason)

    def _sides(self, tx: Transaction, role: str, wanted: str) -> Sides:
        """Return its state now and as wanted; raise ``BreakGlassState`` where it may not go there.

        What was used and not looked into keeps its marks: a new seal would wipe them out.
        """
        account, sealed = self._of_role(tx, role) or (None, None)
        state = state_of(sealed, tx.now)
        if state in ("open", "used") or (wanted == _RETIRED and state == "none"):
            raise BreakGlassState
        before: Mapping[str, Any] = {
            "role": role,
            "account": None if account is None else account.name,
            "state": state,
            "sealed_at": None if sealed is None else rfc3339_or_none(sealed.sealed_at),
        }
        return Sides(before, {**before, "state": wanted, "sealed_at": "now"})

    def _change(self, tx: Transaction, request_id: str) -> ChangeRequest:
        change = self.means.stores.changes.get(tx, request_id)
        if change.kind != KIND:
            msg = "that is no request for an emergency account"
            raise BreakGlassState(msg)
        return change

    def _take(self, tx: Transaction, request_id: str, wanted: str) -> ChangeRequest:
        change = self._change(tx, request_id)
        if change.after["state"] != wanted:
            raise BreakGlassState
        use_change(self.means, tx, change, self._look(tx, change))
        return change

    def _all(self, tx: Transaction) -> Sequence[SealedAccount]:
        stores, found = self.means.stores, []
        for sealed in stores.break_glass.all_of(tx):
            [role] = ADMINISTRATORS & stores.roles.of_subject(tx, sealed.account_id)
            account = stores.accounts.get(tx, sealed.account_id)
            found.append(SealedAccount(sealed, role, account.name, state_of(sealed, tx.now)))
        return sorted(found, key=lambda each: each.role)

    def _of_role(self, tx: Transaction, role: str) -> tuple[Account, BreakGlass] | None:
        for each in self._all(tx):
            if each.role == role:
                account = self.means.stores.accounts.get(tx, each.sealed.account_id)
                return account, each.sealed
        return None

    def _refuse_emergency(self, tx: Transaction, actor: Actor) -> None:
        """Refuse emergency accounts: none seals or looks into itself or its kind."""
        refuse_break_glass(self.means, tx, actor.id)

    def _require(self, actor: Actor, permission: Permission, target: str) -> None:
        """Return for the root's own holders: two below it would be administrators above them."""
        self.means.parts.access.require(actor, permission, target)
        if actor.org_id != ROOT_ORG:
            msg = "emergency accounts are the root organisation's"
            raise NotFound(msg)

    def _put_credentials(
        self, tx: Transaction, account: Account, hashed: str, codes: Sequence[str]
    ) -> None:
        means, credentials = self.means, self.means.stores.credentials
        credentials.clear(tx, account.id)
        means.stores.message_addresses.clear(tx, account.id)
        credentials.set_password(tx, PasswordCredential(account.id, hashed, tx.now), 1)
        digests = [recovery_digest(means, account.id, code) for code in codes]
        credentials.set_recovery_codes(tx, account.id, digests)
        end_within(means, tx, account.id, "sealed anew")

    def _box(self, account_id: str, half: str, codes: Sequence[str]) -> bytes:
        content = orjson.dumps({"half": half, "codes": list(codes)})
        return self.means.box.seal(content, _aad(account_id))

    def _letters(self, groups: int) -> str:
        count = groups * _GROUP
        return in_groups(letters_of(self.means.random(16 + count), _ALPHABET, count), _GROUP)

    @staticmethod
    def _record(tx: Transaction, action: str, actor: Actor, role: str, **details: str) -> None:
        tx.record(Act(action, actor, f"{_TARGET}{role}", details=details))


def whole_password(first: str, second: str) -> str:
    """Return what is typed at sign-in: both halves, the first one first."""
    return f"{first}-{second}"


def _aad(account_id: str) -> bytes:
    return f"break_glass|{account_id}".encode()


def _role_of(change: ChangeRequest) -> str:
    return change.target.removeprefix(_TARGET)
