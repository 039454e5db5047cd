"""The pure parts of sign-in upstream: plans, filters, BER, tickets, keys, metadata, levels."""

from __future__ import annotations

import dataclasses
from typing import Any

import jwt
import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st

from iam.core.cas30.validation import read_answer
from iam.core.openid.discovery import discovery_url, read_metadata
from iam.core.openid.id_token import token_kid
from iam.core.openid.keys import read_keys
from iam.core.real_name import real_name_claim
from iam.core.rfc4511.ber import element, integer, read_element, read_integer, whole_length
from iam.core.rfc4511.messages import (
    Message,
    bind_request,
    read_entry,
    read_message,
    result_code,
    search_request,
    unbind_request,
)
from iam.core.rfc4511.search_filter import encode_filter
from iam.core.rfc4515.filter import escape_value, fill_template, template_is_safe
from iam.core.upstream_plan import make_plan, status_url_of, write_plan
from iam.core.upstream_ticket.layout import split_ticket
from iam.core.upstream_ticket.verify import open_ticket
from iam.errors import UpstreamInvalid, UpstreamRefused
from iam.models.upstream import RealNameLevel, TicketSettings, stored_plan
from tests.fakes.directory import ldap_document, ldap_module
from tests.fakes.province import (
    OIDC,
    SM4_KEY,
    TRUST,
    Province,
    cas_document,
    oidc_document,
    ticket_document,
)

PROVINCE = Province()
POINT = PROVINCE.platform_point.hex()
NOW = PROVINCE.clock.now() // 1_000_000


def decoded(message: bytes) -> Any:
    return ldap_module().decode("LDAPMessage", message)["protocolOp"][1]


# plans


@pytest.mark.parametrize(
    "document",
    [oidc_document(), ticket_document(PROVINCE), cas_document(), ldap_document(TRUST)],
    ids=["oidc", "ticket", "cas", "ldap"],
)
def test_a_plan_is_stored_and_read_as_it_is(document: dict[str, Any]) -> None:
    plan = make_plan("province", document)
    assert stored_plan("province", write_plan(plan)) == plan


def test_only_kinds_with_a_status_address_have_one() -> None:
    assert status_url_of(make_plan("pr", oidc_document()).settings).endswith("/status")
    assert status_url_of(make_plan("pr", ldap_document(TRUST)).settings) == ""


WRONG_PLANS: list[dict[str, Any]] = [
    {"kind": "saml"},
    {"kind": "oidc", "extra": 1},
    {"kind": "oidc", "settings": []},
    {"kind": "oidc", "settings": {"issuer": OIDC}},
    {**oidc_document(), "title": 7},
    {**oidc_document(), "title": "x" * 501},
    {**oidc_document(), "title": "two\nlines"},
    oidc_document(unknown=1),
    oidc_document(issuer="http://id.province.example"),
    oidc_document(issuer="https://id.province.example?x=1"),
    oidc_document(issuer="https://id.province.example#x"),
    oidc_document(issuer="https://u:p@id.province.example"),
    oidc_document(issuer="https://[broken"),
    oidc_document(issuer="https://省.example"),
    oidc_document(jwks_uri="ftp://x"),
    oidc_document(status_url="ftp://x"),
    oidc_document(algorithm="none"),
    oidc_document(algorithm="HS256"),
    oidc_document(authentication="none"),
    oidc_document(client_id=""),
    oidc_document(scopes=["profile"]),
    oidc_document(scopes="openid"),
    oidc_document(userinfo="yes"),
    oidc_document(acr_levels=[]),
    oidc_document(acr_levels={"x": 0}),
    oidc_document(issuer="https://a b"),
    ticket_document(PROVINCE, login_url="javascript:x"),
    ticket_document(PROVINCE, public_key="04"),
    ticket_document(PROVINCE, cipher="sm4-ecb"),
    ticket_document(PROVINCE, layout=["body:*"]),
    ticket_document(PROVINCE, layout=["iv:12", "body:*", "tag:16", "signature:*"]),
    ticket_document(PROVINCE, layout=["iv:12", "iv:12", "body:*", "tag:16", "signature:64"]),
    ticket_document(PROVINCE, layout=["iv:16", "body:*", "tag:16", "signature:64"]),
    ticket_document(PROVINCE, layout=["iv:12", "body:*", "tag:4", "signature:64"]),
    ticket_document(PROVINCE, layout=["../:12"]),
    ticket_document(PROVINCE, encoding="base32"),
    ticket_document(PROVINCE, signature_form="xml"),
    ticket_document(PROVINCE, signed="iv"),
    ticket_document(PROVINCE, signed="signature+iv+body"),
    ticket_document(PROVINCE, lifetime_seconds=-1),
    cas_document(server_url="http://cas.province.example"),
    cas_document(status_url="x"),
    ldap_document(TRUST, host="UPPER"),
    ldap_document(TRUST, base_dn=""),
    ldap_document(TRUST, search_filter="(uid=*)"),
    ldap_document(TRUST, search_filter="(uid={name})(uid={name})"),
    ldap_document({**TRUST, "link_by": ["email"]}),
    ldap_document({**TRUST, "link_by": []}),
    ldap_document({**TRUST, "scheme": "Guangdong"}),
    ldap_document({**TRUST, "assurance": 3}),
    ldap_document({"levels": {"4": 4}}),
    ldap_document({"exclusive": 1}),
    ldap_document({**TRUST, "link_by": ["cn-id"] * 51}),
    ldap_document(TRUST, port="636"),
    ldap_document(TRUST, port=0),
]


def test_every_plan_without_a_meaning_is_refused() -> None:
    accepted = []
    for document in WRONG_PLANS:
        try:
            make_plan("province", document)
        except UpstreamInvalid:
            continue
        accepted.append(document)
    assert accepted == []
    with pytest.raises(UpstreamInvalid):
        make_plan("../province", oidc_document())


def test_plain_http_is_for_this_machine_alone() -> None:
    assert make_plan("pr", oidc_document(issuer="http://localhost:8080")).kind == "oidc"


# filters (RFC 4515) and messages (RFC 4511), read by a foreign decoder


@given(st.text(max_size=40))
def test_a_name_is_a_value_whatever_it_holds(name: str) -> None:
    encoded = search_request(1, "dc=x", fill_template("(uid={name})", name), ["uid"], 2)
    item = decoded(encoded)["filter"]
    assert item == (
        "equalityMatch",
        {"attributeDesc": b"uid", "assertionValue": name.encode("utf-8", "surrogatepass")},
    )


def test_rfc_4515s_own_examples() -> None:
    assert escape_value("Parens R Us (for all your parenthetical needs)").count("\\") == 2
    assert escape_value("*") == "\\2a"
    assert escape_value("C:\\MyFile") == "C:\\5cMyFile"
    assert escape_value("Lučić") == "Lu\\c4\\8di\\c4\\87"


@pytest.mark.parametrize(
    ("template", "safe"),
    [
        ("(uid={name})", True),
        ("(&(a=b)(|(uid={name})(c=d)))", True),
        ("uid={name}", False),
        ("(uid={name}*)", False),
        ("({name}=x)", False),
        ("(uid={name}))(", False),
        ("(((((((((uid={name})))))))))", False),
        ("(uid={name})(x=y", False),
    ],
)
def test_a_template_takes_a_value_in_one_place(template: str, *, safe: bool) -> None:
    assert template_is_safe(template) is safe


def test_filters_of_every_shape_are_read_by_a_foreign_decoder() -> None:
    text = "(&(a=1)(!(b=\\2a))(|(c=*)(d=x)))"
    content = search_request(7, "dc=x", text, ["e"], 300)
    assert decoded(content)["filter"] == (
        "and",
        [
            ("equalityMatch", {"attributeDesc": b"a", "assertionValue": b"1"}),
            ("not", ("equalityMatch", {"attributeDesc": b"b", "assertionValue": b"*"})),
            (
                "or",
                [
                    ("present", b"c"),
                    ("equalityMatch", {"attributeDesc": b"d", "assertionValue": b"x"}),
                ],
            ),
        ],
    )
    assert decoded(content)["sizeLimit"] == 300


@pytest.mark.parametrize(
    "text",
    ["", "a=b", "(a=b", "(&)", "(&(a=b)", "(a=b)x", "(a>=b)", "(a=b*c)", "(!(a=b)", "(" * 20],
)
def test_what_is_no_filter_is_refused(text: str) -> None:
    with pytest.raises(UpstreamInvalid):
        encode_filter(text)


def test_a_bind_says_name_and_password_and_never_an_empty_one() -> None:
    bind = decoded(bind_request(1, "cn=张", "p" * 200))
    assert bind["name"] == "cn=张".encode()
    assert bind["authentication"] == ("simple", b"p" * 200)
    for name, password in (("cn=x", ""), ("", "p")):
        with pytest.raises(UpstreamRefused):
            bind_request(1, name, password)
    assert decoded(unbind_request(3)) is None


@given(st.binary(max_size=300))
def test_an_element_is_read_as_it_was_written(content: bytes) -> None:
    assert read_element(element(4, content) + b"rest") == (4, content, b"rest")


@given(st.integers(0, 1 << 30))
def test_a_number_is_read_as_it_was_written(value: int) -> None:
    assert read_integer(integer(value)) == (value, b"")


@pytest.mark.parametrize("content", [b"\x04\x01\x01", b"\x02\x00", b"\x02\x01\xff"])
def test_what_is_no_number_is_refused(content: bytes) -> None:
    with pytest.raises(UpstreamRefused):
        read_integer(content)


def test_a_result_is_an_enumerated_byte_and_nothing_else() -> None:
    assert result_code(Message(1, 0x61, b"\x0a\x01\x31")) == 49
    for content in (b"\x04\x01\x00", b"\x0a\x02\x00\x00"):
        with pytest.raises(UpstreamRefused, match="no result"):
            result_code(Message(1, 0x61, content))


@pytest.mark.parametrize("content", [b"\x31\x00", b"\x30\x00x"])
def test_what_is_not_one_message_is_refused(content: bytes) -> None:
    with pytest.raises(UpstreamRefused, match="not one"):
        read_message(content)


@pytest.mark.parametrize("head", [b"", b"\x30", b"\x30\x82\x01"])
def test_a_length_that_has_not_arrived_is_waited_for(head: bytes) -> None:
    assert whole_length(head) is None


@given(st.binary(max_size=60))
def test_junk_is_a_message_or_a_refusal(content: bytes) -> None:
    try:
        message = read_message(content)
        result_code(message)
        read_entry(message)
    except UpstreamRefused:
        return
    assert message.number >= 0


def test_an_entry_that_holds_too_much_is_refused() -> None:
    attribute = element(0x30, element(4, b"a") + element(0x31, b""))
    many = element(4, b"cn=x") + element(0x30, attribute * 51)
    with pytest.raises(UpstreamRefused, match="too much"):
        read_entry(Message(1, 0x64, many))
    foreign = element(4, b"\xff") + element(0x30, b"")
    with pytest.raises(UpstreamRefused, match="UTF-8"):
        read_entry(Message(1, 0x64, foreign))


# OpenID


def keys_of(*keys: dict[str, Any]) -> bytes:
    return orjson.dumps({"keys": list(keys)})


def test_only_keys_for_the_agreed_algorithm_count() -> None:
    right = PROVINCE.public_jwk()
    others = [
        {**right, "kid": "enc", "use": "enc"},
        {**right, "kid": "other", "alg": "ES384"},
        {**right, "kid": "ops", "key_ops": ["sign"]},
        {**right, "kid": "odd", "key_ops": "verify"},
        {**right, "kid": "curve", "crv": "P-384"},
        {"kty": "RSA", "kid": "rsa"},
        "not a key",
    ]
    assert list(read_keys(keys_of(right, *others), "ES256")) == ["k1"]


def test_a_bad_key_set_is_refused_whole() -> None:
    right = PROVINCE.public_jwk()
    small = rsa.generate_private_key(65537, 1024).public_key()  # noqa: S505 - must be refused
    rsa_key = jwt.algorithms.RSAAlgorithm.to_jwk(small, as_dict=True)
    for content, algorithm in (
        (b"not json", "ES256"),
        (b"[]", "ES256"),
        (b'{"keys":7}', "ES256"),
        (keys_of(*[{"kty": "EC"}] * 21), "ES256"),
        (keys_of(right, right), "ES256"),
        (keys_of({**right, "d": "AA"}), "ES256"),
        (keys_of({**right, "x": "AA"}), "ES256"),
        (keys_of({**rsa_key, "kid": "r"}), "RS256"),
    ):
        with pytest.raises(UpstreamRefused):
            read_keys(content, algorithm)


def test_a_large_rsa_key_is_taken() -> None:
    public = rsa.generate_private_key(65537, 2048).public_key()
    key = jwt.algorithms.RSAAlgorithm.to_jwk(public, as_dict=True)
    assert list(read_keys(keys_of({**key, "kid": "r"}), "RS256")) == ["r"]


def test_metadata_is_taken_only_from_its_issuer_over_https() -> None:
    right = {
        "issuer": OIDC,
        "authorization_endpoint": f"{OIDC}/a",
        "token_endpoint": f"{OIDC}/t",
        "jwks_uri": f"{OIDC}/j",
    }
    made = read_metadata(orjson.dumps(right), OIDC, "", "ES256")
    assert (made.jwks_uri, made.userinfo_endpoint, made.names_issuer) == (f"{OIDC}/j", "", False)
    pinned = read_metadata(orjson.dumps(right), OIDC, "https://pin.example/j", "ES256")
    assert pinned.jwks_uri == "https://pin.example/j"
    local = {**right, "token_endpoint": "http://localhost:8080/t"}
    assert read_metadata(orjson.dumps(local), OIDC, "", "ES256").token_endpoint.startswith("http:")
    wrong: list[Any] = [
        [],
        {**right, "issuer": "https://other.example"},
        {**right, "id_token_signing_alg_values_supported": ["RS256"]},
        {**right, "id_token_signing_alg_values_supported": "ES256"},
        {**right, "token_endpoint": "http://id.province.example/t"},
        {**right, "token_endpoint": "https://"},
        {**right, "token_endpoint": 7},
        {**right, "token_endpoint": f"{OIDC}/t#x"},
    ]
    for document in wrong:
        with pytest.raises(UpstreamRefused):
            read_metadata(orjson.dumps(document), OIDC, "", "ES256")
    with pytest.raises(UpstreamRefused):
        read_metadata(b"<html>", OIDC, "", "ES256")
    assert discovery_url(f"{OIDC}/") == f"{OIDC}/.well-known/openid-configuration"


def _segments(header: Any) -> str:
    made = jwt.utils.base64url_encode(orjson.dumps(header)).decode()
    return f"{made}.e30.AAAA"


@pytest.mark.parametrize(
    "token",
    ["", "a.b", "a.b.c", "[].e30.AA", _segments([]), _segments({"alg": "ES256", "kid": 7})],
)
def test_a_header_that_is_none_is_refused(token: str) -> None:
    with pytest.raises(UpstreamRefused):
        token_kid(token, "ES256")


def test_claims_that_are_no_object_are_refused() -> None:
    from iam.core.openid.id_token import Expected, verify_id_token  # noqa: PLC0415 - used once

    expected = Expected(OIDC, "county", "ES256", "n", NOW)
    keys = {"k1": PROVINCE.key.public_key()}
    jws = jwt.PyJWS()
    for payload in (b"[]", b"not json", b"[" * 200 + b"]" * 200):
        token = jws.encode(payload, PROVINCE.key, "ES256", {"kid": "k1"})
        with pytest.raises(UpstreamRefused):
            verify_id_token(token, keys, expected)
    claims = {"iss": OIDC, "aud": "county", "exp": NOW + 9, "iat": NOW, "nonce": "n", "sub": "s"}
    token = jws.encode(orjson.dumps(claims), PROVINCE.key, "ES256", {"kid": "k1"})
    assert verify_id_token(token, keys, expected)["sub"] == "s"


# tickets

DEFAULT = TicketSettings("https://x.example/login", "gd-platform", "county", POINT)


def test_encodings_are_read_in_their_one_form() -> None:
    for encoding, text in (
        ("hex", "AB" * 120),
        ("hex", "0g"),
        ("base64", "QUJD QUJD"),
        ("base64", "QUJDRE=="),
        ("base64url", "QUJD="),
    ):
        settings = dataclasses.replace(DEFAULT, encoding=encoding)
        with pytest.raises(UpstreamRefused):
            split_ticket(settings, text)
    settings = dataclasses.replace(DEFAULT, encoding="base64", layout=("iv:2", "body:*"))
    assert split_ticket(settings, "QUJD") == {"iv": b"AB", "body": b"C"}
    with pytest.raises(UpstreamRefused, match="too short"):
        split_ticket(dataclasses.replace(settings, layout=("iv:3", "body:*")), "QUJD")


def test_a_signature_of_another_length_or_key_off_the_curve_is_refused() -> None:
    ticket = PROVINCE.ticket(PROVINCE.members())
    off = dataclasses.replace(DEFAULT, public_key="04" + "11" * 64)
    odd = dataclasses.replace(DEFAULT, layout=("iv:12", "body:*", "tag:16", "signature:60"))
    for settings in (off, odd):
        with pytest.raises(UpstreamRefused, match="not the platform's"):
            open_ticket(settings, ticket, SM4_KEY, "", NOW)


def test_a_ticket_says_what_its_members_say() -> None:
    settings = dataclasses.replace(DEFAULT, state_field="state", level_field="level")
    members = PROVINCE.members(state="s", level=4, credit_code=[], disabled=True)
    opened = open_ticket(settings, PROVINCE.ticket(members), SM4_KEY, "s", NOW)
    assert (opened.level, opened.credit_code, opened.left) == ("4", "", True)
    silent = dataclasses.replace(DEFAULT, level_field="")
    assert open_ticket(silent, PROVINCE.ticket(members), SM4_KEY, "", NOW).level == ""
    with pytest.raises(UpstreamRefused, match="another sign-in"):
        open_ticket(settings, PROVINCE.ticket(PROVINCE.members(state=7)), SM4_KEY, "s", NOW)


# CAS


def test_xml_with_a_dtd_or_of_another_shape_is_refused() -> None:
    space = 'xmlns:cas="http://www.yale.edu/tp/cas"'
    user = "<cas:authenticationSuccess><cas:user>u</cas:user></cas:authenticationSuccess>"
    right = f"<cas:serviceResponse {space}>{user}</cas:serviceResponse>"
    assert read_answer(right.encode()).user == "u"
    dtd = '<!DOCTYPE x [<!ENTITY e "admin">]>'
    entity = right.replace(">u<", ">&e;<")
    bomb = '<!DOCTYPE x [<!ENTITY e "admin">]>' + entity
    wrong = [
        (dtd + right).encode(),
        ('<?xml version="1.0" encoding="UTF-16"?>' + dtd + right).encode("utf-16"),
        ('<?xml version="1.0" encoding="UTF-16"?>' + bomb).encode("utf-16"),
        entity.encode(),
        b"<html/>",
        f"<cas:serviceResponse {space}/>".encode(),
        right.replace("tp/cas", "tp/other").encode(),
        f"<cas:serviceResponse {space}>{user}{user}</cas:serviceResponse>".encode(),
        right.replace("authenticationSuccess", "authenticationFailure").encode(),
        b"",
    ]
    for content in wrong:
        with pytest.raises(UpstreamRefused):
            read_answer(content)


# real-name levels


def level(scheme: str, number: int, at: int, until: int) -> RealNameLevel:
    return RealNameLevel("acc_1", "org_root", scheme, number, "province", at, until)


def test_the_claim_is_the_latest_level_that_holds() -> None:
    held = [level("cn-gd", 4, 1_000_000, 9_000_000), level("cn-tj", 2, 2_000_000, 5_000_000)]
    assert real_name_claim(held, 3_000_000) == {
        "scheme": "cn-tj",
        "level": 2,
        "source": "province",
        "at": 2,
        "exp": 5,
    }
    assert real_name_claim(held, 6_000_000) is not None
    assert real_name_claim(held, 9_000_000) is None
