"""Evidence that devices and tools report of themselves: events of ``evidence.KIND``.

A firewall's exporter, an antivirus console or a backup program sends, as ECS, an event with
``event.dataset: evidence.fw.config`` and a number in each field ``evidence.FACT``. The newest
report of each source counts. Over several sources numbers are added up, and what ends in
``_days``, ``_hours`` or ``_minutes`` is that of the worst; ages in days and hours have grown
since by the report's own. A fact that one of them leaves out is left out, as is all that one
said too long ago: nobody can say that it holds everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

from audits.models.collectors import VALID_DAYS
from audits.models.evidence import Fact
from detectors.core.events.text import texts_of
from secops.bridges.evidence.log_reader import any_of
from secops.bridges.evidence.looking import Look, Looks, Sight, of_events
from secops.kernel.clock import DAY, HOUR
from secops.kernel.logs import StoredEvent

RULESET: Final = "ids.ruleset"
KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "fw.config": (
        "chains",
        "chains_without_deny",
        "any_any",
        "shadowed",
        "duplicates",
        "accepts",
        "accepts_incomplete",
        "accepts_unused_90_days",
        "chains_stateless",
        "chains_taking_invalid",
    ),
    RULESET: ("ruleset_days",),
    "av.status": ("hosts", "unprotected", "unlicensed", "base_days"),
    "av.test": ("platforms", "not_blocked", "test_days"),
    "port.scan": ("hosts", "unexpected", "shares"),
    "config.baseline": ("assets", "assets_without"),
    "config.drift": ("without_change", "baseline_not_renewed"),
    "backup.job": ("age_hours", "failed"),
    "backup.restore_test": ("age_days",),
    "backup.offsite": ("sites", "stopped", "batch_only", "lag_minutes"),
    "door.log": ("records", "unprotected", "algorithms_not_approved"),
    "backup.policy": ("plans", "incomplete", "not_followed"),
}
"""The facts of each kind; ``age_days``, how old the oldest report is, is our own where it is
not the device's."""
_AGES: Final = ("_days", "_hours", "_minutes")
_GROWING: Final[Mapping[str, int]] = {"_days": DAY, "_hours": HOUR}
_LENGTH: Final = 184
_MOST: Final = 10**9
_PREFIX: Final = "evidence."


def looks() -> Looks:
    """Return how each kind is looked for."""
    return {kind: partial(_look, kind) for kind in KINDS}


def query_of(kind: str) -> str:
    """Return the query that finds the reports of a kind."""
    return f'event.dataset:"{_PREFIX}{kind}"'


def reports_of(look: Look, kind: str) -> Mapping[str, StoredEvent]:
    """Return the newest report of each registered source, by its name.

    Only who is registered is believed: a line of a stranger is no evidence.
    """
    query, window = query_of(kind), look.since(_LENGTH * DAY)
    waiting = {key[0] for key in look.logs.counts(query, window)} & set(look.logs.registered)
    found: dict[str, StoredEvent] = {}
    for stored in look.logs.newest(query, window):
        if stored.event.source in waiting:
            found.setdefault(stored.event.source, stored)
    for name in waiting - set(found):
        narrowed = f"{query} AND {any_of('log.source', [name])}"
        found |= {each.event.source: each for each in look.logs.newest(narrowed, window, 1)}
    return found


def _look(kind: str, look: Look) -> Sight | None:
    reports = reports_of(look, kind)
    if not reports:
        return None
    facts: dict[str, Fact] = {"reporters": len(reports)}
    oldest = min(each.event.at for each in reports.values())
    facts["age_days"] = max(0, look.at - oldest) // DAY
    read = [_numbers(kind, each, look.at) for each in reports.values()]
    for name in KINDS[kind]:
        values = [numbers[name] for numbers in read if name in numbers]
        if len(values) < len(read):
            facts.pop(name, None)
        else:
            facts[name] = max(values) if name.endswith(_AGES) else sum(values)
    return of_events(facts, look.logs.scoped(query_of(kind)), look.since(_LENGTH * DAY))


def _numbers(kind: str, stored: StoredEvent, at: int) -> dict[str, int]:
    found: dict[str, int] = {}
    since = max(0, at - stored.event.at)
    if since > VALID_DAYS * DAY:
        return found
    for name in KINDS[kind]:
        value = stored.event.fields.get(_PREFIX + name)
        text = "" if value is None else texts_of(value)[0]
        if text.isascii() and text.isdigit() and len(text) <= len(str(_MOST)):
            unit = next((each for end, each in _GROWING.items() if name.endswith(end)), 0)
            found[name] = int(text) + (since // unit if unit else 0)
    return found
