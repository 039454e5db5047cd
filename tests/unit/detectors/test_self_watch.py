"""The platform's own ledger enters the log store, and its own work there does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.adapters.tails import LocalTails
from detectors.core.formats.ledger import parse_act
from detectors.core.formats.record import BadLine
from detectors.models import DetectorsOptions
from detectors.models.logs import TailPosition
from detectors.plane import install
from detectors.ports import DetectorsPorts, NoActs
from detectors.service import DetectorsServices
from secops.kernel.actors import Actor, system_actor
from secops.kernel.clock import from_rfc3339
from secops.kernel.logs import And, LogStore, Window
from secops.kernel.trail import Act, encode_act
from tests.fakes.clock import FakeClock
from tests.fakes.parts import database_spine

NOW = from_rfc3339("2026-11-23T04:00:00Z")
ANN = Actor("account", "acc_ann", "org_1", "ann", frozenset(), session_id="ses_1")
REFUSED = Act(
    "iam.sign_in",
    ANN,
    "account:acc_ann",
    "refused",
    {"step": "password", "amr": ["pwd", "otp"], "n": 5, "none": None, "more": {"deep": 1}},
    request_id="req_1",
)


class Ledger:
    """Grows by hand."""

    def __init__(self) -> None:
        self.records: list[bytes] = []

    def add(self, *acts: Act) -> None:
        self.records += [encode_act(act, NOW + len(self.records)) for act in acts]

    def records_from(self, first: int, count: int) -> Sequence[bytes]:
        return self.records[first : first + count]


def test_an_act_becomes_an_event_without_names_or_nests() -> None:
    parsed = parse_act(encode_act(REFUSED, NOW))

    assert parsed is not None
    assert parsed.at == NOW
    assert parsed.fields == {
        "event.dataset": "govsecops.ledger",
        "event.module": "govsecops",
        "event.action": "iam.sign_in",
        "event.outcome": "failure",
        "user.id": "acc_ann",
        "user.kind": "account",
        "organization.id": "org_1",
        "session.id": "ses_1",
        "target": "account:acc_ann",
        "http.request.id": "req_1",
        "details.step": "password",
        "details.amr": ("pwd", "otp"),
        "details.n": "5",
    }


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [("done", "success"), ("failed", "failure"), ("intent", "unknown"), ("unknown", "unknown")],
)
def test_outcomes_are_those_of_ecs(outcome: str, expected: str) -> None:
    act = Act("kms.sign", ANN, "key:k", outcome)  # type: ignore[arg-type]
    parsed = parse_act(encode_act(act, NOW))

    assert parsed is not None
    assert parsed.fields["event.outcome"] == expected


def test_own_work_is_no_event_and_other_system_acts_are() -> None:
    def watched(action: str, actor: Actor) -> bool:
        return parse_act(encode_act(Act(action, actor, "x:y"), NOW)) is not None

    assert not watched("detectors.close_segment", system_actor("detectors"))
    assert not watched("audits.thin_checkpoints", system_actor("scheduler"))
    assert watched("playbooks.end_session", system_actor("playbooks"))
    assert watched("audits.ask_witness", system_actor("sequencer"))
    assert watched("audits.load_rules", system_actor("rules"))
    assert watched("detectors.search_logs", ANN)


@given(
    record=st.binary(max_size=60)
    | st.sampled_from([b"[]", b"{}", b'{"at":1,"action":5,"actor":{"kind":"system"}}'])
)
def test_what_is_no_act_is_refused(record: bytes) -> None:
    with pytest.raises(BadLine):
        parse_act(record)


@dataclass
class Watched:
    """A ledger that is watched by the plane's job."""

    ledger: Ledger
    watch: Callable[[], bool]
    store: LogStore

    def until_nothing_waits(self) -> int:
        while self.watch():
            pass
        return self.store.last_seq()


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    spine = database_spine(tmp_path, clock=FakeClock(NOW))
    ledger = Ledger()
    plane = install(spine.parts, DetectorsPorts(ledger), DetectorsOptions())
    assert isinstance(plane.services, DetectorsServices)
    (watch,) = [job.tick for job in plane.jobs if job.name == "detectors.watch_ledger"]
    yield Watched(ledger, watch, plane.services.logs.store)
    spine.close()


def numbered(first: int, count: int) -> list[Act]:
    return [Act("kms.sign", ANN, f"key:{number}") for number in range(first, first + count)]


def test_a_ledger_that_was_put_back_is_watched_on(watched: Watched) -> None:
    """Shorter than what was watched, or as long again with other entries."""
    watched.ledger.add(*numbered(0, 2_500))
    assert watched.until_nothing_waits() == 2_500

    del watched.ledger.records[1_200:]
    watched.ledger.add(*numbered(5_000, 3))
    assert watched.until_nothing_waits() == 2_503

    del watched.ledger.records[1_100:]
    watched.ledger.add(*numbered(6_000, 200))
    assert watched.until_nothing_waits() == 2_703
    assert watched.until_nothing_waits() == 2_703

    watched.ledger.records.clear()
    assert watched.until_nothing_waits() == 2_703
    watched.ledger.add(*numbered(7_000, 1))
    assert watched.until_nothing_waits() == 2_704


def test_a_place_that_an_older_release_kept_is_gone_on_from(
    watched: Watched, tmp_path: Path
) -> None:
    watched.ledger.add(*numbered(0, 30))
    LocalTails(tmp_path / "tail").advance("ledger", TailPosition(index=20), ())
    assert watched.until_nothing_waits() == 10


def test_each_entry_is_stored_once_and_watching_feeds_nothing_back(tmp_path: Path) -> None:
    spine = database_spine(tmp_path, clock=FakeClock(NOW))
    ledger = Ledger()
    plane = install(spine.parts, DetectorsPorts(ledger), DetectorsOptions())
    assert isinstance(plane.services, DetectorsServices)
    store = plane.services.logs.store
    (watch,) = [job.tick for job in plane.jobs if job.name == "detectors.watch_ledger"]

    ledger.add(*[REFUSED] * 2_500)
    ledger.records[7] = b"rubbish"
    assert [watch(), watch(), watch(), watch()] == [True, True, False, False]
    ledger.add(Act("detectors.close_segment", system_actor("detectors"), "segment:1"))
    before = store.last_seq()
    assert watch() is False

    assert store.last_seq() == before == 2_499
    found = store.search(And(()), Window(), 1)
    assert found[0].event.source == "govsecops"
    assert found[0].event.raw == ledger.records[2_499]
    assert NoActs().records_from(0, 5) == ()
    spine.close()
