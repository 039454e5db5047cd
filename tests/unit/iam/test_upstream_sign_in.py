"""Signing in by a province: every kind of provider, and every way to cheat it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest

from iam.core.real_name import real_name_claim
from iam.errors import (
    LocalSignInClosed,
    SecondFactorNeeded,
    SignInRefused,
    UpstreamDown,
    UpstreamLeft,
    UpstreamRefused,
    UpstreamUnlinked,
)
from iam.models.accounts import Account, IdentityDocument, LegalPerson, NewAccount
from iam.models.sessions import FactorAttempt, Opened
from iam.models.upstream import UpstreamArrival
from secops.kernel.clock import DAY, SECOND
from secops.kernel.errors import Invalid
from tests.fakes.directory import FakeDirectory, ldap_document, person
from tests.fakes.iam_home import IamHome, open_iam_home
from tests.fakes.province import (
    CLIENT,
    ID_NUMBER,
    OIDC,
    SECRET,
    SM4_KEY,
    TRUST,
    Province,
    cas_document,
    oidc_document,
    ticket_document,
)

ARRIVAL = UpstreamArrival("192.0.2.9", "browser")
OTHER_NUMBER = "440524188001010014"


class County:
    """A county's home, and its province."""

    def __init__(self, home: IamHome, province: Province) -> None:
        self.home, self.province = home, province

    def configure(self, upstream_id: str, document: dict[str, Any], secret: str) -> None:
        service = self.home.services.upstreams
        asked = service.create_upstream(
            self.home.actor("system-admin"), upstream_id, document, secret
        )
        service.approve_upstream(self.home.actor("security-admin"), asked, grant=True)

    def hire(self, name: str, number: str = ID_NUMBER, **more: Any) -> Account:
        new = NewAccount(name, document=IdentityDocument("cn-id", number), **more)
        actor = self.home.actor("system-admin")
        return self.home.services.accounts.create_account(actor, new)[0]

    def begin(self, upstream_id: str) -> tuple[str, str]:
        begun = self.home.services.upstream_sign_in.begin(upstream_id, "a waiting request")
        return begun.location, begun.cookie

    def complete(self, upstream_id: str, cookie: str, parameters: dict[str, str]) -> Opened:
        service = self.home.services.upstream_sign_in
        done = service.complete(upstream_id, cookie, parameters, ARRIVAL)
        assert done.transaction == "a waiting request"
        return done.opened

    def by_oidc(self) -> Opened:
        location, cookie = self.begin("province")
        return self.complete("province", cookie, self.province.authorize(location))

    def by_ticket(self, ticket: str) -> Opened:
        location, cookie = self.begin("platform")
        service = parse_qs(urlsplit(location).query)["service"][0]
        state = parse_qs(urlsplit(service).query)["state"][0]
        return self.complete("platform", cookie, {"state": state, "ticket": ticket})

    def by_cas(self) -> Opened:
        location, cookie = self.begin("cas")
        return self.complete("cas", cookie, self.province.grant_ticket(location))

    def by_directory(self, name: str, password: str) -> Opened:
        _, cookie = self.begin("directory")
        return self.complete("directory", cookie, {"name": name, "password": password})

    def account(self, account: Account) -> Account:
        return self.home.services.accounts.get_account(self.home.actor("system-admin"), account.id)

    def acts(self, action: str) -> list[dict[str, Any]]:
        return [leaf for leaf in self.home.leaves() if leaf["action"] == action]


@pytest.fixture
def county(tmp_path: Path) -> Iterator[County]:
    province = Province()
    home = open_iam_home(tmp_path, outbound=province)
    province.clock = home.clock
    province.directory = FakeDirectory()
    yield County(home, province)
    home.close()


@pytest.fixture
def oidc(county: County) -> County:
    county.configure("province", oidc_document(), SECRET)
    return county


@pytest.fixture
def platform(county: County) -> County:
    county.configure("platform", ticket_document(county.province), SM4_KEY.hex())
    return county


@pytest.fixture
def cas(county: County) -> County:
    county.configure("cas", cas_document(), "unused")
    return county


@pytest.fixture
def directory(county: County) -> County:
    county.configure("directory", ldap_document(TRUST), "reads-only")
    entry = person("zhang", b"\x01\x02", employeeNumber=ID_NUMBER.encode())
    county.province.directory.entries = {
        "uid=zhang,ou=people,dc=county": ("zhang's own", entry),
        "uid=li,ou=people,dc=county": ("li's own", person("li", b"\x03")),
    }
    return county


# a first sign-in, by each kind


def test_a_person_proved_by_the_province_gets_a_session_and_a_level(oidc: County) -> None:
    account = oidc.hire("zhang.san")
    opened = oidc.by_oidc()
    session = opened.session
    assert (session.account_id, session.level, session.amr) == (account.id, 2, ("fed", "mfa"))
    assert oidc.account(account).state == "active"
    home = oidc.home
    levels = home.spine.parts.transactions.read(
        lambda tx: home.services.upstreams.means.stores.upstream_links.levels_of(tx, account.id)
    )
    now = home.clock.now()
    assert real_name_claim(levels, now) == {
        "scheme": "cn-gd",
        "level": 4,
        "source": "province",
        "at": now // SECOND,
        "exp": (now + 30 * DAY) // SECOND,
    }


def levels_after(county: County, trust: dict[str, Any]) -> list[tuple[str, int]]:
    """What is kept of an account's levels after a sign-in with ``trust``."""
    county.configure("province", {**oidc_document(), "trust": {**TRUST, **trust}}, SECRET)
    account = county.hire("zhang.san")
    county.by_oidc()
    home = county.home
    levels = home.spine.parts.transactions.read(
        lambda tx: home.services.upstreams.means.stores.upstream_links.levels_of(tx, account.id)
    )
    return [(level.scheme, level.level) for level in levels]


def test_a_number_that_its_scheme_does_not_have_is_not_taken_over(county: County) -> None:
    assert levels_after(county, {"levels": {"4": 9}}) == []


def test_an_unknown_schemes_level_is_kept_as_it_was_said(county: County) -> None:
    assert levels_after(county, {"scheme": "cn-tj", "levels": {"4": 9}}) == [("cn-tj", 9)]


def test_the_second_sign_in_needs_no_number_any_more(oidc: County) -> None:
    account = oidc.hire("zhang.san")
    oidc.by_oidc()
    oidc.province.claims = {"id_number": None}
    assert oidc.by_oidc().session.account_id == account.id
    assert len(oidc.acts("iam.link_upstream")) == 1


def test_a_ticket_signs_its_person_in(platform: County) -> None:
    account = platform.hire("zhang.san")
    opened = platform.by_ticket(platform.province.ticket(platform.province.members()))
    assert opened.session.account_id == account.id


def test_another_platforms_layout_is_data(county: County) -> None:
    settings = {
        "layout": ["version:2", "signature:70", "iv:16", "body:*"],
        "encoding": "hex",
        "cipher": "sm4-cbc",
        "signed": "plaintext",
        "signature_form": "der",
    }
    document = ticket_document(county.province, **settings)
    county.configure("platform", document, SM4_KEY.hex())
    account = county.hire("zhang.san")
    opened = county.by_ticket(county.province.cbc_ticket(county.province.members()))
    assert opened.session.account_id == account.id
    with pytest.raises(UpstreamRefused):
        county.by_ticket(county.province.cbc_ticket(county.province.members(), bytes(16)))


def test_a_cas_server_signs_its_person_in(cas: County) -> None:
    account = cas.hire("zhang.san")
    assert cas.by_cas().session.account_id == account.id
    validated = [url for url in cas.province.asked if "serviceValidate" in url]
    service = parse_qs(urlsplit(validated[0]).query)["service"][0]
    assert service.startswith("http://localhost:8080/login/upstream/cas/callback?state=")


def test_a_directory_signs_its_person_in(directory: County) -> None:
    account = directory.hire("zhang.san")
    assert directory.by_directory("zhang", "zhang's own").session.account_id == account.id


def test_a_legal_persons_account_is_found_by_its_credit_code(county: County) -> None:
    document = oidc_document(credit_code_claim="uscc")
    document["trust"] = {"link_by": ["uscc"], "assurance": 2}
    county.configure("province", document, SECRET)
    account = county.hire("company", kind="legal")
    store = county.home.services.upstreams.means.stores.legal_persons
    body = LegalPerson("leg_1", account.org_id, "91350100M000100Y43", "示例公司", 0, account.id)
    county.home.spine.parts.transactions.run(lambda tx: store.add(tx, body))
    county.province.claims = {"id_number": ID_NUMBER, "uscc": "91350100m000100y43"}
    assert county.by_oidc().session.account_id == account.id
    assert county.acts("iam.link_upstream")[-1]["details"]["rule"] == "uscc"


# who is not let in


def test_neither_a_name_nor_an_address_links_anybody(oidc: County) -> None:
    oidc.hire("zhang-3", OTHER_NUMBER)
    oidc.province.claims = {
        "email": "zhang-3",
        "email_verified": True,
        "preferred_username": "zhang-3",
        "name": "zhang-3",
    }
    with pytest.raises(UpstreamUnlinked):
        oidc.by_oidc()


def test_two_accounts_of_one_person_link_neither(oidc: County) -> None:
    oidc.hire("zhang.one")
    oidc.hire("zhang.two")
    with pytest.raises(UpstreamUnlinked):
        oidc.by_oidc()


def test_a_subject_that_becomes_somebody_else_is_refused(oidc: County) -> None:
    oidc.hire("zhang.san")
    oidc.by_oidc()
    oidc.hire("li.si", OTHER_NUMBER)
    oidc.province.claims = {"id_number": OTHER_NUMBER}
    with pytest.raises(UpstreamRefused, match="another person"):
        oidc.by_oidc()


def test_a_second_subject_does_not_reach_a_linked_account(oidc: County) -> None:
    oidc.hire("zhang.san")
    oidc.by_oidc()
    oidc.province.claims = {"sub": "somebody-new"}
    with pytest.raises(UpstreamUnlinked):
        oidc.by_oidc()


def make_administrator(county: County, account: Account) -> None:
    roles, actor = county.home.services.roles, county.home.actor("security-admin")
    run = county.home.spine.parts.transactions.run
    run(lambda tx: roles.grant(tx, actor, account, "system-admin"))


def test_administrators_stay_with_their_local_factors(oidc: County) -> None:
    account = oidc.hire("zhang.san")
    oidc.by_oidc()
    make_administrator(oidc, account)
    with pytest.raises(UpstreamRefused, match="local factors"):
        oidc.by_oidc()


def test_a_locked_account_stays_locked(oidc: County) -> None:
    account = oidc.hire("zhang.san")
    oidc.by_oidc()
    actor = oidc.home.actor("security-admin")
    oidc.home.services.accounts.lock_account(actor, account.id, "a test")
    with pytest.raises(SignInRefused):
        oidc.by_oidc()


def test_a_malformed_number_is_refused(oidc: County) -> None:
    oidc.province.claims = {"id_number": "110105194912310021"}
    with pytest.raises(UpstreamRefused, match="malformed"):
        oidc.by_oidc()


# leaving


def test_whoever_the_province_calls_closed_is_locked_here(oidc: County) -> None:
    account = oidc.hire("zhang.san")
    opened = oidc.by_oidc()
    oidc.province.claims = {"disabled": True}
    with pytest.raises(UpstreamLeft):
        oidc.by_oidc()
    assert oidc.account(account).state == "locked"
    assert oidc.home.services.sessions.by_cookie(opened.cookie) is None


def test_a_leaver_nobody_knows_here_is_only_refused(oidc: County) -> None:
    oidc.province.claims = {"disabled": True}
    with pytest.raises(UpstreamLeft):
        oidc.by_oidc()
    assert oidc.acts("iam.lock_account") == []


def test_the_scheduled_look_locks_leavers_and_only_them(oidc: County) -> None:
    stays = oidc.hire("li.si", OTHER_NUMBER)
    goes = oidc.hire("zhang.san")
    oidc.by_oidc()
    oidc.province.claims = {"sub": "li-4", "id_number": OTHER_NUMBER}
    oidc.by_oidc()
    oidc.province.gone = {"zhang-3"}
    leavers = oidc.home.services.leavers
    leavers.tick()
    assert oidc.account(goes).state == "active"
    oidc.home.clock.advance(7 * 3600)
    leavers.tick()
    assert (oidc.account(goes).state, oidc.account(stays).state) == ("locked", "active")


def test_one_whom_a_directory_cannot_tell_about_hides_no_leaver(directory: County) -> None:
    accounts = []
    for number in range(2):
        digits = _with_check(f"1101051949123100{number}")
        accounts.append(directory.hire(f"p{number}", digits))
        entry = person(f"u{number}", bytes([9, number]), employeeNumber=digits.encode())
        directory.province.directory.entries[f"uid=u{number}"] = (f"own {number}", entry)
        directory.by_directory(f"u{number}", f"own {number}")
        directory.home.clock.advance(60)
    entries = directory.province.directory.entries
    entries["uid=twin"] = entries["uid=u0"]  # two entries for the first: it cannot be told
    del entries["uid=u1"]
    directory.home.clock.advance(7 * 3600)
    directory.home.services.leavers.tick()
    assert [directory.account(one).state for one in accounts] == ["active", "locked"]


def test_a_province_that_is_down_locks_nobody(oidc: County) -> None:
    account = oidc.hire("zhang.san")
    oidc.by_oidc()
    oidc.home.clock.advance(7 * 3600)
    oidc.province.gone, oidc.province.down = {"zhang-3"}, True
    oidc.home.services.leavers.tick()
    assert oidc.account(account).state == "active"


def test_a_directory_that_forgets_everybody_at_once_is_not_believed(directory: County) -> None:
    accounts = []
    for number in range(5):
        digits = _with_check(f"1101051949123100{number}")
        accounts.append(directory.hire(f"p{number}", digits))
        entry = person(f"u{number}", bytes([9, number]), employeeNumber=digits.encode())
        directory.province.directory.entries[f"uid=u{number}"] = (f"own {number}", entry)
        directory.by_directory(f"u{number}", f"own {number}")
    directory.province.directory.entries.clear()
    directory.home.clock.advance(7 * 3600)
    directory.home.services.leavers.tick()
    assert {directory.account(one).state for one in accounts} == {"active"}
    assert len(directory.acts("iam.check_upstream")) == 1


def _with_check(first_17: str) -> str:
    total = sum(int(digit) * 2 ** (17 - i) for i, digit in enumerate(first_17))
    return first_17 + "10X98765432"[total % 11]


def test_an_administrator_is_not_locked_by_a_province_that_may_not(oidc: County) -> None:
    account = oidc.hire("zhang.san")
    oidc.by_oidc()
    make_administrator(oidc, account)
    oidc.province.claims = {"disabled": True}
    with pytest.raises(UpstreamLeft):
        oidc.by_oidc()
    assert oidc.account(account).state == "active"
    assert [act["outcome"] for act in oidc.acts("iam.lock_account")] == ["refused"]


# upstream only


def exclusive(county: County, *names: str) -> None:
    document = oidc_document()
    document["trust"] = {**TRUST, "exclusive": True, "local_names": list(names)}
    county.configure("province", document, SECRET)


def test_where_the_province_is_the_only_way_named_administrators_alone_use_passwords(
    county: County,
) -> None:
    exclusive(county, "system-admin")
    county.province.down = True
    assert county.home.sign_in("system-admin").account_name == "system-admin"
    with pytest.raises(LocalSignInClosed):
        county.home.sign_in("analyst")
    with pytest.raises(UpstreamDown):
        county.begin("province")


def test_whoever_guesses_does_not_learn_that_local_sign_in_is_closed(county: County) -> None:
    exclusive(county)
    with pytest.raises(SignInRefused):
        county.home.begin("analyst", "not the password")


def test_disabling_the_province_opens_local_sign_in_again(county: County) -> None:
    exclusive(county)
    county.home.services.upstreams.disable_upstream(
        county.home.actor("system-admin"), "province", "moved"
    )
    assert county.home.sign_in("analyst").account_name == "analyst"
    with pytest.raises(UpstreamRefused):
        county.begin("province")


# attacks on OpenID


def refused(attempt: Callable[[], object]) -> bool:
    """Tell whether a provider's answer is refused as it should be."""
    try:
        attempt()
    except (UpstreamRefused, UpstreamDown):
        return True
    return False


Attack = Callable[[County, dict[str, Any]], str]


def _hs256(county: County, claims: dict[str, Any]) -> str:
    # the public key as a shared secret: the oldest trick
    public = county.province.public_jwk()
    return jwt.encode(claims, str(public) * 2, "HS256", {"kid": county.province.kid})


def _foreign_key(county: County, claims: dict[str, Any]) -> str:
    other = Province(clock=county.home.clock)
    return jwt.encode(claims, other.key, "ES256", {"kid": county.province.kid})


TOKENS: dict[str, Attack] = {
    "none": lambda _, claims: jwt.encode(claims, None, "none", {"kid": "k1"}),
    "none without a signature": lambda _, claims: jwt.encode(claims, None, "none").rstrip("."),
    "hs256": _hs256,
    "another's key": _foreign_key,
    "jwk in the header": lambda c, claims: c.province.sign(claims, jwk=c.province.public_jwk()),
    "jku": lambda c, claims: c.province.sign(claims, jku="https://evil.example/jwks"),
    "crit": lambda c, claims: c.province.sign(claims, crit=["exp"]),
    "typ of an access token": lambda c, claims: c.province.sign(claims, typ="at+jwt"),
    "kid of a file": lambda c, claims: jwt.encode(
        claims, c.province.key, "ES256", {"kid": "../../dev/null"}
    ),
    "padding": lambda c, claims: c.province.sign(claims) + "=",
    "cut": lambda c, claims: c.province.sign(claims)[:-2],
    "too long": lambda c, claims: c.province.sign({**claims, "pad": "x" * 9_000}),
}


def test_a_forged_id_token_is_refused(oidc: County) -> None:
    oidc.hire("zhang.san")
    accepted = []
    for name, forge in TOKENS.items():
        oidc.province.encode = functools.partial(forge, oidc)
        if not refused(oidc.by_oidc):
            accepted.append(name)
    assert accepted == []


WRONG_CLAIMS: list[dict[str, Any]] = [
    {"iss": "https://other.example"},
    {"iss": f"{OIDC}/"},
    {"aud": "another-application"},
    {"aud": [CLIENT, "another-application"]},
    {"aud": [CLIENT, "another"], "azp": "another"},
    {"azp": "another"},
    {"aud": 7},
    {"nonce": "of another sign-in"},
    {"nonce": None},
    {"sub": ""},
    {"sub": 7},
    {"sub": "x" * 256},
    {"exp": 1},
    {"exp": "soon"},
    {"iat": 1},
    {"iat": 4_000_000_000},
]


def test_an_id_token_that_says_something_else_is_refused(oidc: County) -> None:
    oidc.hire("zhang.san")
    accepted = []
    for claims in WRONG_CLAIMS:
        oidc.province.claims = claims
        if not refused(oidc.by_oidc):
            accepted.append(claims)
    assert accepted == []


WRONG_ANSWERS: list[dict[str, str]] = [
    {"state": "of another sign-in"},
    {"state": ""},
    {"iss": "https://other.example"},
    {"code": ""},
    {"code": "c" * 3_000},
    {"error": "access_denied"},
]


def test_an_answer_to_another_sign_in_is_refused(oidc: County) -> None:
    oidc.hire("zhang.san")
    for other in WRONG_ANSWERS:
        location, cookie = oidc.begin("province")
        answer = {**oidc.province.authorize(location), **other}
        with pytest.raises(UpstreamRefused):
            oidc.complete("province", cookie, answer)


def test_an_answer_without_iss_is_refused_where_the_provider_names_itself(oidc: County) -> None:
    location, cookie = oidc.begin("province")
    answer = oidc.province.authorize(location)
    del answer["iss"]
    with pytest.raises(UpstreamRefused, match="another provider"):
        oidc.complete("province", cookie, answer)


def test_another_browser_gets_nothing_for_the_answer(oidc: County) -> None:
    oidc.hire("zhang.san")
    location, _ = oidc.begin("province")
    _, other_cookie = oidc.begin("province")
    for cookie in ("", "A" * 43, other_cookie):
        with pytest.raises(UpstreamRefused):
            oidc.complete("province", cookie, oidc.province.authorize(location))


def test_an_answer_works_once(oidc: County) -> None:
    oidc.hire("zhang.san")
    location, cookie = oidc.begin("province")
    answer = oidc.province.authorize(location)
    oidc.complete("province", cookie, answer)
    with pytest.raises(UpstreamRefused):
        oidc.complete("province", cookie, answer)
    # even a provider that redeems a code twice opens no second session with one state
    again = {**answer, **oidc.province.authorize(location)}
    with pytest.raises(SignInRefused):
        oidc.complete("province", cookie, again)


def test_an_answer_of_one_provider_is_no_answer_of_another(oidc: County) -> None:
    oidc.configure("second", oidc_document(), SECRET)
    location, cookie = oidc.begin("province")
    with pytest.raises(UpstreamRefused, match="another provider"):
        oidc.complete("second", cookie, oidc.province.authorize(location))


def test_a_change_of_the_provider_ends_what_was_begun(oidc: County) -> None:
    location, cookie = oidc.begin("province")
    oidc.home.clock.advance(1)
    oidc.configure("province", oidc_document(), SECRET)
    with pytest.raises(UpstreamRefused, match="begun at another"):
        oidc.complete("province", cookie, oidc.province.authorize(location))


def test_a_sign_in_takes_at_most_ten_minutes(oidc: County) -> None:
    location, cookie = oidc.begin("province")
    oidc.home.clock.advance(601)
    with pytest.raises(UpstreamRefused):
        oidc.complete("province", cookie, oidc.province.authorize(location))


def test_unknown_keys_have_the_set_read_again_at_most_once_a_minute(oidc: County) -> None:
    oidc.hire("zhang.san")
    oidc.by_oidc()

    def reads() -> int:
        return len([url for url in oidc.province.asked if url.endswith("/jwks")])

    assert reads() == 1
    oidc.province.kid = "k2"
    for _ in range(3):
        with pytest.raises(UpstreamRefused):
            oidc.by_oidc()
    assert reads() == 1
    oidc.home.clock.advance(61)
    oidc.by_oidc()
    assert reads() == 2


def test_metadata_of_another_issuer_is_refused(oidc: County) -> None:
    oidc.province.metadata = {"issuer": "https://other.example"}
    with pytest.raises(UpstreamDown):
        oidc.begin("province")


def test_a_provider_that_counts_for_one_factor_has_a_local_one_follow(county: County) -> None:
    document = oidc_document()
    document["trust"] = {**TRUST, "assurance": 1, "exclusive": True}
    county.configure("province", document, SECRET)
    number = _with_check("99999919800101003")  # the demo analyst's made-up document
    county.province.claims = {"id_number": number}
    with pytest.raises(SecondFactorNeeded) as asked:
        county.by_oidc()
    attempt = FactorAttempt(asked.value.reference, county.home.code("analyst"), "192.0.2.9")
    opened = county.home.services.sign_in.finish(attempt)
    assert (opened.account_name, opened.session.amr) == ("analyst", ("fed", "otp", "mfa"))


def test_the_providers_assurance_counts_only_as_mapped(county: County) -> None:
    document = oidc_document(acr_levels={"urn:secops:aal:2": 2, "high": 3})
    county.configure("province", document, SECRET)
    county.hire("zhang.san")
    for acr in ("urn:secops:aal:2", "high"):
        county.province.claims = {"acr": acr}
        assert county.by_oidc().session.level == 2
    county.province.claims = {"acr": "unheard of"}
    with pytest.raises(SecondFactorNeeded):
        county.by_oidc()


def test_userinfo_adds_only_what_is_about_the_same_subject(county: County) -> None:
    county.configure("province", oidc_document(userinfo=True), SECRET)
    account = county.hire("zhang.san")
    county.province.claims = {"id_number": None}
    county.province.userinfo = {"sub": "zhang-3", "id_number": ID_NUMBER}
    # the token's own claims win, even where they are null
    with pytest.raises(UpstreamUnlinked):
        county.by_oidc()
    del county.province.claims["id_number"]
    assert county.by_oidc().session.account_id == account.id
    county.province.userinfo = {"sub": "somebody-else", "id_number": ID_NUMBER}
    with pytest.raises(UpstreamRefused, match="somebody else"):
        county.by_oidc()


def test_a_request_that_no_cookie_can_hold_is_refused(oidc: County) -> None:
    with pytest.raises(Invalid):
        oidc.home.services.upstream_sign_in.begin("province", "t" * 4_000)


# attacks on tickets


WRONG_MEMBERS: list[dict[str, Any]] = [
    {"iss": "another-platform"},
    {"aud": "another-service"},
    {"sub": ""},
    {"sub": None},
    {"jti": ""},
    {"iat": 1},
    {"iat": "now"},
    {"iat": 4_000_000_000},
]


def test_a_ticket_that_says_something_else_is_refused(platform: County) -> None:
    platform.hire("zhang.san")
    province = platform.province
    for members in WRONG_MEMBERS:
        with pytest.raises(UpstreamRefused):
            platform.by_ticket(province.ticket(province.members(**members)))


def test_a_ticket_is_used_once(platform: County) -> None:
    platform.hire("zhang.san")
    ticket = platform.province.ticket(platform.province.members())
    platform.by_ticket(ticket)
    with pytest.raises(UpstreamRefused, match="used before"):
        platform.by_ticket(ticket)


def test_a_ticket_of_yesterday_is_refused(platform: County) -> None:
    platform.hire("zhang.san")
    ticket = platform.province.ticket(platform.province.members())
    platform.home.clock.advance(121)
    with pytest.raises(UpstreamRefused, match="expired"):
        platform.by_ticket(ticket)


def test_a_changed_unsigned_or_foreign_ticket_is_refused(platform: County) -> None:
    province = platform.province
    members = province.members()
    right = province.ticket(members)
    forger = Province(clock=platform.home.clock)
    wrong = [
        right[:-4],
        right[:20] + ("A" if right[20] != "A" else "B") + right[21:],
        right + "==",
        forger.ticket(members),
        province.ticket(members, key=bytes(16)),
        province.ticket(b"[1]"),
        province.ticket(b"not json"),
        "",
        "A" * 9_000,
    ]
    for ticket in wrong:
        with pytest.raises(UpstreamRefused):
            platform.by_ticket(ticket)


def test_a_state_inside_the_ticket_must_be_ours(county: County) -> None:
    document = ticket_document(county.province, state_field="state")
    county.configure("platform", document, SM4_KEY.hex())
    county.hire("zhang.san")
    with pytest.raises(UpstreamRefused, match="another sign-in"):
        county.by_ticket(county.province.ticket(county.province.members(state="x")))


def test_a_ticket_pushed_into_a_browser_that_asked_for_nothing_is_refused(
    platform: County,
) -> None:
    ticket = platform.province.ticket(platform.province.members())
    _, cookie = platform.begin("platform")
    with pytest.raises(UpstreamRefused, match="another sign-in"):
        platform.complete("platform", cookie, {"state": "mine", "ticket": ticket})


# attacks on CAS


def test_a_cas_ticket_is_validated_once_for_our_service_alone(cas: County) -> None:
    cas.hire("zhang.san")
    location, cookie = cas.begin("cas")
    answer = cas.province.grant_ticket(location)
    cas.complete("cas", cookie, answer)
    with pytest.raises(UpstreamRefused, match="INVALID_TICKET"):
        cas.complete("cas", cookie, answer)
    other = cas.province.grant_ticket(cas.begin("cas")[0])
    location, cookie = cas.begin("cas")
    mixed = {**cas.province.grant_ticket(location), "ticket": other["ticket"]}
    with pytest.raises(UpstreamRefused, match="INVALID_SERVICE"):
        cas.complete("cas", cookie, mixed)


NO_TICKETS = ["", "ST-1&service=https://evil.example", "ST-1 x", "PT-1", "ST-" + "x" * 300]


def test_a_cas_ticket_is_a_ticket_and_nothing_else(cas: County) -> None:
    for ticket in NO_TICKETS:
        location, cookie = cas.begin("cas")
        answer = {**cas.province.grant_ticket(location), "ticket": ticket}
        with pytest.raises(UpstreamRefused, match="no service ticket"):
            cas.complete("cas", cookie, answer)


_TWICE = f"<cas:idNumber>1</cas:idNumber><cas:idNumber>{ID_NUMBER}</cas:idNumber>"
BODIES = [
    "<cas:user>zhang-3<!-- --></cas:user>",
    "<cas:user><![CDATA[zhang-3]]></cas:user>",
    "<cas:user>zhang-3<?x y?></cas:user>",
    "<cas:user>zhang-3</cas:user><cas:user>li-4</cas:user>",
    "<cas:user/>",
    "<cas:user><cas:b>zhang-3</cas:b></cas:user>",
    "<cas:user>zhang-3</cas:user><cas:proxies><cas:proxy>x</cas:proxy></cas:proxies>",
    f"<cas:user>zhang-3</cas:user><cas:attributes>{_TWICE}</cas:attributes>",
    "<cas:user>zhang-3</cas:user>" + "<cas:a/>" * 600,
    "<cas:user>zhang-3</cas:user>" + " " * 70_000,
    "<cas:user>",
]


def test_xml_in_which_two_readers_could_see_two_users_is_refused(cas: County) -> None:
    cas.hire("zhang.san")
    accepted = []
    for body in BODIES:
        cas.province.cas_body = body
        if not refused(cas.by_cas):
            accepted.append(body[:80])
    assert accepted == []


# attacks on directories


def test_an_empty_password_is_no_password(directory: County) -> None:
    directory.hire("zhang.san")
    with pytest.raises(UpstreamRefused, match="needed"):
        directory.by_directory("zhang", "")
    assert directory.province.directory.said == []


def test_a_name_is_never_a_filter(directory: County) -> None:
    directory.hire("zhang.san")
    names = ["*", "zhang)(uid=*", "zhang*", "*)(|(uid=*", "\\2a", "zhang\x00", "zh(ang"]
    for name in names:
        with pytest.raises(UpstreamRefused, match="exactly one"):
            directory.by_directory(name, "zhang's own")
    asked = [said["filter"] for kind, said in directory.province.directory.said if kind[0] == "s"]
    assert [parts[1][1][1]["assertionValue"] for parts in asked] == [n.encode() for n in names]


def test_a_wrong_password_and_a_stranger_are_refused_alike(directory: County) -> None:
    directory.hire("zhang.san")
    for name, password in (("zhang", "wrong"), ("nobody", "zhang's own")):
        with pytest.raises(UpstreamRefused):
            directory.by_directory(name, password)


def test_two_hits_are_no_hit(directory: County) -> None:
    entries = directory.province.directory.entries
    entries["uid=zhang,ou=other"] = ("other", person("zhang", b"\x09"))
    with pytest.raises(UpstreamRefused, match="exactly one"):
        directory.by_directory("zhang", "zhang's own")


def test_wrong_passwords_at_a_directory_are_counted_here(directory: County) -> None:
    directory.hire("zhang.san")
    for _ in range(5):
        with pytest.raises(UpstreamRefused, match="refused the password"):
            directory.by_directory("zhang", "wrong")
    with pytest.raises(UpstreamRefused, match="too many"):
        directory.by_directory("zhang", "zhang's own")
    directory.home.clock.advance(31 * 60)
    directory.by_directory("zhang", "zhang's own")


def test_a_disabled_entry_is_locked_here_and_tells_nobody(directory: County) -> None:
    account = directory.hire("zhang.san")
    directory.by_directory("zhang", "zhang's own")
    name = "uid=zhang,ou=people,dc=county"
    entries = directory.province.directory.entries
    entries[name][1]["userAccountControl"] = [b"514"]
    with pytest.raises(UpstreamRefused, match="refused the password"):
        directory.by_directory("zhang", "anything")
    assert directory.account(account).state == "locked"


def test_a_referral_is_not_followed(directory: County) -> None:
    account = directory.hire("zhang.san")
    referral = bytes.fromhex("30160201027311040f") + b"ldap://evil.exa"
    directory.province.directory.extra = [b"", referral]
    assert directory.by_directory("zhang", "zhang's own").session.account_id == account.id
    assert [u for u in directory.province.asked if "evil" in u] == []


JUNK = [
    b"\x30\x80\x00\x00",
    b"\x30\x84\x7f\xff\xff\xff",
    b"\x30\x85\x01\x00\x00\x00\x00",
    b"\x31\x03\x02\x01\x01",
    b"\x30\x07\x02\x01\x09\x61\x02\x0a\x00",
    b"\x30\x05\x02\x01\x01\x61\x00",
    b"\x30\x07\x02\x01\x01\x78\x02\x0a\x00",
    b"\x30\x00",
    b"\x30\x04\x02\x02\x01\x01",
]


def test_a_directory_that_sends_junk_is_refused(directory: County) -> None:
    directory.hire("zhang.san")
    for number, junk in enumerate(JUNK):
        directory.province.directory.extra = [junk]
        name = f"zhang{number}"  # each name its own counter of wrong passwords
        attempt = functools.partial(directory.by_directory, name, "zhang's own")
        assert refused(attempt), junk.hex()
        directory.home.clock.advance(3_600)


def test_every_refusal_stands_in_the_ledger_without_the_person(oidc: County) -> None:
    with pytest.raises(UpstreamUnlinked):
        oidc.by_oidc()
    leaves = oidc.acts("iam.sign_in_upstream")
    assert [leaf["details"]["code"] for leaf in leaves] == ["iam.upstream_unlinked"]
    assert ID_NUMBER not in str(oidc.home.leaves())
    assert "zhang-3" not in str(oidc.home.leaves())


def test_no_provider_no_sign_in(county: County) -> None:
    with pytest.raises(UpstreamRefused):
        county.begin("province")
    assert county.home.services.upstream_sign_in.buttons() == []
    assert county.home.services.upstream_sign_in.transaction_of("nonsense") == ""
