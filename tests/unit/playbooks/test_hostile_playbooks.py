"""Playbooks and values that mean harm: each is refused by name, or stopped at a limit."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from uuid import UUID

import pytest

from playbooks.core.cacao20.check import check_document, check_text
from playbooks.core.compiled_actions import filled
from playbooks.core.compiling import compile_steps
from playbooks.core.http_calls import require_same_path
from playbooks.core.stix21 import ConditionInvalid, holds, read_condition
from playbooks.core.variables import MAX_TEXT, MAX_VALUE
from playbooks.errors import NotYetRunnable, RunStateRefused
from playbooks.models import CheckedPlaybook, Run
from playbooks.service import NewIncident, RunRequest, StepAnswer, require_playbook
from secops.adapters.outbound import OutboundClient, OutboundOptions
from secops.kernel.errors import Invalid, TooLarge, Unavailable
from secops.kernel.pages import PageRequest
from tests.fakes.cacao import AGENT, END, LOCK, NOTIFY, REVOKE, START, action, playbook
from tests.fakes.playbooks_house import ANALYST, APPROVER, AUDITOR, House, house

PARTNER = "http-api--aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
SECRET = "hunter2-of-the-partner"


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(tmp_path_factory.mktemp("hostile")) as one:
        yield one


@pytest.fixture
def home(opened: House) -> House:
    opened.outbound.posted.clear()
    opened.outbound.error, opened.outbound.answer = None, (200, b"{}")
    opened.containment.add("acc_1", "zhang.san", sessions=1)
    return opened


def calling(line: str, retries: int = 0, **command: Any) -> dict[str, Any]:
    """Return a playbook that calls a partner and tells what came back."""
    document = playbook()
    document["agent_definitions"][PARTNER] = {
        "type": "http-api",
        "name": "partner",
        "address": {"url": ["https://partner.example"]},
    }
    document["playbook_variables"]["__body__"] = {"type": "string"}
    call = {
        "type": "action",
        "name": "ask",
        "on_completion": NOTIFY,
        "commands": [{"type": "http-api", "command": line, **command}],
        "agent": PARTNER,
        "out_args": ["__body__"],
    }
    if retries:
        (extension,) = document["extension_definitions"]
        call["step_extensions"] = {
            extension: {"args": {}, "retry": {"max": retries, "backoff_ms": 1000}}
        }
    document["workflow"] = {
        START: {"type": "start", "on_completion": LOCK},
        LOCK: call,
        NOTIFY: telling("called"),
        END: {"type": "end"},
    }
    return document


def telling(text: str) -> dict[str, Any]:
    return action("notify.send", {"channel": "inbox", "title": "t", "text": text}, END)


def asked(home: House, document: Any, **values: str) -> Run:
    """Ask for a run; return it approved and gone as far as it goes."""
    incident = home.services.incidents.open_incident(ANALYST, NewIncident(title="x"))
    request = RunRequest(
        incident.id,
        require_playbook(json.dumps(document).encode()),
        {f"__{name}__": value for name, value in values.items()},
    )
    run = home.services.runs.request_run(ANALYST, request)
    home.services.runs.approve_run(APPROVER, run.id, grant=True, plan_sha256=run.plan.sha256)
    return home.services.runner.advance(run.id)


# Where a call may lead


def test_a_name_that_leads_inside_after_the_approval_is_not_called(home: House) -> None:
    answers: list[Sequence[str]] = [["93.184.216.34"], ["169.254.169.254"]]
    guard = OutboundClient(OutboundOptions(), resolve=lambda host, port: answers.pop(0))
    guard.check("https://partner.example")  # what it was when somebody looked
    get, home.outbound.get = home.outbound.get, guard.get  # type: ignore[method-assign]
    try:
        run = asked(home, calling("GET /meta HTTP/1.1"), account="a")
    finally:
        home.outbound.get = get  # type: ignore[method-assign]
    shown = home.services.runs.show_run(AUDITOR, run.id)
    assert run.state == "failed"
    assert shown.journal[-1].details["error"] == "outbound.refused"


@pytest.mark.parametrize("status", [302, 404, 503])
def test_a_redirect_is_not_followed_and_no_success(home: House, status: int) -> None:
    home.outbound.answer = (status, b"Location: http://127.0.0.1/")
    assert asked(home, calling("GET /a HTTP/1.1"), account="a").state == "failed"
    assert [url for url, _, _ in home.outbound.posted] == ["https://partner.example/a"]


@pytest.mark.parametrize("value", ["..", ".", "%2e%2e", "../../admin", "?x=1", "a/../b", "a\r\nb"])
def test_no_value_leads_a_call_to_another_path(value: str) -> None:
    templates = {"base": "https://p.example", "path": "/v1/__a__:value/show", "method": "GET"}
    try:
        path = filled(templates, {"__a__": value}, {})["path"]
    except Invalid:
        assert value in ("..", ".")
        return
    assert path.startswith("/v1/")
    assert path.count("/") == 3
    assert path.endswith("/show")
    assert not set(path) & set("?\r\n")
    require_same_path({"path": path})


@pytest.mark.parametrize(
    "content",
    [
        '{"people": __account__:value}',
        "[__account__:value]",
        "name=__account__:value&role=user",
        "<who>__account__:value</who>",
        "[" * 20_000 + "__account__:value",
    ],
)
def test_a_body_in_which_a_value_could_say_more_is_refused(home: House, content: str) -> None:
    document = calling("POST /v1/x HTTP/1.1", content=content)
    with pytest.raises(NotYetRunnable):
        asked(home, document, account='1, "admin": true')
    assert home.outbound.posted == []


# What a value may say


@pytest.mark.parametrize(
    "value",
    ["__incident__:value", "__account__:value", '{{7*7}} ${jndi:ldap://x} </td> "} %s'],
)
def test_a_given_value_is_put_in_once_and_never_read(home: House, value: str) -> None:
    document = playbook()
    document["workflow"] = {
        START: {"type": "start", "on_completion": NOTIFY},
        NOTIFY: telling("__account__:value"),
        END: {"type": "end"},
    }
    run = asked(home, document, account=value)
    kept = home.services.inbox.list_notifications(ANALYST, PageRequest(200)).items
    assert run.state == "done"
    assert [one.text for one in kept if one.incident_id == run.incident_id] == [value]


def test_a_value_of_a_megabyte_is_refused_wherever_it_comes_from(home: House) -> None:
    big = "x" * 1_000_000
    for values in ({"account": big}, {"account": "a", "named_nowhere": big}):
        with pytest.raises(Invalid):
            asked(home, playbook(), **values)
    with pytest.raises(Invalid):
        asked(home, playbook(), **{f"v{number}": "x" for number in range(101)})
    for scope in ("playbook_variables", "step_variables"):
        document = playbook()
        holder = document if scope == "playbook_variables" else document["workflow"][LOCK]
        holder.setdefault(scope, {})["__big__"] = {"type": "string", "value": big[:500_000]}
        with pytest.raises(Invalid):
            asked(home, document, account="zhang.san")


def test_a_short_text_does_not_become_a_long_one(home: House) -> None:
    document = playbook()
    laugh = "__account__:value" * (MAX_TEXT // MAX_VALUE + 1)
    document["workflow"][NOTIFY] = telling(laugh)
    with pytest.raises(Invalid):
        asked(home, document, account="x" * MAX_VALUE)


def test_what_a_partner_answers_stays_in_the_journal(home: House) -> None:
    home.outbound.answer = (200, SECRET.encode())
    run = asked(home, calling("GET /a HTTP/1.1"), account="a")
    assert run.state == "done"
    shown = home.services.incidents.show_incident(ANALYST, run.incident_id)
    journal = home.services.runs.show_run(AUDITOR, run.id).journal
    assert SECRET in json.dumps([dict(entry.details) for entry in journal])
    assert SECRET not in json.dumps([[line.text, dict(line.details)] for line in shown.timeline])
    assert SECRET not in json.dumps(home.leaves())


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document["workflow"][LOCK]["commands"][0].update(
            headers={"Authorization": [f"Bearer {SECRET}"]}
        ),
        lambda document: document["agent_definitions"][PARTNER]["address"].update(
            url=["https://__account__:value.example"]
        ),
    ],
)
def test_a_secret_in_clear_and_a_host_that_varies_are_refused(
    home: House, change: Callable[[Any], None]
) -> None:
    document = calling("GET /a HTTP/1.1")
    change(document)
    with pytest.raises(NotYetRunnable) as caught:
        asked(home, document, account="a")
    assert SECRET not in caught.value.detail


# What would never end


def test_playbooks_that_call_one_another_are_refused() -> None:
    one, other = playbook(), playbook()
    other["id"] = "playbook--99999999-9999-4999-8999-999999999999"
    nested = "playbook-action--99999999-9999-4999-8999-999999999999"
    for document, target in ((one, other), (other, one)):
        document["workflow"][NOTIFY]["on_completion"] = nested
        document["workflow"][nested] = {
            "type": "playbook-action",
            "playbook_id": target["id"],
            "in_args": ["__account__"],
            "on_completion": END,
        }
    checked = [require_playbook(json.dumps(document).encode()) for document in (one, other)]
    with pytest.raises(NotYetRunnable):
        compile_steps(checked[0], {"__account__": "a"}, {c.id: c for c in checked})


def test_playbooks_that_multiply_are_stopped_at_a_hundred_steps() -> None:
    known: dict[str, CheckedPlaybook] = {}
    for level in range(5):
        document = playbook()
        document["id"] = f"playbook--{UUID(int=(4 << 76) | (8 << 60) | level)}"
        if level:
            document["workflow"] = chain(document, list(known)[-1], 20)
        checked = require_playbook(json.dumps(document).encode())
        known[checked.id] = checked
    with pytest.raises(TooLarge):
        compile_steps(checked, {"__account__": "a"}, known)


def chain(document: dict[str, Any], nested: str, length: int) -> dict[str, Any]:
    names = [
        f"playbook-action--{UUID(int=(4 << 76) | (8 << 60) | number)}" for number in range(length)
    ]
    steps = {
        name: {
            "type": "playbook-action",
            "playbook_id": nested,
            "in_args": ["__account__"],
            "on_completion": following,
        }
        for name, following in zip(names, [*names[1:], END], strict=True)
    }
    workflow = document["workflow"]
    start = {**workflow[START], "on_completion": names[0]}
    return {START: start, END: workflow[END], **steps}


def test_compensations_that_take_one_another_back_are_refused() -> None:
    document = playbook()
    (extension,) = document["extension_definitions"]
    for step, undo in ((REVOKE, LOCK), (LOCK, REVOKE)):
        document["workflow"][step]["step_extensions"][extension]["compensate"] = undo
    assert "compensate_cycle" in {problem.code for problem in check_document(document)}


@pytest.mark.parametrize("count", [501, 20_000])
def test_a_playbook_of_very_many_steps_is_refused_before_its_ways_are_followed(count: int) -> None:
    document = playbook()
    names = [f"if-condition--{UUID(int=(4 << 76) | (8 << 60) | number)}" for number in range(count)]
    document["workflow"] |= {
        name: {
            "type": "if-condition",
            "condition": "EXISTS __account__:value",
            "on_true": LOCK,
            "on_completion": following,
        }
        for name, following in zip(names, [*names[1:], END], strict=True)
    }
    checked, problems = check_text(json.dumps(document).encode())
    assert checked is None
    assert {problem.code for problem in problems} & {"too_many_steps", "too_large"}


@pytest.mark.parametrize("text", ["_" * 500_000, "__a" * 200_000, "__a__:valu" * 50_000])
def test_a_text_that_is_almost_a_variable_is_read_once(text: str) -> None:
    document = playbook()
    document["description"] = document["workflow"][NOTIFY]["name"] = text
    assert [p for p in check_document(document) if p.code == "undefined_variable"] == []


@pytest.mark.parametrize(
    "text", [b"[" * 500_000, b'{"a":' * 100_000, b'{"a":' * 33 + b"1" + b"}" * 33]
)
def test_json_that_is_deep_is_refused(text: bytes) -> None:
    checked, problems = check_text(text)
    assert checked is None
    assert {problem.code for problem in problems} <= {"too_deep", "not_json"}


@pytest.mark.parametrize(
    "condition",
    [
        "__a__:value MATCHES '(a+)+$'",
        "__a__:value LIKE __b__:value",
        f"__a__:value LIKE '{'%a' * 101}'",
        "(" * 21 + "__a__:value = 'x'" + ")" * 21,
        " OR ".join(["__a__:value = 'x'"] * 101),
        "__a__:value = '" + "x" * 4_000 + "'",
    ],
)
def test_a_condition_that_could_take_for_ever_is_refused(condition: str) -> None:
    with pytest.raises(ConditionInvalid):
        holds(read_condition(condition), {"__a__": "a" * MAX_VALUE, "__b__": "%a" * 1_000})


# Partners that don't answer


def test_a_partner_that_is_down_is_asked_again_after_a_pause_and_then_given_up(
    home: House,
) -> None:
    home.outbound.error = Unavailable()
    run = asked(home, calling("GET /a HTTP/1.1", retries=2), account="a")
    pauses = []
    while run.state == "waiting":
        assert run.due_at is not None
        pauses.append((run.due_at - home.clock.now()) // 1_000_000)
        home.clock.advance(pauses[-1])
        run = home.services.runner.advance(run.id)
    assert (run.state, pauses, len(home.outbound.posted)) == ("failed", [1, 2], 3)


def test_a_partner_that_comes_back_is_answered(home: House) -> None:
    home.outbound.error = Unavailable()
    run = asked(home, calling("GET /a HTTP/1.1", retries=1), account="a")
    home.outbound.error = None
    home.clock.advance(1)
    assert home.services.runner.advance(run.id).state == "done"


def test_a_partner_slower_than_its_step_has_failed_whatever_it_answers(home: House) -> None:
    document = calling("GET /a HTTP/1.1")
    document["workflow"][LOCK]["timeout"] = 1_000
    get = home.outbound.get

    def slow(url: str, headers: Any, *, timeout: float) -> tuple[int, bytes]:
        assert timeout == 1
        home.clock.advance(2)
        return get(url, headers, timeout=timeout)

    home.outbound.get = slow  # type: ignore[method-assign]
    try:
        run = asked(home, document, account="a")
    finally:
        home.outbound.get = get  # type: ignore[method-assign]
    journal = home.services.runs.show_run(AUDITOR, run.id).journal
    assert run.state == "failed"
    assert (journal[-1].details["error"], journal[-1].details["late"]) == ("timeout", "done")


# Two at once


def test_of_two_answers_to_one_step_the_first_counts(home: House) -> None:
    document = playbook()
    document["workflow"] = {
        START: {"type": "start", "on_completion": LOCK},
        LOCK: {
            "type": "action",
            "name": "look",
            "on_completion": END,
            "commands": [{"type": "manual", "command": "look"}],
            "agent": AGENT,
        },
        END: {"type": "end"},
    }
    run = asked(home, document, account="a")
    home.services.runs.resolve_step(ANALYST, run.id, StepAnswer(LOCK, "done"))
    with pytest.raises(RunStateRefused):
        home.services.runs.resolve_step(ANALYST, run.id, StepAnswer(LOCK, "failed"))
    assert home.services.runner.advance(run.id).state == "done"
