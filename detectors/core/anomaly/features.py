"""From what is known of a sign-in to what a model counts: classes and keyed hashes."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, tzinfo
from typing import Final

from detectors.core.anomaly.agents import agent_family
from detectors.core.anomaly.networks import UNKNOWN, Networks, block_of, parse_address
from detectors.models.anomalies import LoginFacts, LoginFeatures
from secops.kernel.clock import DAY, HOUR, SECOND

Pseudonym = Callable[[str], str]
"""A keyed hash: the same text always gives the same short text, and nobody can invert it."""

LEVELS: Final[Mapping[str, tuple[str, ...]]] = {
    "source": ("country", "system", "network", "address"),
    "agent": ("device_class", "browser", "user_agent"),
    "device": ("known",),
    "pace": ("pace",),
    "failures": ("failures",),
    "idle": ("idle",),
    "factor": ("factor",),
}
"""Each feature's levels from coarse to fine, in the order of the forest's columns."""
EVEN_UNDER_ATTACK: Final = frozenset(
    {
        ("source", "country"),
        ("source", "system"),
        ("agent", "device_class"),
        ("agent", "browser"),
        ("device", "known"),
        ("pace", "pace"),
        ("failures", "failures"),
        ("idle", "idle"),
        ("factor", "factor"),
    }
)
"""Levels whose likelihood under attack is taken as even over the values seen.

Attackers are not a sample of the staff: a country that one traveller in a hundred shows is not
rare among them. At the finer levels everybody's likelihood stands in.
"""
HOURS: Final = 168
MANY_FAILURES: Final = 3
_DAYS: Final = (1, 4, 15, 60)
_IDLE: Final = ("under_1d", "under_4d", "under_15d", "under_60d", "longer")


def login_features(
    facts: LoginFacts, networks: Networks, pseudonym: Pseudonym, zone: tzinfo
) -> LoginFeatures:
    """Return the features of a sign-in."""
    country, system = networks.origin(facts.address)
    block = block_of(facts.address)
    device_class, browser = agent_family(facts.user_agent)
    paths = {
        "source": (
            country,
            system,
            pseudonym(f"network|{block}"),
            pseudonym(f"address|{parse_address(facts.address) or UNKNOWN}"),
        ),
        "agent": (device_class, browser, pseudonym(f"agent|{facts.user_agent}")),
        "device": ("known" if facts.device else "new",),
        "pace": (_pace(facts, networks),),
        "failures": (_failures(facts.failures),),
        "idle": (_idle(facts),),
        "factor": (facts.factor,),
    }
    return LoginFeatures(facts.account, facts.peers, hour_of_week(facts.at, zone), paths)


def hour_of_week(at: int, zone: tzinfo) -> int:
    """Return the local hour of the week, 0 is Monday 00:00."""
    moment = datetime.fromtimestamp(at // SECOND, UTC).astimezone(zone)
    return moment.weekday() * 24 + moment.hour


def _pace(facts: LoginFacts, networks: Networks) -> str:
    """How soon the account shows up in another network (another AS where the table knows)."""
    if facts.last_at is None:
        return "first"
    before, now = networks.origin(facts.last_address), networks.origin(facts.address)
    if UNKNOWN in (before[1], now[1]):
        blocks = block_of(facts.last_address), block_of(facts.address)
        same = before[0] == now[0] and blocks[0] == blocks[1]
    else:
        same = before[1] == now[1]
    if same:
        return "same"
    passed = facts.at - facts.last_at
    if passed < HOUR:
        return "moved_1h"
    return "moved_8h" if passed < 8 * HOUR else "moved_later"


def _failures(count: int) -> str:
    return str(count) if count < MANY_FAILURES else "3+"


def _idle(facts: LoginFacts) -> str:
    if facts.last_at is None:
        return "first"
    return _IDLE[bisect_right(_DAYS, (facts.at - facts.last_at) // DAY)]


def to_texts(features: LoginFeatures) -> dict[str, str]:
    """Return the features as plain texts, for the ledger's details and back by ``from_texts``."""
    texts = {name: "/".join(path) for name, path in features.paths.items()}
    return {"peers": features.peers, "hour": str(features.hour), **texts}


def from_texts(account: str, texts: Mapping[str, str]) -> LoginFeatures | None:
    """Return what ``to_texts`` wrote; None if it is incomplete or of another shape."""
    try:
        hour = int(texts["hour"])
        peers = texts["peers"]
        paths = {name: tuple(texts[name].split("/")) for name in LEVELS}
    except (KeyError, ValueError):
        return None
    if not 0 <= hour < HOURS or any(len(paths[n]) != len(LEVELS[n]) for n in LEVELS):
        return None
    return LoginFeatures(account, peers, hour, paths)
