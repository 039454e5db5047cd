"""Cases of correlations (tests/vectors/correlation) as values; see ORIGIN.md for their form."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from detectors.core.correlation.chains import chained_episodes, episode_id
from detectors.core.correlation.episodes import episodes_of
from detectors.core.correlation.grouping import Grouper, Hit
from detectors.core.correlation.model import Correlation
from detectors.core.correlation.parser import read_correlation
from detectors.models.correlation import Episode
from detectors.models.rules import RuleHeader
from secops.kernel.clock import SECOND

FOLDER = Path(__file__).resolve().parents[1] / "vectors" / "correlation"


@dataclass(frozen=True)
class Case:
    """One case as it is written."""

    file: str
    raw: Mapping[str, Any]
    section: Mapping[str, Any]

    def __str__(self) -> str:
        """Name it in a test's id."""
        return f"{self.file}: {self.raw['name']}"

    @property
    def hits(self) -> list[Hit]:
        """The events."""
        return [_hit(text) for text in self.raw["events"].split(";")]

    @property
    def watermark(self) -> int:
        """Where time has got to, microseconds."""
        last = max(hit.at for hit in self.hits) // SECOND
        return int(self.raw.get("watermark", last + 1)) * SECOND

    @property
    def since(self) -> int | None:
        """When something was expected first, microseconds."""
        return self.raw["since"] * SECOND if "since" in self.raw else None

    def chain(self) -> tuple[Correlation, ...]:
        """Return the correlations, inner ones first; raise ``ValueError``."""
        inner = self.section.get("inner", {})
        mine = {k: v for k, v in self.section.items() if k != "inner" and v != "-"}
        found = [read_correlation(section, _header(name)) for name, section in inner.items()]
        return (*found, read_correlation(mine, _header("own")))

    def found(self, hits: list[Hit]) -> list[str]:
        """Return the episodes as they are written in the case."""
        chain = self.chain()
        episodes, _ = chained_episodes(chain, hits, self.watermark, self.since)
        names = _inner_names(chain, hits, self.watermark)
        return [_written(each, names) for each in sorted(episodes, key=_order)]


def all_cases() -> Iterator[Case]:
    """Yield every case of every file."""
    for path in sorted(FOLDER.glob("*.toml")):
        document = tomllib.loads(path.read_text())
        for raw in document["case"]:
            yield Case(path.stem, raw, {**document["base"], **raw.get("with", {})})


def _header(name: str) -> RuleHeader:
    return RuleHeader(name, name, "low", "stable", "v", f"{name}.yml", name=name)


def _hit(text: str) -> Hit:
    at, event, *rest = text.split()
    rules = [word for word in rest if "=" not in word] or ["a"]
    fields = {}
    for word in rest:
        name, equals, value = word.partition("=")
        if equals:
            fields[name] = tuple(value.split(",")) if "," in value else value
    keys = tuple(frozenset({rule}) for rule in rules[0].split("+"))
    return Hit(int(at) * SECOND, event, keys, fields)


def _inner_names(chain: tuple[Correlation, ...], hits: list[Hit], mark: int) -> dict[str, str]:
    names = {}
    for correlation in chain[:-1]:
        grouper = Grouper(correlation)
        matches = [match for hit in hits for match in grouper.matches_of(hit)[0]]
        for episode in episodes_of(correlation, matches, mark):
            at = episode.fired_at // SECOND
            names[episode_id(correlation, episode)] = f"{correlation.header.name}@{at}"
    return names


def _order(episode: Episode) -> tuple[object, ...]:
    return episode.group, episode.first_at, episode.fired_at


def _written(episode: Episode, names: Mapping[str, str]) -> str:
    group = f"[{','.join(episode.group)}] " if episode.group else ""
    first, last, fired = (
        at // SECOND for at in (episode.first_at, episode.last_at, episode.fired_at)
    )
    ids = [names.get(match.event_id, match.event_id) for match in episode.matches]
    return " ".join([f"{group}{first}-{last}", f"@{fired}", *ids])
