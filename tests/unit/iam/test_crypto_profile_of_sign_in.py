"""CRYPTO_PROFILE: what the table says of sign-in is what the code does, under both profiles."""

from __future__ import annotations

import base64
import tomllib
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iam.core.gmt0021.dynamic_password import code_at, dynamic_password
from iam.core.one_time_passwords import algorithm_of, matching_code_step
from iam.core.rfc6238.totp import hotp, step_at
from iam.errors import PasswordWeak, SignInRefused
from iam.models.sessions import FactorAttempt, PasswordAttempt
from iam.service.sign_on.stored_passwords import password_fits
from secops.crypto.hashes import keyed
from tests.fakes.iam_home import ADDRESS, OWNER, IamHome, open_iam_home

Profile = Literal["intl", "gm"]
KEY = bytes.fromhex("1234567890abcdef" * 2)


def row(purpose: str, profile: str) -> dict[str, Any]:
    text = (files("rules") / "policies" / "crypto_profile.toml").read_text(encoding="utf-8")
    found: dict[str, Any] = next(
        each for each in tomllib.loads(text)["use"] if each["purpose"] == purpose
    )
    return dict(found[profile])


def open_home(tmp_path: Path, profile: Profile) -> IamHome:
    """A home made under ``profile``; the shared template was made under intl."""
    home = open_iam_home(tmp_path, demo=False, crypto_profile=profile)
    beginnings = home.services.beginnings
    allowed = replace(beginnings.means, options=replace(beginnings.means.options, demo=True))
    made = replace(beginnings, means=allowed).create_demo_accounts(OWNER)
    home.demo = {account.name: account for account in made}
    return home


def test_the_dynamic_password_of_the_standard_is_reached() -> None:
    assert dynamic_password(KEY, 1_313_998_979, 1_234, b"5678") == "814095"


@given(st.binary(min_size=16, max_size=40), st.integers(2, 2**40))
def test_a_code_is_six_digits_and_belongs_to_its_step(key: bytes, step: int) -> None:
    code = code_at(key, step)
    assert (len(code), code.isdigit()) == (6, True)
    instant = step * 30_000_000
    assert matching_code_step("sm3", key, code, instant, step) is None
    found = matching_code_step("sm3", key, code, instant, step - 1)
    assert found in (step, step + 1)


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        code_at(b"x" * 15, 1)


@pytest.mark.parametrize("profile", ["intl", "gm"])
def test_each_profile_signs_in_with_what_its_rows_say(tmp_path: Path, profile: Profile) -> None:
    home = open_home(tmp_path, profile)
    national = profile == "gm"
    assert row("pepper", profile)["algorithm"] == ("HMAC-SM3" if national else "HMAC-SHA-256")
    assert row("one_time_codes", profile)["national"] is national
    assert algorithm_of(profile) == ("sm3" if national else "sha1")
    opened = home.sign_in("staff")
    assert opened.account_name == "staff"
    means = home.services.sign_in.means
    account = opened.session.account_id
    read = means.parts.transactions.read
    (stored,) = read(lambda tx: means.stores.credentials.passwords(tx, account))
    assert stored.hash.startswith("sm3$$argon2id" if national else "$argon2id")
    password = home.demo["staff"].password
    key = means.keys.key("password-pepper")
    pepper = keyed("sm3" if national else "sha256", key, password.encode()).hex().encode()
    assert means.hasher.verify(stored.hash.removeprefix("sm3$"), pepper)
    home.clock.advance(30)
    reference = home.begin("staff")
    text = home.demo["staff"].otp_secret
    secret = base64.b32decode(text + "=" * (-len(text) % 8))
    other = (hotp if national else code_at)(secret, step_at(home.clock.now()))
    with pytest.raises(SignInRefused):
        home.services.sign_in.finish(FactorAttempt(reference, other, ADDRESS))
    home.close()


def test_a_home_that_changes_its_profile_goes_on_and_moves_at_sign_in(home: IamHome) -> None:
    sign_in = home.services.sign_in
    options = replace(sign_in.means.options, crypto_profile="gm")
    national = replace(sign_in, means=replace(sign_in.means, options=options))
    password = home.demo["staff"].password
    national.begin(PasswordAttempt("staff", password, ADDRESS))
    read, account = sign_in.means.parts.transactions.read, home.actor("staff").id
    (stored,) = read(lambda tx: sign_in.means.stores.credentials.passwords(tx, account))
    assert stored.hash.startswith("sm3$")
    assert password_fits(sign_in.means, stored.hash, password)
    sign_in.begin(PasswordAttempt("staff", password, ADDRESS))
    (stored,) = read(lambda tx: sign_in.means.stores.credentials.passwords(tx, account))
    assert stored.hash.startswith("$argon2id")


def test_an_overlong_password_fits_nothing(home: IamHome) -> None:
    with pytest.raises(SignInRefused):
        home.services.sign_in.begin(PasswordAttempt("staff", "x" * 5_000, ADDRESS))
    with pytest.raises(PasswordWeak):
        home.services.sign_in.change_password(
            home.actor("staff"),
            home.demo["staff"].password,
            "\x00longer than any password, and with a character none may hold",
        )
