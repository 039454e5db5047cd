"""Applications that somebody asks for (RFC 7591) and another person approves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import orjson
import pytest

from iam.core.rfc7591.metadata import describe_client, read_metadata
from iam.core.rfc7591.rules import check_client
from iam.errors import (
    InvalidClientMetadata,
    InvalidRedirectUri,
    InvalidRequest,
    NameTaken,
    RedirectRefused,
)
from iam.models.clients import DEVICE_GRANT, NewClient
from secops.kernel.approvals import NotPending, SelfApproval
from secops.kernel.errors import Forbidden, Invalid, NotFound
from tests.fakes.iam_home import IamHome
from tests.fakes.relying_party import CALLBACK, Browser, Holder, answer_of
from tests.fakes.second_account import second_account
from tests.unit.iam.test_identity_commands import printed, run

METADATA: dict[str, Any] = {
    "client_name": "OA",
    "redirect_uris": [CALLBACK],
    "grant_types": ["authorization_code", "refresh_token"],
    "scope": "openid profile",
    "unknown_member": {"is": "left out"},
}


def test_one_asks_another_approves_and_the_first_collects_once(home: IamHome) -> None:
    service = home.services.registration
    staff, admin = home.actor("staff"), home.actor("security-admin")
    asked = service.request_client(staff, METADATA)
    assert home.services.clients.directory.find(asked.request.client_id) is None
    with pytest.raises(NotPending):
        service.complete_client(staff, asked.request.id)
    assert [one.request.id for one in service.list_requests(admin)] == [asked.request.id]
    service.approve_client(admin, asked.request.id, grant=True, reason="contract")
    with pytest.raises(Forbidden):
        service.complete_client(home.actor("system-admin"), asked.request.id)
    registered = service.complete_client(staff, asked.request.id)
    assert (registered["client_name"], registered["client_secret_expires_at"]) == ("OA", 0)
    assert registered["token_endpoint_auth_method"] == "client_secret_basic"
    with pytest.raises(NotPending):
        service.complete_client(staff, asked.request.id)
    client = home.services.clients.directory.find(registered["client_id"])
    assert client is not None
    assert (client.redirect_uris, client.scopes) == ((CALLBACK,), {"openid", "profile"})
    acts = [leaf["action"] for leaf in home.leaves()][-3:]
    assert acts == ["iam.request_client", "iam.approve_client", "iam.create_client"]


def test_nobody_admits_what_they_asked_for(home: IamHome) -> None:
    service = home.services.registration
    asked = service.request_client(home.actor("system-admin"), METADATA)
    for role in ("system-admin", "staff", "analyst", "audit-admin"):
        with pytest.raises((Forbidden, SelfApproval)):
            service.approve_client(home.actor(role), asked.request.id, grant=True)
    with pytest.raises(Forbidden):
        service.request_client(home.actor("auditor"), METADATA)
    with pytest.raises(Forbidden):
        service.list_requests(home.actor("auditor"))
    with pytest.raises(Forbidden):
        service.get_request(home.actor("analyst"), asked.request.id)
    with pytest.raises(NotFound):
        service.get_request(home.actor("staff"), "apr_unknown")


def test_a_second_account_of_the_requester_admits_nothing(home: IamHome) -> None:
    asked = home.services.registration.request_client(home.actor("staff"), METADATA)
    disguised = second_account(home, "staff", "security-admin")
    with pytest.raises(SelfApproval):
        home.services.registration.approve_client(disguised, asked.request.id, grant=True)


def test_a_rejected_or_forgotten_request_gives_nothing(home: IamHome) -> None:
    service = home.services.registration
    staff, admin = home.actor("staff"), home.actor("security-admin")
    rejected, late = (service.request_client(staff, METADATA) for _ in range(2))
    service.approve_client(admin, rejected.request.id, grant=False, reason="no contract")
    home.clock.advance(7 * 86_400)
    for asked in (rejected, late):
        with pytest.raises(NotPending):
            service.complete_client(staff, asked.request.id)
    assert service.get_request(staff, rejected.request.id).approval.reason == "no contract"


def test_over_http_it_is_a_request_and_no_registration(home: IamHome) -> None:
    browser = Browser(home)
    refused = browser.send("POST /oauth2/register", orjson.dumps(METADATA))
    assert refused.status == 401
    assert answer_of(refused)["error"] == "invalid_client"


BAD: list[tuple[dict[str, Any], type[Exception]]] = [
    ({"redirect_uris": ["https://app.example/#f"]}, InvalidRedirectUri),
    ({"redirect_uris": ["http://app.example/cb"]}, InvalidRedirectUri),
    ({"redirect_uris": ["https://*.example/cb"]}, InvalidRedirectUri),
    ({"post_logout_redirect_uris": ["ftp://app.example"]}, InvalidRedirectUri),
    ({"backchannel_logout_uri": "http://10.0.0.1/bc"}, InvalidRedirectUri),
    (
        {"jwks_uri": "file:///etc/passwd", "token_endpoint_auth_method": "private_key_jwt"},
        InvalidRedirectUri,
    ),
    ({"redirect_uris": []}, InvalidClientMetadata),
    ({"redirect_uris": CALLBACK}, InvalidClientMetadata),
    ({"redirect_uris": [1]}, InvalidClientMetadata),
    ({"grant_types": ["password"]}, InvalidClientMetadata),
    ({"grant_types": ["implicit"]}, InvalidClientMetadata),
    ({"grant_types": []}, InvalidClientMetadata),
    ({"response_types": ["token"]}, InvalidClientMetadata),
    ({"response_types": ["code", "id_token"]}, InvalidClientMetadata),
    ({"token_endpoint_auth_method": "client_secret_jwt"}, InvalidClientMetadata),
    ({"token_endpoint_auth_method": 1}, InvalidClientMetadata),
    ({"token_endpoint_auth_method": "private_key_jwt"}, InvalidClientMetadata),
    ({"jwks": {"keys": []}}, InvalidClientMetadata),
    ({"jwks": "x"}, InvalidClientMetadata),
    (
        {"jwks": {"keys": []}, "token_endpoint_auth_method": "private_key_jwt"},
        InvalidClientMetadata,
    ),
    ({"token_endpoint_auth_signing_alg": "RS256"}, InvalidClientMetadata),
    ({"software_statement": "x"}, InvalidClientMetadata),
    ({"id_token_signed_response_alg": "none"}, InvalidClientMetadata),
    ({"subject_type": "public"}, InvalidClientMetadata),
    ({"sector_identifier_uri": "http://app.example"}, InvalidClientMetadata),
    ({"dpop_bound_access_tokens": "yes"}, InvalidClientMetadata),
    ({"default_max_age": "60"}, InvalidClientMetadata),
    ({"default_max_age": -1}, InvalidClientMetadata),
    ({"default_acr_values": ["urn:elsewhere:1"]}, InvalidClientMetadata),
    ({"profile": "fapi3"}, InvalidClientMetadata),
    ({"profile": "fapi2"}, InvalidClientMetadata),
    ({"scope": "a b$"}, InvalidClientMetadata),
    ({"scope": 1}, InvalidClientMetadata),
    ({"client_name": "x" * 17_000}, InvalidClientMetadata),
]


def test_what_is_not_served_is_refused_in_rfc_7591s_words(home: IamHome) -> None:
    staff, wrong = home.actor("staff"), []
    for change, error in BAD:
        try:
            home.services.registration.request_client(staff, METADATA | change)
        except (InvalidClientMetadata, InvalidRedirectUri) as refusal:
            if type(refusal) is not error:
                wrong.append((change, refusal.oauth_error))
        else:
            wrong.append((change, "accepted"))
    assert wrong == []


def test_metadata_is_read_and_described_alike(home: IamHome) -> None:
    keys = Holder(home)
    given = METADATA | {
        "token_endpoint_auth_method": "private_key_jwt",
        "token_endpoint_auth_signing_alg": "ES256",
        "jwks": {"keys": [keys.jwk]},
        "profile": "fapi2",
        "default_max_age": 600,
        "default_acr_values": ["urn:secops:aal:2"],
        "backchannel_logout_uri": "https://app.example/bc",
        "sector_identifier_uri": "https://sector.example/list",
        "subject_type": "pairwise",
    }
    new = read_metadata("app", given)
    assert (new.sector, new.profile, new.level, new.max_age) == ("sector.example", "fapi2", 2, 600)
    client, secret = home.services.clients.prepare(new, "org")
    described = describe_client(client)
    assert secret is None
    for name in ("jwks", "default_max_age", "backchannel_logout_uri", "profile"):
        assert described[name] == given[name]
    assert described["require_pushed_authorization_requests"] is True
    assert described["dpop_bound_access_tokens"] is True


@pytest.mark.parametrize("wrong", ["sometimes", "", "None"])
def test_consent_is_none_or_ask(wrong: str) -> None:
    with pytest.raises(InvalidClientMetadata, match="consent"):
        read_metadata("app", METADATA | {"consent": wrong})
    assert read_metadata("app", METADATA | {"consent": "ask"}).consent == "ask"


DEVICE = frozenset({DEVICE_GRANT})
WRONG: list[tuple[dict[str, Any], type[Exception]]] = [
    ({"id": "secops-console"}, NameTaken),
    ({"id": "acc_1"}, NameTaken),
    ({"level": 4}, InvalidRequest),
    ({"level": 0}, InvalidRequest),
    ({"max_age": 10**9}, InvalidRequest),
    ({"redirect_uris": (CALLBACK,)}, InvalidRequest),
    ({"public": True, "jwks_uri": "https://app.example/jwks", "grants": DEVICE}, InvalidRequest),
    ({"jwks": "{}", "jwks_uri": "https://app.example/jwks"}, InvalidRequest),
    ({"jwks": "{"}, InvalidRequest),
    ({"assertion_alg": "HS256"}, InvalidRequest),
    ({"profile": "fapi2"}, InvalidRequest),
    ({"sector": "a b"}, InvalidRequest),
    ({"grants": frozenset({"client_credentials"}), "public": True}, InvalidRequest),
    ({"back_channel_uri": "https://user@app.example/"}, RedirectRefused),
]


def test_a_private_key_is_never_taken_for_a_public_one(home: IamHome) -> None:
    jwk = Holder(home).jwk | {"d": "AAAA"}
    with pytest.raises(InvalidRequest):
        check_client(NewClient("app", "app", jwks=json.dumps({"keys": [jwk]})))


def test_each_rule_of_registration_refuses() -> None:
    for change, error in WRONG:
        given: dict[str, Any] = {"id": "app", "name": "app"} | change
        with pytest.raises(error):
            check_client(NewClient(**given))


def test_the_command_line_asks_approves_collects_and_lists(home: IamHome, tmp_path: Path) -> None:
    wanted = tmp_path / "oa.json"
    wanted.write_text(json.dumps(METADATA))
    asked = printed(run(home, "staff", "request-client", str(wanted)))
    request = asked["request_id"]
    listed = printed(run(home, "security-admin", "list-client-requests", "--json"))
    assert [one["request_id"] for one in listed["items"]] == [request]
    assert "Requests" in run(home, "security-admin", "list-client-requests").stdout
    approved = run(home, "security-admin", "approve-client", request, "--reason", "contract")
    assert "approved" in approved.output
    secret = tmp_path / "secret.json"
    run(home, "staff", "complete-client", request, "-o", str(secret))
    assert json.loads(secret.read_text())["client_id"] == asked["client_id"]
    other = printed(run(home, "staff", "request-client", str(wanted)))["request_id"]
    assert "rejected" in run(home, "security-admin", "approve-client", other, "--reject").output
    for text in ("{", "[]"):
        wanted.write_text(text)
        assert isinstance(run(home, "staff", "request-client", str(wanted)).exception, Invalid)


def test_the_command_line_registers_what_an_application_demands(
    home: IamHome, tmp_path: Path
) -> None:
    jwks = tmp_path / "jwks.json"
    jwks.write_text(json.dumps({"keys": [Holder(home).jwk]}))
    words = ("--profile", "fapi2", "--jwks", str(jwks), "--grant", "authorization_code")
    more = ("--redirect-uri", CALLBACK, "--level", "2", "--back-channel-uri", CALLBACK)
    made = printed(run(home, "system-admin", "create-client", "bank", *words, *more))
    assert (made["authentication"], made["profile"], made["secret"]) == (
        "private_key_jwt",
        "fapi2",
        None,
    )
    assert (made["dpop_bound"], made["level"], made["back_channel_uri"]) == (True, 2, CALLBACK)
    client = home.services.clients.directory.find("bank")
    assert client is not None
    assert client.par_required


def test_the_command_line_lists_silent_partners(home: IamHome) -> None:
    listed = printed(run(home, "security-admin", "list-silent-partners", "--json"))
    assert listed == {"items": [], "next": None}
    assert run(home, "security-admin", "list-silent-partners").exception is None
    retried = run(home, "security-admin", "retry-logout", "lgo_unknown")
    assert isinstance(retried.exception, NotFound)
