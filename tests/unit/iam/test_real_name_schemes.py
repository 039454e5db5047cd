"""What a province's real-name level stands for: read from data, and nothing where unknown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iam.adapters.shipped import real_name_texts
from iam.core.real_name import read_schemes
from iam.errors import RealNameSchemesInvalid
from iam.models.real_name import (
    CERTIFICATE,
    DOCUMENT,
    MAX_SCHEMES_TEXT,
    MEANINGS,
    SELF_DECLARED,
    TWO_ELEMENTS,
    RealNameSchemes,
)
from iam.models.upstream import RealNameLevel
from iam.service.zero_trust.policies import NewPolicies
from secops.kernel.clock import DAY
from tests.fakes.iam_home import IamHome, open_iam_home
from tests.fakes.relying_party import RelyingParty, location_of, register

GOOD = """
[[scheme]]
id = "cn-xx"
title = { zh = "某省", en = "Some province" }
source = "a paper"
levels = [
  { number = 1, meaning = "self_declared" },
  { number = 2, meaning = "document" },
  { number = 3, meaning = "document" },
]
"""


def real_name_schemes(own: Path | None = None) -> RealNameSchemes:
    return read_schemes(*real_name_texts(own))


@pytest.fixture
def house(tmp_path: Path) -> Iterator[IamHome]:
    opened = open_iam_home(tmp_path)
    yield opened
    opened.close()


def test_the_shipped_file_says_what_guangdongs_levels_stand_for() -> None:
    schemes = real_name_schemes()
    assert set(schemes.known) == {"cn-gd"}
    found = {number: schemes.rung("cn-gd", number) for number in range(10)}
    assert {number: rung for number, rung in found.items() if rung} == {
        2: SELF_DECLARED,
        3: TWO_ELEMENTS,
        4: DOCUMENT,
        5: CERTIFICATE,
    }


def test_every_shipped_scheme_names_its_source_and_both_languages() -> None:
    for scheme in real_name_schemes().known.values():
        assert (scheme.source != "", scheme.title.zh != scheme.title.en) == (True, True)
        assert set(scheme.rungs.values()) <= set(MEANINGS.values())


@pytest.mark.parametrize(("scheme", "level"), [("cn-tj", 4), ("cn-gd", 1), ("cn-gd", 6), ("", 4)])
def test_what_is_not_listed_stands_for_nothing(scheme: str, level: int) -> None:
    assert real_name_schemes().rung(scheme, level) == 0
    assert RealNameSchemes().rung("cn-gd", 4) == 0


def test_an_own_file_adds_schemes_and_changes_none(tmp_path: Path) -> None:
    own = tmp_path / "schemes.toml"
    own.write_text(GOOD)
    schemes = real_name_schemes(own)
    assert (schemes.rung("cn-xx", 3), schemes.rung("cn-gd", 4)) == (DOCUMENT, DOCUMENT)
    own.write_text(GOOD.replace("cn-xx", "cn-gd"))
    with pytest.raises(RealNameSchemesInvalid, match="told already"):
        real_name_schemes(own)
    own.write_bytes(b"\xff")
    for file in (own, tmp_path / "none.toml"):
        with pytest.raises(RealNameSchemesInvalid, match="can't be read"):
            real_name_schemes(file)


BENT = {
    "no TOML": ("[[scheme]]", "[[scheme"),
    "another table": ("[[scheme]]", "[own]\nx = 1\n[[scheme]]"),
    "no list": ("[[scheme]]", "[scheme]"),
    "a field too many": ('id = "cn-xx"', 'id = "cn-xx"\nnote = ""'),
    "a field too few": ('source = "a paper"', ""),
    "no source": ('"a paper"', '""'),
    "a name": ('"cn-xx"', '"Guangdong"'),
    "a number for a name": ('"cn-xx"', "1"),
    "one language": ('zh = "某省", ', ""),
    "an empty title": ('"某省"', '""'),
    "no title": ('{ zh = "某省", en = "Some province" }', '"某省"'),
    "no levels": (re.search(r"levels = \[.*?\n\]", GOOD, re.DOTALL)[0], "levels = []"),  # type: ignore[index]
    "levels of texts": ('{ number = 1, meaning = "self_declared" }', '"1"'),
    "a level with more": ("number = 1,", "number = 1, more = 2,"),
    "level 0": ("number = 1,", "number = 0,"),
    "level 10": ("number = 3,", "number = 10,"),
    "level true": ("number = 1,", "number = true,"),
    "an unknown meaning": ('"self_declared"', '"believed"'),
    "a meaning that is no text": ('"self_declared"', "2"),
    "twice the same": ("number = 2,", "number = 1,"),
    "numbers that go down": ("number = 3,", "number = 1,"),
    "meanings that go down": (
        '{ number = 3, meaning = "document"',
        '{ number = 3, meaning = "two_elements"',
    ),
}


@pytest.mark.parametrize(("old", "new"), BENT.values(), ids=BENT)
def test_a_file_that_says_it_otherwise_is_refused(old: str, new: str) -> None:
    assert old in GOOD
    with pytest.raises(RealNameSchemesInvalid):
        read_schemes(GOOD.replace(old, new, 1))


def test_a_file_that_is_too_long_or_tells_a_scheme_twice_is_refused() -> None:
    with pytest.raises(RealNameSchemesInvalid, match="too long"):
        read_schemes("#" * (MAX_SCHEMES_TEXT + 1))
    with pytest.raises(RealNameSchemesInvalid, match="told already"):
        read_schemes(GOOD + GOOD)
    assert read_schemes("").known == {}


@given(st.text(max_size=200))
def test_strangers_texts_are_refused_or_say_nothing(text: str) -> None:
    try:
        found = read_schemes(text)
    except RealNameSchemesInvalid:
        return
    assert found.known == {}


def known_level(home: IamHome, *levels: tuple[str, int, int]) -> int:
    """What the decision point knows of an account with these levels (scheme, number, days)."""
    means = home.services.upstreams.means
    actor = home.actor("analyst")
    run, now = means.parts.transactions.run, means.now
    for scheme, number, days in levels:
        level = RealNameLevel(
            actor.id, actor.org_id, scheme, number, "province", now, now + days * DAY
        )
        run(lambda tx, level=level: means.stores.upstream_links.put_level(tx, level))  # type: ignore[misc]
    found = means.parts.transactions.read(
        lambda tx: means.stores.surroundings.of_account(tx, actor.id)
    )
    assert found is not None
    return found.real_name_level


def test_an_unknown_scheme_lifts_no_demand(house: IamHome) -> None:
    before = known_level(house)
    assert known_level(house, ("cn-tj", 9, 30), ("cn-gd-x", 5, 30)) == before
    assert known_level(house, ("cn-gd", 9, 30)) == before
    assert known_level(house, ("cn-gd", 4, 30)) == DOCUMENT
    house.clock.advance(31 * 86_400)
    assert known_level(house) == before


def test_an_own_schemes_level_lifts_what_it_stands_for(tmp_path: Path) -> None:
    own = tmp_path / "schemes.toml"
    own.write_text(GOOD)
    (tmp_path / "home").mkdir()
    home = open_iam_home(tmp_path / "home", real_name_schemes=own)
    assert known_level(home, ("cn-xx", 2, 30)) == DOCUMENT
    home.close()


DEMAND = """@id("own.oa_by_document")
@title_zh("办公系统须实名") @title_en("the OA knows its people")
@advice_zh("到窗口核验") @advice_en("be verified at a counter")
forbid (principal is Account, action == Action::"iam.application.open", resource)
when { context.application == "oa" && context.real_name_level < 4 };
"""


def test_what_an_application_demands_is_met_by_a_known_scheme_alone(house: IamHome) -> None:
    policies = house.services.protection.policies
    draft = policies.draft_policies(house.actor("security-admin"), NewPolicies("oa", DEMAND, ""))
    policies.propose_policies(house.actor("security-admin"), draft.id, "people of the OA")
    policies.decide_policies(house.actor("system-admin"), draft.id, grant=True)
    oa, other = register(house, "oa"), register(house, "forum")

    def opened(party: RelyingParty) -> str:
        party.browser.cookies["op_session"] = house.sign_in("analyst").cookie
        house.clock.advance(30)  # a code counts once
        found = location_of(party.authorize())
        return "code" if "code" in found else found["error"]

    assert (opened(oa), opened(other)) == ("access_denied", "code")
    known_level(house, ("cn-tj", 9, 30), ("cn-gd", 3, 30))
    assert opened(oa) == "access_denied"
    known_level(house, ("cn-gd", 4, 30))
    assert opened(oa) == "code"
