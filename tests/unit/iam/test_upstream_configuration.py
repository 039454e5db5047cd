"""Configuring providers: two persons, no secret shown or sent elsewhere; API and commands."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner

from iam.commands import group
from iam.errors import NameTaken, UpstreamInvalid
from iam.models.upstream import UpstreamCheck
from secops.kernel.actors import Actor
from secops.kernel.approvals import SelfApproval
from secops.kernel.errors import Conflict, Forbidden, NotFound
from tests.fakes.directory import FakeDirectory, ldap_document
from tests.fakes.iam_home import IamHome, open_iam_home
from tests.fakes.province import (
    SECRET,
    SM4_KEY,
    TRUST,
    Province,
    cas_document,
    oidc_document,
    ticket_document,
)


@pytest.fixture
def province() -> Province:
    return Province()


@pytest.fixture
def home(tmp_path: Path, province: Province) -> Iterator[IamHome]:
    opened = open_iam_home(tmp_path, outbound=province)
    province.clock = opened.clock
    province.directory = FakeDirectory()
    yield opened
    opened.close()


def propose(home: IamHome, secret: str = SECRET, **settings: object) -> str:
    return home.services.upstreams.create_upstream(
        home.actor("system-admin"), "province", oidc_document(**settings), secret
    )


def approve(home: IamHome, asked: str) -> None:
    home.services.upstreams.approve_upstream(home.actor("security-admin"), asked, grant=True)


def test_nothing_is_in_force_before_another_person_approves(home: IamHome) -> None:
    service = home.services.upstreams
    asked = propose(home)
    admin = home.actor("system-admin")
    assert service.list_upstreams(admin) == []
    [waiting] = service.pending_upstreams(admin)
    assert (waiting.before, waiting.new_secret, waiting.plan.kind) == (None, True, "oidc")
    with pytest.raises(Forbidden):
        service.approve_upstream(admin, asked, grant=True)
    approve(home, asked)
    [found] = service.list_upstreams(admin)
    assert (found.state, found.proposed_by) == ("active", admin.id)
    assert found.approved_by == home.actor("security-admin").id
    assert service.pending_upstreams(admin) == []
    with pytest.raises(NotFound):
        approve(home, asked)


def test_nobody_approves_their_own_proposal(home: IamHome) -> None:
    asked = propose(home)
    both = home.actor("system-admin")
    held = Actor(
        kind="account",
        id=both.id,
        org_id=both.org_id,
        name=both.name,
        roles=frozenset({"security-admin"}),
        level=2,
        auth_time=both.auth_time,
    )
    with pytest.raises(SelfApproval):
        home.services.upstreams.approve_upstream(held, asked, grant=True)


def test_a_rejected_proposal_is_gone(home: IamHome) -> None:
    asked = propose(home)
    service = home.services.upstreams
    service.approve_upstream(home.actor("security-admin"), asked, grant=False, reason="no")
    assert service.list_upstreams(home.actor("auditor")) == []
    assert service.pending_upstreams(home.actor("auditor")) == []


def test_a_secret_stays_only_while_the_settings_do(home: IamHome) -> None:
    approve(home, propose(home))
    with pytest.raises(UpstreamInvalid, match="secret is needed"):
        propose(home, secret="", issuer="https://evil.example")
    approve(home, propose(home, secret=""))
    with pytest.raises(UpstreamInvalid, match="at most"):
        propose(home, secret="x" * 513)
    [found] = home.services.upstreams.list_upstreams(home.actor("system-admin"))
    binding = f"upstream|{found.org_id}|province".encode()
    box = home.services.upstreams.means.box
    assert box.open(found.sealed_secret, binding) == SECRET.encode()
    assert SECRET not in str(home.leaves())


def test_another_organisations_provider_is_out_of_reach(home: IamHome) -> None:
    approve(home, propose(home))
    mine = home.actor("system-admin")
    other = Actor(
        kind="account",
        id="acc_other",
        org_id="org_other",
        name="other",
        roles=frozenset({"system-admin"}),
        level=2,
        auth_time=mine.auth_time,
    )
    service = home.services.upstreams
    assert service.list_upstreams(other) == []
    for attempt in (
        lambda: service.disable_upstream(other, "province", "mine now"),
        lambda: service.test_upstream(other, "province"),
    ):
        with pytest.raises(NotFound):
            attempt()
    asked = service.create_upstream(other, "province", oidc_document(), "another secret")
    with pytest.raises(Conflict):
        service.approve_upstream(home.actor("security-admin"), asked, grant=True)
    approver = Actor(
        kind="account",
        id="acc_another",
        org_id="org_other",
        name="another",
        roles=frozenset({"security-admin"}),
        level=2,
        auth_time=mine.auth_time,
    )
    [waiting] = service.pending_upstreams(other)
    assert waiting.before is None
    with pytest.raises(NameTaken):
        service.approve_upstream(approver, asked, grant=True)


def test_disabling_needs_one_person_and_a_provider_in_force(home: IamHome) -> None:
    approve(home, propose(home))
    service, admin = home.services.upstreams, home.actor("system-admin")
    with pytest.raises(Forbidden):
        service.disable_upstream(home.actor("auditor"), "province", "x")
    service.disable_upstream(admin, "province", "moved")
    with pytest.raises(Conflict):
        service.disable_upstream(admin, "province", "again")


def test_a_test_says_of_each_kind_what_answers(home: IamHome, province: Province) -> None:
    service, admin = home.services.upstreams, home.actor("system-admin")
    documents = {
        "oidc": (oidc_document(), SECRET),
        "ticket": (ticket_document(province), SM4_KEY.hex()),
        "cas": (cas_document(), "x"),
        "ldap": (ldap_document(TRUST), "reads-only"),
    }
    for name, (document, secret) in documents.items():
        approve(home, service.create_upstream(admin, name, document, secret))
    results = {name: [c.ok for c in service.test_upstream(admin, name)] for name in documents}
    assert results == {
        "oidc": [True, True, True],
        "ticket": [True, True, True, True],
        "cas": [True, True],
        "ldap": [True, True, True],
    }
    province.down = True
    home.clock.advance(4_000)
    down = {name: [c.ok for c in service.test_upstream(admin, name)] for name in documents}
    assert down == {
        "oidc": [False, False, True],
        "ticket": [True, True, False, True],
        "cas": [False, True],
        "ldap": [False, True],
    }


def test_a_test_finds_what_is_wrong_with_a_configuration(home: IamHome, province: Province) -> None:
    service, admin = home.services.upstreams, home.actor("system-admin")
    for name, document, secret in (
        ("short", ticket_document(province), "00ff"),
        ("words", ticket_document(province, public_key="04" + "11" * 64), "not hex"),
        ("binder", ldap_document(TRUST), "wrong password"),
        ("open", cas_document(), "x"),
    ):
        approve(home, service.create_upstream(admin, name, document, secret))
    assert service.test_upstream(admin, "short")[1] == UpstreamCheck(
        "secret", ok=False, why="an SM4 key has 16 bytes"
    )
    assert [c.ok for c in service.test_upstream(admin, "words")] == [False, False, True, True]
    assert service.test_upstream(admin, "binder")[0].ok is False
    strange = {**TRUST, "scheme": "cn-tj", "levels": {"high": 4, "low": 2}}
    approve(home, service.create_upstream(admin, "strange", ldap_document(strange), "x"))
    assert service.test_upstream(admin, "strange")[-1] == UpstreamCheck(
        "real_name_levels", ok=False, why="nothing is known of cn-tj:2: it lifts no demand"
    )
    quiet = {**TRUST, "levels": {}}
    approve(home, service.create_upstream(admin, "quiet", ldap_document(quiet), "reads-only"))
    assert [c.what for c in service.test_upstream(admin, "quiet")] == ["bind", "search"]
    province.tickets["ST-0-test"] = ("https://invalid.example/", "anybody")
    assert service.test_upstream(admin, "open")[:1] == [
        UpstreamCheck("server", ok=False, why="a ticket nobody was given is accepted")
    ]
    province.metadata = {"id_token_signing_alg_values_supported": ["RS256"]}
    approve(home, propose(home))
    assert service.test_upstream(admin, "province")[0].ok is False


def test_the_commands_are_all_there_with_an_example() -> None:
    runner = CliRunner()
    for name in ("create", "approve", "list", "test", "disable"):
        plural = "list-upstreams" if name == "list" else f"{name}-upstream"
        result = runner.invoke(group, [plural, "--help"])
        assert result.exit_code == 0
        assert "Example: secops --as" in result.output


def test_a_file_that_is_no_configuration_is_refused(tmp_path: Path) -> None:
    from iam.commands.upstreams import _read_file  # noqa: PLC0415 - the file's own reader
    from secops.kernel.errors import Invalid  # noqa: PLC0415

    good = tmp_path / "good.toml"
    good.write_text('kind = "cas"\n[settings]\nserver_url = "https://cas.example"\n')
    assert _read_file(good)["settings"] == {"server_url": "https://cas.example"}
    as_json = tmp_path / "good.json"
    as_json.write_bytes(orjson.dumps({"kind": "cas"}))
    assert _read_file(as_json) == {"kind": "cas"}
    for name, content in (
        ("a.json", "[]"),
        ("b.json", "{"),
        ("c.toml", "x"),
        ("d.toml", "#" * 70_000),
    ):
        bad = tmp_path / name
        bad.write_text(content)
        with pytest.raises(Invalid):
            _read_file(bad)
