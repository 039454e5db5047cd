"""Six kinds of attackers, each with the right password in hand when it is scored.

Only sign-ins that passed password and factor reach the model, as in the product: of a stuffing
bot's 500 tries the 2 % that fit. None brings the account's device cookie but 30 % of the
targeted ones (stolen with the browser's profile) and half of the insiders (an unlocked browser).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from numpy.random import Generator

from detectors.core.anomaly.synthetic.people import START, Person, hash_of, off_hours
from detectors.core.anomaly.synthetic.world import (
    ABROAD,
    DESKTOPS,
    HOMES,
    HOSTING,
    pick,
    pick_browser,
    random_address,
    version_on,
)
from detectors.models.anomalies import LoginFacts
from secops.kernel.clock import DAY, HOUR, MINUTE

_STOLEN_COOKIE: Final = 0.3
_UNLOCKED: Final = 0.5
_SAME_SYSTEM: Final = 0.7
_SAME_SYSTEM_TARGETED: Final = 0.5
_SPRAY_ADDRESSES: Final = 120


@dataclass(frozen=True, slots=True)
class Scene:
    """A victim, its sign-ins so far, and the day of the attack."""

    person: Person
    before: Sequence[LoginFacts]
    day: int

    @property
    def last(self) -> LoginFacts:
        """The victim's last sign-in before the day's end."""
        return self.before[-1]

    def agent(self, place: str) -> str:
        """Return the user agent of one of the victim's machines."""
        return self.person.machines[place].agent(self.day)


def _any_time(draw: Generator, day: int) -> int:
    return START + day * DAY + int(float(draw.uniform(0, 24)) * HOUR)


def _stuffing(draw: Generator, scene: Scene) -> LoginFacts:
    """Try 1 to 3 times an account, from hosting systems, with few browsers, at any hour."""
    browser = DESKTOPS[int(draw.integers(3))]
    return replace(
        _blank(scene, _any_time(draw, scene.day)),
        address=random_address(draw, pick(draw, HOSTING)),
        user_agent=browser.text(version_on(scene.day) - int(draw.integers(2, 6))),
        failures=int(draw.integers(0, 3)),
    )


def _spraying(draw: Generator, scene: Scene) -> LoginFacts:
    """Try once an account and day, from 120 addresses of five systems, a common browser."""
    number = int(draw.integers(_SPRAY_ADDRESSES))
    system = (*ABROAD[:3], *HOSTING[:2])[number % 5]
    spread = hash_of("acc_7", number)
    return replace(
        _blank(scene, _any_time(draw, scene.day)),
        address=f"{system.octet}.{spread & 0x3F}.{spread >> 8 & 0xFF}.{spread >> 16 & 0xFF}",
        user_agent=DESKTOPS[0].text(version_on(scene.day)),
    )


def _residential(draw: Generator, scene: Scene) -> LoginFacts:
    """Use the victim's country, 70 % its system, a popular browser; succeed at once."""
    same = draw.random() < _SAME_SYSTEM
    system = scene.person.home if same else pick(draw, HOMES)
    return replace(
        _blank(scene, START + scene.day * DAY + int(float(draw.uniform(8, 24)) * HOUR)),
        address=random_address(draw, system),
        user_agent=pick_browser(draw, DESKTOPS).text(version_on(scene.day)),
    )


def _targeted(draw: Generator, scene: Scene) -> LoginFacts:
    """Use the exact browser, half the time the same system, the usual hour; fail 0 to 2 times."""
    same = draw.random() < _SAME_SYSTEM_TARGETED
    system = scene.person.home if same else pick(draw, HOMES)
    usual = scene.last.at % DAY - START % DAY
    moment = START + scene.day * DAY + usual % DAY + int(float(draw.uniform(-2, 2)) * HOUR)
    stolen = scene.person.machines["home"].name if draw.random() < _STOLEN_COOKIE else ""
    return replace(
        _blank(scene, moment),
        address=random_address(draw, system),
        user_agent=scene.agent("home"),
        device=stolen,
        failures=int(draw.integers(0, 3)),
    )


def _relay(draw: Generator, scene: Scene) -> LoginFacts:
    """Pass on the exact browser from a hosting system, 0 to 10 minutes after a real sign-in."""
    last = scene.last
    return replace(
        _blank(scene, last.at + int(float(draw.uniform(0, 10)) * MINUTE)),
        address=random_address(draw, pick(draw, HOSTING)),
        user_agent=last.user_agent,
    )


def _insider(draw: Generator, scene: Scene) -> LoginFacts:
    """Use the office's address and kind of machine, at night; rare rights no sign-in shows."""
    person = scene.person
    unlocked = person.machines["office"].name if draw.random() < _UNLOCKED else ""
    other = pick_browser(draw, DESKTOPS).text(version_on(scene.day))
    return replace(
        _blank(scene, off_hours(draw, scene.day)),
        address=f"{person.office.octet}.{person.floor}.1.{1 + int(draw.integers(4))}",
        user_agent=scene.agent("office") if unlocked else other,
        device=unlocked,
    )


def _blank(scene: Scene, at: int) -> LoginFacts:
    last = scene.last
    return LoginFacts(
        account=scene.person.account,
        peers=scene.person.peers,
        at=max(at, last.at + 1),
        address="",
        user_agent="",
        last_at=last.at,
        last_address=last.address,
    )


ATTACKERS: Final[Mapping[str, Callable[[Generator, Scene], LoginFacts]]] = {
    "stuffing": _stuffing,
    "spraying": _spraying,
    "residential_proxy": _residential,
    "targeted": _targeted,
    "relay": _relay,
    "insider": _insider,
}
HELD_OUT: Final = ("relay", "insider")
"""Kinds that never occur in the time that models learn from."""
