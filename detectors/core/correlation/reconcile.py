"""What was found now against what was written before: create, extend, merge, take back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from detectors.models.correlation import Episode, Known

Kind = Literal["create", "extend", "supersede", "revise"]


@dataclass(frozen=True, slots=True)
class Change:
    """One episode's change; ``known`` is what it was, ``superseded`` whom it takes over."""

    kind: Kind
    known: Known | None = None
    episode: Episode | None = None
    superseded: tuple[Known, ...] = ()


def reconcile(
    found: Sequence[Episode], known: Sequence[Known], name: Callable[[Episode], str]
) -> Iterator[Change]:
    """Yield the changes that turn ``known`` (oldest written first) into ``found``.

    Both are all that there is of one group in some span of time; ``name`` gives an episode's
    id if it were new. An episode that overlaps one that was written keeps its id, unless that
    id is another episode's own; of several the oldest stays and the others are superseded.
    What was written and is not found any more is revised, never deleted.
    """
    left = list(known)
    own = {name(episode) for episode in found}
    for episode in sorted(found, key=lambda each: each.first_at):
        mine = name(episode)
        touching = [
            each
            for each in left
            if each.id == mine or (each.id not in own and _overlap(each, episode))
        ]
        left = [each for each in left if each not in touching]
        if not touching:
            yield Change("create", None, episode)
            continue
        oldest, *others = touching
        if others or not _same(oldest, episode):
            yield Change("extend", oldest, episode, tuple(others))
        for other in others:
            if other.live:
                yield Change("supersede", other)
    for each in left:
        if each.live and each.mine and not each.closed:
            yield Change("revise", each)


def _overlap(known: Known, episode: Episode) -> bool:
    return known.first_at <= episode.last_at and episode.first_at <= known.last_at


def _same(known: Known, episode: Episode) -> bool:
    now = (episode.first_at, episode.last_at, episode.count)
    return known.live and now == (known.first_at, known.last_at, known.count)
