"""Certificates over HTTP and at the command line: the same use cases, the documented shapes."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result
from cryptography import x509

from kms.api import authority, certificates, trust_anchors
from kms.commands.certificates import COMMANDS as CERTIFICATE_COMMANDS
from kms.commands.trust_anchors import COMMANDS as ANCHOR_COMMANDS
from kms.models.seal_registry import SealRequest
from kms.service.published_lists import PublishedLists
from secops.kernel.actors import Actor
from secops.kernel.errors import Invalid, LengthRequired
from secops.web.messages import Request, Response
from tests.fakes.certificate_house import (
    OWNER,
    SYSTEM,
    House,
    OutsideCa,
    csr,
    open_house,
    sm2_csr,
)
from tests.fakes.seal_registry import APPLICANT, AUDITOR, SECURITY

HOST = "bsdt.example.gov.cn"
COMMANDS = {command.name: command for command in (*CERTIFICATE_COMMANDS, *ANCHOR_COMMANDS)}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_house(tmp_path_factory.mktemp("faces")) as made:
        yield made


@pytest.fixture(scope="module")
def routes(house: House) -> dict[str, Any]:
    services: Any = SimpleNamespace(
        certificates=house.certificates,
        published_lists=PublishedLists(house.world.parts.authority),
    )
    made = (
        *certificates.routes(services),
        *trust_anchors.routes(services),
        *authority.routes(services),
    )
    return {route.operation: route for route in made}


def pem(encoded: bytes, label: str) -> str:
    body = base64.encodebytes(encoded).decode()
    return f"-----BEGIN {label}-----\n{body}-----END {label}-----\n"


class Asker:
    """Somebody who calls operations by name."""

    def __init__(self, routes: dict[str, Any], actor: Actor) -> None:
        self.routes, self.actor = routes, actor

    def __call__(self, operation: str, body: Any = None, query: str = "", **args: str) -> Any:
        sent = b"" if body is None else json.dumps(body).encode()
        request = Request(
            self.routes[operation].method,
            "/",
            query_string=query,
            headers={"content-length": str(len(sent))},
            body=sent,
            args=args,
            actor=self.actor,
        )
        response: Response = self.routes[operation].handler(request)
        return json.loads(response.body)


@pytest.fixture
def owner(routes: dict[str, Any]) -> Asker:
    return Asker(routes, OWNER)


@pytest.fixture
def security(routes: dict[str, Any]) -> Asker:
    return Asker(routes, SECURITY)


def wish(encoded: bytes, profile: str = "tls_server", **more: Any) -> dict[str, Any]:
    return {"profile": profile, "csr": pem(encoded, "CERTIFICATE REQUEST"), "reason": "x", **more}


def test_a_certificate_goes_its_way_over_http(owner: Asker, security: Asker) -> None:
    asked = owner("request_certificate", wish(csr(None, HOST), organization="县数据局"))
    identifier = asked["id"]
    assert (asked["approval"], asked["names"]) == ("pending", [f"dns:{HOST}"])
    decided = security(
        "decide_certificate_request", {"grant": True, "reason": "同意"}, request_id=identifier
    )
    assert decided == {"id": identifier, "state": "approved"}
    issued = security("issue_certificate", request_id=identifier)
    found = x509.load_pem_x509_certificate(issued["pem"].encode())
    assert f"{found.serial_number:x}" == issued["serial"]
    shown = owner("show_certificate_request", request_id=identifier)
    assert (shown["state"], shown["approval"]) == ("issued", "used")
    assert shown["certificate_id"] == issued["id"]
    listed = owner("list_certificates", query=f"q={issued['serial'][:9]}&state=valid&limit=5")
    assert [each["id"] for each in listed["items"]] == [issued["id"]]
    assert owner("show_certificate", certificate_id=issued["id"])["request_id"] == identifier
    ended = owner("revoke_certificate", {"reason": "superseded"}, certificate_id=issued["id"])
    assert ended == {"id": issued["id"], "revoked": True}
    again = owner("show_certificate", certificate_id=issued["id"])
    assert (again["revoked"], again["revocation_reason"]) == (True, "superseded")
    assert owner("list_certificate_requests")["items"][0]["id"] == identifier


@pytest.mark.parametrize(
    ("operation", "body", "query"),
    [
        ("request_certificate", {"profile": "tls_server"}, ""),
        ("request_certificate", wish(b"", renews=5), ""),
        ("request_certificate", {**wish(b""), "csr": "text"}, ""),
        ("list_certificates", None, "state=odd"),
        ("propose_anchor", {"certificate": "x", "uses": "seals", "reason": "x"}, ""),
        ("export_certificate_request", {"role": "signer"}, ""),
        ("export_certificate_request", {"role": "holder", "place": True}, ""),
        ("decide_certificate_request", {"grant": 1}, ""),
    ],
)
def test_what_is_not_of_the_documented_shape_is_refused(
    owner: Asker, operation: str, body: Any, query: str
) -> None:
    with pytest.raises(Invalid):
        owner(operation, body, query, request_id="crq_x")


def test_a_body_comes_with_its_length(routes: dict[str, Any]) -> None:
    for operation in ("request_certificate", "propose_anchor", "import_certificate", "answer_ocsp"):
        with pytest.raises(LengthRequired):
            routes[operation].handler(Request("POST", "/", actor=OWNER))


def test_an_outside_ca_goes_its_way_over_http(
    house: House, routes: dict[str, Any], security: Asker
) -> None:
    ca = OutsideCa.new("省电子认证")
    proposed = Asker(routes, SYSTEM)(
        "propose_anchor",
        {"certificate": pem(ca.root, "CERTIFICATE"), "uses": ["seals"], "reason": "持牌机构"},
    )
    anchor = {"anchor_id": proposed["id"]}
    decided = security("decide_anchor", {"grant": True, "reason": "核对"}, **anchor)
    assert decided["state"] == "active"
    listed = {"list": pem(ca.revocation_list(number=255), "X509 CRL")}
    assert security("import_revocation_list", listed, **anchor)["number"] == "ff"
    exported = security("export_certificate_request", {"role": "maker"})
    request = x509.load_pem_x509_csr(exported["csr"].encode())
    assert request.subject.rfc4514_string() == "CN=电子印章制章者,O=制章机构,C=CN"
    keys = house.world.keys
    spki = keys.ensure_key("outside-maker-org_root-1")
    body = {"role": "maker", "certificate": pem(ca.certify(spki), "CERTIFICATE")}
    assert security("import_certificate", body)["kind"] == "outside_maker"
    seen = Asker(routes, AUDITOR)("list_anchors")["items"][0]
    assert (seen["state"], seen["uses"]) == ("active", ["seals"])
    assert seen["list_next_update"] == "2026-01-08T00:00:00Z"
    assert security("retire_anchor", {"reason": "期满"}, **anchor)["state"] == "retired"


def run(house: House, actor: Actor, *arguments: str) -> Result:
    session = SimpleNamespace(
        actor=actor, services=lambda _: SimpleNamespace(certificates=house.certificates)
    )
    name, *rest = arguments
    return CliRunner().invoke(COMMANDS[name], rest, obj=session)


def done(house: House, actor: Actor, *arguments: str) -> str:
    result = run(house, actor, *arguments)
    assert result.exit_code == 0, result.output
    return result.stdout.strip()


def test_a_pair_goes_its_way_at_the_command_line(house: House, tmp_path: Path) -> None:
    from secops.crypto.sm2 import PrivateKey  # noqa: PLC0415 - beside its only use

    request, output = tmp_path / "a.csr", tmp_path / "a.pem"
    request.write_bytes(sm2_csr(PrivateKey.generate()))
    asked = ("request-certificate", str(request), "--profile", "sm2_signing", "--reason", "双证书")
    identifier = done(house, OWNER, *asked)
    assert json.loads(done(house, OWNER, *asked, "--json"))["profile"] == "sm2_signing"
    shown = json.loads(done(house, SECURITY, "show-certificate-request", identifier))
    assert shown["common_name"] == "政务终端"
    done(house, SECURITY, "decide-certificate-request", identifier, "--reason", "同意")
    issued = json.loads(
        done(house, SECURITY, "issue-certificate", identifier, "-o", str(output), "--json")
    )
    assert len(x509.load_pem_x509_certificates(output.read_bytes())) == 2
    assert len(base64.b64decode(issued["enveloped_key"])) > 200
    text = done(house, OWNER, "show-certificate", issued["id"])
    assert text.startswith("-----BEGIN CERTIFICATE-----")
    done(house, OWNER, "revoke-certificate", issued["id"], "--reason", "key_compromise")
    ended = done(house, AUDITOR, "list-certificates", "--state", "revoked", "--json")
    assert issued["id"] in {each["id"] for each in json.loads(ended)["items"]}
    page = json.loads(done(house, OWNER, "list-certificate-requests", "--limit", "1", "--json"))
    assert page["next"] is not None
    rest = done(house, OWNER, "list-certificate-requests", "--cursor", page["next"], "--json")
    assert identifier in rest


def test_what_a_request_asks_beside_is_said(house: House, tmp_path: Path) -> None:
    request = tmp_path / "a.csr"
    wishes = (x509.BasicConstraints(ca=True, path_length=None),)
    request.write_text(pem(csr(None, HOST, extensions=wishes), "CERTIFICATE REQUEST"))
    asked = ("request-certificate", str(request), "--profile", "tls_server", "--reason", "x")
    assert "2.5.29.19" in run(house, OWNER, *asked).output


def test_an_outside_ca_goes_its_way_at_the_command_line(house: House, tmp_path: Path) -> None:
    ca, path = OutsideCa.new("市电子认证"), tmp_path / "ca.pem"
    path.write_text(pem(ca.root, "CERTIFICATE"))
    proposed = ("propose-anchor", str(path), "--use", "seals", "--reason", "持牌机构")
    anchor = json.loads(done(house, SYSTEM, *proposed, "--json"))["id"]
    done(house, SYSTEM, *proposed)
    done(house, SECURITY, "decide-anchor", anchor, "--reason", "核对")
    (tmp_path / "ca.crl").write_bytes(ca.revocation_list())
    done(house, SECURITY, "import-revocation-list", anchor, str(tmp_path / "ca.crl"))
    application = house.world.applications.apply_seal(
        APPLICANT, SealRequest("市印", "round", "市数据局", ("zhou",), "公文", 4)
    )
    wanted = ("--application", application.id, "--place", "0")
    output = tmp_path / "h.csr"
    done(house, SECURITY, "export-certificate-request", *wanted, "-o", str(output))
    spki = house.world.keys.ensure_key(f"seal-{application.id}-0")
    (tmp_path / "h.pem").write_bytes(ca.certify(spki))
    done(house, SECURITY, "import-certificate", str(tmp_path / "h.pem"), *wanted)
    maker = done(house, SECURITY, "export-certificate-request", "-o", str(output))
    assert maker == ""
    listed = json.loads(done(house, AUDITOR, "list-anchors", "--json"))
    assert anchor in {each["id"] for each in listed["items"]}
    done(house, SECURITY, "retire-anchor", anchor, "--reason", "期满")
