"""The invented internet: networks by kind, and the browsers that people use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from numpy.random import Generator

from detectors.core.anomaly.networks import Networks, read_networks

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class System:
    """An autonomous system: a first octet of its own, the country it is in, its kind."""

    octet: int
    country: str
    kind: str

    @property
    def name(self) -> str:
        """Its number, invented."""
        return f"as{64_500 + self.octet}"


@dataclass(frozen=True, slots=True)
class Browser:
    """A browser: ``agent`` with a place for the version; ``weight`` is its share of people."""

    agent: str
    weight: float
    handheld: bool = False

    def text(self, version: int) -> str:
        """Return the complete user agent at a version."""
        return self.agent.format(v=version)


OFFICES: Final = tuple(System(20 + number, "cn", "office") for number in range(5))
HOMES: Final = tuple(System(30 + number, "cn", "home") for number in range(8))
MOBILES: Final = tuple(System(50 + number, "cn", "mobile") for number in range(3))
HOSTING: Final = tuple(
    System(80 + number, country, "hosting")
    for number, country in enumerate(("cn", "cn", "cn", "hk", "sg", "us", "us", "nl", "de", "ru"))
)
ABROAD: Final = tuple(
    System(110 + number, country, "home")
    for number, country in enumerate(("hk", "jp", "us", "de", "my", "ru", "vn", "br"))
)
SYSTEMS: Final = (*OFFICES, *HOMES, *MOBILES, *HOSTING, *ABROAD)

_WEBKIT: Final = "AppleWebKit/537.36 (KHTML, like Gecko)"
_WINDOWS: Final = f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_WEBKIT}"
DESKTOPS: Final = (
    Browser(_WINDOWS + " Chrome/{v}.0.0.0 Safari/537.36", 0.34),
    Browser(_WINDOWS + " Chrome/{v}.0.0.0 Safari/537.36 Edg/{v}.0.0.0", 0.26),
    Browser(_WINDOWS + " Chrome/{v}.0.0.0 Safari/537.36 360SE", 0.12),
    Browser(f"Mozilla/5.0 (X11; Linux x86_64; UOS) {_WEBKIT} Chrome/{{v}}.0.0.0 UOS", 0.12),
    Browser("Mozilla/5.0 (X11; Linux x86_64; Kylin; rv:{v}.0) Gecko Firefox/{v}.0", 0.10),
    Browser(
        f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {_WEBKIT} Version/{{v}} Safari", 0.06
    ),
)
HANDHELDS: Final = (
    Browser(f"Mozilla/5.0 (Linux; Android 14) {_WEBKIT} Chrome/{{v}}.0 Mobile", 0.4, handheld=True),
    Browser("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0) Version/{v} Safari", 0.35, handheld=True),
    Browser(f"Mozilla/5.0 (Phone; HarmonyOS 5.0) {_WEBKIT} Chrome/{{v}}", 0.25, handheld=True),
)
FIRST_VERSION: Final = 120
VERSION_DAYS: Final = 28


def version_on(day: float) -> int:
    """Return the browsers' newest version: one every four weeks."""
    return FIRST_VERSION + int(day // VERSION_DAYS)


def table() -> Networks:
    """Return the operator's table of this internet."""
    return read_networks(f"{each.octet}.0.0.0/8,{each.country},{each.name}" for each in SYSTEMS)


def random_address(draw: Generator, system: System) -> str:
    """Return any address of ``system``."""
    low, middle, high = (int(each) for each in draw.integers(1, 255, 3))
    return f"{system.octet}.{high}.{middle}.{low}"


def pick(draw: Generator, choices: Sequence[T]) -> T:
    """Return one of ``choices``, each alike."""
    return choices[int(draw.integers(len(choices)))]


def pick_browser(draw: Generator, browsers: Sequence[Browser]) -> Browser:
    """Return a browser by its share."""
    weights = [each.weight for each in browsers]
    return browsers[int(draw.choice(len(browsers), p=[w / sum(weights) for w in weights]))]
