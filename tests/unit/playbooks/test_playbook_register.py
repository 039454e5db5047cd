"""The register of playbooks: drafts in, signed by approval, verified before every run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from playbooks.core.cacao20 import check_text
from playbooks.core.cacao20.signing import Signee, new_signature, signed_digest, with_value
from playbooks.core.differences import MAX_LINES, compare
from playbooks.errors import PlaybookInvalid, PlaybookNotFound
from playbooks.errors.signatures import (
    PlaybookNotInForce,
    PlaybookRevoked,
    PlaybookUnsigned,
    SignatureInvalid,
    TooManyPlaybooks,
)
from playbooks.service import NewIncident, RunRequest
from playbooks.service.playbooks import playbooks as register
from playbooks.service.playbooks.importing import preview_import
from playbooks.store.tables import playbooks as table
from secops.crypto import sm2
from secops.kernel.approvals import SelfApproval
from secops.kernel.canonical import canonical
from secops.kernel.errors import Conflict, Unavailable
from secops.kernel.pages import PageRequest
from tests.fakes.cacao import NOTIFY, REVOKE, playbook
from tests.fakes.playbook_signatures import FakePlaybookSignatures, own_key
from tests.fakes.playbooks_house import ANALYST, APPROVER, House, house, person

PARTNER = own_key("partner")
BOTH = person("sun", "security-admin")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[House]:
    with house(tmp_path, signatures=FakePlaybookSignatures(PARTNER), signed_only=True) as opened:
        opened.containment.add("acc_zhang", "zhang.san", sessions=2)
        yield opened


def text(**changes: Any) -> bytes:
    return json.dumps({**playbook(), **changes}).encode()


def brought_in(home: House, **changes: Any) -> str:
    return home.services.playbooks.import_playbook(ANALYST, text(**changes)).entry.content_hash


def approved(home: House, **changes: Any) -> str:
    name = brought_in(home, **changes)
    home.services.playbooks.approve_playbook(APPROVER, name)
    return name


def request(home: House, name: str) -> RunRequest:
    incident = home.services.incidents.open_incident(ANALYST, NewIncident(title="x"))
    found = home.services.playbooks.find(ANALYST, name)
    return RunRequest(incident.id, found, {"__account__": "zhang.san"})


def changed_row(home: House, name: str, **values: Any) -> None:
    statement = table.update().where(table.c.content_hash == name).values(**values)
    home.spine.parts.transactions.run(lambda tx: tx.execute(statement))


def signed_by(key: sm2.PrivateKey, document: dict[str, Any]) -> dict[str, Any]:
    signee = Signee(
        "省数据局", "identity--55555555-5555-4555-8555-555555555555", key.public_key.der
    )
    name = "jss--66666666-6666-4666-8666-666666666666"
    bare = new_signature(document, signee, identifier=name, at="2026-11-01T00:00:00.000Z")
    value = key.sign(signed_digest(document, bare))
    return {**document, "signatures": [with_value(bare, value)]}


def test_what_nobody_signed_is_neither_planned_nor_run(home: House) -> None:
    checked, _ = check_text(text())
    assert checked is not None
    incident = home.services.incidents.open_incident(ANALYST, NewIncident(title="x"))
    runs = home.services.runs
    for ask in (runs.plan_run, runs.request_run):
        with pytest.raises(PlaybookUnsigned):
            ask(ANALYST, RunRequest(incident.id, checked, {"__account__": "zhang.san"}))
        with pytest.raises(PlaybookUnsigned):
            ask(ANALYST, request(home, "notify_duty"))
    with pytest.raises(PlaybookUnsigned):
        runs.plan_run(ANALYST, request(home, brought_in(home)))


def test_an_approval_by_another_person_signs_and_the_playbook_runs(home: House) -> None:
    name = approved(home)
    view = home.services.playbooks.show_playbook(ANALYST, name)
    assert (view.origin, view.signed_by, view.refused) == ("own", "本单位", "")
    asked = home.services.runs.request_run(ANALYST, request(home, name))
    home.services.runs.approve_run(APPROVER, asked.id, grant=True, plan_sha256=asked.plan.sha256)
    assert home.services.runner.advance(asked.id).state == "done"
    signed = [leaf for leaf in home.leaves() if leaf["action"] == "playbooks.approve_playbook"]
    assert [leaf["details"]["signature_id"] for leaf in signed] == [view.entry.signatures[0]["id"]]


def test_nobody_approves_what_they_brought_in_not_even_by_another_account(home: House) -> None:
    entry = home.services.playbooks.import_playbook(person("zhao", "analyst"), text()).entry
    with pytest.raises(SelfApproval):
        home.services.playbooks.approve_playbook(APPROVER, entry.content_hash)
    home.persons.one("acc_zhao", "acc_sun")
    with pytest.raises(SelfApproval):
        home.services.playbooks.approve_playbook(BOTH, entry.content_hash)
    assert home.services.playbooks.show_playbook(ANALYST, entry.content_hash).refused == (
        "playbooks.playbook_unsigned"
    )


def test_a_rejected_draft_stays_out_until_it_is_brought_in_again(home: House) -> None:
    name = brought_in(home)
    rejected = home.services.playbooks.approve_playbook(APPROVER, name, grant=False, reason="否")
    assert rejected.state == "retired"
    with pytest.raises(Conflict):
        home.services.playbooks.approve_playbook(APPROVER, name)
    assert brought_in(home) == name
    assert home.services.playbooks.approve_playbook(APPROVER, name).state == "approved"
    assert home.acts()[:3] == [
        "playbooks.import_playbook",
        "playbooks.reject_playbook",
        "playbooks.import_playbook",
    ]


def test_a_draft_whose_approval_expired_is_asked_for_anew(home: House) -> None:
    name = brought_in(home)
    home.clock.advance(31 * 86_400)
    with pytest.raises(Conflict):
        home.services.playbooks.approve_playbook(APPROVER, name)
    assert brought_in(home) == name
    assert home.services.playbooks.approve_playbook(APPROVER, name).state == "approved"


def test_a_retired_playbook_is_refused_at_once_also_when_its_run_was_approved(
    home: House,
) -> None:
    name = approved(home)
    asked = home.services.runs.request_run(ANALYST, request(home, name))
    home.services.runs.approve_run(APPROVER, asked.id, grant=True, plan_sha256=asked.plan.sha256)
    assert home.services.playbooks.retire_playbook(APPROVER, name).state == "retired"
    ended = home.services.runner.advance(asked.id)
    assert (ended.state, ended.error) == ("failed", "playbooks.playbook_unsigned")
    assert home.containment.sessions_of("acc_zhang")
    with pytest.raises(Conflict):
        home.services.playbooks.retire_playbook(APPROVER, name)


def test_a_key_that_counts_no_more_between_approval_and_start_starts_nothing(
    home: House,
) -> None:
    name = approved(home)
    asked = home.services.runs.request_run(ANALYST, request(home, name))
    home.services.runs.approve_run(APPROVER, asked.id, grant=True, plan_sha256=asked.plan.sha256)
    home.signatures.trusted.clear()
    assert home.services.runner.advance(asked.id).error == "playbooks.playbook_unsigned"


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"valid_until": "2020-01-01T00:00:00.000Z"}, PlaybookNotInForce),
        ({"valid_from": "2090-01-01T00:00:00.000Z"}, PlaybookNotInForce),
        ({"revoked": True}, PlaybookRevoked),
    ],
)
def test_revoked_and_expired_ones_are_refused_by_name_signed_or_not(
    home: House, change: dict[str, Any], error: type[Exception]
) -> None:
    name = brought_in(home, **change)
    with pytest.raises(error):
        home.services.runs.plan_run(ANALYST, request_of(home, change))
    home.services.playbooks.approve_playbook(APPROVER, name)
    with pytest.raises(error):
        home.services.runs.plan_run(ANALYST, request(home, name))


def request_of(home: House, change: dict[str, Any]) -> RunRequest:
    """Ask for a file that is not approved."""
    checked, _ = check_text(text(**change))
    assert checked is not None
    incident = home.services.incidents.open_incident(ANALYST, NewIncident(title="x"))
    return RunRequest(incident.id, checked, {"__account__": "zhang.san"})


def test_a_changed_row_is_found_wherever_it_was_changed(home: House) -> None:
    name = approved(home)
    other = approved(home, name="另一个")
    rows = home.spine.parts.transactions.read(
        lambda tx: {
            row.content_hash: row
            for row in tx.execute(
                sa.select(table.c.content_hash, table.c.content, table.c.signatures)
            )
        }
    )
    wanted = request(home, name)
    changed_row(home, name, content=rows[name].content.replace("zhang", "li.si"))
    changed_row(home, name, content=rows[other].content)
    with pytest.raises(SignatureInvalid):
        home.services.runs.plan_run(ANALYST, wanted)
    changed_row(home, name, content=rows[name].content, signatures=rows[other].signatures)
    with pytest.raises(SignatureInvalid):
        home.services.runs.plan_run(ANALYST, wanted)
    changed_row(home, name, signatures="[]")
    with pytest.raises(PlaybookUnsigned):
        home.services.runs.plan_run(ANALYST, wanted)
    changed_row(home, name, signatures=rows[name].signatures)
    assert home.services.runs.plan_run(ANALYST, wanted).content_hash == name


def test_a_signature_of_one_organisation_is_none_for_another(home: House) -> None:
    file = home.services.playbooks.export_playbook(ANALYST, approved(home))
    stranger = person("li", "analyst", "org_town")
    entry = home.services.playbooks.import_playbook(stranger, file).entry
    assert (entry.state, entry.signature) == ("draft", "unsigned")


def test_a_nested_playbook_is_signed_too(home: House) -> None:
    inner = brought_in(home, id="playbook--99999999-9999-4999-8999-999999999999")
    document = playbook()
    document["workflow"][NOTIFY] = {
        "type": "playbook-action",
        "playbook_id": "playbook--99999999-9999-4999-8999-999999999999",
        "on_completion": document["workflow"][NOTIFY]["on_completion"],
        "in_args": ["__account__"],
    }
    nested = {
        (name.replace("action", "playbook-action") if name == NOTIFY else name): step
        for name, step in document["workflow"].items()
    }
    dumped = json.dumps({**document, "workflow": nested}).replace(
        f'"{NOTIFY}"', json.dumps(NOTIFY.replace("action", "playbook-action"))
    )
    name = home.services.playbooks.import_playbook(ANALYST, dumped.encode()).entry.content_hash
    home.services.playbooks.approve_playbook(APPROVER, name)
    with pytest.raises(PlaybookNotFound):
        home.services.runs.plan_run(ANALYST, request(home, name))
    home.services.playbooks.approve_playbook(APPROVER, inner)
    assert home.services.runs.plan_run(ANALYST, request(home, name)).steps


def test_a_partners_file_is_taken_a_strangers_is_a_draft_a_forged_one_is_refused(
    home: House,
) -> None:
    bring = home.services.playbooks.import_playbook
    theirs = signed_by(PARTNER, playbook())
    taken = bring(ANALYST, json.dumps(theirs).encode()).entry
    assert (taken.state, taken.signature, taken.approval_id) == ("approved", "foreign", None)
    assert home.services.runs.plan_run(ANALYST, request(home, taken.content_hash)).steps
    stranger = signed_by(sm2.PrivateKey.generate(), {**playbook(), "name": "y"})
    assert bring(ANALYST, json.dumps(stranger).encode()).entry.state == "draft"
    with pytest.raises(SignatureInvalid):
        bring(ANALYST, json.dumps({**theirs, "name": "forged"}).encode())
    home.signatures.trusted.pop()
    with pytest.raises(PlaybookUnsigned):
        home.services.runs.plan_run(ANALYST, request(home, taken.content_hash))


def test_an_export_is_the_same_bytes_each_time_and_comes_back_as_it_went(
    home: House, tmp_path: Path
) -> None:
    register_ = home.services.playbooks
    name = approved(home)
    file = register_.export_playbook(ANALYST, name)
    assert file == register_.export_playbook(ANALYST, name)
    assert check_text(file)[1] == ()
    assert canonical(json.loads(file)) == file
    again = register_.import_playbook(ANALYST, file).entry
    assert again == register_.show_playbook(ANALYST, name).entry
    (tmp_path / "beside").mkdir()
    with house(tmp_path / "beside", signatures=home.signatures, signed_only=True) as other:
        moved = other.services.playbooks.import_playbook(ANALYST, file).entry
        assert (moved.content_hash, moved.state) == (name, "approved")
        assert other.services.playbooks.export_playbook(ANALYST, name) == file


def test_commands_that_we_never_run_are_work_by_hand_and_the_import_says_so(
    home: House,
) -> None:
    document = signed_by(PARTNER, playbook())
    document["workflow"][REVOKE] |= {
        "commands": [
            {"type": "bash", "command": "rm -rf /", "description": "clean"},
            {"type": "elastic", "command_b64": "e30="},
            {"type": "magic"},
        ]
    }
    document["workflow"][REVOKE].pop("step_extensions")
    imported = home.services.playbooks.import_playbook(ANALYST, json.dumps(document).encode())
    assert [(change.code, change.detail) for change in imported.changes] == [
        ("command_by_hand", "bash"),
        ("command_by_hand", "elastic"),
        ("command_by_hand", "magic"),
        ("signatures_dropped", ""),
    ]
    entry = imported.entry
    assert (entry.state, entry.signatures) == ("draft", ())
    kept = json.loads(entry.content)
    assert kept["derived_from"] == [playbook()["id"]]
    assert kept["id"] != playbook()["id"]
    assert {c["type"] for c in kept["workflow"][REVOKE]["commands"]} == {"manual"}
    assert kept["workflow"][REVOKE]["commands"][0] == {
        "type": "manual",
        "description": "[bash] clean",
        "command": "rm -rf /",
    }
    again = home.services.playbooks.import_playbook(ANALYST, json.dumps(document).encode())
    assert again.entry == entry


@pytest.mark.corpus
def test_the_thirteen_real_files_come_in_as_drafts_or_are_refused_by_name(
    corpus: Path, home: House
) -> None:
    taken: dict[str, list[str]] = {}
    for file in sorted((corpus / "cacao" / "cacao-examples").glob("*/*.json")):
        draft, problems = preview_import(file.read_bytes())
        if draft is None:
            assert any(p.level == "error" or p.code == "clear_password" for p in problems)
            with pytest.raises(PlaybookInvalid):
                home.services.playbooks.import_playbook(ANALYST, file.read_bytes())
            continue
        home.services.playbooks.import_playbook(ANALYST, file.read_bytes())
        taken[file.name] = [change.detail for change in draft.changes]
    assert taken == {
        "soarca-http-playbook.json": [],
        "soarca-manual-playbook.json": [],
        "soarca-openc2-playbook.json": ["openc2"],
    }


def test_a_locked_pool_signs_nothing_and_lets_nothing_run(home: House) -> None:
    name, waiting = approved(home), brought_in(home, name="later")
    wanted = request(home, name)
    home.signatures.locked = True
    with pytest.raises(Unavailable):
        home.services.playbooks.approve_playbook(APPROVER, waiting)
    with pytest.raises(Unavailable):
        home.services.runs.plan_run(ANALYST, wanted)
    assert home.services.playbooks.show_playbook(ANALYST, name).refused == Unavailable.code


def test_packaged_ones_are_adopted_by_two_people(home: House) -> None:
    entry = home.services.playbooks.adopt_playbook(ANALYST, "notify_duty")
    assert entry.state == "draft"
    home.services.playbooks.approve_playbook(APPROVER, entry.content_hash)
    (view,) = home.services.playbooks.list_playbooks(ANALYST, PageRequest(10)).items
    assert (view.packaged, view.origin) == ("notify_duty", "own")
    assert home.services.runs.plan_run(ANALYST, request(home, "notify_duty")).steps
    with pytest.raises(PlaybookNotFound):
        home.services.playbooks.adopt_playbook(ANALYST, "no_such")


def test_the_register_is_bounded(home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(register, "MAX_PLAYBOOKS", 2)
    for number in range(2):
        brought_in(home, name=f"n{number}")
    with pytest.raises(TooManyPlaybooks):
        brought_in(home, name="one more")
    assert brought_in(home, name="n1")
    with pytest.raises(PlaybookInvalid):
        home.services.playbooks.import_playbook(
            ANALYST, json.dumps({**playbook(), "signatures": [{}] * 11}).encode()
        )


@pytest.mark.parametrize("text", [b"[]", b"1", b'{"workflow": 3}', b"x", b'{"a": 1, "a": 2}'])
def test_what_is_no_playbook_is_no_draft(text: bytes) -> None:
    draft, problems = preview_import(text)
    assert draft is None
    assert problems


def test_a_foreign_file_without_one_canonical_form_is_refused() -> None:
    document = playbook()
    document["workflow"][REVOKE]["commands"] = [{"type": "bash", "command": "id"}]
    draft, problems = preview_import(json.dumps({**document, "priority": 2**60}).encode())
    assert draft is None
    assert problems


def test_the_approver_sees_what_differs_from_the_version_approved_last(home: House) -> None:
    register_ = home.services.playbooks
    first = approved(home)
    assert register_.compare_playbook(ANALYST, first).against == ""
    newer = brought_in(home, name="新名", modified="2026-11-23T00:00:00.000Z")
    compared = register_.compare_playbook(APPROVER, newer)
    assert compared.against == playbook()["modified"]
    changed = [line for line in compared.lines if line[0] in ("added", "removed")]
    assert [kind for kind, text in changed if "name" in text] == ["removed", "added"]
    assert not compared.cut
    long = {**playbook(), "labels": [str(n) for n in range(MAX_LINES)]}
    lines, cut = compare(None, long)
    assert cut
    assert len(lines) <= MAX_LINES + 1
