"""Episodes found now against those written before: what is left alone and what is taken over."""

from __future__ import annotations

from dataclasses import replace

from detectors.core.correlation.reconcile import Change, reconcile
from detectors.models.correlation import Episode, Known

FOUND = Episode((), 10, 40, 15, "3", (), 3)
OLDEST = Known("alr_1", 10, 20, 15, "e1", 2)
OTHER = Known("alr_2", 30, 40, 35, "e2", 2)


def changes(*known: Known) -> list[Change]:
    return list(reconcile((FOUND,), known, lambda _: "alr_1"))


def test_two_that_became_one_keep_the_oldest_and_supersede_the_other() -> None:
    assert changes(OLDEST, OTHER) == [
        Change("extend", OLDEST, FOUND, (OTHER,)),
        Change("supersede", OTHER),
    ]


def test_what_was_superseded_already_is_not_superseded_again() -> None:
    gone = replace(OTHER, live=False)
    assert changes(OLDEST, gone) == [Change("extend", OLDEST, FOUND, (gone,))]
