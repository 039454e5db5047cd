"""New passwords: context words, the operator's list, history, age and rehashing."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iam.adapters.breached import BreachedFile
from iam.core.rfc6238.totp import hotp, step_at
from iam.errors import PasswordExpired, PasswordWeak
from iam.models.accounts import NewAccount
from iam.models.sessions import FactorAttempt
from iam.service.people.enrolment import EnrolmentForm
from secops.kernel.clock import DAY, SECOND
from secops.kernel.errors import Invalid, StepUpRequired
from tests.fakes.iam_home import ADDRESS, CountingHasher, IamHome, open_iam_home

GOOD = "Quiet-Heron-52-Willow"


def sha1(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest().upper()


def change(home: IamHome, role: str, new: str) -> None:
    home.clock.advance(1)
    home.services.sign_in.change_password(home.actor(role), home.demo[role].password, new)
    home.demo = {**home.demo, role: replace(home.demo[role], password=new)}


@given(
    st.sets(st.binary(min_size=1, max_size=6), min_size=1, max_size=60),
    st.lists(st.binary(min_size=1, max_size=6), max_size=20),
    st.sampled_from([16, 20, 40]),
)
def test_every_listed_password_is_found_and_no_other(
    tmp_path_factory: pytest.TempPathFactory,
    listed: set[bytes],
    others: list[bytes],
    length: int,
) -> None:
    file = tmp_path_factory.mktemp("breached") / "list.txt"
    digests = sorted(
        hashlib.sha1(each, usedforsecurity=False).hexdigest().upper() for each in listed
    )
    lines = [f"{digest[:length]}:{number}" for number, digest in enumerate(digests)]
    for ending in ("\n", "\r\n"):
        file.write_text(ending.join(lines) + ending, newline="")
        known = BreachedFile(file)
        assert [known.holds(digest) for digest in digests] == [True] * len(digests)
        for other in others:
            digest = hashlib.sha1(other, usedforsecurity=False).hexdigest().upper()
            assert known.holds(digest) is (other in listed)


@pytest.mark.parametrize("content", [b"", b"password\n", b"00\n", b"x" * 999])
def test_a_file_of_another_form_is_refused_at_start(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "list.txt"
    file.write_bytes(content)
    with pytest.raises(Invalid):
        BreachedFile(file)
    with pytest.raises(Invalid):
        BreachedFile(tmp_path / "none")


def test_a_breached_password_is_refused_everywhere(tmp_path: Path) -> None:
    file = tmp_path / "list.txt"
    file.write_text(sha1(GOOD) + ":17\n")
    (tmp_path / "home").mkdir()
    home = open_iam_home(tmp_path / "home", breached_passwords=file)
    with pytest.raises(PasswordWeak) as caught:
        change(home, "analyst", GOOD)
    assert caught.value.facts["reason"] == "breached"
    _, issued = home.services.accounts.create_account(
        home.actor("system-admin"), NewAccount("new.one")
    )
    secret = base64.b32decode(home.services.enrolment.look(issued.token).otp_secret)
    code = hotp(secret, step_at(home.clock.now()))
    with pytest.raises(PasswordWeak):
        home.services.enrolment.enrol(EnrolmentForm(issued.token, GOOD, code))
    change(home, "analyst", GOOD + "!")
    home.close()


@pytest.mark.parametrize(
    "password", ["Lunshan-2024-aa", "lunshanLUNSHAN11", "An@lyst-Analyst-9", "Zhengwuyun-1-Aa"]
)
def test_words_of_the_place_and_the_owner_do_not_make_a_password(
    tmp_path: Path, password: str
) -> None:
    home = open_iam_home(tmp_path, password_words=frozenset({"Lunshan", "zhengwuyun"}))
    with pytest.raises(PasswordWeak):
        change(home, "analyst", password)
    home.close()


def test_none_of_the_last_five_passwords_returns(home: IamHome) -> None:
    first = home.demo["analyst"].password
    for number in range(5):
        change(home, "analyst", f"{GOOD}-{number}")
    for number in range(5):
        with pytest.raises(PasswordWeak) as caught:
            change(home, "analyst", f"{GOOD}-{number}")
        assert caught.value.facts["reason"] == "history"
    change(home, "analyst", first)


def test_the_password_page_needs_a_fresh_factor(home: IamHome) -> None:
    stale = replace(home.actor("analyst"), auth_time=home.clock.now() - 301 * SECOND)
    with pytest.raises(StepUpRequired):
        home.services.sign_in.change_password(stale, home.demo["analyst"].password, GOOD)


def test_an_old_password_must_be_changed_while_signing_in(home: IamHome) -> None:
    home.clock.advance(90 * 86_400 + 1)
    with pytest.raises(PasswordExpired):
        home.sign_in("analyst")
    reference = home.begin("analyst")
    attempt = FactorAttempt(reference, home.code("analyst"), ADDRESS, GOOD)
    assert home.services.sign_in.finish(attempt).account_name == "analyst"
    home.clock.advance(30)
    home.demo = {**home.demo, "analyst": replace(home.demo["analyst"], password=GOOD)}
    assert home.sign_in("analyst").account_name == "analyst"


def test_under_the_other_profile_age_is_no_reason(tmp_path: Path) -> None:
    home = open_iam_home(tmp_path, password_profile="nist")
    home.clock.advance(400 * DAY // SECOND)
    assert home.sign_in("analyst").account_name == "analyst"
    change(home, "staff", "quiet heron willow lamp")
    home.close()


def test_a_hash_of_older_parameters_is_renewed_at_sign_in(home: IamHome) -> None:
    sign_in = home.services.sign_in
    hasher = CountingHasher()
    hasher._hasher = type(hasher._hasher)(time_cost=3, memory_cost=128, parallelism=1)
    stores, read = sign_in.means.stores, sign_in.means.parts.transactions.read
    account = home.actor("analyst").id
    (before,) = read(lambda tx: stores.credentials.passwords(tx, account))
    renewed = replace(sign_in, means=replace(sign_in.means, hasher=hasher))
    from iam.models.sessions import PasswordAttempt  # noqa: PLC0415 - one use

    renewed.begin(PasswordAttempt("analyst", home.demo["analyst"].password, ADDRESS))
    (after,) = read(lambda tx: stores.credentials.passwords(tx, account))
    assert "m=128,t=3" in after.hash
    assert after.set_at == before.set_at
    assert home.sign_in("analyst").account_name == "analyst"
