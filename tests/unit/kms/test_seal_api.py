"""Seals over HTTP: the same guard, the same services, the documented shapes."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kms.adapters.anchor_files import HomeAnchorFile
from kms.api import province, seal_policies, seal_requests, seal_uses, seals
from kms.api.seal_records import in_base64
from kms.models.seal_receipts import LeafProof
from kms.service.authority import Authority
from kms.service.seals import (
    RemoteSeals,
    SealApplications,
    SealDestruction,
    SealMaking,
    SealParts,
    SealPolicies,
    SealPreviews,
    SealReceipts,
    SealRegistry,
    SealStamping,
    SealUseRequests,
    SealUses,
    SealUsing,
    SealVerdicts,
    SealVerification,
)
from kms.service.time_stamps import TimeStampAuthority
from kms.store.certificates import SqlCertificateStore
from kms.store.holds import SqlHoldStore
from kms.store.seal_lives import SqlSealLifeStore
from kms.store.seal_policies import SqlSealPolicyStore
from kms.store.seal_requests import SqlSealUseRequestStore
from kms.store.seals import SqlSealStore, SqlSealUseStore
from secops.crypto.hashes import sm3
from secops.kernel.actors import Actor
from secops.kernel.errors import Unauthenticated
from secops.web.dispatch import Dispatcher
from secops.web.guard import Guard
from secops.web.messages import Request
from secops.web.routes import Public, Route
from tests.fakes.clock import START, FakeClock
from tests.fakes.ofd import pack
from tests.fakes.ofd_pages import paged_document
from tests.fakes.parts import database_spine
from tests.fakes.pdf_files import PdfInProcess
from tests.fakes.pdf_pages import paged_pdf
from tests.fakes.previews import PlainPreviews
from tests.fakes.sealing import (
    DOCUMENT,
    FakeDocumentBox,
    FakeLedgerProofs,
    FakeRisks,
    FakeSealingKeys,
    FakeSubjects,
    NoRemoteSealer,
    PixelPainter,
)
from tests.fakes.verdict_pages import PlainPages

ROLES = {"sun": "seal-applicant", "qian": "security-admin", "zhou": "seal-holder", "li": "analyst"}


class Tokens:
    """A token is the account's name."""

    def verify_token(self, token: str) -> Actor:
        if token not in ROLES:
            raise Unauthenticated
        roles = frozenset({ROLES[token]})
        return Actor("account", token, "org_root", token, roles, level=2, auth_time=START)

    def verify_session(self, cookie: str) -> Actor:
        raise Unauthenticated


class Api:
    def __init__(self, home: Path) -> None:
        self.spine = database_spine(home, clock=FakeClock())
        parts = self.spine.parts
        keys, self.proofs = FakeSealingKeys(), FakeLedgerProofs()
        authority = Authority(parts, keys, SqlCertificateStore(), HomeAnchorFile(home))
        outside = SealParts(
            parts,
            SqlSealStore(),
            SqlSealUseStore(),
            keys,
            PixelPainter(),
            authority,
            FakeSubjects(),
            PdfInProcess(),
            SqlSealPolicyStore(),
            FakeRisks(),
            SqlSealUseRequestStore(),
            FakeDocumentBox(),
            self.proofs,
            TimeStampAuthority(authority),
            NoRemoteSealer(),
            SqlSealLifeStore(),
        )
        applications, verification = SealApplications(outside), SealVerification(outside)
        services: Any = SimpleNamespace(
            seal_applications=applications,
            seal_making=SealMaking(outside, applications),
            seal_registry=SealRegistry(outside, SqlHoldStore()),
            seal_destruction=SealDestruction(outside),
            seal_policies=SealPolicies(outside),
            seal_using=SealUsing(outside, SealUses(outside)),
            seal_stamping=SealStamping(outside, SealUses(outside)),
            seal_receipts=SealReceipts(outside),
            remote_seals=RemoteSeals(outside),
            seal_use_requests=SealUseRequests(outside, SealUses(outside)),
            seal_verification=verification,
            seal_previews=SealPreviews(
                outside, SealRegistry(outside, SqlHoldStore()), PlainPreviews()
            ),
            seal_verdicts=SealVerdicts(outside, verification, PlainPages()),
        )
        self.routes = {
            route.operation: route
            for route in (
                *seals.routes(services),
                *seal_uses.routes(services),
                *seal_policies.routes(services),
                *seal_requests.routes(services),
                *province.routes(services),
            )
        }
        self.dispatcher = Dispatcher(Guard(Tokens(), parts.access, parts.clock), parts.trail)

    def call(
        self, operation: str, who: str | None, body: Any = None, **args: str
    ) -> tuple[int, Any]:
        content = b"" if body is None else json.dumps(body).encode()
        return self.send(operation, who, content, "application/json", **args)

    def send(
        self, operation: str, who: str | None, content: bytes, kind: str, **args: str
    ) -> tuple[int, Any]:
        route: Route = self.routes[operation]
        headers = {"content-type": kind, "content-length": str(len(content))}
        if who is not None:
            headers["authorization"] = f"Bearer {who}"
        request = Request(route.method, route.path, headers=headers, body=content, args=args)
        response = self.dispatcher.answer(request, route)
        return response.status, json.loads(response.body)

    def seal(self) -> str:
        wanted = {
            "name": "临江县数据局",
            "shape": "round",
            "organization": "临江县数据局",
            "holders": ["zhou"],
            "reason": "公文用印",
        }
        status, application = self.call("apply_seal", "sun", wanted)
        assert (status, application["approval"]) == (201, "pending")
        decision = {"grant": True, "reason": "同意"}
        identifier = application["id"]
        status, _ = self.call("decide_application", "qian", decision, application_id=identifier)
        assert status == 200
        status, seal = self.call("make_seal", "qian", application_id=identifier)
        assert (status, seal["marking"]) == (201, "测试/内部用")
        return str(seal["id"])


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    made = Api(tmp_path)
    yield made
    made.spine.close()


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


def multipart(**parts: bytes) -> tuple[bytes, str]:
    body = b""
    for name, content in parts.items():
        filename = b'; filename="f"' if name in ("document", "file") else b""
        head = b'--b\r\nContent-Disposition: form-data; name="%b"%b\r\n\r\n'
        body += head % (name.encode(), filename) + content + b"\r\n"
    return body + b"--b--\r\n", "multipart/form-data; boundary=b"


def test_a_file_is_sealed_and_verified_over_http(api: Api) -> None:
    seal = api.seal()
    body = {"document": encoded(DOCUMENT), "purpose": "印发"}
    status, sealed = api.call("use_seal", "zhou", body, seal_id=seal)
    assert (status, sealed["use"]["document_sm3"]) == (201, sm3(DOCUMENT).hex())
    status, report = api.call(
        "verify_seal", None, {"file": sealed["value"], "document": encoded(DOCUMENT)}
    )
    assert (status, report["valid"], report["kind"]) == (200, True, "signature")
    status, report = api.call(
        "verify_seal", None, {"file": sealed["value"], "document": encoded(b"other")}
    )
    assert (status, report["valid"]) == (200, False)


def test_a_file_is_sealed_as_an_upload_and_by_its_digest_alone(api: Api) -> None:
    seal = api.seal()
    content, kind = multipart(document=DOCUMENT, purpose="印发".encode())
    status, sealed = api.send("use_seal", "zhou", content, kind, seal_id=seal)
    assert (status, sealed["use"]["purpose"]) == (201, "印发")
    body = {"document_sm3": sm3(DOCUMENT).hex()}
    assert api.call("use_seal", "zhou", body, seal_id=seal)[0] == 201
    content, kind = multipart(file=base64.b64decode(sealed["value"]), document=DOCUMENT)
    assert api.send("verify_seal", None, content, kind)[1]["valid"] is True
    status, uses = api.call("list_uses", "qian", seal_id=seal)
    assert (status, len(uses["items"]), uses["next"]) == (200, 2, None)


def test_an_ofd_is_sealed_over_http_as_json_and_as_an_upload(api: Api) -> None:
    seal, document = api.seal(), pack(paged_document(2))
    body = {
        "document": encoded(document),
        "purpose": "印发",
        "places": [{"page": -1, "x": 120, "y": 200.5}],
        "edge": {"y": 100},
    }
    status, sealed = api.call("stamp_document", "zhou", body, seal_id=seal)
    assert (status, sealed["use"]["form"], sealed["marking"]) == (201, "ofd", "测试/内部用")
    assert sealed["use"]["document_sm3"] == sm3(document).hex()
    report = api.call("verify_seal", None, {"file": sealed["document"]})[1]
    assert (report["valid"], report["kind"]) == (True, "ofd")
    parts = {"document": document, "purpose": "印发".encode(), "edge": b'{"y": 100, "last": 2}'}
    status, sealed = api.send("stamp_document", "zhou", *multipart(**parts), seal_id=seal)
    assert (status, sealed["use"]["purpose"]) == (201, "印发")
    assert (
        api.call("stamp_document", "zhou", {"document": encoded(document)}, seal_id=seal)[0] == 201
    )


@pytest.mark.parametrize(("pdf", "form"), [(None, "pdf"), ("pades", "pdf"), ("sm2", "pdf_sm2")])
def test_a_pdf_is_sealed_over_http(api: Api, pdf: str | None, form: str) -> None:
    body = {"document": encoded(paged_pdf(2)), **({} if pdf is None else {"pdf": pdf})}
    status, sealed = api.call("stamp_document", "zhou", body, seal_id=api.seal())
    assert (status, sealed["use"]["form"]) == (201, form)
    report = api.call("verify_seal", None, {"file": sealed["document"]})[1]
    assert (report["valid"], report["kind"]) == (True, "pdf")


def test_level_and_key_of_a_pdf_are_chosen_over_http(api: Api) -> None:
    seal = api.seal()
    wish = {"document": encoded(paged_pdf()), "pades_level": "b-lt", "pades_key": "rsa-3072"}
    status, sealed = api.call("stamp_document", "zhou", wish, seal_id=seal)
    assert status == 201
    report = api.call("verify_seal", None, {"file": sealed["document"]})[1]
    assert "PAdES B-LT" in report["signatures"][0]["steps"][0]["why"]
    for wrong in ({"pades_level": "b-x"}, {"pades_level": 7}, {"pades_key": "sm2"}):
        assert api.call("stamp_document", "zhou", {**wish, **wrong}, seal_id=seal)[0] == 400


def test_a_verdict_is_signed_for_who_may_see_seals(api: Api) -> None:
    sealed = api.call(
        "stamp_document", "zhou", {"document": encoded(paged_pdf())}, seal_id=api.seal()
    )[1]
    status, made = api.call("report_verdict", "zhou", {"file": sealed["document"]})
    assert (status, made["verdict"]["valid"]) == (200, True)
    assert api.call("verify_seal", None, {"file": made["document"]})[1]["valid"]
    assert api.call("report_verdict", None, {"file": sealed["document"]})[0] == 401
    assert api.call("report_verdict", "li", {"file": sealed["document"]})[0] == 403


def test_a_place_is_previewed_over_http(api: Api) -> None:
    seal = api.seal()
    body = {"document": encoded(pack(paged_document(2))), "places": [{**PLACE, "page": -1}]}
    status, seen = api.call("preview_stamp", "zhou", body, seal_id=seal)
    assert (status, seen["page"], seen["pages"], seen["blank"]) == (200, 2, 2, True)
    content, kind = multipart(document=paged_pdf(2), places=b"[]")
    assert api.send("preview_stamp", "zhou", content, kind, seal_id=seal)[1]["blank"] is False
    assert api.call("preview_stamp", None, body, seal_id=seal)[0] == 401
    assert api.call("preview_stamp", "li", body, seal_id=seal)[0] == 403
    assert api.call("preview_stamp", "zhou", {**body, "places": 7}, seal_id=seal)[0] == 400


PLACE = {"page": 1, "x": 1, "y": 1}


@pytest.mark.parametrize(
    "wrong",
    [
        {"document": None},
        {"document": "%"},
        {"document": encoded(b"no zip")},
        {"places": {}},
        {"places": [7]},
        {"places": [{}]},
        {"places": [{**PLACE, "page": 1.5}]},
        {"places": [{**PLACE, "page": True}]},
        {"places": [{**PLACE, "x": "1"}]},
        {"places": [{**PLACE, "x": True}]},
        {"places": [{**PLACE, "x": 1e300}]},
        {"places": [{**PLACE, "page": 10**18}]},
        {"places": [PLACE] * 21},
        {"edge": 7},
        {"pdf": "pgp"},
        {"pdf": 7},
        {"edge": {}},
        {"edge": {"y": 1, "first": "1"}},
        {"purpose": 7},
        {"purpose": "x" * 201},
    ],
)
def test_a_malformed_stamping_is_a_400(api: Api, wrong: Any) -> None:
    body = {"document": encoded(pack(paged_document(2))), **wrong}
    assert api.call("stamp_document", "zhou", body, seal_id=api.seal())[0] == 400


def test_a_stamping_in_a_form_that_is_no_json_or_no_file_is_a_400(api: Api) -> None:
    document = pack(paged_document())
    for parts in ({"document": document, "places": b"{"}, {"purpose": b"x"}):
        content, kind = multipart(**parts)
        assert api.send("stamp_document", "zhou", content, kind, seal_id="seal_1")[0] == 400


@pytest.mark.parametrize("who", ["sun", "qian", "li"])
def test_who_is_no_holder_stamps_nothing(api: Api, who: str) -> None:
    body = {"document": encoded(pack(paged_document()))}
    assert api.call("stamp_document", who, body, seal_id=api.seal())[0] == 403


def test_a_seal_of_format_5_is_applied_for_and_shown(api: Api) -> None:
    wanted = {
        "name": "临江县财政局",
        "shape": "round",
        "organization": "临江县财政局",
        "holders": ["zhou"],
        "reason": "公文用印",
        "format_version": 5,
    }
    status, application = api.call("apply_seal", "sun", wanted)
    assert (status, application["format_version"]) == (201, 5)
    for wrong in (1, 3, "5", None):
        assert api.call("apply_seal", "sun", {**wanted, "format_version": wrong})[0] == 400


def test_a_use_policy_is_set_shown_and_kept(api: Api) -> None:
    seal = api.seal()
    wish = {
        "version": 0,
        "users": ["zhou"],
        "document_classes": ["公文"],
        "weekdays": [1, 2, 3, 4, 5],
        "opens": "07:30",
        "closes": "24:00",
        "daily_cap": 2,
        "max_risk": 40,
        "approval": "none",
    }
    assert api.call("set_use_policy", "zhou", wish, seal_id=seal)[0] == 403
    assert api.call("set_use_policy", "qian", wish, seal_id=seal) == (200, {**wish, "version": 1})
    assert api.call("show_use_policy", "zhou", seal_id=seal) == (200, {**wish, "version": 1})
    assert api.call("set_use_policy", "qian", wish, seal_id=seal)[0] == 409
    body = {"document_sm3": sm3(DOCUMENT).hex(), "document_class": "合同"}
    status, problem = api.call("use_seal", "zhou", body, seal_id=seal)
    assert (status, problem["code"]) == (403, "kms.seal_use_refused")
    status, sealed = api.call("use_seal", "zhou", {**body, "document_class": "公文"}, seal_id=seal)
    assert (status, sealed["use"]["document_class"]) == (201, "公文")
    parts = {"document": DOCUMENT, "document_class": "公文".encode()}
    assert api.send("use_seal", "zhou", *multipart(**parts), seal_id=seal)[0] == 201
    reset = api.call("set_use_policy", "qian", {"version": 1}, seal_id=seal)[1]
    assert (reset["users"], reset["daily_cap"], reset["closes"]) == ([], None, "24:00")


@pytest.mark.parametrize(
    "wrong",
    [
        {"version": None},
        {"version": "0"},
        {"users": "zhou"},
        {"users": [7]},
        {"weekdays": [True]},
        {"weekdays": ["1"]},
        {"opens": 8},
        {"opens": "8:00"},
        {"daily_cap": "1"},
        {"daily_cap": 1.5},
        {"max_risk": None},
        {"document_classes": [""]},
    ],
)
def test_a_malformed_policy_is_a_400(api: Api, wrong: dict[str, Any]) -> None:
    body = {"version": 0, **wrong}
    assert api.call("set_use_policy", "qian", body, seal_id=api.seal())[0] == 400


def test_a_suspended_seal_answers_403_with_the_reason(api: Api) -> None:
    seal = api.seal()
    assert api.call("suspend_seal", "qian", {"reason": "用印异常"}, seal_id=seal)[0] == 200
    body = {"document_sm3": sm3(DOCUMENT).hex()}
    status, problem = api.call("use_seal", "zhou", body, seal_id=seal)
    assert (status, problem["code"]) == (403, "kms.seal_not_usable")
    assert "用印异常" in problem["detail"]
    assert api.call("resume_seal", "qian", {"reason": "无误"}, seal_id=seal)[0] == 200
    assert api.call("use_seal", "zhou", body, seal_id=seal)[0] == 201
    assert api.call("revoke_seal", "qian", {"reason": "撤销"}, seal_id=seal)[0] == 200
    assert api.call("use_seal", "zhou", body, seal_id=seal)[0] == 403


@pytest.mark.parametrize("who", ["sun", "qian", "li"])
def test_who_is_no_holder_is_refused(api: Api, who: str) -> None:
    body = {"document_sm3": sm3(DOCUMENT).hex()}
    assert api.call("use_seal", who, body, seal_id=api.seal())[0] == 403


def test_without_a_token_only_verification_answers(api: Api) -> None:
    for operation, route in api.routes.items():
        if isinstance(route.access, Public):
            assert operation == "verify_seal"
            continue
        assert api.call(operation, None, seal_id="x", application_id="x")[0] == 401


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("use_seal", {}),
        ("use_seal", {"document": "%%%"}),
        ("use_seal", {"document": 7}),
        ("use_seal", {"document_sm3": "00"}),
        ("use_seal", {"document_sm3": "zz" * 32}),
        ("use_seal", {"document": "AA==", "document_sm3": "00" * 32}),
        ("use_seal", {"document_sm3": "00" * 32, "purpose": "a\nb"}),
        ("use_seal", []),
    ],
)
def test_a_malformed_request_is_a_400(api: Api, operation: str, body: Any) -> None:
    assert api.call(operation, "zhou", body, seal_id=api.seal())[0] == 400


@pytest.mark.parametrize(
    "body",
    [{}, {"file": 1}, {"file": "%"}, {"file": encoded(b"hello")}, {"file": encoded(b"%PDF")}],
)
def test_what_can_not_be_verified_is_a_400_for_everybody(api: Api, body: Any) -> None:
    assert api.call("verify_seal", None, body)[0] == 400


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("apply_seal", {"name": "x"}),
        ("apply_seal", {"name": "县", "holders": "zhou"}),
        ("apply_seal", {"name": "县", "holders": [7]}),
    ],
)
def test_a_malformed_application_is_a_400(api: Api, operation: str, body: Any) -> None:
    assert api.call(operation, "sun", body)[0] == 400


def test_a_decision_is_a_boolean(api: Api) -> None:
    body = {"grant": "yes", "reason": "x"}
    assert api.call("decide_application", "qian", body, application_id="x")[0] == 400


def test_seals_and_applications_are_listed_and_shown(api: Api) -> None:
    seal = api.seal()
    assert [item["id"] for item in api.call("list_seals", "qian")[1]["items"]] == [seal]
    shown = api.call("show_seal", "qian", seal_id=seal)[1]
    assert shown["holders"] == [{"account_id": "zhou", "name": "zhou"}]
    assert base64.b64decode(shown["picture"]).startswith(b"\x89PNG")
    applications = api.call("list_applications", "qian")[1]["items"]
    assert [item["approval"] for item in applications] == ["used"]
    assert api.call("show_seal", "qian", seal_id="seal_none")[0] == 404


@pytest.mark.parametrize(("operation", "who"), [("use_seal", "zhou"), ("verify_seal", None)])
def test_an_upload_without_its_file_is_a_400(api: Api, operation: str, who: str | None) -> None:
    content, kind = multipart(purpose=b"x")
    assert api.send(operation, who, content, kind, seal_id="seal_1")[0] == 400


def test_a_document_that_is_too_large_is_a_413(api: Api) -> None:
    content, kind = multipart(document=bytes((20 << 20) + 1))
    assert api.send("use_seal", "zhou", content, kind, seal_id="seal_1")[0] == 413
    content, kind = multipart(file=bytes((20 << 20) + 1))
    assert api.send("verify_seal", None, content, kind)[0] == 413


def test_each_use_answers_with_its_leaf_and_where_its_receipt_lies(api: Api) -> None:
    seal = api.seal()
    body = {"document_sm3": sm3(DOCUMENT).hex()}
    sealed = api.call("use_seal", "zhou", body, seal_id=seal)[1]
    use = sealed["use"]["id"]
    url = f"/api/v1/kms/seal-uses/{use}/receipt"
    assert sealed["receipt"] == {"leaf_hash": sealed["use"]["leaf_hash"], "url": url}
    assert re.fullmatch("[0-9a-f]{64}", sealed["receipt"]["leaf_hash"])
    status, receipt = api.call("show_receipt", "zhou", use_id=use)
    assert (status, receipt["proofs"], receipt["use"]["id"]) == (200, None, use)
    proof = LeafProof(7, b"{}", "sha256 proof", "sm3 proof", ("key",))
    api.proofs.proofs[receipt["leaf_hash"]] = proof
    proved = api.call("show_receipt", "qian", use_id=use)[1]
    assert (proved["entry"], proved["record"], proved["vkeys"]) == (7, "{}", ["key"])
    assert proved["proofs"] == {"sha256": "sha256 proof", "sm3": "sm3 proof"}
    assert api.call("show_receipt", "zhou", use_id="use_none")[0] == 404
    assert api.call("show_receipt", "li", use_id=use)[0] == 403


def test_a_single_use_is_asked_for_approved_and_used_over_http(api: Api) -> None:
    seal = api.seal()
    api.call("set_use_policy", "qian", {"version": 0, "approval": "each_use"}, seal_id=seal)
    asked = {"file_name": "通知.txt", "purpose": "印发", "document": in_base64(DOCUMENT)}
    status, request = api.call("request_seal_use", "zhou", asked, seal_id=seal)
    assert (status, request["approval"], request["document_kept"]) == (201, "pending", True)
    named = {"request_id": request["id"]}
    listed = api.call("list_seal_use_requests", "qian")[1]["items"]
    assert [each["id"] for each in listed] == [request["id"]]
    assert api.call("use_approved_seal", "zhou", {}, **named)[0] == 403
    decision = {"grant": True, "reason": "已核对"}
    assert api.call("decide_seal_use", "zhou", decision, **named)[0] == 403
    assert api.call("decide_seal_use", "qian", decision, **named)[1]["state"] == "approved"
    other = {"document_sm3": "00" * 32}
    assert api.call("use_approved_seal", "zhou", other, **named)[0] == 403
    sealed = api.call("use_approved_seal", "zhou", {}, **named)
    assert (sealed[0], sealed[1]["use"]["request_id"]) == (201, request["id"])
    shown = api.call("show_seal_use_request", "qian", **named)[1]
    assert (shown["approval"], shown["use_id"]) == ("used", sealed[1]["use"]["id"])


def test_a_document_of_a_request_comes_as_a_part_too(api: Api) -> None:
    seal = api.seal()
    parts = {"document": pack(paged_document(1)), "file_name": b"a.ofd", "purpose": b"x"}
    more = {"form": b"ofd", "places": b'[{"page": 1, "x": 20, "y": 20}]'}
    kind = multipart(**parts, **more)
    status, request = api.send("request_seal_use", "zhou", *kind, seal_id=seal)
    assert (status, request["form"], request["stamping"]["places"][0]["x"]) == (201, "ofd", 20)
    named = {"request_id": request["id"]}
    api.call("decide_seal_use", "qian", {"grant": True, "reason": "同意"}, **named)
    content = multipart(document=parts["document"])
    status, sealed = api.send("use_approved_seal", "zhou", *content, **named)
    assert (status, sealed["use"]["form"]) == (201, "ofd")


@pytest.mark.parametrize(
    "wrong",
    [
        {"document": None},
        {"document_sm3": "00" * 32},
        {"file_name": 7},
        {"file_name": None},
        {"purpose": None},
        {"form": "paper"},
        {"document": "%"},
        {"places": {}},
    ],
)
def test_a_malformed_request_for_a_use_is_a_400(api: Api, wrong: dict[str, Any]) -> None:
    body = {"file_name": "a", "purpose": "x", "document": in_base64(DOCUMENT), **wrong}
    assert api.call("request_seal_use", "zhou", body, seal_id=api.seal())[0] == 400
    digest = {"file_name": "a", "purpose": "x", "document_sm3": "zz"}
    assert api.call("request_seal_use", "zhou", digest, seal_id=api.seal())[0] == 400


def test_an_application_is_shown_with_its_picture(api: Api) -> None:
    wanted = {
        "name": "临江县",
        "shape": "round",
        "organization": "临江县",
        "holders": ["zhou"],
        "reason": "x",
        "code": "4403990012345",
        "picture": in_base64(b"png"),
    }
    application = api.call("apply_seal", "sun", wanted)[1]
    shown = api.call("show_application", "qian", application_id=application["id"])[1]
    assert (shown["code"], shown["picture_filed"]) == ("4403990012345", True)
    assert base64.b64decode(shown["picture"]).startswith(b"\x89PNG")
    for wrong in ({"code": "123"}, {"code": 7}, {"origin": "moon"}, {"picture": "%"}):
        assert api.call("apply_seal", "sun", {**wanted, **wrong})[0] == 400


def test_a_seal_is_destroyed_over_http_by_another(api: Api) -> None:
    seal = {"seal_id": api.seal()}
    reason, decision = {"reason": "撤销"}, {"grant": True, "reason": "同意"}
    assert api.call("request_seal_destruction", "qian", reason, **seal)[0] == 409
    api.call("revoke_seal", "qian", reason, **seal)
    assert api.call("request_seal_destruction", "qian", reason, **seal)[0] == 201
    assert api.call("decide_seal_destruction", "qian", decision, **seal)[0] == 403
    assert api.call("decide_seal_destruction", "zhou", decision, **seal)[0] == 403
    rejected = api.call("decide_seal_destruction", "qian", {**decision, "grant": False}, **seal)
    assert rejected == (200, {"id": seal["seal_id"], "approval": "rejected"})


def test_where_there_is_no_province_its_verdict_is_a_503(api: Api) -> None:
    body = {"file": in_base64(b"0\x00")}
    status, problem = api.call("verify_seal_at_province", "zhou", body)
    assert (status, problem["code"]) == (503, "kms.remote_sealer_absent")
    assert api.call("verify_seal_at_province", "li", body)[0] == 403
