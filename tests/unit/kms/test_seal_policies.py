"""The use policy of a seal: each limit by itself, at its edge, at the same moment twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kms.core.seal_use.policy import Circumstances, refusal
from kms.errors.seals import NotSealHolder, SealNotFound, SealStateConflict, SealUseRefused
from kms.models.seal_policies import UsePolicy, read_minutes, show_minutes
from kms.models.seal_registry import SealedValue, SealRecord
from kms.models.stamps import StampRequest
from kms.service.seals import using as using_module
from secops.crypto.hashes import sm3
from secops.kernel.actors import Actor
from secops.kernel.clock import DAY, HOUR, MINUTE, SECOND, day_start, from_rfc3339
from secops.kernel.errors import Forbidden, Invalid
from tests.fakes.ofd import pack
from tests.fakes.ofd_pages import paged_document
from tests.fakes.pdf_files import PdfInProcess
from tests.fakes.pdf_pages import paged_pdf
from tests.fakes.seal_registry import (
    APPLICANT,
    AUDITOR,
    HOLDER,
    OTHER_HOLDER,
    SECURITY,
    World,
    build,
    person,
)
from tests.fakes.sealing import DOCUMENT, PixelPainter

# a Thursday, 08:00 in Beijing: when the tests' clock starts
START = from_rfc3339("2026-01-01T00:00:00Z")
SEEN = Circumstances("zhou", "公文", START, used_today=0, risk=0)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = build(tmp_path, PixelPainter(), pdf=PdfInProcess())
    yield made
    made.spine.close()


def use(
    world: World, seal: SealRecord, document_class: str = "", actor: Actor = HOLDER
) -> SealedValue:
    return world.using.use_seal(
        actor,
        seal.id,
        document_digest=sm3(DOCUMENT),
        purpose="印发",
        document_class=document_class,
    )


def limit(world: World, seal: SealRecord, **changes: Any) -> UsePolicy:
    before = world.policies.show_use_policy(SECURITY, seal.id)
    return world.policies.set_use_policy(SECURITY, replace(before, **changes))


@pytest.mark.parametrize(
    ("changes", "seen", "said"),
    [
        ({}, {}, None),
        ({"users": ("zhou", "wu")}, {}, None),
        ({"users": ("wu",)}, {}, "does not name this holder"),
        ({"document_classes": ("公文", "合同")}, {}, None),
        ({"document_classes": ("合同",)}, {}, "documents of class 合同"),
        ({"document_classes": ("合同",)}, {"document_class": ""}, "documents of class"),
        ({"weekdays": (4,)}, {}, None),
        ({"weekdays": (1, 2, 3, 5, 6, 7)}, {}, "outside the days"),
        ({"opens": 8 * 60}, {}, None),
        ({"opens": 8 * 60 + 1}, {}, "outside the days and hours"),
        ({"closes": 8 * 60}, {}, "outside the days and hours"),
        ({"closes": 8 * 60 + 1}, {"at": START + MINUTE - 1}, None),
        ({"closes": 8 * 60 + 1}, {"at": START + MINUTE}, "outside the days and hours"),
        ({"daily_cap": 3}, {"used_today": 2}, None),
        ({"daily_cap": 3}, {"used_today": 3}, "used 3 times today"),
        ({"daily_cap": 0}, {}, "used 0 times today"),
        ({"max_risk": 40}, {"risk": 40}, None),
        ({"max_risk": 40}, {"risk": 41}, "risk is 41, the limit 40"),
    ],
)
def test_each_limit_holds_by_itself(
    changes: dict[str, Any], seen: dict[str, Any], said: str | None
) -> None:
    why = refusal(UsePolicy("seal_1", **changes), replace(SEEN, **seen))
    assert (why is None) == (said is None)
    if why is not None and said is not None:
        assert said in why.en
        assert why.zh


@given(st.integers(from_rfc3339("2000-01-01T00:00:00Z"), from_rfc3339("2099-01-01T00:00:00Z")))
def test_a_day_begins_at_midnight_in_beijing(at: int) -> None:
    start = day_start(at)
    assert 0 <= at - start < DAY
    assert (start + 8 * HOUR) % DAY == 0


@pytest.mark.parametrize("text", ["00:00", "08:30", "23:59", "24:00"])
def test_a_time_of_day_is_read_and_shown(text: str) -> None:
    minutes = read_minutes(text)
    assert minutes is not None
    assert show_minutes(minutes) == text


@pytest.mark.parametrize(
    "text", ["", "8:00", "08-00", "24:01", "12:60", "aa:bb", "٠٨:٠٠", "08:000"]
)
def test_what_is_no_time_of_day_is_not_read(text: str) -> None:
    assert read_minutes(text) is None


def test_without_a_policy_every_holder_may_use_the_seal(world: World) -> None:
    seal = world.make()
    assert world.policies.show_use_policy(AUDITOR, seal.id) == UsePolicy(seal.id)
    assert use(world, seal, "随便").use.document_class == "随便"


def test_a_policy_refuses_detached_values_ofds_and_pdfs_alike(world: World) -> None:
    seal = world.make()
    limit(world, seal, document_classes=("公文",))
    with pytest.raises(SealUseRefused, match="class 公文"):
        use(world, seal, "合同")
    for document in (pack(paged_document()), paged_pdf()):
        with pytest.raises(SealUseRefused):
            world.stamping.stamp_document(HOLDER, seal.id, StampRequest(document))
        wish = StampRequest(document, document_class="公文")
        assert world.stamping.stamp_document(HOLDER, seal.id, wish).use.document_class == "公文"
    assert use(world, seal, "公文").use.document_class == "公文"


def test_a_refusal_by_the_policy_is_in_the_ledger_and_says_why_in_both_languages(
    world: World,
) -> None:
    seal = world.make()
    limit(world, seal, max_risk=40)
    world.risks.risk = 41
    with pytest.raises(SealUseRefused) as caught:
        use(world, seal)
    assert caught.value.facts["because_zh"] == "用印人当前风险 41 高于上限 40"
    world.risks.risk = 40
    assert use(world, seal).use.seal_id == seal.id


def test_only_the_holders_named_may_use_the_seal(world: World) -> None:
    seal = world.make("zhou", "wu")
    assert limit(world, seal, users=("wu",)).users == ("wu",)
    with pytest.raises(SealUseRefused):
        use(world, seal)
    assert use(world, seal, actor=OTHER_HOLDER).use.account_id == "wu"


def test_naming_somebody_makes_nobody_a_holder(world: World) -> None:
    seal = world.make()
    with pytest.raises(Invalid, match="not a holder"):
        limit(world, seal, users=("wu",))
    with pytest.raises(NotSealHolder):
        use(world, seal, actor=OTHER_HOLDER)


def test_the_cap_counts_a_day_of_beijing_and_all_holders(world: World) -> None:
    seal = world.make("zhou", "wu")
    limit(world, seal, daily_cap=2)
    use(world, seal)
    use(world, seal, actor=OTHER_HOLDER)
    for actor in (HOLDER, OTHER_HOLDER):
        with pytest.raises(SealUseRefused, match="2 times today"):
            use(world, seal, actor=actor)
    world.clock.advance((16 * HOUR - 1) // SECOND)  # 23:59:59
    with pytest.raises(SealUseRefused):
        use(world, seal)
    world.clock.advance(1)
    assert use(world, seal).use.seal_id == seal.id


def test_two_uses_at_one_time_share_the_last_one_of_the_day(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    seal = world.make()
    limit(world, seal, daily_cap=1)
    verify = using_module.verify_seal
    inside: list[bool] = []

    def another_comes_first(*args: Any) -> Any:
        if not inside:
            inside.append(True)
            use(world, seal)
        return verify(*args)

    monkeypatch.setattr(using_module, "verify_seal", another_comes_first)
    with pytest.raises(SealUseRefused):
        use(world, seal)
    acts = [act for act in world.acts() if act["action"] == "kms.use_seal"]
    assert [act["outcome"] for act in acts] == ["done"]


def test_a_change_names_what_was_and_what_is(world: World) -> None:
    seal = world.make()
    limit(world, seal, daily_cap=5)
    assert limit(world, seal, daily_cap=7).version == 2
    acts = [act for act in world.acts() if act["action"] == "kms.set_use_policy"]
    details = acts[-1]["details"]
    assert (details["before"]["daily_cap"], details["after"]["daily_cap"]) == (5, 7)


def test_a_change_over_another_one_is_refused(world: World) -> None:
    seal = world.make()
    shown = world.policies.show_use_policy(SECURITY, seal.id)
    limit(world, seal, daily_cap=5)
    with pytest.raises(SealStateConflict, match="version 1"):
        world.policies.set_use_policy(SECURITY, replace(shown, daily_cap=9))
    with pytest.raises(SealStateConflict):
        world.policies.set_use_policy(SECURITY, replace(shown, daily_cap=9, version=-1))
    assert world.policies.show_use_policy(SECURITY, seal.id).daily_cap == 5


@pytest.mark.parametrize("who", [HOLDER, APPLICANT, AUDITOR, OTHER_HOLDER])
def test_who_uses_or_reads_a_seal_sets_no_policy(world: World, who: Actor) -> None:
    seal = world.make()
    with pytest.raises(Forbidden):
        world.policies.set_use_policy(who, UsePolicy(seal.id, daily_cap=1))


def test_another_organisation_sees_and_sets_nothing(world: World) -> None:
    seal = world.make()
    stranger = person("sun2", "security-admin", org="org_other")
    with pytest.raises(SealNotFound):
        world.policies.show_use_policy(stranger, seal.id)
    with pytest.raises(SealNotFound):
        world.policies.set_use_policy(stranger, UsePolicy(seal.id, daily_cap=1))


@pytest.mark.parametrize(
    "wrong",
    [
        {"document_classes": ("",)},
        {"document_classes": ("两 词",)},
        {"document_classes": ("x" * 41,)},
        {"document_classes": ("a\nb",)},
        {"document_classes": tuple(f"c{number}" for number in range(51))},
        {"weekdays": ()},
        {"weekdays": (0,)},
        {"weekdays": (8,)},
        {"weekdays": (1, 1)},
        {"opens": 60, "closes": 60},
        {"opens": -1},
        {"closes": 1_441},
        {"daily_cap": -1},
        {"daily_cap": 1_000_001},
        {"max_risk": -1},
        {"max_risk": 101},
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(world: World, wrong: dict[str, Any]) -> None:
    seal = world.make()
    with pytest.raises(Invalid):
        limit(world, seal, **wrong)


@pytest.mark.parametrize("name", ["x" * 41, "两 词", "a\nb"])
def test_a_class_that_is_no_name_is_refused(world: World, name: str) -> None:
    seal = world.make()
    with pytest.raises(Invalid):
        use(world, seal, name)
