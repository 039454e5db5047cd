"""http-api steps: what is called, what is refused, and that no value leads elsewhere."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from playbooks.errors import NotYetRunnable
from playbooks.models import Run
from playbooks.service import NewIncident, RunRequest, require_playbook
from secops.adapters.outbound import OutboundClient, OutboundOptions, OutboundUncertain
from secops.kernel.pages import PageRequest
from tests.fakes.cacao import END, LOCK, NOTIFY, START, action, playbook
from tests.fakes.playbooks_house import ANALYST, APPROVER, AUDITOR, House, house

PARTNER = "http-api--aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[House]:
    with house(tmp_path) as opened:
        opened.outbound.answer = (200, b"clean")
        yield opened


def calling(line: str = "GET /v1/look?ip=__account__:value HTTP/1.1", **command: Any) -> Any:
    document = playbook()
    document["agent_definitions"][PARTNER] = {
        "type": "http-api",
        "name": "partner",
        "address": {"dname": ["partner.example"]},
        "port": "8443",
    }
    document["playbook_variables"]["__body__"] = {"type": "string"}
    document["workflow"] = {
        START: {"type": "start", "on_completion": LOCK},
        LOCK: {
            "type": "action",
            "name": "ask",
            "on_completion": NOTIFY,
            "commands": [{"type": "http-api", "command": line, **command}],
            "agent": PARTNER,
            "out_args": ["__body__"],
        },
        NOTIFY: action(
            "notify.send",
            dict.fromkeys(("title", "text"), "__body__:value") | {"channel": "inbox"},
            END,
        ),
        END: {"type": "end"},
    }
    return document


def begin(home: House, document: Any, account: str = "a&b=/../c d") -> Run:
    incident = home.services.incidents.open_incident(ANALYST, NewIncident(title="x"))
    checked = require_playbook(json.dumps(document).encode())
    request = RunRequest(incident.id, checked, {"__account__": account})
    run = home.services.runs.request_run(ANALYST, request)
    home.services.runs.approve_run(APPROVER, run.id, grant=True, plan_sha256=run.plan.sha256)
    return home.services.runner.advance(run.id)


def test_a_call_reads_and_its_answer_is_a_result(home: House) -> None:
    assert begin(home, calling()).state == "done"
    ((url, _, _),) = home.outbound.posted
    assert url == "https://partner.example:8443/v1/look?ip=a%26b%3D%2F..%2Fc%20d"
    kept = home.services.inbox.list_notifications(ANALYST, PageRequest(10)).items
    assert [one.text for one in kept] == ["clean"]


def test_a_value_stays_one_value_in_a_json_body_and_in_a_header(home: House) -> None:
    document = calling(
        "POST /v1/block HTTP/1.1",
        content='{"who": "__account__:value"}',
        headers={"X-Who": ["__account__:value"]},
    )
    run = begin(home, document, 'x", "admin": "1\r\nX-Evil: 1')
    assert run.state == "done"
    assert run.plan.steps[0].approval
    ((_, body, headers),) = home.outbound.posted
    assert json.loads(body) == {"who": 'x", "admin": "1\r\nX-Evil: 1'}
    assert headers["X-Who"] == 'x", "admin": "1  X-Evil: 1'
    assert len(headers["idempotency-key"]) == 64


def test_a_value_stays_one_value_where_the_whole_body_is_one_text(home: House) -> None:
    document = calling("POST /v1/block HTTP/1.1", content='"__account__:value"')
    assert begin(home, document, 'x", "admin": "1').state == "done"
    ((_, body, _),) = home.outbound.posted
    assert json.loads(body) == 'x", "admin": "1'


def test_a_post_whose_answer_was_lost_is_unknown_and_an_error_is_a_failure(home: House) -> None:
    document = calling("POST /v1/block HTTP/1.1", content_b64=base64.b64encode(b"{}").decode())
    home.outbound.error = OutboundUncertain("partner.example")
    lost = begin(home, document)
    assert (lost.state, lost.error) == ("waiting", "ask")
    home.outbound.error, home.outbound.answer = None, (503, b"")
    assert begin(home, document).state == "failed"
    home.outbound.error = OutboundUncertain("partner.example")
    assert begin(home, calling()).state == "failed"


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8080",
        "http://169.254.169.254",
        "http://[::1]",
        "http://10.0.0.1",
        "http://0x7f000001",
        "file:///etc/passwd",
        "http://[::ffff:127.0.0.1]",
    ],
)
def test_no_call_reaches_an_inner_address(home: House, url: str) -> None:
    guard = OutboundClient(OutboundOptions(), resolve=lambda host, port: ["127.0.0.1"])
    home.outbound.get = guard.get  # type: ignore[method-assign]
    document = calling()
    document["agent_definitions"][PARTNER]["address"] = {"url": [url]}
    run = begin(home, document)
    assert run.state == "failed"
    error = home.services.runs.show_run(AUDITOR, run.id).journal[-1].details["error"]
    assert error in ("outbound.refused", "kernel.invalid", "outbound.failed")


def _with(change: Any) -> Any:
    document = calling()
    change(document["agent_definitions"][PARTNER], document["workflow"][LOCK])
    return document


REFUSED: list[tuple[Any, str]] = [
    (calling("DELETE /v1/x HTTP/1.1"), "DELETE"),
    (calling("GET /v1/x"), "start line"),
    (calling("GET http://inner/ HTTP/1.1"), "GET http"),
    (calling(headers={"Authorization": ["Bearer x"]}), "secret in clear"),
    (calling(headers={"X-A": ["a\r\nb"]}), "malformed"),
    (calling(content="x"), "body on GET"),
    (calling("POST / HTTP/1.1", content="x" * 65_537), "64 KiB"),
    (calling("POST / HTTP/1.1", content_b64="/w=="), "no text"),
    (_with(lambda a, s: a.update(address={"dname": ["__account__:value"]})), "variable"),
    (_with(lambda a, s: a.update(address={})), "address"),
    (_with(lambda a, s: s["commands"].append(s["commands"][0])), "several"),
]


@pytest.mark.parametrize(("document", "text"), REFUSED)
def test_what_is_not_called_is_refused_by_name(home: House, document: Any, text: str) -> None:
    with pytest.raises(NotYetRunnable, match=text):
        begin(home, document)
    assert home.outbound.posted == []


def test_addresses_are_names_numbers_or_whole_urls(home: House) -> None:
    for address, port, base in (
        ({"ipv6": ["2001:db8::1"]}, "443", "https://[2001:db8::1]:443"),
        ({"ipv4": ["192.0.2.1"]}, None, "https://192.0.2.1"),
        ({"url": ["https://a.example/"]}, None, "https://a.example"),
    ):
        document = calling("GET / HTTP/1.1")
        partner = document["agent_definitions"][PARTNER]
        partner.update(address=address, port=port)
        if port is None:
            del partner["port"]
        begin(home, document)
        assert home.outbound.posted[-1][0] == f"{base}/"


def test_a_target_with_a_secret_is_refused(home: House) -> None:
    document = calling()
    name = "http-basic--bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb"
    document["authentication_info_definitions"] = {name: {"type": "http-basic", "kms": True}}
    document["agent_definitions"][PARTNER]["authentication_info"] = name
    with pytest.raises(NotYetRunnable, match="secrets"):
        begin(home, document)
