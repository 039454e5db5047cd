"""What is asked again is answered from memory, and changes as soon as anything it rests on does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest
import sqlalchemy as sa

from iam.models.clients import ClientCredentials, NewClient
from iam.service.zero_trust.decisions import TOKEN_ISSUE
from secops.kernel.access import Question
from secops.kernel.actors import ROOT_ORG, Actor, os_actor
from secops.kernel.errors import SecopsError
from secops.kernel.events import Delivery, SubjectRiskChanged
from secops.kernel.permissions import Permission
from secops.kernel.trail import Act
from secops.web.lanes import RouteTable
from secops.web.messages import Request, Response
from tests.fakes.iam_home import IamHome, open_iam_home

FORM = {"content-type": "application/x-www-form-urlencoded"}
OWNER = os_actor("root")


class Asker:
    """An application that asks about one token of its own, again and again."""

    def __init__(self, home: IamHome) -> None:
        self.home = home
        self.secret = home.services.clients.make(
            OWNER, NewClient("robot", "robot"), ROOT_ORG
        ).secret
        login = {"client_id": "robot", "client_secret": self.secret or ""}
        granted = self.send("token", {"grant_type": "client_credentials", **login})
        self.token = str(orjson.loads(granted.body)["access_token"])
        self.fields = {"token": self.token, **login}

    def send(self, path: str, fields: dict[str, str], **headers: str) -> Response:
        found = RouteTable(self.home.plane.routes).find("POST", f"/oauth2/{path}")
        assert found is not None
        body = urlencode(fields).encode()
        request = Request("POST", found[0].path, headers={**FORM, **headers}, body=body)
        return found[0].handler(request)

    def ask(self, **changed: str) -> tuple[int, Any, tuple[Act, ...]]:
        answer = self.send("introspect", {**self.fields, **changed})
        return answer.status, orjson.loads(answer.body), tuple(answer.acts)

    @property
    def token_id(self) -> str:
        return self.home.services.verification.inspect(self.token).claims.token_id


@pytest.fixture
def asker(tmp_path: Path) -> Iterator[Asker]:
    home = open_iam_home(tmp_path)
    try:
        yield Asker(home)
    finally:
        home.close()


def test_the_second_answer_is_the_first_and_recorded_too(asker: Asker) -> None:
    first, second = asker.ask(), asker.ask()
    assert first == second
    assert first[1]["active"] is True
    assert [act.target for act in second[2]] == [f"token:{asker.token_id}"]


def revoke(asker: Asker) -> None:
    asker.home.services.inspection.revoke(credentials(asker), asker.token)


def credentials(asker: Asker) -> Any:
    return ClientCredentials("robot", asker.secret)


def disable(asker: Asker) -> None:
    asker.home.services.clients.end(OWNER, "robot", "over")


def expire(asker: Asker) -> None:
    asker.home.clock.advance(301)


def new_secret(asker: Asker) -> None:
    asker.home.services.clients.rotate_secret(asker.home.actor("system-admin"), "robot")


@pytest.mark.parametrize(
    ("change", "status"), [(revoke, 200), (disable, 401), (expire, 200), (new_secret, 401)]
)
def test_what_changes_is_seen_by_the_next_question(
    asker: Asker, change: Callable[[Asker], None], status: int
) -> None:
    for _ in range(3):
        assert asker.ask()[1] == {**asker.ask()[1], "active": True}
    change(asker)
    assert asker.ask()[0] == status
    assert asker.ask()[1] != {"active": True}
    assert asker.ask()[1].get("active", False) is False


def test_a_question_in_other_words_is_another_question(asker: Asker) -> None:
    asker.ask()
    assert asker.ask(client_secret="guess")[0] == 401
    for other in ({"content-type": "text/plain"}, {"authorization": "Basic cm9ib3Q6Z3Vlc3M="}):
        with pytest.raises(SecopsError):
            asker.send("introspect", asker.fields, **other)


def allowed(asker: Asker, actor: Actor) -> bool:
    question = Question(actor, TOKEN_ISSUE, "token:new")
    decisions = asker.home.services.decisions
    answers = {decisions.decide(question).allowed for _ in range(3)}
    assert answers == {decisions.consider(question).allowed}
    return answers.pop()


def lock(asker: Asker, actor: Actor) -> None:
    parts = asker.home.spine.parts
    parts.transactions.run(lambda tx: parts.revocations.revoke(tx, "client", actor.id))


def raise_risk(asker: Asker, actor: Actor) -> None:
    change = SubjectRiskChanged(ROOT_ORG, f"client:{actor.id}", 95, "test")
    asker.home.services.decisions.risks.receive(Delivery(1, asker.home.clock.now(), change))


def lock_organisation(asker: Asker, actor: Actor) -> None:
    parts = asker.home.spine.parts
    parts.transactions.run(lambda tx: parts.revocations.revoke(tx, "organisation", actor.org_id))


@pytest.mark.parametrize("change", [lock, raise_risk, lock_organisation])
def test_a_kept_decision_falls_with_what_it_rests_on(
    asker: Asker, change: Callable[[Asker, Actor], None]
) -> None:
    actor = asker.home.services.inspection.callers.directory.actor(
        asker.home.services.inspection.callers.identify(credentials(asker)), frozenset()
    )
    assert allowed(asker, actor)
    change(asker, actor)
    assert not allowed(asker, actor)


def test_every_kept_decision_is_counted(asker: Asker) -> None:
    actor = asker.home.actor("auditor")
    question = Question(actor, Permission("audits.ledger.read"), "ledger:all")
    decisions = asker.home.services.decisions
    decisions.record.flush()
    before = counted(asker)
    for _ in range(50):
        assert decisions.decide(question).allowed
    decisions.record.flush()
    assert counted(asker) - before == 50


def counted(asker: Asker) -> int:
    with asker.home.spine.read_engine.begin() as connection:
        total = connection.execute(sa.text("SELECT coalesce(sum(count), 0) FROM iam_decisions"))
        return int(total.scalar_one())
