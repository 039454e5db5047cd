"""Masking at ingest, kept originals, reveals, leaks and traces, over the real store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest
from sqlalchemy import select

from detectors.errors import OriginalNotKept, PrivacyKeysMissing
from detectors.models import DetectorsOptions
from detectors.models.logs import IngestOptions, LogSource
from detectors.models.privacy import SourcePolicy
from detectors.plane import install
from detectors.ports import DetectorsPorts, NoPrivacyKeys
from detectors.service import DetectorsServices
from detectors.store.privacy import SqlOriginals
from secops.adapters.database.tables import ledger_door
from secops.adapters.spine import Spine
from secops.crypto.errors import DecryptionFailed
from secops.kernel.actors import Actor
from secops.kernel.clock import from_rfc3339
from secops.kernel.errors import Forbidden, Invalid
from secops.kernel.transactions import Transaction
from tests.fakes.clock import FakeClock
from tests.fakes.parts import database_spine
from tests.fakes.privacy_keys import FakePrivacyKeys

NOW = from_rfc3339("2026-11-23T04:00:00Z")
NUMBER = "13812345678"
LINE = f"Nov 22 17:31:23 gw app: tel {NUMBER}\n"


def actor(*roles: str, org: str = "org_1") -> Actor:
    return Actor("account", "acc_1", org, "ann", frozenset(roles))


ANALYST, SYSTEM, SECURITY, AUDITOR, INTEGRATOR = (
    actor(role) for role in ("analyst", "system-admin", "security-admin", "auditor", "integrator")
)


@dataclass(frozen=True)
class House:
    home: Path
    spine: Spine
    clock: FakeClock
    keys: FakePrivacyKeys
    services: DetectorsServices
    jobs: dict[str, object]

    def ingest(self, name: str, text: str):
        path = self.home.parent / name
        path.write_text(text)
        return self.services.logs.ingest_files(ANALYST, [str(path)], IngestOptions())

    def set_policy(self, source: str, **policy: object) -> SourcePolicy:
        asked = SourcePolicy(source, "ignored", **policy)  # type: ignore[arg-type]
        return self.services.privacy.set_policy(SECURITY, asked)

    def events(self, query: str = "*"):
        found = self.services.logs.search_logs(AUDITOR, query, limit=1_000)
        return [stored.event for stored in reversed(found)]

    def on_disk(self) -> bytes:
        return b"".join(p.read_bytes() for p in self.home.rglob("*") if p.is_file())


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    clock, keys = FakeClock(NOW), FakePrivacyKeys()
    home = tmp_path / "home"
    home.mkdir()
    spine = database_spine(home, clock=clock)
    plane = install(spine.parts, DetectorsPorts(privacy_keys=keys), DetectorsOptions())
    assert isinstance(plane.services, DetectorsServices)
    jobs = {job.name: job.tick for job in plane.jobs}
    yield House(home, spine, clock, keys, plane.services, jobs)
    spine.close()


def test_a_masking_source_never_stores_a_number_anywhere(house: House) -> None:
    house.set_policy("app.log", masked=("*",), keeps_originals=True)
    result = house.ingest("app.log", LINE + f"bad {NUMBER}\n")

    assert [event.raw for event in house.events()] == [b"Nov 22 17:31:23 gw app: tel 138****5678"]
    assert NUMBER.encode() not in house.on_disk()
    assert result.rejects_file is not None
    assert b"138****5678" in Path(result.rejects_file).read_bytes()


def test_batches_shippers_and_followed_files_are_masked_alike(house: House) -> None:
    source = LogSource("app", "org_1", "auto", "Asia/Shanghai")
    house.services.sources.add_source(SYSTEM, source)
    house.set_policy("app", masked=("cn_mobile",))
    lines = house.services.logs.ingest_lines
    lines(INTEGRATOR, "app", LINE.encode(), IngestOptions(format="syslog"))
    document = orjson.dumps({"@timestamp": "2026-11-23T01:00:00Z", "message": f"tel {NUMBER}"})
    bulk = b'{"create":{"_index":"app"}}\n' + document + b"\n"
    answer = house.services.shipping.ship_logs(INTEGRATOR, bulk)
    path = house.home.parent / "followed"
    path.write_text(LINE.replace("31:23", "31:24"))
    source = LogSource("app", "org_1", "syslog", "Asia/Shanghai", str(path))
    house.services.follower.follow_file(ANALYST, source)
    house.jobs["detectors.store_logs"]()  # type: ignore[operator]

    assert answer.errors is False
    assert len(house.events()) == 3
    assert NUMBER.encode() not in house.on_disk()


def test_reading_a_masked_file_again_adds_nothing(house: House) -> None:
    house.set_policy("app.log", masked=("*",), keeps_originals=True)
    other = LINE.replace("1234", "9876")
    assert house.ingest("app.log", LINE + other + LINE).stored == 3
    assert house.ingest("app.log", LINE + other + LINE).stored == 0
    originals = [house.services.privacy.reveal_original(ANALYST, e.id, "x") for e in house.events()]
    assert originals == [line.strip().encode() for line in (LINE, other, LINE)]


def test_a_reveal_stands_in_the_ledger_before_the_answer(house: House) -> None:
    house.set_policy("app.log", masked=("cn_mobile",), keeps_originals=True)
    house.ingest("app.log", LINE)
    (event,) = house.events()

    revealed = house.services.privacy.reveal_original(ANALYST, event.id, "  incident 12 ")

    assert revealed == LINE.strip().encode()
    acts = house.spine.parts.transactions.read(_acts)
    (act,) = [record for record in acts if b"detectors.reveal_original" in record]
    assert b"incident 12" in act
    assert event.id.encode() in act
    assert NUMBER.encode() not in b"".join(acts)


def _acts(tx: Transaction) -> list[bytes]:
    return [bytes(row.record) for row in tx.execute(select(ledger_door)).all()]


def test_a_reveal_needs_the_right_a_reason_and_an_original(house: House) -> None:
    reveal = house.services.privacy.reveal_original
    house.set_policy("app.log", masked=("cn_mobile",), keeps_originals=True)
    house.ingest("app.log", LINE + "Nov 22 17:31:24 gw app: nothing here\n")
    first, second = house.events()
    for refused in (SECURITY, AUDITOR, SYSTEM, INTEGRATOR):
        with pytest.raises(Forbidden):
            reveal(refused, first.id, "x")
    for reason in ("", " ", "x" * 501):
        with pytest.raises(Invalid):
            reveal(ANALYST, first.id, reason)
    with pytest.raises(OriginalNotKept):
        reveal(ANALYST, second.id, "x")
    with pytest.raises(OriginalNotKept):
        reveal(actor("analyst", org="org_2"), first.id, "x")


def test_an_original_that_was_exchanged_is_refused(house: House) -> None:
    house.set_policy("app.log", masked=("cn_mobile",), keeps_originals=True)
    house.ingest("app.log", LINE + LINE.replace(NUMBER, "13900000000"))
    first, second = house.events()
    transactions, store = house.spine.parts.transactions, SqlOriginals()
    other = transactions.read(lambda tx: store.find(tx, second.id))
    assert other is not None
    with pytest.raises(DecryptionFailed):
        house.keys.open(other.sealed, first.id)


def test_with_a_locked_pool_a_masking_source_waits_and_others_go_on_visibly(house: House) -> None:
    house.set_policy("app.log", masked=("cn_mobile",))
    house.keys.unlocked = False

    with pytest.raises(PrivacyKeysMissing):
        house.ingest("app.log", LINE)
    house.ingest("other.log", LINE)
    (event,) = house.events()
    assert event.fields["data.untraced"] == "true"
    with pytest.raises(PrivacyKeysMissing):
        house.set_policy("other.log", keeps_originals=True)


def test_only_the_security_administrator_decides_and_only_what_is_known(house: House) -> None:
    asked = SourcePolicy("app.log", "org_1")
    for refused in (ANALYST, SYSTEM, AUDITOR):
        with pytest.raises(Forbidden):
            house.services.privacy.set_policy(refused, asked)
    for wrong in ({"grade": "5"}, {"masked": ("nothing",)}):
        with pytest.raises(Invalid):
            house.set_policy("app.log", **wrong)
    with pytest.raises(Invalid):
        house.set_policy("")
    kept = house.set_policy("app.log", grade="3", masked=("cn_mobile", "cn_mobile"))
    assert (kept.org_id, kept.masked, kept.changed_by) == ("org_1", ("cn_mobile",), "acc_1")
    changed = house.set_policy("app.log", grade="1")
    assert house.services.privacy.list_policies(SYSTEM) == [changed]
    assert len(house.services.privacy.list_data_classes(SYSTEM)) == 10


def test_data_above_a_sources_grade_is_a_leak(house: House) -> None:
    house.set_policy("registry.log", grade="3")
    line = "Nov 22 17:31:23 gw app: id 11010519491231002X\n"
    house.ingest("registry.log", line)
    house.ingest("debug.log", line)
    assert [event.source for event in house.events("data.leak:true")] == ["debug.log"]
    assert [event.source for event in house.events("data.grade:3")] == ["registry.log", "debug.log"]


def test_a_subject_is_traced_through_masked_and_plain_lines(house: House) -> None:
    house.set_policy("app.log", masked=("*",))
    house.ingest("app.log", LINE)
    house.ingest("other.log", LINE.replace(NUMBER, f"+86 {NUMBER}") + LINE.replace("5678", "0000"))

    trace = house.services.tracing.trace_subject(AUDITOR, NUMBER)

    assert (trace.events, trace.classes, trace.complete) == (2, ("cn_mobile",), True)
    assert sorted(row.source for row in trace.rows) == ["app.log", "other.log"]
    acts = house.spine.parts.transactions.read(_acts)
    assert NUMBER.encode() not in b"".join(acts)
    since = house.services.tracing.trace_subject(AUDITOR, NUMBER, window=("2026-11-23", None))
    assert since.rows == ()


def test_a_trace_needs_the_right_and_a_subject(house: House) -> None:
    trace = house.services.tracing.trace_subject
    with pytest.raises(Forbidden):
        trace(SYSTEM, NUMBER)
    for subject in ("ab", "x" * 201):
        with pytest.raises(Invalid):
            trace(ANALYST, subject)
    house.keys.unlocked = False
    assert trace(ANALYST, NUMBER).classes == ()


def test_originals_go_when_their_events_go(house: House) -> None:
    house.set_policy("app.log", masked=("*",), keeps_originals=True)
    house.ingest("app.log", LINE)
    (event,) = house.events()
    house.clock.advance(400 * 86_400)
    house.jobs["detectors.log_retention"]()  # type: ignore[operator]
    with pytest.raises(OriginalNotKept):
        house.services.privacy.reveal_original(ANALYST, event.id, "x")


def test_without_a_pool_every_key_is_refused() -> None:
    keys = NoPrivacyKeys()
    for use in (
        lambda: keys.digest(b""),
        lambda: keys.seal(b"", ""),
        lambda: keys.open(b"", ""),
    ):
        with pytest.raises(PrivacyKeysMissing):
            use()
