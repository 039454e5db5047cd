"""What identity, the key pool and playbooks know of what an alert is about.

Everything is asked as the reader, who sees nothing here that their own permissions don't show.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from detectors.models.alert_page import EntityKind, EntityState, OpenedIncident
from iam.models.profiles import AccountProfile
from iam.service import IamServices
from kms.service import KmsServices
from playbooks.models import INCIDENT_STATES
from playbooks.service import PlaybooksServices
from secops.kernel.actors import Actor
from secops.kernel.catalogue import Text
from secops.kernel.clock import to_rfc3339
from secops.kernel.containment import Contained
from secops.kernel.errors import Invalid, NotFound
from secops.kernel.permissions import Permission
from secops.kernel.permissions.iam import ACCOUNT_READ, CLIENT_READ, LOCK_READ, SESSION_READ
from secops.kernel.permissions.kms import KEY_READ_ALL, SEAL_READ
from secops.kernel.permissions.playbooks import INCIDENT_READ
from secops.kernel.transactions import Transaction

_WORDS: Final[Mapping[str, Text]] = {
    "active": Text("正常", "active"),
    "allowed": Text("未封禁", "allowed"),
    "blocked": Text("已封禁", "blocked"),
    "closed": Text("已注销", "closed"),
    "destroyed": Text("已销毁", "destroyed"),
    "locked": Text("已锁定", "locked"),
    "pending": Text("待激活", "pending"),
    "pending_destruction": Text("待销毁", "waiting to be destroyed"),
    "revoked": Text("已撤销", "revoked"),
    "suspended": Text("已停用", "suspended"),
}
_USUAL: Final = frozenset({"active", "allowed", "pending"})
_NEEDED: Final[Mapping[EntityKind, Permission]] = {
    "account": ACCOUNT_READ,
    "session": SESSION_READ,
    "client": CLIENT_READ,
    "key": KEY_READ_ALL,
    "seal": SEAL_READ,
    "address": LOCK_READ,
}
_STRANGE: Final = Text("不属于本平台", "none of this platform's")
_SESSIONS: Final = Text("存活会话", "living sessions")
_HOLDS: Final = Text("处置锁定", "locks in force")
_OWNER: Final = Text("账户", "account")
_ADDRESS: Final = Text("地址", "address")
_SINCE: Final = Text("登录时间", "signed in at")
_LEVEL: Final = Text("认证强度", "authentication level")


class PlatformEntities:
    """Implements ``detectors.ports.EntityStates``."""

    def __init__(self, iam: IamServices, kms: KmsServices) -> None:
        self._iam = iam
        self._kms = kms

    def look(self, actor: Actor, kind: EntityKind, name: str) -> EntityState | None:
        """Return its state now; None where ``actor`` may not see such things."""
        if not actor.may(_NEEDED[kind]):
            return None
        try:
            found = self._found(actor, kind, name)
        except (NotFound, Invalid):
            found = None
        return found or EntityState(kind, name, name, _STRANGE, known=False)

    def _found(self, actor: Actor, kind: EntityKind, name: str) -> EntityState | None:
        if kind == "account":
            return self._account(actor, name)
        if kind == "session":
            return self._session(actor, name)
        return self._contained(actor, kind, name)

    def _account(self, actor: Actor, name: str) -> EntityState:
        profile = self._iam.power.profiles.get_profile(actor, name)
        account = profile.account
        seen = self._iam.containment.restraint("account").look(account.org_id, account.id)
        state = "locked" if seen is not None and seen.held else account.state
        facts = tuple(_account_facts(profile))
        return EntityState("account", account.id, account.name, _word(state), _held(state), facts)

    def _session(self, actor: Actor, name: str) -> EntityState:
        found = self._iam.power.profiles.get_session(actor, name)
        alive = self._iam.sessions.usable(found)
        state = Text("存活", "alive") if alive else Text("已结束", "over")
        facts = (
            (_OWNER, found.account_id),
            (_ADDRESS, found.address),
            (_SINCE, to_rfc3339(found.auth_time)),
            (_LEVEL, str(found.level)),
        )
        return EntityState("session", found.id, found.id, state, not alive, facts)

    def _contained(self, actor: Actor, kind: EntityKind, name: str) -> EntityState | None:
        seen = self._seen(actor.org_id, kind, name)
        if seen is None:
            return None
        facts = ((_HOLDS, str(len(seen.holders))),) if seen.holders else ()
        return EntityState(kind, seen.id, seen.name, _word(seen.state), _held(seen.state), facts)

    def _seen(self, org_id: str, kind: EntityKind, name: str) -> Contained | None:
        if kind == "client":
            return self._iam.containment.restraint("client").look(org_id, name)
        if kind == "address":
            return self._iam.containment.restraint("address").look(org_id, name)
        held = self._kms.containment
        return (held.keys if kind == "key" else held.seals).look(org_id, name)


class LateIncidents:
    """Fills two ports of detectors: incidents of alerts, open incidents; playbooks come later."""

    def __init__(self) -> None:
        self._playbooks: PlaybooksServices | None = None

    def bind(self, playbooks: PlaybooksServices) -> None:
        """Ask ``playbooks`` from now on."""
        self._playbooks = playbooks

    def incident_of(self, actor: Actor, alert_id: str) -> OpenedIncident | None:
        """Return the incident; None where there is none, or ``actor`` may not see incidents."""
        if self._playbooks is None or not actor.may(INCIDENT_READ):
            return None
        found = self._playbooks.alert_incidents.incident_of(actor, alert_id)
        if found is None:
            return None
        return OpenedIncident(found.id, found.title, INCIDENT_STATES[found.state])

    def count_open(self, tx: Transaction, org_id: str) -> int:
        """Return how many incidents of an organisation are open, without drills."""
        if self._playbooks is None:
            return 0
        return self._playbooks.alert_incidents.count_open(tx, org_id)


def _account_facts(profile: AccountProfile) -> list[tuple[Text, str]]:
    facts = []
    if profile.sessions is not None:
        facts.append((_SESSIONS, str(len(profile.sessions))))
    if profile.locks:
        facts.append((_HOLDS, str(len(profile.locks))))
    return facts


def _word(state: str) -> Text:
    return _WORDS.get(state, Text(state, state))


def _held(state: str) -> bool:
    return state not in _USUAL
