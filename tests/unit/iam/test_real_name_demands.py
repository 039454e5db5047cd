"""What an application's registration demands of people's real names, wherever it is opened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from iam.core.rfc7591.metadata import describe_client, read_metadata
from iam.core.rfc7591.rules import check_client
from iam.errors import InvalidClientMetadata, InvalidRequest, RealNameTooLow
from iam.models.changes import NewChange
from iam.models.clients import DEVICE_GRANT, ClientCredentials
from iam.models.real_name import DEMANDS, DOCUMENT, LEVEL_TEXTS, MEANINGS, SELF_DECLARED
from iam.models.upstream import RealNameLevel
from iam.service.zero_trust.decisions import APPLICATION_OPEN
from iam.store.tables import cas_services, clients
from secops.kernel.access import Question
from secops.kernel.actors import Actor
from secops.kernel.clock import DAY
from secops.kernel.trail import Act
from tests.fakes.iam_home import IamHome
from tests.fakes.relying_party import RelyingParty, answer_of, location_of, register
from tests.unit.iam.test_forward_auth import Visitor
from tests.unit.iam.test_forward_auth import register as register_site

TV = {"grants": frozenset({DEVICE_GRANT, "refresh_token"}), "redirect_uris": ()}
PORTAL = "https://portal.example/index"
ROLE = "analyst"
DAYS = 30


def prove(home: IamHome, *levels: tuple[str, int]) -> None:
    """Take levels over (scheme, number), as an upstream sign-in would; they last 30 days."""
    means, actor = home.services.upstreams.means, home.actor(ROLE)
    for scheme, number in levels:
        level = RealNameLevel(
            actor.id, actor.org_id, scheme, number, "province", means.now, means.now + DAYS * DAY
        )
        means.parts.transactions.run(
            lambda tx, level=level: means.stores.upstream_links.put_level(tx, level)  # type: ignore[misc]
        )
    home.clock.advance(1)  # what was read of the person counts half a second


def forget(home: IamHome) -> None:
    """End the levels that were taken over, while the sign-in goes on."""
    means, actor = home.services.upstreams.means, home.actor(ROLE)

    def work(tx: Any) -> None:
        for found in means.stores.upstream_links.levels_of(tx, actor.id):
            ended = replace(found, expires_at=tx.now)
            means.stores.upstream_links.put_level(tx, ended)

    means.parts.transactions.run(work)
    home.clock.advance(1)


def signed_in(party: RelyingParty) -> RelyingParty:
    party.browser.sign_in(ROLE)
    return party


def person(home: IamHome) -> Actor:
    """The actor of a console session."""
    session, account = home.sign_in(ROLE).session, home.actor(ROLE)
    return replace(account, session_id=session.id, level=session.level, auth_time=session.auth_time)


@pytest.fixture
def refused(home: IamHome, monkeypatch: pytest.MonkeyPatch) -> list[Act]:
    """The refusals that went to the ledger at once."""
    found: list[Act] = []
    trail = home.spine.parts.trail
    append = type(trail).append

    def noting(self: Any, acts: Sequence[Act]) -> Any:
        found.extend(act for act in acts if act.outcome == "refused")
        return append(self, acts)

    monkeypatch.setattr(type(trail), "append", noting)
    return found


def reasons(refused: list[Act]) -> list[Any]:
    """Why applications did not open."""
    return [act.details["reason"] for act in refused if act.action == "iam.decide"]


# attacks: whoever is verified less than demanded gets nothing, by no way


def test_whoever_is_verified_less_gets_no_code_and_it_is_recorded(
    home: IamHome, refused: list[Act]
) -> None:
    party = signed_in(register(home, "oa", real_name_level="document"))
    prove(home, ("cn-gd", 3))
    told = location_of(party.authorize())
    assert (told["error"], told.get("code")) == ("access_denied", None)
    why = (
        "the application demands real-name level 4 (person and document verified);"
        " known is 3 (name and number verified)"
    )
    assert told["error_description"] == why
    assert reasons(refused) == [why]


@pytest.mark.parametrize("level", [("cn-tj", 9), ("cn-gd-x", 5), ("cn-gd", 9), ("", 4)])
def test_a_level_that_nobody_knows_opens_nothing(home: IamHome, level: tuple[str, int]) -> None:
    party = signed_in(register(home, "oa", real_name_level="two_elements"))
    prove(home, level)
    assert location_of(party.authorize())["error"] == "access_denied"


def test_a_code_is_worth_nothing_once_the_level_ended(home: IamHome) -> None:
    prove(home, ("cn-gd", 4))
    party = signed_in(register(home, "oa", real_name_level="document"))
    code = party.code()
    forget(home)
    answer = party.exchange(code)
    assert (answer.status, answer_of(answer)["error"]) == (403, "access_denied")
    prove(home, ("cn-gd", 4))
    assert party.exchange(code).status == 200


def test_a_refresh_after_the_level_ended_gives_nothing_and_ends_nothing(
    home: IamHome, refused: list[Act]
) -> None:
    prove(home, ("cn-gd", 5))
    party = signed_in(register(home, "oa", real_name_level="certificate"))
    token = answer_of(party.exchange(party.code()))["refresh_token"]
    token = answer_of(party.refresh(token))["refresh_token"]
    forget(home)
    for _ in range(2):  # asking twice with one token is no theft while nothing was given
        answer = party.refresh(token)
        assert (answer.status, answer_of(answer)["error"]) == (403, "access_denied")
    assert any("demands real-name level 5" in why for why in reasons(refused))
    prove(home, ("cn-gd", 5))
    assert party.refresh(token).status == 200


def test_a_device_is_neither_approved_nor_told_by_whoever_is_verified_less(home: IamHome) -> None:
    party = register(home, "tv", real_name_level="document", **TV)
    decide = home.services.device_grants.decide
    actor = person(home)
    login: dict[str, Any] = party.credentials()
    begun = answer_of(party.browser.form("/oauth2/device_authorization", **login))
    with pytest.raises(RealNameTooLow, match="demands real-name level 4"):
        decide(actor, begun["user_code"], grant=True)
    prove(home, ("cn-gd", 4))
    decide(actor, begun["user_code"], grant=True)
    forget(home)
    poll = {"grant_type": DEVICE_GRANT, "device_code": begun["device_code"]}
    home.clock.advance(10)
    answer = party.token(**poll)
    assert (answer.status, answer_of(answer)["error"]) == (403, "access_denied")
    prove(home, ("cn-gd", 4))
    home.clock.advance(10)
    given = answer_of(party.token(**poll))
    forget(home)
    assert answer_of(party.refresh(given["refresh_token"]))["error"] == "access_denied"


def test_a_site_closes_to_an_open_session_once_the_level_ended(
    home: IamHome, refused: list[Act]
) -> None:
    prove(home, ("cn-gd", 4))
    register_site(home, real_name_level="document")
    visitor = Visitor(home)
    visitor.sign_in(ROLE)
    assert visitor.ask().status == 200
    forget(home)
    closed = visitor.ask()
    problem = answer_of(closed)
    assert (closed.status, problem["code"]) == (403, "iam.site_real_name_too_low")
    assert "上级身份源" in str(problem)
    noted = [act.details for act in refused if act.action == "iam.check_site"]
    assert noted == [{"code": problem["code"]}]
    assert any("demands real-name level 4" in why for why in reasons(refused))


def test_a_site_gives_no_session_to_whoever_is_verified_less(home: IamHome) -> None:
    register_site(home, real_name_level="document")
    visitor = Visitor(home)
    told = visitor.sign_in(ROLE)
    assert (told.status, answer_of(told)["oauth_error"]) == (400, "invalid_grant")
    assert "demands real-name level 4" in answer_of(told)["detail"]
    assert visitor.ask().status == 401


def test_a_cas_service_gets_no_ticket_for_whoever_is_verified_less(
    home: IamHome, refused: list[Act]
) -> None:
    changes = home.services.power.changes
    after = {
        "url": PORTAL,
        "name": "portal",
        "attributes": [],
        "pairwise": False,
        "single_logout": False,
        "disabled": False,
        "real_name_level": "document",
    }
    system, security = home.actor("system-admin"), home.actor("security-admin")
    without = {name: value for name, value in after.items() if name != "real_name_level"}
    for wrong in (after | {"real_name_level": "believed"}, without):
        with pytest.raises(InvalidRequest):
            changes.request_change(system, NewChange("cas.service", "cas:portal", wrong, "t"))
    asked = changes.request_change(system, NewChange("cas.service", "cas:portal", after, "t"))
    assert asked.after["real_name_level"] == "document"
    changes.approve_change(security, asked.id)
    cookie = home.sign_in(ROLE).cookie
    with pytest.raises(RealNameTooLow, match="known is"):
        home.services.cas.log_in({"service": PORTAL}, cookie)
    prove(home, ("cn-gd", 4))
    assert "ticket=ST-" in home.services.cas.log_in({"service": PORTAL}, cookie).location
    assert any("demands real-name level 4" in why for why in reasons(refused))


def test_a_demand_in_words_of_a_later_version_is_met_by_nobody(home: IamHome) -> None:
    prove(home, ("cn-gd", 5))
    party = signed_in(register(home, "oa"))
    means = home.services.upstreams.means
    means.parts.transactions.run(
        lambda tx: tx.execute(clients.update().values(real_name_level="twice"))
    )
    home.clock.advance(1)
    assert location_of(party.authorize())["error"] == "access_denied"


def test_an_application_that_nobody_registered_opens_to_nobody(home: IamHome) -> None:
    for name in ("ghost", "cas:ghost"):
        asked = Question(person(home), APPLICATION_OPEN, f"application:{name}")
        home.clock.advance(30)
        decision = home.services.decisions.decide(asked)
        assert (decision.allowed, "no such application" in decision.reason) == (False, True)
        assert not home.services.decisions.lacks_real_name(asked)


# levels


@pytest.mark.parametrize("demand", DEMANDS)
def test_each_demand_is_met_from_its_own_level_on(home: IamHome, demand: str) -> None:
    party = signed_in(register(home, "oa", real_name_level=demand))
    opened: dict[int, bool] = {}
    for number in MEANINGS.values():
        prove(home, ("cn-gd", number))
        opened[number] = "code" in location_of(party.authorize())
    assert opened == {number: number >= DEMANDS[demand] for number in MEANINGS.values()}


def test_an_applications_own_token_names_no_person_and_is_not_asked(home: IamHome) -> None:
    both = frozenset({"authorization_code", "client_credentials"})
    party = register(home, "oa", real_name_level="certificate", grants=both)
    credentials = ClientCredentials("oa", party.secret)
    issued, _ = home.services.grants.client_credentials(credentials, None, None)
    assert issued.access_token
    assert location_of(signed_in(party).authorize())["error"] == "access_denied"


def test_my_applications_say_what_is_demanded_and_what_helps(
    home: IamHome, refused: list[Act]
) -> None:
    register(home, "oa", real_name_level="document")
    register(home, "forum")
    mine, actor = home.services.protection.applications.my_applications, person(home)

    def seen() -> dict[str, tuple[bool, str]]:
        return {one.id: (one.allowed, one.demand.en if one.demand else "") for one in mine(actor)}

    wanted = LEVEL_TEXTS[DOCUMENT].en
    assert seen() == {"oa": (False, wanted), "forum": (True, "")}
    closed = next(one for one in mine(actor) if one.id == "oa")
    assert closed.because is not None
    assert "要求实名等级 4(人证核验)" in closed.because.zh
    assert [text.zh.partition("(")[0] for text in closed.helps] == [
        "在上级身份源或其窗口将实名等级提升至 4",
        "在上级身份源或其窗口将实名等级提升至 5",
    ]
    assert reasons(refused) == []  # looking is no try
    prove(home, ("cn-gd", 4))
    assert seen()["oa"] == (True, wanted)


# registration


def test_the_demand_is_asked_for_approved_with_the_difference_and_kept(home: IamHome) -> None:
    metadata = {
        "redirect_uris": ["https://oa.example/cb"],
        "default_real_name_level": "document",
    }
    service, staff = home.services.registration, home.actor("staff")
    asked = service.request_client(staff, metadata)
    change = home.services.power.changes.view_change(home.actor("security-admin"), asked.request.id)
    shown = {one.field: (one.before, one.after) for one in change.differences}
    assert shown["real_name_level"] == (None, "document")
    service.approve_client(home.actor("security-admin"), asked.request.id, grant=True)
    registered = service.complete_client(staff, asked.request.id)
    assert registered["default_real_name_level"] == "document"
    made = next(leaf for leaf in home.leaves() if leaf["action"] == "iam.create_client")
    assert made["details"]["real_name_level"] == "document"


def test_nothing_is_demanded_where_nothing_is_said(home: IamHome) -> None:
    new = read_metadata("oa", {"redirect_uris": ["https://oa.example/cb"]})
    assert new.real_name_level == "none"
    party = register(home, "oa")
    assert describe_client(party.client)["default_real_name_level"] == "none"
    for table in (clients, cas_services):
        default = table.c.real_name_level.server_default
        assert isinstance(default, sa.DefaultClause)
        assert default.arg == "none"


@pytest.mark.parametrize("wrong", [4, True, ["document"], {"level": 4}])
def test_a_demand_that_is_no_text_is_no_metadata(wrong: Any) -> None:
    with pytest.raises(InvalidClientMetadata):
        read_metadata("oa", {"default_real_name_level": wrong})


@pytest.mark.parametrize("wrong", ["", "4", "Document", "cn-gd:4", "none "])
def test_a_demand_that_is_no_level_is_not_registered(home: IamHome, wrong: str) -> None:
    with pytest.raises(InvalidRequest, match="the real-name level is one of"):
        register(home, "oa", real_name_level=wrong)
    asked = {"redirect_uris": ["https://oa.example/cb"], "default_real_name_level": wrong}
    with pytest.raises(InvalidClientMetadata):
        home.services.registration.request_client(home.actor("staff"), asked)


def test_where_nobody_signs_in_nothing_can_be_demanded_of_people() -> None:
    job = {"grant_types": ["client_credentials"], "default_real_name_level": "self_declared"}
    with pytest.raises(InvalidRequest, match="nobody signs in"):
        check_client(read_metadata("job", job))
    assert DEMANDS["self_declared"] == SELF_DECLARED
