"""Seals at the province: the same use cases, every fault of the other side, nothing believed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner, Result

from kms.adapters.province import ProvinceSealer
from kms.commands import group
from kms.core.trust import RevocationSource
from kms.errors.remote_seals import (
    RemoteAnswerRejected,
    RemoteSealerAbsent,
    RemoteSealerFailed,
    RemoteSealerRefused,
)
from kms.errors.seals import DocumentRejected, SealNotUsable, SealStateConflict
from kms.models.remote_seals import ProvinceOptions, RemoteSealOrder, RemoteUse
from kms.models.seal_registry import SealRecord, SealRequest
from kms.models.stamps import StampRequest
from kms.service import KmsServices
from kms.service.seals import (
    SealApplications,
    SealMaking,
    SealStamping,
    SealUses,
    SealUsing,
    SealVerification,
)
from kms.service.seals.remote import RemoteSeals
from kms.service.seals.remote_states import RemoteSealStates
from secops.adapters.outbound import OutboundClient, OutboundOptions
from secops.bridges.key_backends import kms_options
from secops.crypto.certificates import Certificate
from secops.crypto.hashes import sm3
from secops.kernel.actors import Actor
from secops.kernel.clock import DAY, SECOND
from secops.kernel.errors import SecopsError
from secops.kernel.pages import PageRequest
from secops.kernel.trail import Act
from secops.settings import Settings, SettingsRejected
from secops.terminal.session import Session
from tests.fakes.ofd import pack
from tests.fakes.ofd_pages import paged_document
from tests.fakes.pdf_files import PdfInProcess
from tests.fakes.pdf_pages import paged_pdf
from tests.fakes.province_seals import TOKEN, Province, serving
from tests.fakes.seal_registry import APPLICANT, AUDITOR, HOLDER, SECURITY, World, build
from tests.fakes.sealing import DOCUMENT, PixelPainter, mint, new_mint

pytestmark = pytest.mark.network
LOOPBACK = OutboundOptions(("127.0.0.0/8",))


class Anchored:
    """The outside trust anchors that two people put in force."""

    def __init__(self, *certificates: Certificate) -> None:
        self.certificates = certificates

    def anchors(self) -> Mapping[Any, tuple[Certificate, ...]]:
        return {"seals": self.certificates}

    def believed(self, transaction: object) -> tuple[Mapping[Any, Any], RevocationSource | None]:
        return self.anchors(), None


@pytest.fixture(scope="module")
def province() -> Iterator[Province]:
    with serving(Province(clock=None)) as found:  # type: ignore[arg-type] - each test sets its own
        yield found


def sealer(province: Province, token: str = TOKEN, **more: Any) -> ProvinceSealer:
    options = ProvinceOptions(province.url, token, **{"seconds": 5.0, **more})
    return ProvinceSealer(OutboundClient(LOOPBACK), options, lambda _: None)


@pytest.fixture
def world(tmp_path: Path, province: Province) -> Iterator[World]:
    made = build(tmp_path, PixelPainter(), pdf=PdfInProcess(), remote=sealer(province))
    made.clock.advance(10 * DAY // SECOND)
    province.clock, province.fault, province.state, province.failures = made.clock, "", "active", 0
    province.asked.clear()
    province.made.clear()
    province.orders.clear()
    trusting(made, *mint().anchors)
    yield made
    made.spine.close()


def trusting(world: World, *anchors: Certificate) -> None:
    authority = replace(world.parts.authority, outside=Anchored(*anchors))  # type: ignore[arg-type]
    world.parts = replace(world.parts, authority=authority)
    uses = SealUses(world.parts)
    world.applications = SealApplications(world.parts)
    world.making = SealMaking(world.parts, world.applications)
    world.using = SealUsing(world.parts, uses)
    world.stamping = SealStamping(world.parts, uses)
    world.verification = SealVerification(world.parts)


def approved(world: World) -> str:
    wish = SealRequest("临江县数据局", "round", "临江县", ("zhou",), "公文", origin="remote")
    application = world.applications.apply_seal(APPLICANT, wish)
    world.applications.decide_application(SECURITY, application.id, grant=True, reason="同意")
    return application.id


def made(world: World) -> SealRecord:
    return world.making.make_seal(SECURITY, approved(world))


def test_a_seal_is_asked_for_once_and_kept_when_it_is_made(
    world: World, province: Province
) -> None:
    application = approved(world)
    province.state = "pending"
    for _ in range(2):
        with pytest.raises(SealStateConflict) as caught:
            world.making.make_seal(SECURITY, application)
        assert "pending: 待审" in caught.value.detail
    province.state = "active"
    seal = world.making.make_seal(SECURITY, application)
    assert (seal.origin, seal.marking, seal.state) == ("remote", "", "active")
    assert [ask[:2] for ask in province.asked].count(("POST", "/seals")) == 1
    shown = world.registry.show_seal(AUDITOR, seal.id)
    assert shown.content == province.seal(seal.remote_reference)
    assert world.keys.keys == {}


@pytest.mark.parametrize("state", ["refused", "suspended", "revoked"])
def test_what_the_province_does_not_give_is_not_a_seal(
    world: World, province: Province, state: str
) -> None:
    province.state = state
    with pytest.raises(SealStateConflict):
        made(world)


def test_it_is_used_on_files_by_the_same_use_cases(world: World, province: Province) -> None:
    seal = made(world)
    sealed = world.use(seal)
    assert world.verification.verify_seal(sealed.value, DOCUMENT).valid
    ofd = world.stamping.stamp_document(HOLDER, seal.id, StampRequest(pack(paged_document(2))))
    assert world.verification.verify_seal(ofd.document, None).valid
    pdf = StampRequest(paged_pdf(1), standard="sm2")
    done = world.stamping.stamp_document(HOLDER, seal.id, pdf)
    assert world.verification.verify_seal(done.document, None).valid
    with pytest.raises(DocumentRejected):
        world.stamping.stamp_document(HOLDER, seal.id, StampRequest(paged_pdf(1)))
    forms = [use.form for use in world.using.list_uses(AUDITOR, seal.id, PageRequest()).items]
    assert sorted(forms) == ["detached", "ofd", "pdf_sm2"]
    keys = [key for _, path, key in province.asked if path.endswith("/uses")]
    assert len(set(keys)) == 3
    assert all(keys)


FORGED = (
    "wrong signature",
    "wrong digest",
    "another part",
    "another signer",
    "changed seal",
    "old",
)


@pytest.mark.parametrize("fault", FORGED)
@pytest.mark.parametrize("form", ["detached", "ofd"])
def test_an_answer_that_is_not_what_was_asked_for_is_not_handed_out(
    world: World, province: Province, fault: str, form: str
) -> None:
    seal = made(world)
    province.fault = fault
    wish = StampRequest(pack(paged_document(1)))
    acts: dict[str, Callable[[], object]] = {
        "ofd": lambda: world.stamping.stamp_document(HOLDER, seal.id, wish),
        "detached": lambda: world.use(seal),
    }
    with pytest.raises(RemoteAnswerRejected):
        acts[form]()
    assert world.using.list_uses(AUDITOR, seal.id, PageRequest()).items == []
    assert "kms.use_seal" not in {act["action"] for act in world.acts()}


def test_an_earlier_answer_is_refused(world: World, province: Province) -> None:
    seal = made(world)
    world.use(seal)
    province.fault = "replayed"
    with pytest.raises(RemoteAnswerRejected) as caught:
        world.use(seal)
    assert "given out before" in caught.value.detail
    other = sm3(b"another document")
    with pytest.raises(RemoteAnswerRejected) as caught:
        world.using.use_seal(HOLDER, seal.id, document_digest=other, purpose="x")
    assert "another digest" in caught.value.detail


@pytest.mark.parametrize("fault", ["another seal", "another size", "version 1", "broken seal"])
def test_a_seal_that_is_not_the_one_asked_for_is_not_kept(
    world: World, province: Province, fault: str
) -> None:
    province.fault = fault
    with pytest.raises(RemoteAnswerRejected):
        made(world)
    assert world.registry.list_seals(AUDITOR, PageRequest()).items == []


def test_without_the_provinces_anchor_or_under_another_nothing_is_kept(
    world: World, province: Province
) -> None:
    for anchors in ((), new_mint().anchors):
        trusting(world, *anchors)
        with pytest.raises(RemoteAnswerRejected):
            made(world)


def test_the_provinces_word_is_not_enough_when_its_anchor_is_taken_away(
    world: World, province: Province
) -> None:
    seal = made(world)
    trusting(world)
    with pytest.raises(RemoteAnswerRejected):
        world.use(seal)


@pytest.mark.parametrize(
    "fault", ["500", "429", "302", "400", "list", "empty", "not Base64", "a number", "not JSON"]
)
def test_an_answer_that_is_none_is_an_error_of_theirs(
    world: World, province: Province, fault: str
) -> None:
    seal = made(world)
    province.fault = fault
    with pytest.raises(RemoteSealerFailed):
        world.use(seal)
    if fault == "302":
        assert "/stolen" not in str(province.asked)


def test_a_slow_side_is_given_up_in_time_and_the_ledger_says_unknown(
    world: World, province: Province
) -> None:
    seal = made(world)
    province.fault = "slow"
    world.parts = replace(world.parts, remote=sealer(province, seconds=0.2))
    trusting(world, *mint().anchors)
    with pytest.raises(RemoteSealerFailed):
        world.use(seal)
    assert sum(path.endswith("/uses") for _, path, _ in province.asked) == 3
    assert len({key for _, path, key in province.asked if path.endswith("/uses")}) == 1


def test_an_answer_without_end_is_cut(province: Province, world: World) -> None:
    seal = made(world)
    province.fault = "huge"
    with pytest.raises(RemoteSealerFailed):
        world.use(seal)


def test_what_failed_once_is_asked_again_with_the_same_key(
    world: World, province: Province
) -> None:
    seal = made(world)
    province.failures = 2
    sealed = world.use(seal)
    assert world.verification.verify_seal(sealed.value, DOCUMENT).valid
    asked = [key for _, path, key in province.asked if path.endswith("/uses")]
    assert (len(asked), len(set(asked))) == (3, 1)


def test_its_refusal_is_told_with_its_reason(world: World, province: Province) -> None:
    seal = made(world)
    province.fault = "403"
    with pytest.raises(RemoteSealerRefused) as caught:
        world.use(seal)
    assert "印章已被省级停用" in caught.value.detail
    province.fault = "409"
    with pytest.raises(RemoteSealerRefused) as caught:
        world.use(seal)
    assert "no reason" in caught.value.detail


def test_another_token_opens_nothing(province: Province, world: World) -> None:
    order = RemoteSealOrder("x", "n", "round", "o", "", ("zhou",), 4)
    with pytest.raises(RemoteSealerFailed):
        sealer(province, token="wrong").request_seal(order)
    assert TOKEN not in repr(ProvinceOptions(province.url, TOKEN))


def test_an_address_inside_that_is_not_listed_is_not_asked(province: Province) -> None:
    guarded = ProvinceSealer(
        OutboundClient(OutboundOptions()), ProvinceOptions(province.url, TOKEN), lambda _: None
    )
    with pytest.raises(SecopsError) as caught:
        guarded.seal_state("x")
    assert caught.value.code == "outbound.refused"


def test_without_an_address_there_is_no_province() -> None:
    absent = ProvinceSealer(OutboundClient(OutboundOptions()), ProvinceOptions(), lambda _: None)
    assert not absent.is_there
    with pytest.raises(RemoteSealerAbsent):
        absent.use_seal("x", RemoteUse("i", bytes(32), "p", bytes(32), "", "zhou"))


def test_another_reference_in_the_answer_is_refused(world: World, province: Province) -> None:
    application = approved(world)
    province.fault = "another reference"
    with pytest.raises(RemoteSealerFailed):
        world.making.make_seal(SECURITY, application)


def test_each_use_leaves_its_intent_before_it_is_asked_for(
    world: World, province: Province
) -> None:
    seal = made(world)
    notes: list[tuple[str, str]] = []
    trail = world.parts.parts.trail

    class Watching:
        def append(self, acts: Any) -> Any:
            notes.extend((act.action, act.outcome) for act in acts)
            assert not [p for _, p, _ in province.asked if p.endswith("/uses")] or len(notes) > 1
            return trail.append(acts)

    world.parts = replace(world.parts, parts=replace(world.parts.parts, trail=Watching()))
    trusting(world, *mint().anchors)
    world.use(seal)
    province.fault = "wrong digest"
    with pytest.raises(RemoteAnswerRejected):
        world.use(seal)
    province.fault = "403"
    with pytest.raises(RemoteSealerRefused):
        world.use(seal)
    province.fault = "500"
    with pytest.raises(RemoteSealerFailed):
        world.use(seal)
    remote = [outcome for action, outcome in notes if action == "kms.use_remote_seal"]
    assert remote == ["intent", "intent", "failed", "intent", "refused", "intent", "unknown"]


def test_a_seal_of_the_provinces_obeys_policy_and_suspension_here(
    world: World, province: Province
) -> None:
    seal = made(world)
    asked = len(province.asked)
    world.registry.suspend_seal(SECURITY, seal.id, "异常")
    with pytest.raises(SealNotUsable):
        world.use(seal)
    assert len(province.asked) == asked


@pytest.mark.parametrize("state", ["suspended", "revoked"])
def test_what_the_province_ends_ends_here_and_nothing_comes_back_by_itself(
    world: World, province: Province, state: str
) -> None:
    seal, suspended = made(world), made(world)
    states = RemoteSealStates(world.parts)
    world.registry.suspend_seal(SECURITY, suspended.id, "异常")
    assert states.refresh_remote_seals() is False
    assert world.registry.show_seal(AUDITOR, seal.id).record.state == "active"
    assert world.registry.show_seal(AUDITOR, suspended.id).record.state == "suspended"
    province.state = state
    assert states.refresh_remote_seals() is False
    record = world.registry.show_seal(AUDITOR, seal.id).record
    assert (record.state, record.state_reason) == (state, "province: 待审")
    assert world.registry.show_seal(AUDITOR, suspended.id).record.state == state
    assert world.acts()[-1]["actor"]["kind"] == "system"
    with pytest.raises(SealNotUsable):
        world.use(seal)
    acts = len(world.acts())
    assert states.refresh_remote_seals() is False
    province.state = "active"
    assert states.refresh_remote_seals() is False
    assert len(world.acts()) == acts
    assert world.registry.show_seal(AUDITOR, seal.id).record.state == state


def test_a_silent_province_changes_nothing_and_every_seal_has_its_turn(
    world: World, province: Province, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kms.service.seals.remote_states._AT_ONCE", 1)
    seals = [made(world), made(world)]
    states = RemoteSealStates(world.parts)
    province.state, province.fault = "revoked", "500"
    assert states.refresh_remote_seals() is False
    province.fault = ""
    assert states.refresh_remote_seals() is True
    assert states.refresh_remote_seals() is True
    assert states.refresh_remote_seals() is False
    found = [world.registry.show_seal(AUDITOR, seal.id).record.state for seal in seals]
    assert found == ["revoked", "revoked"]


def test_without_a_province_nothing_is_asked_after(tmp_path: Path) -> None:
    alone = build(tmp_path)
    assert RemoteSealStates(alone.parts).refresh_remote_seals() is False
    alone.spine.close()


def test_the_provinces_verdict_is_shown_beside_ours_and_cleaned(
    world: World, province: Province
) -> None:
    sealed = world.use(made(world))
    remote = RemoteSeals(world.parts)
    both = remote.verify_seal_at_province(AUDITOR, sealed.value, DOCUMENT)
    assert (both.ours.valid, both.theirs.valid) == (True, True)
    assert both.theirs.reasons == ("省级?[31m判定",)
    assert both.to_record()["province"] == {"valid": True, "reasons": ["省级?[31m判定"]}
    other = remote.verify_seal_at_province(AUDITOR, sealed.value, b"other")
    assert (other.ours.valid, other.theirs.valid) == (False, False)


def test_what_is_sent_there_to_be_verified_is_in_the_ledger(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealed = world.use(made(world))
    acts: list[Act] = []
    monkeypatch.setattr(type(world.parts.parts.trail), "append", lambda _, more: acts.extend(more))
    RemoteSeals(world.parts).verify_seal_at_province(AUDITOR, sealed.value, DOCUMENT)
    (act,) = acts
    assert (act.action, act.actor, act.outcome) == (
        "kms.verify_seal_at_province",
        AUDITOR,
        "intent",
    )
    assert act.details == {
        "file_sm3": sm3(sealed.value).hex(),
        "document_sm3": sm3(DOCUMENT).hex(),
    }


def test_the_token_is_sent_over_tls_alone(tmp_path: Path) -> None:
    chosen = Settings(tmp_path, province_seal_url="https://seals.example", province_seal_token="x")
    assert kms_options(chosen).province == ProvinceOptions("https://seals.example", "x")
    with pytest.raises(SettingsRejected):
        kms_options(replace(chosen, province_seal_url="http://seals.example"))


class Desk:
    """A session of the command line over the world's services."""

    def __init__(self, world: World) -> None:
        self.parts = world.spine.parts
        self.world = world

    @property
    def services(self) -> tuple[object, ...]:
        services = object.__new__(KmsServices)
        object.__setattr__(services, "remote_seals", RemoteSeals(self.world.parts))
        return (services,)

    def act_as(self, _account: str | None) -> Actor:
        return AUDITOR

    def close(self) -> None:
        """Leave it to the test."""


def test_the_command_shows_both_verdicts_and_ours_counts(world: World, tmp_path: Path) -> None:
    sealed = world.use(made(world))
    value, document, other = (tmp_path / name for name in ("value", "document", "other"))
    value.write_bytes(sealed.value)
    document.write_bytes(DOCUMENT)
    other.write_bytes(b"other")

    def run(*arguments: object) -> Result:
        session = Session(tmp_path, "zheng", lambda _: Desk(world))
        named = ["verify-seal-at-province", *map(str, arguments)]
        return CliRunner().invoke(group, named, obj=session)

    done = run(value, "--document", document, "--json")
    assert done.exit_code == 0, done.exception
    shown = orjson.loads(done.stdout)
    assert (shown["ours"]["valid"], shown["province"]["valid"]) == (True, True)
    refused = run(value, "--document", other)
    assert refused.exit_code == 1
    assert "digest" in refused.stdout
    assert run(other).exit_code == 1
