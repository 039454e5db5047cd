"""Legal persons, who may act for them, and a session that does."""

from __future__ import annotations

import base64
from dataclasses import replace

import orjson
import pytest

from iam.core.mandates import check_covered, check_dates, covers, holds, mandate_text
from iam.errors import (
    AccessDenied,
    IdentityInvalid,
    InvalidRequest,
    MandateRefused,
    NameTaken,
    TokenRefused,
)
from iam.models.accounts import LegalPerson, Mandate
from iam.models.clients import Client, NewClient
from iam.models.grants import TokenContent
from iam.models.sessions import OpSession
from iam.service.people.mandates import NewMandate
from secops.kernel.actors import Actor
from secops.kernel.clock import DAY
from secops.kernel.errors import Forbidden, NotFound, Unavailable
from secops.kernel.pages import PageRequest
from secops.kernel.transactions import Transaction
from tests.fakes.iam_home import OWNER, IamHome
from tests.fakes.identity_keys import FakeMandateSigner
from tests.fakes.knowing import know_well
from tests.fakes.second_account import second_account

CODE = "91350100M000100Y43"


@pytest.fixture
def legal(home: IamHome) -> LegalPerson:
    know_well(home, "seal-holder")
    return home.services.power.mandates.create_legal_person(
        home.actor("system-admin"), CODE, "示例公司", "seal-holder"
    )


def wanted(
    home: IamHome, legal: LegalPerson, agent: str = "staff", **changes: object
) -> NewMandate:
    now = home.clock.now()
    new = NewMandate(legal.id, agent, "年度申报", now, now + 30 * DAY, ("demo-app",), ("seal_1",))
    return replace(new, **changes)  # type: ignore[arg-type] # one of its fields


def grant(home: IamHome, legal: LegalPerson, agent: str = "staff") -> Mandate:
    granter = home.actor("seal-holder")
    return home.services.power.mandates.grant_own_mandate(granter, wanted(home, legal, agent))


def signed_in(home: IamHome, name: str) -> Actor:
    opened = home.sign_in(name)
    return replace(home.actor(name), session_id=opened.session.id)


def test_a_legal_representative_grants_and_the_agent_acts(
    home: IamHome, legal: LegalPerson
) -> None:
    mandate, power = grant(home, legal), home.services.power
    agent = signed_in(home, "staff")
    assert [each.id for each in power.mandates.own_mandates(agent)] == [mandate.id]
    assert [each.legal_person.name for each in power.acting.choices(agent)] == ["示例公司"]
    power.acting.act_for(agent, mandate.id)
    context = power.acting.context_of(agent.session_id or "")
    assert context is not None
    assert context.claims("pairwise-1") == {
        "sub": legal.id,
        "act": {"sub": "pairwise-1"},
        "mandate": mandate.id,
    }
    leaf = next(leaf for leaf in home.leaves() if leaf["action"] == "iam.act_for")
    assert (leaf["target"], leaf["details"]["agent"]) == (f"legal_person:{legal.id}", agent.id)
    power.acting.act_for(agent, None)
    assert power.acting.context_of(agent.session_id or "") is None


def test_nobody_names_or_unlocks_an_account_of_their_own_by_another_one(
    home: IamHome, legal: LegalPerson
) -> None:
    disguised = second_account(home, "staff", "system-admin")
    with pytest.raises(Forbidden):
        home.services.power.mandates.set_representative(disguised, legal.id, "staff")
    home.services.accounts.lock_account(home.actor("system-admin"), "staff", "strange")
    with pytest.raises(Forbidden):
        home.services.accounts.unlock_account(disguised, "staff", "it is fine")
    with pytest.raises(Forbidden):
        home.services.resets.request_reset(disguised, "staff", "lost phone")


def test_a_revoked_mandate_ends_the_acting_and_is_in_the_epoch(
    home: IamHome, legal: LegalPerson
) -> None:
    mandate, power = grant(home, legal), home.services.power
    agent = signed_in(home, "staff")
    power.acting.act_for(agent, mandate.id)
    assert power.acting.ended(mandate.id) is False
    power.mandates.revoke_mandate(home.actor("seal-holder"), mandate.id)
    assert power.acting.ended(mandate.id) is True
    assert list(power.mandates.own_mandates(agent)) == []
    with pytest.raises(MandateRefused):
        power.acting.act_for(agent, mandate.id)
    with pytest.raises(NotFound):
        power.mandates.revoke_mandate(home.actor("seal-holder"), mandate.id)


def test_a_mandate_that_ran_out_does_not_turn_the_session_into_the_agents_own(
    home: IamHome, legal: LegalPerson
) -> None:
    mandate, power = grant(home, legal), home.services.power
    agent = signed_in(home, "staff")
    power.acting.act_for(agent, mandate.id)
    home.clock.advance(30 * 86_400)
    with pytest.raises(MandateRefused):
        power.acting.context_of(agent.session_id or "")


def test_only_the_representative_grants_and_nobody_passes_it_on(
    home: IamHome, legal: LegalPerson
) -> None:
    mandate, power = grant(home, legal), home.services.power
    agent = signed_in(home, "staff")
    power.acting.act_for(agent, mandate.id)
    with pytest.raises(MandateRefused):
        power.mandates.grant_own_mandate(agent, wanted(home, legal, "analyst"))
    with pytest.raises(MandateRefused):
        power.mandates.grant_own_mandate(home.actor("analyst"), wanted(home, legal, "staff"))
    representative = signed_in(home, "seal-holder")
    other = power.mandates.create_legal_person(
        home.actor("system-admin"), "91440300708461136T", "另一公司", "staff"
    )
    know_well(home, "staff")
    for_other = power.mandates.grant_own_mandate(
        home.actor("staff"), wanted(home, other, "seal-holder")
    )
    power.acting.act_for(representative, for_other.id)
    with pytest.raises(MandateRefused):
        power.mandates.grant_own_mandate(representative, wanted(home, legal, "analyst"))


def test_the_granter_is_known_well_or_signed_in_by_certificate(
    home: IamHome, legal: LegalPerson
) -> None:
    know_well(home, "seal-holder", 3)
    with pytest.raises(MandateRefused):
        grant(home, legal)
    representative = signed_in(home, "seal-holder")
    with pytest.raises(MandateRefused):
        home.services.power.mandates.grant_own_mandate(representative, wanted(home, legal))
    by_certificate(home, representative)
    made = home.services.power.mandates.grant_own_mandate(representative, wanted(home, legal))
    assert made.granter_id == representative.id


def by_certificate(home: IamHome, actor: Actor) -> None:
    from iam.store.tables import sessions  # noqa: PLC0415 - as a UKey's sign-in leaves it

    def work(tx: Transaction) -> None:
        tx.execute(sessions.update().where(sessions.c.id == actor.session_id).values(amr="hwk sm2"))

    home.spine.transactions.run(work)


def test_a_clerk_records_what_was_signed_on_paper_under_the_same_rules(
    home: IamHome, legal: LegalPerson
) -> None:
    mandates, system = home.services.power.mandates, home.actor("system-admin")
    made = mandates.grant_mandate(system, wanted(home, legal))
    assert (made.granter_id, made.granted_by) == (legal.representative_id, system.id)
    assert [each.id for each in mandates.list_mandates(home.actor("auditor"), legal.id)] == [
        made.id
    ]
    with pytest.raises(Forbidden):
        mandates.grant_mandate(system, wanted(home, legal, "system-admin"))
    with pytest.raises(NotFound):
        mandates.grant_mandate(system, wanted(home, replace(legal, id="leg_x")))
    with pytest.raises(MandateRefused):
        mandates.grant_mandate(system, wanted(home, legal, "seal-holder"))
    with pytest.raises(Forbidden):
        mandates.grant_mandate(home.actor("analyst"), wanted(home, legal))
    nobodys = mandates.create_legal_person(system, "91440300708461136T", "无代表公司")
    with pytest.raises(MandateRefused):
        mandates.grant_mandate(system, wanted(home, nobodys))
    with pytest.raises(Forbidden):
        mandates.revoke_mandate(home.actor("analyst"), made.id)
    mandates.revoke_mandate(home.actor("staff"), made.id)


def test_another_representative_ends_what_the_last_one_granted(
    home: IamHome, legal: LegalPerson
) -> None:
    mandate, power = grant(home, legal), home.services.power
    power.mandates.set_representative(home.actor("system-admin"), legal.id, "integrator")
    assert power.acting.ended(mandate.id) is True
    with pytest.raises(MandateRefused):
        grant(home, legal)


@pytest.mark.parametrize(
    ("field", "value"),
    [("scope", "一切"), ("ends_at", 1 << 60), ("agent_id", "acc_x"), ("services", ("all",))],
)
def test_a_mandate_changed_in_the_database_is_refused(
    home: IamHome, legal: LegalPerson, field: str, value: object
) -> None:
    mandate, acting = grant(home, legal), home.services.power.acting
    if field == "agent_id":
        value = home.actor("analyst").id
    forged = replace(mandate, **{field: value})  # type: ignore[arg-type] # one of its fields
    home.spine.transactions.read(lambda tx: acting.verify(tx, mandate))
    for wrong in (forged, replace(mandate, signature=None), replace(mandate, signature=b"x")):
        with pytest.raises(MandateRefused):
            home.spine.transactions.read(lambda tx, wrong=wrong: acting.verify(tx, wrong))


def test_an_agent_who_is_locked_acts_for_nobody(home: IamHome, legal: LegalPerson) -> None:
    mandate, acting = grant(home, legal), home.services.power.acting
    home.services.accounts.lock_account(home.actor("security-admin"), "staff", "suspicion")
    with pytest.raises(MandateRefused):
        home.spine.transactions.read(lambda tx: acting.verify(tx, mandate))


def test_a_locked_pool_signs_no_mandate(home: IamHome, legal: LegalPerson) -> None:
    signer = home.services.power.acting.signer
    assert isinstance(signer, FakeMandateSigner)
    signer.locked = True
    with pytest.raises(Unavailable):
        grant(home, legal)
    assert list(home.services.power.mandates.list_mandates(home.actor("auditor"), legal.id)) == []


def test_another_agents_mandate_is_not_there(home: IamHome, legal: LegalPerson) -> None:
    mandate = grant(home, legal)
    with pytest.raises(NotFound):
        home.services.power.acting.act_for(signed_in(home, "analyst"), mandate.id)
    with pytest.raises(MandateRefused):
        home.services.power.acting.act_for(home.actor("staff"), mandate.id)


def test_a_credit_code_is_checked_and_registered_once(home: IamHome, legal: LegalPerson) -> None:
    mandates, system = home.services.power.mandates, home.actor("system-admin")
    with pytest.raises(NameTaken):
        mandates.create_legal_person(system, CODE.lower(), "again")
    with pytest.raises(IdentityInvalid):
        mandates.create_legal_person(system, CODE[:-1] + "4", "wrong check")
    page = mandates.list_legal_persons(home.actor("auditor"), PageRequest(5))
    assert [each.id for each in page.items] == [legal.id]


def test_what_a_mandate_covers_is_named(home: IamHome, legal: LegalPerson) -> None:
    mandate, acting = grant(home, legal), home.services.power.acting
    agent = signed_in(home, "staff")
    context = acting.act_for(agent, mandate.id)
    assert context is not None
    acting.require_covered(context, "service", "demo-app")
    acting.require_covered(context, "seal", "seal_1")
    for kind, name in (("service", "seal_1"), ("seal", "demo-app"), ("other", "demo-app")):
        assert covers(mandate, kind, name) is False
        with pytest.raises(MandateRefused):
            acting.require_covered(context, kind, name)


@pytest.mark.parametrize(
    ("services", "seals"),
    [
        ((), ()),
        (("a", "a"), ()),
        (("",), ()),
        (("x" * 129,), ()),
        ((), tuple(map(str, range(101)))),
    ],
)
def test_a_mandate_without_bounds_is_refused(
    services: tuple[str, ...], seals: tuple[str, ...]
) -> None:
    with pytest.raises(InvalidRequest):
        check_covered(services, seals)


@pytest.mark.parametrize(
    ("starts", "ends"), [(0, 0), (10, 5), (-10, -5), (0, 1_200), (1_200 * 3, 1_200 * 3 + 1)]
)
def test_a_mandates_dates_are_bounded(starts: int, ends: int) -> None:
    with pytest.raises(InvalidRequest):
        check_dates(100 * DAY, (100 + starts) * DAY, (100 + ends) * DAY)


def test_a_mandate_holds_from_its_start_to_before_its_end() -> None:
    mandate = Mandate("man_1", "o", "leg_1", "acc_1", "s", 10, 20, "acc_2")
    assert [holds(mandate, now) for now in (9, 10, 19, 20)] == [False, True, True, False]
    assert holds(replace(mandate, revoked_at=15), 12) is False


def test_every_field_of_a_mandate_is_signed() -> None:
    legal = LegalPerson("leg_1", "o", CODE, "n", 0)
    mandate = Mandate(
        "man_1", "o", "leg_1", "acc_1", "s", 10, 20, "acc_2", services=("a",), granter_id="acc_3"
    )
    others = [
        replace(mandate, id="x"),
        replace(mandate, org_id="x"),
        replace(mandate, agent_id="x"),
        replace(mandate, granter_id="x"),
        replace(mandate, scope="x"),
        replace(mandate, starts_at=11),
        replace(mandate, ends_at=21),
        replace(mandate, services=("a", "b")),
        replace(mandate, services=(), seals=("a",)),
        replace(mandate, granted_at=1),
    ]
    texts = {mandate_text(each, legal) for each in (mandate, *others)}
    assert len(texts) == len(others) + 1
    assert mandate_text(mandate, replace(legal, credit_code="x")) not in texts


# tokens


def payload(token: str) -> dict[str, object]:
    middle = token.split(".")[1]
    read: dict[str, object] = orjson.loads(
        base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4))
    )
    return read


def office(home: IamHome) -> Client:
    new = NewClient(
        "demo-app",
        "办事",
        ("https://oa.example/cb",),
        frozenset({"authorization_code"}),
        scopes=frozenset({"openid", "api"}),
    )
    return home.services.clients.make(OWNER, new, "org_root").client


def issue(home: IamHome, client: Client, session_id: str) -> str:
    grants, means = home.services.grants, home.services.accounts.means
    content = TokenContent(grants.issuer.token_id(), frozenset({"openid", "api"}), None, None)

    def work(tx: Transaction) -> tuple[OpSession, TokenContent]:
        session = means.stores.sessions.get(tx, session_id)
        assert session is not None
        issued = ("authorization_code", content.token_id)
        acting = grants.note_issue(tx, client, session, issued)
        return session, replace(content, acting=acting)

    return grants.hand_out(client, *home.spine.transactions.run(work)).access_token


def test_a_token_names_legal_person_agent_and_mandate_and_ends_with_it(
    home: IamHome, legal: LegalPerson
) -> None:
    client, agent = office(home), signed_in(home, "staff")
    own = payload(issue(home, client, agent.session_id or ""))
    mandate, power = grant(home, legal), home.services.power
    power.acting.act_for(agent, mandate.id)
    token = issue(home, client, agent.session_id or "")
    claims = payload(token)
    assert claims["act"] == {"sub": own["sub"]}
    assert claims["mandate"] == mandate.id
    assert claims["sub"] == home.services.grants.issuer.subject(client, legal.id)
    leaf = [leaf for leaf in home.leaves() if leaf["action"] == "iam.issue_token"][-1]
    assert leaf["details"]["legal_person"] == legal.id
    assert leaf["details"]["agent"] == agent.id
    assert home.services.verification.inspect(token).claims.mandate == mandate.id
    power.mandates.revoke_mandate(home.actor("seal-holder"), mandate.id)
    with pytest.raises(TokenRefused):
        home.services.verification.inspect(token)


def test_no_token_is_given_where_the_mandate_is_over_or_covers_something_else(
    home: IamHome, legal: LegalPerson
) -> None:
    client, agent = office(home), signed_in(home, "staff")
    acting, mandates = home.services.power.acting, home.services.power.mandates
    other = mandates.grant_own_mandate(
        home.actor("seal-holder"), wanted(home, legal, services=("another-app",))
    )
    acting.act_for(agent, other.id)
    with pytest.raises(AccessDenied):
        issue(home, client, agent.session_id or "")
    acting.act_for(agent, grant(home, legal).id)
    home.clock.advance(30 * 86_400)
    with pytest.raises(AccessDenied):
        issue(home, client, agent.session_id or "")
