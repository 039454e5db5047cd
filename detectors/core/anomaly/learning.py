"""When a sign-in may be learned from: late, and only if nobody judged it bad meanwhile."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from detectors.core.anomaly.counts import Counts, Tally
from detectors.core.anomaly.likelihood import learn
from detectors.models.anomalies import LoginFeatures
from secops.kernel.clock import DAY

DELAY: Final = 3 * DAY
"""How long a sign-in waits before it is learned: the time in which somebody may object."""


@dataclass(frozen=True, slots=True)
class Login:
    """A sign-in that opened a session, as history keeps it."""

    at: int
    session: str
    features: LoginFeatures
    alerted: bool = False


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What is held against or for sessions: people's words, and alerts that name them.

    A person's word counts more than an alert; an alert that somebody closed still speaks
    against the session until a person says ``good``.
    """

    good: frozenset[str] = frozenset()
    bad: frozenset[str] = frozenset()
    alerted: frozenset[str] = frozenset()

    def allow(self, login: Login) -> bool:
        """Tell whether ``login`` may be learned from."""
        if login.session in self.bad:
            return False
        if login.session in self.good:
            return True
        return not login.alerted and login.session not in self.alerted


def learnable(logins: Iterable[Login], verdicts: Verdicts, now: int) -> list[Login]:
    """Return what may be learned from at ``now``, oldest first."""
    ripe = (each for each in logins if each.at <= now - DELAY and verdicts.allow(each))
    return sorted(ripe, key=lambda each: (each.at, each.session))


@dataclass(slots=True)
class Learner:
    """Counts sign-ins once they are ``delay`` old; ``judge`` is asked only then."""

    judge: Callable[[Login], bool]
    delay: int = DELAY
    tally: Tally = field(default_factory=Tally)
    waiting: deque[Login] = field(default_factory=deque)

    def offer(self, login: Login) -> None:
        """Queue ``login``; they come in the order of time."""
        self.waiting.append(login)

    def counts_at(self, now: int) -> Counts:
        """Return the counts of all that is ripe at ``now``."""
        while self.waiting and self.waiting[0].at <= now - self.delay:
            login = self.waiting.popleft()
            if self.judge(login):
                learn(self.tally, login.features)
        return self.tally.frozen()
