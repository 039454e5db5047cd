"""Guessing passwords and finding out who exists."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from iam.errors import PasswordExpired, PasswordWeak, SignInRefused
from iam.models.accounts import NewAccount
from iam.models.sessions import FactorAttempt, PasswordAttempt
from secops.kernel.errors import SecopsError, TooMany
from tests.fakes.iam_home import ADDRESS, CountingHasher, IamHome


def attempt(home: IamHome, name: str, password: str, address: str = ADDRESS) -> SecopsError:
    with pytest.raises(SignInRefused) as caught:
        home.services.sign_in.begin(PasswordAttempt(name, password, address))
    return caught.value


def work_of(home: IamHome, do: Callable[[], Any]) -> tuple[int, int, list[str]]:
    """Count slow hashes, and what went into the ledger, without its identifiers."""
    verified, leaves = home.hasher.verified, len(home.leaves())
    do()
    acts = [
        f"{leaf['action']} {leaf['outcome']} {sorted(leaf['details'])} {leaf['target'][:5]}"
        f" {leaf['actor']['id']}"
        for leaf in home.leaves()[leaves:]
    ]
    return home.hasher.verified - verified, len(acts), acts


def test_unknown_wrong_locked_and_pending_are_one_answer_after_the_same_work(
    home: IamHome,
) -> None:
    system = home.actor("system-admin")
    home.services.accounts.create_account(system, NewAccount("pending.one"))
    home.services.accounts.lock_account(system, "analyst", "test")
    cases = {
        "unknown": ("nobody.here", "Xk7#mPq9vT2w"),
        "wrong": ("staff", "Xk7#mPq9vT2w"),
        "locked": ("analyst", home.demo["analyst"].password),
        "pending": ("pending.one", "Xk7#mPq9vT2w"),
        "too long": ("staff", "x" * 5_000),
        "empty": ("", ""),
    }
    answers, works = set(), set()
    for name, password in cases.values():
        error: list[SecopsError] = []

        def do(name: str = name, password: str = password, error: Any = error) -> None:
            error.append(attempt(home, name, password))

        works.add(str(work_of(home, do)))
        answers.add((error[0].code, error[0].detail, str(error[0].facts)))
    assert len(answers) == 1
    assert len(works) == 1
    assert next(iter(works)).startswith("(1, 1, ")


def test_the_ledger_names_nobody_who_failed(home: IamHome) -> None:
    attempt(home, "Zhang.Wei.Private", "Xk7#mPq9vT2w")
    assert "zhang" not in str(home.leaves()[-1]).lower()
    assert ADDRESS not in str(home.leaves()[-1])


def test_five_failures_refuse_even_the_right_password_for_half_an_hour(home: IamHome) -> None:
    for _ in range(5):
        attempt(home, "staff", "Xk7#mPq9vT2w")
    attempt(home, "staff", home.demo["staff"].password)
    home.clock.advance(30 * 60 + 1)
    assert home.sign_in("staff")


@pytest.mark.parametrize("alias", ["STAFF", " staff ", "ｓｔａｆｆ"])
def test_aliases_share_one_counter(home: IamHome, alias: str) -> None:
    for _ in range(5):
        attempt(home, alias, "Xk7#mPq9vT2w")
    attempt(home, "staff", home.demo["staff"].password)


def test_one_address_may_not_try_everybody(home: IamHome) -> None:
    for number in range(50):
        attempt(home, f"guess{number}", "Xk7#mPq9vT2w", f"198.51.100.{number}")
    with pytest.raises(SignInRefused):
        home.begin("staff", address="198.51.100.200")
    assert home.begin("staff", address="203.0.113.1")


def test_an_account_verifies_at_most_a_hundred_passwords_an_hour(home: IamHome) -> None:
    tried = 0
    for number in range(120):
        home.clock.advance(20)
        try:
            home.begin("staff", address=f"10.{number}.0.1")
        except SignInRefused:
            break
        tried += 1
    assert tried == 100


def test_five_wrong_codes_refuse_the_right_one_for_five_minutes(home: IamHome) -> None:
    finish = home.services.sign_in.finish
    reference = home.begin("staff")
    right = home.code("staff")
    wrong = f"{(int(right) + 1) % 1_000_000:06d}"
    for _ in range(5):
        with pytest.raises(SignInRefused):
            finish(FactorAttempt(reference, wrong, ADDRESS))
    with pytest.raises(SignInRefused):
        finish(FactorAttempt(reference, right, ADDRESS))


def test_a_reference_ends_after_five_minutes_and_is_used_once(home: IamHome) -> None:
    finish = home.services.sign_in.finish
    reference = home.begin("staff")
    assert finish(FactorAttempt(reference, home.code("staff"), ADDRESS))
    home.clock.advance(30)
    with pytest.raises(SignInRefused):
        finish(FactorAttempt(reference, home.code("staff"), ADDRESS))
    reference = home.begin("staff")
    home.clock.advance(301)
    with pytest.raises(SignInRefused):
        finish(FactorAttempt(reference, home.code("staff"), ADDRESS))


@pytest.mark.parametrize("reference", ["", "x", "A" * 100, "A" * 7_000, "é"])
def test_a_made_up_reference_is_refused(home: IamHome, reference: str) -> None:
    with pytest.raises(SignInRefused):
        home.services.sign_in.finish(FactorAttempt(reference, "000000", ADDRESS))


def test_a_password_of_90_days_is_renewed_at_sign_in(home: IamHome) -> None:
    finish = home.services.sign_in.finish
    home.clock.advance(91 * 86_400)
    reference, old = home.begin("staff"), home.demo["staff"].password
    with pytest.raises(PasswordExpired):
        finish(FactorAttempt(reference, home.code("staff"), ADDRESS))
    with pytest.raises(PasswordWeak) as caught:
        finish(FactorAttempt(reference, home.code("staff"), ADDRESS, old))
    assert caught.value.facts["reason"] == "history"
    assert finish(FactorAttempt(reference, home.code("staff"), ADDRESS, "Xk7#mPq9vT2w"))
    home.clock.advance(30)
    with pytest.raises(SignInRefused):
        home.begin("staff", old)
    assert home.begin("staff", "Xk7#mPq9vT2w")


def test_changing_ones_password_needs_the_old_one(home: IamHome) -> None:
    change = home.services.sign_in.change_password
    staff = home.actor("staff")
    with pytest.raises(SignInRefused):
        change(staff, "wrong", "Xk7#mPq9vT2w")
    home.clock.advance(1)
    change(staff, home.demo["staff"].password, "Xk7#mPq9vT2w")
    assert home.begin("staff", "Xk7#mPq9vT2w")


def test_too_many_hashes_at_a_time_are_refused_with_a_time_to_wait() -> None:
    hasher = CountingHasher(threads=1, queue=2)
    running, release = threading.Event(), threading.Event()

    def hold() -> None:
        with hasher._turn():
            running.set()
            release.wait(10)

    waiting = [threading.Thread(target=hold) for _ in range(3)]
    for thread in waiting:
        thread.start()
    running.wait(10)
    while hasher._places._value:
        pass
    with pytest.raises(TooMany) as caught:
        hasher.verify(hasher._hasher.hash("x"), b"x")
    assert caught.value.facts["retry_after"] == 2
    release.set()
    for thread in waiting:
        thread.join()
    assert hasher.verify(hasher.hash(b"x"), b"x")


def test_hashes_are_argon2id_and_old_ones_are_renewed() -> None:
    hasher = CountingHasher()
    encoded = hasher.hash(b"x")
    assert encoded.startswith("$argon2id$v=19$m=64,t=2,p=1$")
    assert not hasher.outdated(encoded)
    assert hasher.outdated(encoded.replace("m=64", "m=32"))
    assert not hasher.verify("no hash at all", b"x")
    assert hasher.decoy == hasher.decoy


def test_a_known_device_keeps_its_owner_in_while_strangers_guess(home: IamHome) -> None:
    begin, password = home.services.sign_in.begin, home.demo["staff"].password
    device = home.sign_in("staff").device
    for _ in range(5):
        attempt(home, "staff", "Xk7#mPq9vT2w")
    attempt(home, "staff", password)
    assert begin(PasswordAttempt("staff", password, ADDRESS, device))
    for forged in (device[:-1], "x", home.sign_in("analyst").device):
        with pytest.raises(SignInRefused):
            begin(PasswordAttempt("staff", password, ADDRESS, forged))


def test_a_known_device_may_fail_ten_times(home: IamHome) -> None:
    begin, password = home.services.sign_in.begin, home.demo["staff"].password
    device = home.sign_in("staff").device
    for _ in range(10):
        with pytest.raises(SignInRefused):
            begin(PasswordAttempt("staff", "Xk7#mPq9vT2w", ADDRESS, device))
    with pytest.raises(SignInRefused):
        begin(PasswordAttempt("staff", password, ADDRESS, device))
    assert begin(PasswordAttempt("staff", password, ADDRESS))


def test_a_known_device_is_forgotten_after_90_days(home: IamHome) -> None:
    device = home.sign_in("staff").device
    home.clock.advance(90 * 86_400)
    for _ in range(5):
        attempt(home, "staff", "Xk7#mPq9vT2w")
    with pytest.raises(SignInRefused):
        home.services.sign_in.begin(
            PasswordAttempt("staff", home.demo["staff"].password, ADDRESS, device)
        )
