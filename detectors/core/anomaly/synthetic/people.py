"""People and how they sign in: offices, homes, phones, travel, new browsers, holidays.

Assumed: 70 % of sign-ins come from the office, 18 % from home, 12 % by phone; homes change
their address every ten days; browsers update every four weeks, each at its own day; 8 % of
sign-ins come without the device's cookie; one in ten works shifts; one in twelve travels for a
week; one in ten begins during the time that is looked at; 10 % of sign-ins follow a wrong try.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from numpy.random import Generator

from detectors.core.anomaly.synthetic.world import (
    ABROAD,
    DESKTOPS,
    HANDHELDS,
    HOMES,
    MOBILES,
    OFFICES,
    Browser,
    System,
    pick,
    pick_browser,
    random_address,
    version_on,
)
from detectors.models.anomalies import LoginFacts
from secops.kernel.clock import DAY, HOUR

START: Final = 1_767_542_400_000_000
"""2026-01-05 00:00 in Beijing, a Monday."""
DEPARTMENTS: Final = 10
_WEEKEND: Final = 5
_PLACES: Final = ("office", "home", "phone")
_SHARES: Final = (0.70, 0.18, 0.12)
_LEASE_DAYS: Final = 10
_NO_COOKIE: Final = 0.08


@dataclass(frozen=True, slots=True)
class Machine:
    """A browser on a machine of somebody; ``lag`` days pass before it updates."""

    name: str
    browser: Browser
    lag: float

    def agent(self, day: float) -> str:
        """Return its user agent on a day."""
        return self.browser.text(version_on(day - self.lag))


@dataclass(slots=True)
class Person:
    """An account's owner. ``hour`` is when the working day begins; ``rate`` is a workday's."""

    account: str
    peers: str
    office: System
    floor: int
    home: System
    phone: System
    machines: dict[str, Machine]
    hour: float
    rate: float
    joined: int
    travels: int
    shifts: bool
    known: set[str] = field(default_factory=set)
    last_at: int | None = None
    last_address: str = ""


def make_people(draw: Generator, count: int, days: int) -> list[Person]:
    """Return ``count`` people in ten departments."""
    return [_person(draw, number, days) for number in range(count)]


def _person(draw: Generator, number: int, days: int) -> Person:
    department = number % DEPARTMENTS
    desk, laptop = pick_browser(draw, DESKTOPS), pick_browser(draw, DESKTOPS)
    browsers = {"office": desk, "home": laptop, "phone": pick_browser(draw, HANDHELDS)}
    machines = {
        place: Machine(f"{number}-{place}", browser, float(draw.uniform(0, 14)))
        for place, browser in browsers.items()
    }
    return Person(
        account=f"acc_{number:05d}",
        peers=f"department-{department}",
        office=OFFICES[department % len(OFFICES)],
        floor=department,
        home=pick(draw, HOMES),
        phone=pick(draw, MOBILES),
        machines=machines,
        hour=float(draw.normal(8.7, 0.6)),
        rate=float(draw.gamma(4, 0.33)),
        joined=int(draw.integers(1, days)) if draw.random() < 0.1 else 0,  # noqa: PLR2004 - above
        travels=int(draw.integers(0, days)) if draw.random() < 1 / 12 else -100,
        shifts=bool(draw.random() < 0.1),  # noqa: PLR2004 - as above
    )


def sign_ins(draw: Generator, person: Person, days: int) -> Iterator[LoginFacts]:
    """Yield what one person does in ``days`` days, in the order of time."""
    for day in range(person.joined, days):
        weekend = day % 7 >= _WEEKEND
        rate = person.rate * (0.1 if weekend and not person.shifts else 1.0)
        hours = sorted(_hour(draw, person, day) for _ in range(int(draw.poisson(rate))))
        for hour in hours:
            yield _sign_in(draw, person, day + hour / 24)


def _hour(draw: Generator, person: Person, day: int) -> float:
    begin = person.hour
    if person.shifts:
        begin += (0, 8, 15)[day // 7 % 3]
    moment = begin + float(draw.choice((0.0, 4.8, 7.5), p=(0.6, 0.3, 0.1))) + draw.normal(0, 0.5)
    return float(moment % 24)


def _sign_in(draw: Generator, person: Person, day: float) -> LoginFacts:
    at = START + int(day * DAY)
    if 0 <= day - person.travels < 7:  # noqa: PLR2004 - a week
        place, address = "home", random_address(draw, ABROAD[person.travels % len(ABROAD)])
    else:
        place = str(draw.choice(_PLACES, p=_SHARES))
        address = _address(draw, person, place, day)
    machine = person.machines[place]
    name = machine.name if machine.name in person.known and draw.random() > _NO_COOKIE else ""
    person.known.add(machine.name)
    facts = LoginFacts(
        account=person.account,
        peers=person.peers,
        at=at,
        address=address,
        user_agent=machine.agent(day),
        device=name,
        failures=int(draw.choice(4, p=(0.9, 0.075, 0.018, 0.007))),
        last_at=person.last_at,
        last_address=person.last_address,
        factor=str(draw.choice(("otp", "recovery"), p=(0.995, 0.005))),
    )
    person.last_at, person.last_address = at, address
    return facts


def _address(draw: Generator, person: Person, place: str, day: float) -> str:
    if place == "office":
        return f"{person.office.octet}.{person.floor}.1.{1 + int(draw.integers(4))}"
    if place == "phone":
        return random_address(draw, person.phone)
    lease = int(day // _LEASE_DAYS)
    place_of = (hash_of(person.account, lease) >> shift & 0xFF for shift in (0, 8, 16))
    low, middle, high = place_of
    return f"{person.home.octet}.{high % 16}.{middle}.{low}"


def hash_of(account: str, number: int) -> int:
    """Return a spread number that depends on nothing but its arguments."""
    value = (int(account.removeprefix("acc_")) * 2_654_435_761 + number * 40_503) & 0xFFFFFFFF
    return value ^ value >> 13


def off_hours(draw: Generator, day: int) -> int:
    """Return an instant of the night after ``day`` began."""
    return START + day * DAY + int(float(draw.uniform(20, 29)) * HOUR)
