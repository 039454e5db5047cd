"""A county signs in through its province; both are homes of ours, each with its own keys.

The province proves a legal person's account with password and TOTP, and says whose credit
code and which real-name level stand behind it; the county knows nothing but the code.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from iam.errors import LocalSignInClosed, UpstreamDown
from iam.models.accounts import LegalPerson, NewAccount
from iam.models.clients import NewClient
from iam.models.real_name import DOCUMENT
from iam.models.upstream import RealNameLevel, UpstreamArrival
from iam.service.upstream.sign_in import UpstreamOpened
from iam.store.tables import accounts
from secops.kernel.actors import ROOT_ORG
from secops.kernel.clock import DAY
from tests.fakes.iam_home import OWNER, IamHome, open_iam_home
from tests.fakes.plane_wire import PlaneWire

PROVINCE, COUNTY = "https://id.province.example", "https://county.example"
CODE = "91350100M000100Y43"
COMPANY = "staff"  # the demo account that stands for the company at the province


class Story:
    def __init__(self, province: IamHome, county: IamHome, wire: PlaneWire) -> None:
        self.province, self.county, self.wire = province, county, wire

    def register_company(self) -> str:
        """Give the company an account on both sides; return the county's."""
        stores = self.province.services.upstreams.means.stores
        seller = self.province.actor(COMPANY)
        body = LegalPerson("leg_1", ROOT_ORG, CODE, "示例公司", 0, seller.id)
        now = self.province.clock.now()
        level = RealNameLevel(seller.id, ROOT_ORG, "cn-gd", 4, "counter", now, now + DAY)
        run = self.province.spine.parts.transactions.run
        legal = accounts.update().where(accounts.c.id == seller.id).values(kind="legal")
        run(lambda tx: tx.execute(legal))
        run(lambda tx: stores.legal_persons.add(tx, body))
        run(lambda tx: stores.upstream_links.put_level(tx, level))
        made, _ = self.county.services.accounts.create_account(
            self.county.actor("system-admin"), NewAccount("company", kind="legal")
        )
        here = LegalPerson("leg_9", ROOT_ORG, CODE, "示例公司", 0, made.id)
        self.county.spine.parts.transactions.run(
            lambda tx: self.county.services.upstreams.means.stores.legal_persons.add(tx, here)
        )
        return made.id

    def connect(self) -> None:
        """Register the county at the province, and the province in the county."""
        issued = self.province.services.clients.make(
            OWNER,
            NewClient(
                id="county",
                name="某县",
                redirect_uris=(f"{COUNTY}/login/upstream/province/callback",),
                grants=frozenset({"authorization_code"}),
                scopes=frozenset({"openid", "legal_person", "real_name"}),
            ),
            ROOT_ORG,
        )
        document = {
            "kind": "oidc",
            "title": "省统一身份认证中心",
            "settings": {
                "issuer": PROVINCE,
                "client_id": "county",
                "credit_code_claim": "credit_code",
                "level_claim": "real_name_level",
                "acr_levels": {"urn:secops:aal:2": 2},
            },
            "trust": {
                "link_by": ["uscc"],
                "scheme": "cn-gd",
                "levels": {"cn-gd:4": 4},
                "exclusive": True,
                "local_names": ["system-admin", "security-admin"],
            },
        }
        service = self.county.services.upstreams
        admin = self.county.actor("system-admin")
        asked = service.create_upstream(admin, "province", document, issued.secret or "")
        service.approve_upstream(self.county.actor("security-admin"), asked, grant=True)

    def sign_in(self, cookie: str) -> UpstreamOpened:
        """What the browser does, with a session at the province behind ``cookie``."""
        here = self.county.services.upstream_sign_in
        begun = here.begin("province", "a request")
        assert begun.location.startswith(f"{PROVINCE}/oauth2/authorize?")
        asked = dict(parse_qsl(urlsplit(begun.location).query))
        answer = self.province.services.authorize.authorize(asked, cookie)
        assert answer.location.startswith(f"{COUNTY}/login/upstream/province/callback?")
        back = dict(parse_qsl(urlsplit(answer.location).query))
        return here.complete("province", begun.cookie, back, UpstreamArrival("192.0.2.7"))


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    (tmp_path / "province").mkdir()
    (tmp_path / "county").mkdir()
    province = open_iam_home(tmp_path / "province", issuer=PROVINCE)
    wire = PlaneWire(province)
    county = open_iam_home(tmp_path / "county", issuer=COUNTY, outbound=wire)
    yield Story(province, county, wire)
    county.close()
    province.close()


def test_a_county_signs_in_through_its_province(story: Story) -> None:
    account_id = story.register_company()
    story.connect()
    at_province = story.province.sign_in(COMPANY)
    done = story.sign_in(at_province.cookie)
    session = done.opened.session
    assert (session.account_id, session.level, session.amr) == (account_id, 2, ("fed", "mfa"))
    assert story.county.services.sessions.by_cookie(done.opened.cookie) is not None

    # a second time by the subject alone, and a forged browser gets nothing
    assert story.sign_in(at_province.cookie).opened.session.account_id == account_id

    # the province is away: named administrators only, everybody else is told so
    story.wire.down = True
    story.county.clock.advance(3_700)
    assert story.county.sign_in("system-admin").account_name == "system-admin"
    with pytest.raises(LocalSignInClosed):
        story.county.sign_in("analyst")
    with pytest.raises(UpstreamDown):
        story.sign_in(at_province.cookie)


def test_the_county_takes_the_provinces_level_with_scheme_source_and_end(story: Story) -> None:
    account_id = story.register_company()
    story.connect()
    story.sign_in(story.province.sign_in(COMPANY).cookie)
    store = story.county.services.upstreams.means.stores.upstream_links
    levels = story.county.spine.parts.transactions.read(lambda tx: store.levels_of(tx, account_id))
    now = story.county.clock.now()
    assert [(one.scheme, one.level, one.source) for one in levels] == [("cn-gd", 4, "province")]
    assert now < levels[0].expires_at <= now + DAY
    means = story.county.services.upstreams.means
    assert means.schemes.rung(levels[0].scheme, levels[0].level) == DOCUMENT
