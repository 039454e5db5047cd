"""E-certificates issued, stopped, reissued, verified: over a real database and real SM2."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import text

from kms.core.gbt36904.identifiers import is_identifier
from kms.errors.ecertificates import (
    ECertificateNotFound,
    ECertificateNumberTaken,
    ECertificateRejected,
    ECertificateStateConflict,
)
from kms.errors.seals import NotSealHolder, SealNotFound, SealNotUsable, SealUseRefused
from kms.models.ecertificates import IssueRequest
from kms.models.seal_policies import UsePolicy
from kms.service.ecertificates.public import PER_MINUTE
from secops.crypto.hashes import sm3
from secops.kernel.approvals import NotPending, SelfApproval
from secops.kernel.clock import DAY, MINUTE
from secops.kernel.errors import Forbidden, Invalid, NotFound, TooMany
from secops.kernel.pages import PageRequest
from tests.fakes.ecertificate_office import VALUES, Office, open_office, template_record
from tests.fakes.ofd_judge import judge_ofd
from tests.fakes.seal_registry import (
    APPLICANT,
    AUDITOR,
    HOLDER,
    OTHER_HOLDER,
    SECURITY,
    person,
)

STRANGER = person("zhou", "seal-holder", "seal-applicant", "security-admin", org="org_other")
SECRET = "欧阳春晖"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """An office that tests share: each makes a template of its own."""
    made = open_office(tmp_path_factory.mktemp("office"))
    yield made
    made.world.spine.close()


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Office]:
    """An office where nothing was issued yet."""
    made = open_office(tmp_path)
    yield made
    made.world.spine.close()


def test_an_ecertificate_is_numbered_sealed_and_kept_with_its_use(fresh: Office) -> None:
    template = fresh.template()
    issued = fresh.issue(template)
    assert (issued.number, issued.version, issued.state) == ("JY2026000001", 1, "valid")
    assert is_identifier(issued.identifier)
    assert issued.valid_until == issued.valid_from + 366 * DAY - 8 * 60 * MINUTE - 1_000_000
    file = fresh.file(issued)
    assert issued.digest == sm3(file).hex()
    (use,) = fresh.world.using.list_uses(HOLDER, fresh.seal.id, PageRequest()).items
    assert (use.id, use.document_class) == (issued.use_id, "电子证照")


def test_an_independent_judge_accepts_the_sealed_file(office: Office) -> None:
    root = office.world.parts.authority.anchors()[0].der
    assert judge_ofd(office.file(office.issue(office.template())), root) == []


def test_numbers_follow_one_another_and_are_never_given_twice(fresh: Office) -> None:
    template = fresh.template()
    first, second = fresh.issue(template), fresh.issue(template)
    assert [first.serial, second.serial] == ["2026000001", "2026000002"]
    own = IssueRequest(template.id, VALUES, number="JY-OWN-1")
    assert fresh.services.issuing.issue_ecertificate(HOLDER, own).number == "JY-OWN-1"
    with pytest.raises(ECertificateNumberTaken):
        fresh.services.issuing.issue_ecertificate(HOLDER, own)
    assert fresh.uses() == 3


def test_a_refused_number_leaves_neither_use_nor_file(fresh: Office) -> None:
    template = fresh.template()
    own = IssueRequest(template.id, VALUES, number="N1")
    fresh.services.issuing.issue_ecertificate(HOLDER, own)
    folder = fresh.world.parts.parts.home / "blobs"

    def files() -> list[Path]:
        return sorted(path for path in folder.rglob("*") if path.is_file())

    before = files()
    with pytest.raises(ECertificateNumberTaken):
        fresh.services.issuing.issue_ecertificate(HOLDER, own)
    assert (len(before), files()) == (1, before)


@pytest.mark.parametrize(
    "changes", [{"holder": ""}, {"scope": "卖药"}, {"ghost": "1"}, {"holder": "长" * 41}]
)
def test_wrong_data_are_refused_without_repeating_them(
    office: Office, changes: dict[str, str]
) -> None:
    template = office.template()
    before = office.uses()
    with pytest.raises(ECertificateRejected) as refused:
        office.issue(template, **changes)
    assert office.uses() == before
    assert "长长" not in str(refused.value.facts)
    assert "卖药" not in str(refused.value.facts)


@pytest.mark.parametrize("number", ["长" * 61, "a\nb"])
def test_an_odd_number_is_refused(office: Office, number: str) -> None:
    template = office.template()
    with pytest.raises(ECertificateRejected):
        office.services.issuing.issue_ecertificate(
            HOLDER, IssueRequest(template.id, VALUES, number=number)
        )


def test_a_name_that_looks_like_code_stays_a_name(office: Office) -> None:
    """Injection into the renderer: markup, a typst call, an entity, a path."""
    template = office.template()
    hostile = '<a>#read("/etc/passwd")&lt;../</a>'
    file = office.file(office.issue(template, holder=hostile))
    with zipfile.ZipFile(io.BytesIO(file)) as archive:
        assert b"<a>" not in archive.read("Doc_0/Pages/Page_0/Content.xml")
    report = office.services.verification.verify_ecertificate(file, caller="a").report
    assert report.valid


def test_nothing_of_the_holder_lies_readable_in_the_home(fresh: Office) -> None:
    template = fresh.template()
    issued = fresh.issue(template)
    token = fresh.token(issued)
    fresh.order(template, 1, holder=SECRET + "二")
    with fresh.world.spine.engine.connect() as connection:
        names = connection.execute(text("SELECT name FROM sqlite_master WHERE type='table'"))
        rows = [
            str(tuple(row))
            for (name,) in names.all()
            for row in connection.execute(text(f'SELECT * FROM "{name}"'))  # noqa: S608
        ]
    whole = "".join(rows)
    secrets = (SECRET, VALUES["id_number"], token)
    assert [each for each in secrets if each in whole] == []
    for blob in (fresh.world.parts.parts.home / "blobs").rglob("*"):
        assert not blob.is_file() or not blob.read_bytes().startswith(b"PK")


def test_one_leaf_tells_of_the_issue_and_names_nobody(fresh: Office) -> None:
    issued = fresh.issue(fresh.template())
    acts = [act for act in fresh.world.acts() if act["action"] == "kms.issue_ecertificate"]
    (act,) = acts
    assert act["target"] == f"ecertificate:{issued.id}"
    assert act["details"]["file_sm3"] == issued.digest
    assert SECRET not in orjson.dumps(fresh.world.acts()).decode()


def test_a_template_is_decided_by_another_and_only_then_issues(office: Office) -> None:
    templates = office.services.templates
    proposed = templates.propose_ecertificate_template(APPLICANT, template_record(office.seal.id))
    both = replace(APPLICANT, roles=frozenset({"seal-applicant", "security-admin"}))
    with pytest.raises(SelfApproval):
        templates.decide_ecertificate_template(both, proposed.id, grant=True, reason="自批")
    with pytest.raises(Forbidden):
        templates.decide_ecertificate_template(HOLDER, proposed.id, grant=True, reason="越权")
    with pytest.raises(ECertificateStateConflict):
        office.issue(proposed)
    templates.decide_ecertificate_template(SECURITY, proposed.id, grant=False, reason="不全")
    with pytest.raises(NotPending):
        templates.decide_ecertificate_template(SECURITY, proposed.id, grant=True, reason="改批")
    with pytest.raises(ECertificateStateConflict):
        office.issue(proposed)


def test_another_account_of_the_same_person_approves_nothing(fresh: Office) -> None:
    proposed = fresh.services.templates.propose_ecertificate_template(
        APPLICANT, template_record(fresh.seal.id)
    )
    fresh.world.persons.same.add(frozenset({APPLICANT.id, SECURITY.id}))
    with pytest.raises(SelfApproval):
        fresh.services.templates.decide_ecertificate_template(
            SECURITY, proposed.id, grant=True, reason="同一人"
        )


def test_a_template_changed_behind_the_approval_is_not_put_in_force(fresh: Office) -> None:
    proposed = fresh.services.templates.propose_ecertificate_template(
        APPLICANT, template_record(fresh.seal.id)
    )
    with fresh.world.spine.engine.begin() as connection:
        change = "UPDATE kms_ecertificate_templates SET wish = replace(wish, '临江县', '临河县')"
        connection.execute(text(change))
    with pytest.raises(NotPending):
        fresh.services.templates.decide_ecertificate_template(
            SECURITY, proposed.id, grant=True, reason="同意"
        )


def test_a_new_version_shows_what_it_changes_and_retires_the_old(fresh: Office) -> None:
    templates = fresh.services.templates
    first = fresh.template()
    second = templates.propose_ecertificate_template(
        APPLICANT, template_record(fresh.seal.id, validity_days=30)
    )
    shown = templates.show_ecertificate_template(AUDITOR, second.id)
    assert shown.changes == (("validity_days", "365", "30"),)
    templates.decide_ecertificate_template(SECURITY, second.id, grant=True, reason="缩短")
    page = templates.list_ecertificate_templates(AUDITOR, PageRequest())
    states = {each.id: (each.version, each.state) for each in page.items}
    assert states == {first.id: (1, "retired"), second.id: (2, "active")}
    with pytest.raises(ECertificateStateConflict):
        fresh.issue(first)


def test_an_older_version_approved_late_does_not_come_into_force(office: Office) -> None:
    templates = office.services.templates
    old = templates.propose_ecertificate_template(APPLICANT, template_record(office.seal.id))
    office.template(validity_days=30)
    with pytest.raises(ECertificateStateConflict):
        templates.decide_ecertificate_template(SECURITY, old.id, grant=True, reason="迟批")


def test_a_retired_template_issues_no_more(office: Office) -> None:
    template = office.template()
    issued = office.issue(template)
    retire = office.services.templates.retire_ecertificate_template
    retire(SECURITY, template.id, "停办")
    with pytest.raises(ECertificateStateConflict):
        retire(SECURITY, template.id, "再停")
    with pytest.raises(ECertificateStateConflict):
        office.issue(template)
    view = office.services.verification.show_public_ecertificate(office.token(issued), caller="a")
    assert view.state == "valid"


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "x" * 61},
        {"layout": {"width": 100, "height": 80, "items": [], "qr_x": 1, "qr_y": 1,
                    "qr_size": 30, "seal_x": 90, "seal_y": 1}},
        {"layout": {"width": 100, "height": 80, "items": [], "qr_x": 1, "qr_y": 1,
                    "qr_size": 30, "seal_x": -1, "seal_y": 1}},
        {"layout": {"width": 100, "height": 80, "qr_x": 1, "qr_y": 1, "qr_size": 30,
                    "seal_x": 1, "seal_y": 1,
                    "items": [{"x": 1, "y": 1, "width": 8, "size": 4, "field": "@title"}]}},
    ],
)  # fmt: skip
def test_a_page_that_could_not_be_drawn_is_refused_when_it_is_proposed(
    office: Office, changes: dict[str, Any]
) -> None:
    with pytest.raises(ECertificateRejected):
        office.services.templates.propose_ecertificate_template(
            APPLICANT, template_record(office.seal.id, **changes)
        )


def test_a_template_needs_a_seal_of_its_own_organisation(office: Office) -> None:
    record = template_record(office.seal.id)
    with pytest.raises(SealNotFound):
        office.services.templates.propose_ecertificate_template(STRANGER, record)


def test_another_organisation_sees_nothing(office: Office) -> None:
    template = office.template()
    issued = office.issue(template)
    batch = office.order(template, 1)
    services = office.services
    asking = (
        lambda: services.templates.show_ecertificate_template(STRANGER, template.id),
        lambda: services.registry.show_ecertificate(STRANGER, issued.id),
        lambda: services.registry.open_ecertificate(STRANGER, issued.id),
        lambda: services.registry.revoke_ecertificate(STRANGER, issued.id, "越权"),
        lambda: services.batches.show_ecertificate_batch(STRANGER, batch.id),
        lambda: services.batches.zip_ecertificate_batch(STRANGER, batch.id, 1),
        lambda: services.issuing.issue_ecertificate(STRANGER, IssueRequest(template.id, VALUES)),
    )
    for ask in asking:
        with pytest.raises(ECertificateNotFound):
            ask()
    assert services.registry.list_ecertificates(STRANGER, PageRequest()).items == []
    assert not office.world.parts.parts.revocations.is_revoked("ecertificate", issued.id)


def test_only_the_seals_holder_issues_and_whoever_reads_sees_masks(office: Office) -> None:
    template = office.template()
    with pytest.raises(NotSealHolder):
        office.services.issuing.issue_ecertificate(OTHER_HOLDER, IssueRequest(template.id, VALUES))
    with pytest.raises(Forbidden):
        office.services.issuing.issue_ecertificate(SECURITY, IssueRequest(template.id, VALUES))
    issued = office.issue(template)
    with pytest.raises(Forbidden):
        office.services.registry.open_ecertificate(AUDITOR, issued.id)
    listed = office.services.registry.list_ecertificates(AUDITOR, PageRequest()).items[0]
    assert listed.holder_masked == "欧***"


def test_an_opened_ecertificate_shows_data_and_link(office: Office) -> None:
    opened = office.services.registry.open_ecertificate(HOLDER, office.issue(office.template()).id)
    assert dict(opened.values)["证件号码"] == VALUES["id_number"]
    assert opened.link.startswith("https://seals.example/verify/ecertificates/")


def test_suspended_revoked_resumed_expired(fresh: Office) -> None:
    registry, verification = fresh.services.registry, fresh.services.verification
    issued = fresh.issue(fresh.template())
    token = fresh.token(issued)

    def state() -> str:
        return verification.show_public_ecertificate(token, caller="a").state

    registry.suspend_ecertificate(HOLDER, issued.id, "核查")
    assert state() == "suspended"
    with pytest.raises(Forbidden):
        registry.resume_ecertificate(HOLDER, issued.id, "自行恢复")
    registry.resume_ecertificate(SECURITY, issued.id, "核查完毕")
    assert state() == "valid"
    fresh.world.clock.advance(366 * 86_400)
    assert state() == "expired"
    registry.revoke_ecertificate(SECURITY, issued.id, "违法")
    assert state() == "revoked"
    with pytest.raises(ECertificateStateConflict):
        registry.resume_ecertificate(SECURITY, issued.id, "反悔")
    with pytest.raises(ECertificateStateConflict):
        registry.suspend_ecertificate(SECURITY, issued.id, "再停")
    with pytest.raises(Invalid):
        registry.revoke_ecertificate(SECURITY, issued.id, " ")


def test_a_reissue_keeps_the_number_and_ends_the_old_one(office: Office) -> None:
    template = office.template()
    old = office.issue(template)
    again = IssueRequest(template.id, {**VALUES, "holder": "欧阳"}, replaces=old.id)
    new = office.services.issuing.issue_ecertificate(HOLDER, again)
    assert (new.number, new.version, new.replaces) == (old.number, 2, old.id)
    assert new.identifier.split(".")[-2] == "002"
    shown = office.services.registry.show_ecertificate(AUDITOR, old.id)
    assert (shown.record.state, shown.replaced_by) == ("superseded", new.id)
    with pytest.raises(ECertificateStateConflict):
        office.services.issuing.issue_ecertificate(HOLDER, again)
    with pytest.raises(ECertificateNumberTaken):
        office.services.issuing.issue_ecertificate(
            HOLDER, IssueRequest(template.id, VALUES, number="X", replaces=new.id)
        )


def test_nothing_is_reissued_as_another_type(office: Office) -> None:
    old = office.issue(office.template())
    other = office.template(type_code="11100000000013338W099")
    with pytest.raises(ECertificateStateConflict):
        office.services.issuing.issue_ecertificate(
            HOLDER, IssueRequest(other.id, VALUES, replaces=old.id)
        )


def test_unknown_tokens_of_every_form_get_one_answer(office: Office) -> None:
    token = office.token(office.issue(office.template()))
    guesses = ("0" * 32, token[:-1], token.upper(), "", "../" * 10, "长" * 500, "\ud800")
    answers = set()
    for guess in guesses:
        with pytest.raises(ECertificateNotFound) as refused:
            office.services.verification.show_public_ecertificate(guess, caller=guess[:3])
        answers.add((str(refused.value), tuple(refused.value.facts.items())))
    assert len(answers) == 1


def test_an_address_tries_only_so_many_links(office: Office) -> None:
    ask = office.services.verification.show_public_ecertificate
    for number in range(PER_MINUTE):
        with pytest.raises(ECertificateNotFound):
            ask(f"{number:032x}", caller="192.0.2.1")
    with pytest.raises(TooMany):
        ask("f" * 32, caller="192.0.2.1")


def test_a_file_is_judged_by_its_seal_and_found_by_its_bytes(office: Office) -> None:
    template = office.template()
    issued, other = office.issue(template), office.issue(template)
    file, token = office.file(issued), office.token(issued)
    verify = office.services.verification.verify_ecertificate
    verdict = verify(file, caller="a", token=token)
    assert (verdict.report.valid, verdict.same) == (True, True)
    assert verdict.registered is not None
    assert verdict.registered.identifier == issued.identifier
    assert verify(office.file(other), caller="a", token=token).same is False
    assert verify(file, caller="a").same is None


def test_a_tampered_file_is_refused_and_not_recognised(office: Office) -> None:
    issued = office.issue(office.template())
    file, out = office.file(issued), io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(file)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name.endswith("Content.xml"):
                content = content.replace("食品经营".encode(), "药品经营".encode())
            new.writestr(name, content)
    verdict = office.services.verification.verify_ecertificate(
        out.getvalue(), caller="a", token=office.token(issued)
    )
    assert (verdict.report.valid, verdict.registered, verdict.same) == (False, None, False)


def test_a_file_of_another_region_counts_by_its_own_seal(office: Office, tmp_path: Path) -> None:
    """Mutual recognition: not registered here, judged under the anchors that are configured."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere = open_office(folder)
    try:
        file = elsewhere.file(elsewhere.issue(elsewhere.template()))
    finally:
        elsewhere.world.spine.close()
    verdict = office.services.verification.verify_ecertificate(file, caller="a")
    chain = [step.ok for step in verdict.report.signatures[0].steps if step.what == "chain"]
    assert (verdict.registered, verdict.report.valid, chain) == (None, False, [False])


def test_a_damaged_file_is_never_given_out(fresh: Office) -> None:
    issued = fresh.issue(fresh.template())
    blob = fresh.world.parts.parts.home / "blobs" / issued.blob[:2] / issued.blob[2:]
    blob.chmod(0o600)
    blob.write_bytes(blob.read_bytes()[:-1] + b"x")
    with pytest.raises(Exception, match="damaged"):
        fresh.services.registry.open_ecertificate(HOLDER, issued.id)


def test_lists_page_and_filter(office: Office) -> None:
    template = office.template()
    made = [office.issue(template) for _ in range(3)]
    registry = office.services.registry
    page = registry.list_ecertificates(AUDITOR, PageRequest(2))
    assert len(page.items) == 2
    assert page.next is not None
    only = registry.list_ecertificates(AUDITOR, PageRequest(), {"number": made[0].number})
    assert [each.id for each in only.items] == [made[0].id]
    for filters in ({"sealed": "x"}, {"number": "x" * 101}, {"state": "expired"}):
        with pytest.raises(Invalid):
            registry.list_ecertificates(AUDITOR, PageRequest(), filters)


def test_a_suspended_seal_and_a_policy_issue_nothing(fresh: Office) -> None:
    template = fresh.template()
    fresh.world.policies.set_use_policy(
        SECURITY, UsePolicy(fresh.seal.id, document_classes=("公文",))
    )
    with pytest.raises(SealUseRefused):
        fresh.issue(template)
    fresh.world.registry.suspend_seal(SECURITY, fresh.seal.id, "停用")
    with pytest.raises(SealNotUsable):
        fresh.issue(template)
    assert fresh.uses() == 0


def test_unknown_things_are_not_found(office: Office) -> None:
    for ask in (
        lambda: office.services.registry.show_ecertificate(AUDITOR, "ecert_x"),
        lambda: office.services.templates.show_ecertificate_template(AUDITOR, "ect_x"),
        lambda: office.services.batches.show_ecertificate_batch(AUDITOR, "ecb_x"),
    ):
        with pytest.raises(NotFound):
            ask()
