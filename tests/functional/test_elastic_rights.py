"""Who may do what in the cluster: our own rights, an append-only key, TLS against a CA file."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from detectors.adapters.elastic.address import read_address
from detectors.adapters.elastic.build import Patience
from detectors.adapters.elastic.health import findings
from detectors.errors import LogStoreMisconfigured, LogStoreRefused
from tests.fakes.anchors import NOON, event_of
from tests.fakes.elastic_store import address_of, open_store
from tests.services.certificates import write_authority
from tests.services.elasticsearch import ElasticsearchServer

pytestmark = pytest.mark.service

MANUAL = Path(__file__).resolve().parents[2] / "docs" / "manual" / "elasticsearch.md"
Key = Callable[[str, dict[str, Any]], str]


def role_of(name: str, prefix: str) -> dict[str, Any]:
    """Return the role that the manual shows under ``name``, for other index names."""
    text = MANUAL.read_text()
    begin = text.index(f"<!-- role: {name} -->")
    block = text[text.index("```json", begin) + len("```json") :]
    role: dict[str, Any] = json.loads(block[: block.index("```")].replace("secops-logs", prefix))
    return role


@pytest.fixture
def make_key(elasticsearch: ElasticsearchServer) -> Key:
    def make(name: str, role: dict[str, Any]) -> str:
        body = {"name": name, "role_descriptors": {name: role}}
        status, made = elasticsearch.ask("POST", "/_security/api_key", body)
        assert status == 200, made
        assert base64.b64decode(made["encoded"]).decode() == f"{made['id']}:{made['api_key']}"
        return str(made["encoded"])

    return make


def test_an_append_only_key_creates_and_does_nothing_else(
    elasticsearch: ElasticsearchServer, make_key: Key
) -> None:
    prefix = elasticsearch.new_prefix()
    key = make_key("append", role_of("append-only", prefix))
    index = f"/{prefix}.day-2026-11-22"
    asked = {
        "create": ("PUT", f"{index}/_create/e1?refresh=true", {"raw": "x"}),
        "create again": ("PUT", f"{index}/_create/e1", {"raw": "y"}),
        "overwrite": ("PUT", f"{index}/_doc/e1", {"raw": "y"}),
        "change": ("POST", f"{index}/_update/e1", {"doc": {"raw": "y"}}),
        "search": ("GET", f"{index}/_search", None),
        "read": ("GET", f"{index}/_doc/e1", None),
        "delete": ("DELETE", f"{index}/_doc/e1", None),
        "delete the index": ("DELETE", index, None),
        "make a key": ("POST", "/_security/api_key", {"name": "x"}),
    }
    answers = {
        name: elasticsearch.ask(*request, authorization=f"ApiKey {key}")[0]
        for name, request in asked.items()
    }
    print(f"append-only key: {answers}")

    assert answers.pop("create") == 201
    assert answers.pop("create again") in (403, 409)
    assert set(answers.values()) == {403}
    _, stored = elasticsearch.ask("GET", f"{index}/_doc/e1")
    assert stored["_source"] == {"raw": "x"}


def test_the_rights_that_the_manual_names_are_enough_with_an_api_key(
    elasticsearch: ElasticsearchServer, make_key: Key, tmp_path: Path
) -> None:
    address = address_of(elasticsearch)
    key = make_key("store", role_of("log-store", address.prefix))
    limited = replace(address, user="", password="", api_key=key)
    elastic = open_store(limited, tmp_path)
    events = [event_of(n, {"EventID": "1"}) for n in range(3)]

    assert elastic.store.append(events).stored == 3
    assert elastic.store.append(events).duplicates == 3
    assert [len(batch) for batch in elastic.store.scan(1)] == [3]
    assert [check.problem for check in elastic.files.check_segments()] == [None]
    assert elastic.store.sources()[0].events == 3
    assert [f.name for f in findings(limited, tmp_path) if f.state == "fault"] == []
    assert elastic.store.drop_before(NOON + 10) == 1
    assert [check.problem for check in elastic.files.check_segments()] == [None]
    assert elastic.store.last_seq() == 3


def test_a_changed_or_missing_document_is_found(
    elasticsearch: ElasticsearchServer, tmp_path: Path
) -> None:
    address = address_of(elasticsearch)
    closed: dict[str, str] = {}
    elastic = open_store(
        address, tmp_path, closed=lambda name, details: closed.update({name: details["sha256"]})
    )
    for start in (0, 10, 20):
        elastic.store.append([event_of(start + n, {"EventID": "1"}) for n in range(5)])
    first, second, third = sorted(closed)
    assert {c.name: c.sha256 for c in elastic.files.check_segments()} == closed

    day = f"/{address.prefix}.day-2026-11-22"
    victim = event_of(11, {"EventID": "1"})
    _, found = elasticsearch.ask("GET", f"{day}/_doc/{victim.id}")
    forged = {**found["_source"], "fields": {"EventID": "2"}}
    elasticsearch.ask("PUT", f"{day}/_doc/{victim.id}?refresh=true", forged)
    gone = event_of(22, {"EventID": "1"})
    elasticsearch.ask("DELETE", f"{day}/_doc/{gone.id}?refresh=true")

    checks = {check.name: check for check in elastic.files.check_segments()}
    assert checks[first].problem is None
    assert "were changed" in str(checks[second].problem)
    assert "4 are there" in str(checks[third].problem)
    assert checks[second].sha256 != closed[second]


def test_a_server_of_another_ca_is_refused_without_waiting(
    elasticsearch: ElasticsearchServer, tmp_path: Path
) -> None:
    other = write_authority(tmp_path / "other", ["localhost"])
    address = replace(address_of(elasticsearch), authority=other)
    elastic = open_store(address, tmp_path, patience=Patience(60.0, 60.0, 5.0))

    with pytest.raises(LogStoreRefused, match="not of a CA that is trusted"):
        elastic.store.last_seq()


def test_a_wrong_password_is_refused_and_not_shown(
    elasticsearch: ElasticsearchServer, tmp_path: Path
) -> None:
    address = replace(address_of(elasticsearch), password="geheim-und-falsch")
    with pytest.raises(LogStoreRefused) as refused:
        open_store(address, tmp_path).store.last_seq()

    assert "401" in refused.value.detail
    assert "geheim" not in refused.value.detail + repr(address)


@pytest.mark.parametrize(
    "url",
    [
        "elasticsearch+ftp://h",
        "elasticsearch+https://",
        "elasticsearch+https://user@h:9200",
        "elasticsearch+https://u:p@h:port",
        "elasticsearch+https://u:p@h:9200/UPPER",
        "elasticsearch+https://u:p@h:9200?x=1",
        "elasticsearch+http://u:p@es.example:9200",
        "elasticsearch://u:p@h:9200",
    ],
)
def test_a_url_without_meaning_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(LogStoreMisconfigured) as refused:
        read_address(url, Path("/"))
    assert "u:p" not in refused.value.detail


def test_what_a_url_says(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").touch()
    url = "elasticsearch+https://us%40er:p%3Ass@[::1]:9201,es2.example/gov-logs"
    address = read_address(url, tmp_path, authority="ca.pem")

    assert address.hosts == ("https://[::1]:9201", "https://es2.example:9200")
    assert (address.user, address.password) == ("us@er", "p:ss")
    assert (address.prefix, address.authority) == ("gov-logs", tmp_path / "ca.pem")
    assert read_address("elasticsearch+http://localhost", tmp_path).hosts == (
        "http://localhost:9200",
    )
    for wrong in ({"authority": "absent.pem"}, {"api_key": "x"}):
        with pytest.raises(LogStoreMisconfigured):
            read_address(url, tmp_path, **wrong)
    with pytest.raises(LogStoreMisconfigured, match="https"):
        read_address("elasticsearch+http://localhost", tmp_path, authority="ca.pem")


def test_two_instances_share_a_cluster_and_see_nothing_of_each_other(
    elasticsearch: ElasticsearchServer, tmp_path: Path
) -> None:
    prefix = elasticsearch.new_prefix()
    names = (prefix, f"{prefix}-b", f"{prefix}-2026")
    stores = [
        open_store(address_of(elasticsearch, prefix=name), tmp_path / name).store for name in names
    ]
    for number, store in enumerate(stores):
        assert store.append([event_of(1, {}), event_of(10 + number, {})]).stored == 2

    assert [store.last_seq() for store in stores] == [2, 2, 2]
    assert [sum(len(batch) for batch in store.scan(1)) for store in stores] == [2, 2, 2]
    assert stores[0].drop_before(NOON + 10**9) == 1
    assert [sum(s.events for s in store.sources()) for store in stores] == [0, 2, 2]


@pytest.mark.parametrize("at", [-(10**18), 10**18, 0])
def test_a_time_of_no_calendar_has_a_day_too(
    elasticsearch: ElasticsearchServer, tmp_path: Path, at: int
) -> None:
    store = open_store(address_of(elasticsearch), tmp_path).store
    event = replace(event_of(1, {}), at=at)

    assert store.append([event]).stored == 1
    assert [found.event for found in store.get([event.id])] == [event]
