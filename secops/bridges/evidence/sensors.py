"""Evidence of devices in the logs they send: detection, firewalls, VPN, proxy, bastion.

Devices say what they are in ECS's ``observer.type`` (ids, ips, firewall, vpn, proxy, bastion).
What no device of a kind sent is not there: nothing is said of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from audits.models.evidence import Fact
from detectors.core.events.text import texts_of
from detectors.models.alerts import Unscanned
from detectors.service import DetectorsServices
from iam.service import IamServices
from secops.bridges.evidence.log_reader import LogReader
from secops.bridges.evidence.looking import Look, Looks, Sight, of_events
from secops.bridges.evidence.reported import RULESET, reports_of
from secops.kernel.clock import DAY, MINUTE
from secops.kernel.errors import NotFound
from secops.kernel.logs import StoredEvent

IDS: Final = "(event.category:intrusion_detection OR observer.type:(ids OR ips))"
FIREWALL: Final = "(observer.type:firewall OR event.module:keyvalue)"
VPN: Final = "observer.type:vpn"
PROXY: Final = "(observer.type:proxy OR event.type:proxy)"
BASTION: Final = "observer.type:bastion"
HOST_LOGIN: Final = "event.action:ssh_login AND event.outcome:success AND NOT observer.type:bastion"
_BLOCKED: Final = (
    "(event.type:denied OR event.action:(block* OR drop* OR deny* OR denied OR reject* OR reset*))"
)
_NETWORKS: Final = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "fc00::/7")
_INSIDE: Final = "(" + " OR ".join(f"source.ip:{network}" for network in _NETWORKS) + ")"
_ALERT_DAYS: Final = 180
_HIT_DAYS: Final = 90
_LOG_DAYS: Final = 30
_OPEN: Final = DAY
"""Policy: a remote session longer than a day was forgotten."""
_LENT: Final = "event.action:(iam.lend_role OR iam.emergency_override) AND event.outcome:success"
_LOOPBACK: Final = ("127.", "::1")


@dataclass(frozen=True, slots=True)
class _Session:
    """A session of a device: its user, when it began and whether its end was heard of."""

    user: str
    began: int
    ended: bool


class SensorEvidence:
    """Counts what devices sent; accounts and approvals are identity's."""

    def __init__(self, detectors: DetectorsServices, iam: IamServices) -> None:
        self._detectors = detectors
        self._iam = iam

    @property
    def looks(self) -> Looks:
        """What can be looked for."""
        return {
            "ids.alert": self._attacks,
            "ids.sensors": self._sensors,
            "fw.hits": self._hits,
            "vpn.log": self._remote,
            "proxy.log": self._web,
            "bastion.log": self._bastion,
        }

    def _attacks(self, look: Look) -> Sight | None:
        logs, window = look.logs, look.since(_ALERT_DAYS * DAY)
        total = logs.count(IDS, window)
        if not total:
            return None

        def with_(condition: str) -> int:
            return logs.count(f"{IDS} AND {condition}", window)

        def permille(found: int) -> int:
            return 1_000 * found // total

        # whoever is inside has an address: those outside are the rest of those who have one
        addressed, inside = with_("source.ip:*"), with_(_INSIDE)
        inside_blocked = with_(f"{_INSIDE} AND {_BLOCKED}")
        facts: dict[str, Fact] = {
            "alerts": total,
            "external": addressed - inside,
            "external_blocked": with_(f"source.ip:* AND {_BLOCKED}") - inside_blocked,
            "internal": inside,
            "internal_blocked": inside_blocked,
            "source_permille": permille(addressed),
            "type_permille": permille(with_("(rule.name:* OR rule.id:* OR threat.technique.id:*)")),
            "target_permille": permille(with_("(destination.ip:* OR url.domain:* OR host.name:*)")),
            "time_permille": permille(total - with_("log.rejected_time:*")),
        }
        return of_events(facts, logs.scoped(IDS), window)

    def _sensors(self, look: Look) -> Sight | None:
        logs, window = look.logs, look.since(_ALERT_DAYS * DAY)
        sensors = {key[0] for key in logs.counts(IDS, window)}
        if not sensors:
            return None
        inside = {key[0] for key in logs.counts(f"{IDS} AND {_INSIDE}", window)}
        facts: dict[str, Fact] = {
            "sensors": len(sensors),
            "silent": _silent(logs, sensors, look.at),
            "seeing_inside": len(inside),
            "without_ruleset": len(sensors - set(reports_of(look, RULESET))),
        }
        return of_events(facts, logs.scoped(IDS), window)

    def _hits(self, look: Look) -> Sight | None:
        logs, window = look.logs, look.since(_HIT_DAYS * DAY)
        events = logs.count(FIREWALL, window)
        if not events:
            return None
        hit = {
            *logs.counts(FIREWALL, window, "rule.id"),
            *logs.counts(FIREWALL, window, "rule.name"),
        }
        facts: dict[str, Fact] = {"events": events, "rules_hit": len(hit)}
        return of_events(facts, logs.scoped(FIREWALL), window)

    def _web(self, look: Look) -> Sight | None:
        return self._told_of(look, PROXY)

    def _remote(self, look: Look) -> Sight | None:
        sight = self._told_of(look, VPN)
        if sight is None or sight.window is None:
            return None
        told = look.logs.newest(VPN, sight.window)
        sessions = _sessions(told)
        facts = dict(sight.facts)
        if sessions:
            approvals = self._approvals(look)
            unclosed = sum(
                not each.ended and look.at - each.began > _OPEN for each in sessions.values()
            )
            unapproved = sum(not self._is_approved(each, approvals) for each in sessions.values())
            is_whole = len(told) >= int(facts["events"])
            facts["sessions"] = len(sessions)
            facts |= _none_or_some("sessions_unclosed", unclosed, is_whole=is_whole)
            facts |= _none_or_some("sessions_unapproved", unapproved, is_whole=is_whole)
        return of_events(facts, sight.query, sight.window)

    def _told_of(self, look: Look, query: str) -> Sight | None:
        """Return whether devices of a kind still speak and detectors looked at what they said."""
        logs, window = look.logs, look.since(_LOG_DAYS * DAY)
        found = logs.counts(query, window)
        if not found:
            return None
        gaps = self._detectors.runs.list_unscanned(look.actor)
        newest = logs.newest(query, window, 1_000)
        facts: dict[str, Fact] = {
            "events": found.total(),
            "silent": _silent(logs, {key[0] for key in found}, look.at),
        }
        unseen = sum(_is_unseen(each, gaps) for each in newest)
        oldest = min((each.seq for each in newest), default=0)
        earlier = any(gap.first_seq <= min(gap.last_seq, oldest - 1) for gap in gaps)
        is_whole = len(newest) >= found.total() or not earlier
        facts |= _none_or_some("unexamined", unseen, is_whole=is_whole)
        return of_events(facts, logs.scoped(query), window)

    def _approvals(self, look: Look) -> Mapping[str, Sequence[tuple[int, int]]]:
        """Return from when to when each account was lent a right, each approved by another."""
        found: dict[str, list[tuple[int, int]]] = {}
        for stored in look.own.newest(_LENT, look.since((_LOG_DAYS + 1) * DAY)):
            account = _text(stored, "target").removeprefix("account:")
            lent, at = _text(stored, "details.minutes"), stored.event.at
            minutes = int(lent) if lent.isascii() and lent.isdigit() else 0
            found.setdefault(account, []).append((at, at + minutes * MINUTE))
        return found

    def _is_approved(
        self, session: _Session, approvals: Mapping[str, Sequence[tuple[int, int]]]
    ) -> bool:
        try:
            account = self._iam.actors.by_account(session.user).id
        except NotFound:
            return False
        return any(since <= session.began <= until for since, until in approvals.get(account, ()))

    def _bastion(self, look: Look) -> Sight | None:
        logs, window = look.logs, look.since(_LOG_DAYS * DAY)
        sessions = _named(logs, BASTION, window, "session.id")
        if not logs.count(BASTION, window):
            return None
        typed = _named(logs, f"{BASTION} AND process.command_line:*", window, "session.id")
        addresses = ("observer.ip", "host.ip")
        own = {each for name in addresses for _, each in _named(logs, BASTION, window, name)}
        logins = logs.counts(HOST_LOGIN, window, "source.ip")
        facts: dict[str, Fact] = {
            "sessions": len(sessions),
            "sessions_without_commands": len(sessions - typed),
            "logins": logins.total(),
            "logins_around": sum(
                number
                for (_, address), number in logins.items()
                if address not in own and not address.startswith(_LOOPBACK)
            ),
        }
        return of_events(facts, logs.scoped(f"({BASTION}) OR ({HOST_LOGIN})"), window)


def _text(stored: StoredEvent, name: str) -> str:
    value = stored.event.fields.get(name)
    return "" if value is None else texts_of(value)[0]


def _silent(logs: LogReader, names: set[str], at: int) -> int:
    summaries = (logs.stored.get(name) for name in names)
    return sum(each is not None and at - each.last_ingested > DAY for each in summaries)


def _named(
    logs: LogReader, query: str, window: tuple[int, int], field: str
) -> set[tuple[str, ...]]:
    """Return every (source, value) of ``field``: two devices may count alike from 1."""
    return {key for key in logs.counts(f"{query} AND {field}:*", window, field) if key[1]}


def _none_or_some(name: str, number: int, *, is_whole: bool) -> dict[str, Fact]:
    """Return how many were seen; that there is none can only be said of the whole."""
    return {name: number} if number or is_whole else {}


def _is_unseen(stored: StoredEvent, gaps: Sequence[Unscanned]) -> bool:
    return any(gap.first_seq <= stored.seq <= gap.last_seq for gap in gaps)


def _sessions(events: Sequence[StoredEvent]) -> dict[tuple[str, str], _Session]:
    """Return sessions by source and id; an event that is not an end is of one that runs."""
    found: dict[tuple[str, str], _Session] = {}
    for stored in sorted(events, key=lambda each: each.event.at):
        name = stored.event.source, _text(stored, "session.id")
        if not name[1]:
            continue
        known = found.get(name, _Session(_text(stored, "user.name"), stored.event.at, ended=False))
        ended = known.ended or "end" in texts_of(stored.event.fields.get("event.type", ""))
        found[name] = _Session(known.user or _text(stored, "user.name"), known.began, ended)
    return found
