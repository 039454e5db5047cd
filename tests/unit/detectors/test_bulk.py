"""Bulk requests in Elasticsearch's form: what is taken, what is refused, item by item."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.core.bulk.actions import BadBulk, read_bulk
from detectors.errors import BulkRejected
from detectors.models import DetectorsOptions
from detectors.models.logs import LogSource
from detectors.plane import install
from detectors.ports import DetectorsPorts
from detectors.service import DetectorsServices
from detectors.service.logs.shipping import MAX_UNPACKED, ShippingService, unpacked
from secops.adapters.spine import Spine
from secops.kernel.actors import ROOT_ORG, Actor
from secops.kernel.clock import from_rfc3339
from secops.kernel.errors import Forbidden, TooLarge, TooMany
from secops.kernel.logs import And, StoredEvent, Window
from tests.fakes.clock import FakeClock
from tests.fakes.parts import database_spine

NOW = from_rfc3339("2026-11-23T04:00:00Z")
SHIPPER = Actor("client", "oa", ROOT_ORG, "oa", frozenset({"integrator"}))
OTHER = Actor("client", "hr", ROOT_ORG, "hr", frozenset({"integrator"}))
ADMIN = Actor("account", "sys", ROOT_ORG, "sys", frozenset({"system-admin"}), level=2)
FAILED = "Nov 22 17:31:23 gw sshd[42]: Failed password for ann from 10.1.2.3 port 5 ssh2"


class Site:
    def __init__(self, home: Path) -> None:
        self.spine: Spine = database_spine(home, clock=FakeClock(NOW))
        self.plane = install(self.spine.parts, DetectorsPorts(), DetectorsOptions())

    @property
    def services(self) -> DetectorsServices:
        assert isinstance(self.plane.services, DetectorsServices)
        return self.plane.services

    @property
    def shipping(self) -> ShippingService:
        return self.services.shipping

    def stored(self) -> list[StoredEvent]:
        for job in self.plane.jobs:
            if job.name == "detectors.store_logs":
                job.tick()
        return list(self.services.logs.store.search(And(()), Window(), 1_000))


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    home = tmp_path / "home"
    home.mkdir()
    site = Site(home)
    yield site
    site.spine.close()


def body(*lines: Any) -> bytes:
    texts = (line if isinstance(line, str) else json.dumps(line) for line in lines)
    return ("\n".join(texts) + "\n").encode()


def document(**more: Any) -> dict[str, Any]:
    return {"@timestamp": "2026-11-23T03:59:00Z", "message": "x", **more}


def statuses(answer: Any) -> list[tuple[str, int]]:
    return [(action, about["status"]) for item in answer.items for action, about in item.items()]


def test_pairs_are_stored_under_their_index_and_answered_in_order(site: Site) -> None:
    sent = body(
        {"create": {"_index": "a", "_id": "one"}},
        document(user={"name": "ann"}),
        {"index": {}},
        document(message="y"),
    )

    answer = site.shipping.ship_logs(SHIPPER, sent, index="b")

    assert (answer.errors, statuses(answer)) == (False, [("create", 201), ("index", 201)])
    assert answer.items[0]["create"]["_id"] == "one"
    found = {(s.event.source, s.event.fields["message"]) for s in site.stored()}
    assert found == {("a", "x"), ("b", "y")}


def test_one_bad_item_does_not_harm_its_neighbours(site: Site) -> None:
    sent = body(
        {"index": {"_index": "a"}},
        "{not json",
        {"delete": {"_index": "a", "_id": "1"}},
        {"update": {"_index": "a", "_id": "1"}},
        {"doc": {"x": 1}},
        {"index": {"_index": "a"}},
        {"message": "no time"},
        {"index": {"_index": "a", "pipeline": "enrich"}},
        document(),
        {"index": {}},
        document(),
        {"index": {"_index": 7}},
        document(),
        {"index": {"_index": "a", "_id": "i" * 513}},
        document(),
        {"index": {"_index": "a\u0007"}},
        document(),
        {"create": {"_index": "a"}},
        document(),
    )

    answer = site.shipping.ship_logs(SHIPPER, sent)

    assert [status for _, status in statuses(answer)] == [400] * 9 + [201]
    reasons = [
        about["error"]["type"]
        for item in answer.items
        for about in item.values()
        if "error" in about
    ]
    assert reasons == [
        "document_parsing_exception",
        "illegal_argument_exception",
        "illegal_argument_exception",
        "document_parsing_exception",
        "illegal_argument_exception",
        "action_request_validation_exception",
        "illegal_argument_exception",
        "illegal_argument_exception",
        "invalid_index_name_exception",
    ]
    assert len(site.stored()) == 1
    healths = site.spine.parts.transactions.read(
        lambda tx: site.shipping.healths.list(tx, ROOT_ORG)
    )
    assert {h.source: h.rejected for h in healths} == {"a": 6, "a\u0007": 1}
    (rejects,) = (site.spine.parts.home / "rejects").iterdir()
    assert len(rejects.read_text().splitlines()) == 9


@pytest.mark.parametrize(
    "sent",
    [
        b"{\n{}\n",
        b'{"index":{}}\n',
        b'{"index":{}}\n\n{}\n',
        b'{"index":[]}\n{}\n',
        b'{"index":{},"create":{}}\n{}\n',
        b'{"drop":{}}\n{}\n',
        b"[]\n{}\n",
        b"{}\n" * 3,
    ],
)
def test_a_body_whose_lines_cannot_be_told_apart_is_refused_whole(sent: bytes, site: Site) -> None:
    with pytest.raises(BulkRejected):
        site.shipping.ship_logs(SHIPPER, sent, index="a")
    assert site.stored() == []


def test_too_many_items_and_too_long_documents_are_refused(site: Site) -> None:
    with pytest.raises(BulkRejected, match="items"):
        site.shipping.ship_logs(SHIPPER, b'{"delete":{}}\n' * 50_001, index="a")
    long = body({"index": {}}, document(message="x" * (1 << 20)))
    answer = site.shipping.ship_logs(SHIPPER, long, index="a")
    assert answer.items[0]["index"]["error"]["type"] == "document_too_large"


def test_sending_again_adds_nothing_and_equal_documents_of_one_request_stay_apart(
    site: Site,
) -> None:
    sent = body({"index": {"_index": "a"}}, document(), {"index": {"_index": "a"}}, document())

    for _ in range(2):
        assert site.shipping.ship_logs(SHIPPER, sent).errors is False

    assert len(site.stored()) == 2


def test_the_same_document_under_one_id_is_known_and_another_one_is_kept_too(site: Site) -> None:
    same = ({"create": {"_index": "a", "_id": "1"}}, document())
    other = ({"create": {"_index": "a", "_id": "1"}}, document(message="z"))

    answer = site.shipping.ship_logs(SHIPPER, body(*same, *same, *other))

    assert (answer.errors, [s for _, s in statuses(answer)]) == (True, [201, 409, 201])
    assert {s.event.fields["message"] for s in site.stored()} == {"x", "z"}


def test_nobody_takes_the_place_of_somebody_elses_event(site: Site) -> None:
    sent = body({"create": {"_index": "a", "_id": "1"}}, document())

    site.shipping.ship_logs(OTHER, sent)
    site.shipping.ship_logs(SHIPPER, sent)

    assert len(site.stored()) == 2


def test_the_message_is_read_by_the_format_of_its_source(site: Site) -> None:
    site.services.sources.add_source(ADMIN, LogSource("gw", ROOT_ORG, "sshd", "Asia/Shanghai"))
    sent = body(
        {"create": {"_index": "gw"}},
        document(message=FAILED, host={"name": "beat"}),
        {"create": {"_index": "gw"}},
        document(message="rubbish"),
    )

    site.shipping.ship_logs(SHIPPER, sent)

    fields = {s.event.fields.get("source.ip"): s.event.fields for s in site.stored()}
    assert fields["10.1.2.3"]["event.action"] == "ssh_login"
    assert fields["10.1.2.3"]["host.name"] == "gw"
    assert (fields[None]["log.parse_error"], fields[None]["message"]) == ("not_syslog", "rubbish")


def test_gzip_is_unpacked_in_members_and_bombs_are_refused() -> None:
    plain = b"x" * 3_000_000

    assert unpacked(gzip.compress(plain) + gzip.compress(b"y"), "gzip") == plain + b"y"
    with pytest.raises(TooLarge):
        unpacked(gzip.compress(bytes(MAX_UNPACKED + 1)), "gzip")
    with pytest.raises(TooLarge):
        unpacked(bytes(MAX_UNPACKED + 1), "")


@pytest.mark.parametrize(
    ("sent", "encoding"),
    [
        (gzip.compress(b"abc" * 100)[:-9], "gzip"),
        (b"no gzip at all", "gzip"),
        (gzip.compress(b"a") + b"tail", "gzip"),
        (b"", "br"),
    ],
)
def test_damaged_or_unknown_encodings_are_refused(sent: bytes, encoding: str) -> None:
    with pytest.raises(Exception, match="gzip"):
        unpacked(sent, encoding)


def test_a_full_spool_says_come_again_and_takes_nothing(tmp_path: Path, site: Site) -> None:
    waiting = site.spine.parts.home / "spool" / "other"
    waiting.mkdir(parents=True)
    with (waiting / "000000000001.spool").open("wb") as stream:
        stream.truncate(300 << 20)

    with pytest.raises(TooMany) as refused:
        site.shipping.ship_logs(SHIPPER, body({"index": {"_index": "a"}}, document()))

    assert refused.value.facts["retry_after"] == 1
    assert list((site.spine.parts.home / "spool").glob("*/*.spool")) == [
        waiting / "000000000001.spool"
    ]


def test_who_may_not_ship_is_refused(site: Site) -> None:
    nobody = Actor("account", "s", ROOT_ORG, "s", frozenset({"staff"}), level=2)
    with pytest.raises(Forbidden):
        site.shipping.ship_logs(nobody, body({"index": {"_index": "a"}}, document()))


@given(st.binary(max_size=200), st.one_of(st.none(), st.just("a")))
def test_any_bytes_are_items_or_one_refusal(content: bytes, index: str | None) -> None:
    try:
        items = list(read_bulk(content, index))
    except BadBulk:
        return
    assert all(item.document or item.action == "delete" for item in items)


JSON_LINES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["index", "create", "update", "delete", "_index", "_id", "pipeline"]),
            inner,
            max_size=3,
        ),
    ),
    max_leaves=6,
)


@given(st.lists(JSON_LINES, max_size=6))
def test_any_json_lines_are_items_or_one_refusal(lines: list[Any]) -> None:
    try:
        items = list(read_bulk(body(*lines), "a"))
    except BadBulk:
        return
    for item in items:
        assert item.problem is not None or item.action in ("index", "create")
