"""What a look at state is told and answers, whatever the plane."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar
from urllib.parse import urlencode

from audits.models.evidence import Fact
from audits.models.systems import THIS_INSTANCE, Scope
from iam.models.evidence import SignInsState
from iam.service import IamServices
from secops.bridges.evidence.log_reader import LogReader
from secops.kernel.actors import Actor
from secops.kernel.clock import to_rfc3339

Window = tuple[int, int]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Look:
    """Who looks, at what, at which instant (UTC microseconds).

    ``logs`` reads what is in scope, ``own`` the ledger's records of the organisation.
    """

    actor: Actor
    scope: Scope
    at: int
    logs: LogReader
    own: LogReader
    _answers: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def is_platform(self) -> bool:
        """Whether the platform itself is assessed."""
        return self.scope.system.id == THIS_INSTANCE

    def since(self, length: int) -> Window:
        """Return the window of ``length`` microseconds that ends now."""
        return self.at - length, self.at

    def once(self, question: str, ask: Callable[[], T]) -> T:
        """Return what ``ask`` says; in one look a question is asked once for all that rests on it.

        So kinds of evidence that share an answer can't contradict each other either.
        """
        if question not in self._answers:
            self._answers[question] = ask()
        answer: T = self._answers[question]
        return answer


@dataclass(frozen=True, slots=True)
class Sight:
    """What was seen: facts, what was asked, about when, and where a person sees it again."""

    facts: Mapping[str, Fact]
    query: str = ""
    window: Window | None = None
    link: str = field(default="", kw_only=True)


Looks = Mapping[str, Callable[[Look], Sight | None]]
"""How each kind of evidence is looked for; None says that there is nothing of it."""


def holders_of(look: Look, iam: IamServices) -> Mapping[str, frozenset[str]]:
    """Return the roles of every subject of the organisation, by id."""
    return look.once("iam.holders", lambda: iam.evidence.holders_of(look.actor.org_id))


def sign_ins_of(look: Look, iam: IamServices, role: str, since: int) -> SignInsState:
    """Return the sign-ins of the holders of ``role`` in the organisation since an instant."""
    ask = partial(iam.evidence.sign_ins, look.actor.org_id, role, since)
    return look.once(f"iam.sign_ins {role} {since}", ask)


def events_link(query: str, window: Window) -> str:
    """Return the console's address that opens the events ``query`` found in ``window``."""
    since, until = (to_rfc3339(instant) for instant in window)
    return "/logs?" + urlencode({"q": query, "since": since, "until": until})


def of_events(facts: Mapping[str, Fact], query: str, window: Window) -> Sight:
    """Return what was counted over events, with the link that opens exactly them."""
    return Sight(facts, query, window, link=events_link(query, window))


def of_acts(facts: Mapping[str, Fact], actions: tuple[str, ...], window: Window) -> Sight:
    """Return what was counted over the ledger's entries of ``actions``."""
    link = "/ledger?" + urlencode({"action": actions[0]})
    return Sight(facts, "ledger: " + " ".join(actions), window, link=link)
