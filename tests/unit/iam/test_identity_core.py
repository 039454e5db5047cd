from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iam.core import exclusion, lockout, names
from iam.core.base64url import decode, encode
from iam.core.gb11643.id_number import canonical_id_number
from iam.core.gb11643.id_number import check_character as id_check
from iam.core.gb32100.credit_code import ALPHABET, canonical_credit_code
from iam.core.gb32100.credit_code import check_character as usc_check
from iam.core.rfc6238.totp import base32, hotp, matching_step, otpauth_uri, step_at
from iam.core.rfc6749.authorize import (
    allowed_scopes,
    answer_location,
    redirect_target,
    registrable_uri,
)
from iam.core.rfc6749.refresh import read_refresh_token, write_refresh_token
from iam.core.rfc7636.pkce import challenge_of, check_challenge
from iam.core.rfc7638.thumbprint import jwk_of, thumbprint
from iam.errors import (
    IdentityInvalid,
    InvalidGrant,
    InvalidRequest,
    RedirectRefused,
    RoleConflict,
)
from iam.models.accounts import IdentityDocument
from iam.models.clients import Client
from iam.models.credentials import Attempts
from secops.kernel.clock import HOUR, MINUTE, SECOND
from secops.kernel.permissions import ROLES
from secops.kernel.permissions.roles import ADMINISTRATORS, AUDITOR, STAFF

SECRET = b"12345678901234567890"
TODAY = date(2026, 11, 22)


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_codes_are_those_of_rfc_6238_appendix_b(seconds: int, code: str) -> None:
    assert hotp(SECRET, step_at(seconds * SECOND), digits=8) == code


@pytest.mark.parametrize("drift", [-1, 0, 1])
def test_a_code_of_a_neighbouring_step_is_found(drift: int) -> None:
    now = 1_000_000_000 * SECOND
    step = step_at(now) + drift
    assert matching_step(SECRET, hotp(SECRET, step), now, step - 1) == step


@pytest.mark.parametrize("drift", [-3, -2, 2, 3])
def test_a_code_outside_the_window_is_not(drift: int) -> None:
    now = 1_000_000_000 * SECOND
    assert matching_step(SECRET, hotp(SECRET, step_at(now) + drift), now, -1) is None


def test_a_used_or_older_step_never_matches_again() -> None:
    now = 1_000_000_000 * SECOND
    step = step_at(now)
    assert matching_step(SECRET, hotp(SECRET, step), now, step) is None
    assert matching_step(SECRET, hotp(SECRET, step - 1), now, step) is None


@pytest.mark.parametrize("code", ["", "12345", "1234567", "12345a", "１２３４５６", "-12345"])
def test_what_is_no_code_matches_nothing(code: str) -> None:
    assert matching_step(SECRET, code, 1_000_000_000 * SECOND, -1) is None


def test_authenticator_apps_can_read_the_secret() -> None:
    uri = otpauth_uri(SECRET, "张 三@x", "gov secops")
    assert uri.startswith("otpauth://totp/gov%20secops%3A%E5%BC%A0%20%E4%B8%89%40x?secret=")
    assert f"secret={base32(SECRET)}&" in uri


def test_the_challenge_is_that_of_rfc_7636_appendix_b() -> None:
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert challenge_of(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@pytest.mark.parametrize("verifier", ["", "a" * 42, "a" * 129, "a" * 42 + "+", "a" * 43 + "\n"])
def test_a_malformed_verifier_is_refused(verifier: str) -> None:
    with pytest.raises(InvalidGrant):
        challenge_of(verifier)


@pytest.mark.parametrize(
    ("challenge", "method"),
    [(None, "S256"), ("a" * 43, None), ("a" * 43, "plain"), ("a" * 42, "S256"), ("a" * 44, "S256")],
)
def test_only_s256_challenges_are_taken(challenge: str | None, method: str | None) -> None:
    with pytest.raises(InvalidRequest):
        check_challenge(challenge, method)


def test_the_thumbprint_is_that_of_rfc_7638_section_3_1() -> None:
    n = (
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc"
        "_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQ"
        "R0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFT"
        "WhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
    )
    jwk = {"kty": "RSA", "n": n, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"}
    assert thumbprint(jwk) == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"


@pytest.mark.parametrize("der", [b"", b"\x30\x59" + bytes(89), bytes(91)])
def test_only_p256_keys_have_a_jwk_here(der: bytes) -> None:
    with pytest.raises(ValueError, match="P-256"):
        jwk_of(der)


@given(st.binary(max_size=64))
def test_base64url_reads_what_it_writes(content: bytes) -> None:
    assert decode(encode(content)) == content


@given(st.text(alphabet="ABCabc019-_=+/ \n", max_size=24))
def test_base64url_has_one_spelling_for_each_content(text: str) -> None:
    try:
        content = decode(text)
    except ValueError:
        return
    assert encode(content) == text


@given(st.binary(min_size=16, max_size=16), st.integers(0, 2**32 - 1))
def test_refresh_tokens_are_read_back(family: bytes, generation: int) -> None:
    token = write_refresh_token(b"k" * 32, family, generation)
    assert read_refresh_token(b"k" * 32, token) == (family, generation)


@given(st.integers(0, 73), st.sampled_from("ABCabc019-_=+/ \n.é"))
def test_a_changed_refresh_token_is_refused(position: int, char: str) -> None:
    token = write_refresh_token(b"k" * 32, b"f" * 16, 7)
    changed = token[:position] + char + token[position + 1 :]
    if changed != token:
        with pytest.raises(InvalidGrant):
            read_refresh_token(b"k" * 32, changed)


@pytest.mark.parametrize("token", ["", "rt1.", "rt1." + "A" * 70, "rt2." + "A" * 70, "x" * 10_000])
def test_a_made_up_refresh_token_is_refused(token: str) -> None:
    with pytest.raises(InvalidGrant):
        read_refresh_token(b"k" * 32, token)


def test_the_published_example_of_an_identity_number_is_sound() -> None:
    assert canonical_id_number("11010519491231002X", TODAY) == "11010519491231002X"


def test_a_number_of_15_digits_becomes_one_of_18() -> None:
    assert canonical_id_number("110105491231002", TODAY) == "11010519491231002X"


@pytest.mark.parametrize(
    "number",
    [
        "",
        "11010519491231002x",
        "110105194912310021",
        "11010519491231002",
        "01010519491231002X",
        "11010519490231002" + id_check("11010519490231002"),
        "11010520990101002" + id_check("11010520990101002"),
        "11010517490101002" + id_check("11010517490101002"),
        "1101051949123100２X",
    ],
)
def test_a_number_nobody_can_have_is_refused(number: str) -> None:
    with pytest.raises(IdentityInvalid):
        canonical_id_number(number, TODAY)


@given(st.integers(0, 16), st.integers(0, 9))
def test_every_wrong_digit_of_an_identity_number_is_found(position: int, digit: int) -> None:
    number = "11010519491231002X"
    changed = number[:position] + str(digit) + number[position + 1 :]
    if changed != number:
        with pytest.raises(IdentityInvalid):
            canonical_id_number(changed, TODAY)


@pytest.mark.parametrize("code", ["91350100M000100Y43", "91110000100000000X"[:17]])
def test_credit_codes_have_their_check_character(code: str) -> None:
    whole = code[:17] + usc_check(code[:17])
    assert canonical_credit_code(f" {whole.lower()} ") == whole


def test_a_published_credit_code_is_sound() -> None:
    assert canonical_credit_code("91350100M000100Y43") == "91350100M000100Y43"


@given(st.integers(0, 17), st.sampled_from(ALPHABET))
def test_every_wrong_character_of_a_credit_code_is_found(position: int, char: str) -> None:
    code = "91350100M000100Y43"
    changed = code[:position] + char + code[position + 1 :]
    if changed != code:
        with pytest.raises(IdentityInvalid):
            canonical_credit_code(changed)


@pytest.mark.parametrize("code", ["", "9" * 17, "9" * 19, "I1350100M000100Y43"])
def test_what_is_no_credit_code_is_refused(code: str) -> None:
    with pytest.raises(IdentityInvalid):
        canonical_credit_code(code)


@pytest.mark.parametrize("name", ["Alice", " ALICE ", "ａｌｉｃｅ", "alice"])
def test_spellings_that_look_the_same_are_one_name(name: str) -> None:
    assert names.folded_name(name) == "alice"
    assert names.check_name(name) == "alice"


@pytest.mark.parametrize("name", ["", " ", ".a", "a.", "a b", "a\0b", "a" * 65, "a" * 300, "<a>"])
def test_a_name_that_would_confuse_is_refused(name: str) -> None:
    with pytest.raises(IdentityInvalid):
        names.check_name(name)


def test_a_chinese_name_is_fine() -> None:
    assert names.check_name("张三") == "张三"


def test_documents_have_one_text() -> None:
    citizen = IdentityDocument("cn-id", " 11010519491231002x ")
    assert names.document_text(citizen, TODAY) == b"cn-id|11010519491231002X"
    passport = IdentityDocument("passport", "e12345678")
    assert names.document_text(passport, TODAY) == b"passport|E12345678"
    with pytest.raises(IdentityInvalid):
        names.document_text(IdentityDocument("passport", "E 1"), TODAY)


@pytest.mark.parametrize(
    ("address", "block"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("::ffff:192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2ff::1", "2001:db8:1:200::/56"),
        ("not an address", "unknown"),
        ("", "unknown"),
    ],
)
def test_addresses_are_counted_by_block(address: str, block: str) -> None:
    assert names.address_block(address) == block


def test_the_fifth_failure_refuses_for_half_an_hour() -> None:
    attempts = lockout.NONE_YET
    for minute in range(5):
        assert not lockout.refused(attempts, minute * MINUTE + HOUR)
        attempts = lockout.after_failure(attempts, lockout.ACCOUNT, minute * MINUTE + HOUR)
    last = HOUR + 4 * MINUTE
    assert lockout.refused(attempts, last)
    assert lockout.refused(attempts, last + 30 * MINUTE - 1)
    assert not lockout.refused(attempts, last + 30 * MINUTE)


def test_failures_long_ago_do_not_count() -> None:
    old = Attempts(failures=4, since=0, until=0)
    fresh = lockout.after_failure(old, lockout.ACCOUNT, 31 * MINUTE)
    assert fresh == Attempts(failures=1, since=31 * MINUTE, until=0)


@pytest.mark.parametrize("role", sorted(ADMINISTRATORS))
@pytest.mark.parametrize("held", sorted(ADMINISTRATORS))
def test_no_person_is_two_of_the_three(role: str, held: str) -> None:
    if role == held:
        exclusion.check_exclusion(role, {held})
    else:
        with pytest.raises(RoleConflict):
            exclusion.check_exclusion(role, {held})


@pytest.mark.parametrize("role", sorted(set(ROLES) - {AUDITOR, STAFF}))
def test_an_auditor_operates_nothing(role: str) -> None:
    with pytest.raises(RoleConflict):
        exclusion.check_exclusion(role, {AUDITOR})
    with pytest.raises(RoleConflict):
        exclusion.check_exclusion(AUDITOR, {role})
    exclusion.check_exclusion(STAFF, {role, AUDITOR})


def test_applications_hold_no_administrators_role() -> None:
    for role in ADMINISTRATORS | {AUDITOR}:
        with pytest.raises(RoleConflict):
            exclusion.check_role(role, for_client=True)
    exclusion.check_role("integrator", for_client=True)
    exclusion.check_role("auditor", for_client=False)
    with pytest.raises(InvalidRequest):
        exclusion.check_role("root", for_client=False)
    assert exclusion.administers({"audit-admin", "staff"})
    assert not exclusion.administers({"staff"})


@pytest.mark.parametrize(
    ("uri", "fine"),
    [
        ("https://app.example/cb", True),
        ("http://127.0.0.1/cb", True),
        ("http://[::1]/cb", True),
        ("http://localhost:3000/cb", True),
        ("http://app.example/cb", False),
        ("https://app.example/cb#x", False),
        ("https://*.example/cb", False),
        ("https://user@app.example/cb", False),
        ("https://app.example\\cb", False),
        ("https://app.example/a b", False),
        ("https://app.example/\u00e9", False),
        ("https:///cb", False),
        ("https://[::1/cb", False),
        ("javascript:alert(1)", False),
        ("https://app.example/" + "x" * 1100, False),
    ],
)
def test_only_safe_addresses_are_registered(uri: str, *, fine: bool) -> None:
    assert registrable_uri(uri) == fine


def test_a_loopback_address_without_a_port_is_itself_alone() -> None:
    client = Client("a", "o", "a", redirect_uris=("http://127.0.0.1/cb", "https://x.example/cb"))
    assert redirect_target(client, "http://127.0.0.1:5/cb") == "http://127.0.0.1:5/cb"
    for other in ("http://127.0.0.1:/cb", "http://127.0.0.2:5/cb", "https://x.example:5/cb"):
        with pytest.raises(RedirectRefused):
            redirect_target(client, other)


def test_an_empty_scope_asks_for_all_that_is_registered() -> None:
    client = Client("a", "o", "a", scopes=frozenset({"openid", "api"}))
    assert allowed_scopes(client, None) == allowed_scopes(client, " ") == client.scopes
    assert allowed_scopes(client, "api ") == {"api"}


def test_an_answer_keeps_the_query_of_the_address() -> None:
    assert answer_location("https://a/cb", {"a": "1 &", "b": None}) == "https://a/cb?a=1+%26"
    assert answer_location("https://a/cb?x=1", {"a": "2"}) == "https://a/cb?x=1&a=2"
