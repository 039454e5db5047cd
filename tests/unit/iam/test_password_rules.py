from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iam.adapters.shipped import weak_passwords
from iam.core.passwords import PasswordRules, check_password, guessable_rest, normal_password
from iam.errors import PasswordWeak

MLPS = PasswordRules("mlps", weak_passwords())
NIST = PasswordRules("nist", weak_passwords())


def reason(password: str, rules: PasswordRules = MLPS, personal: tuple[str, ...] = ()) -> str:
    with pytest.raises(PasswordWeak) as caught:
        check_password(password, rules, personal)
    return str(caught.value.facts["reason"])


@pytest.mark.parametrize(
    "password",
    ["Xk7#mPq9vT2w", "Tmb!lake7cup-92", "vgrt-Mx3Y-kc9L-tdHf", "海内存知己天涯若比邻Zq7-kvTx"],
)
def test_a_good_password_is_taken(password: str) -> None:
    assert check_password(password, MLPS, ("zhang.wei",)) == password


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("Xk7#mPq9vT2", "too_short"),
        ("Xk7#mPq9vT2w" * 11, "too_long"),
        ("x" * 600, "too_long"),
        ("Xk7#mPq9vT2w\n", "characters"),
        ("xkqmpwvtzrhd", "classes"),
        ("xkqmpwvtzrhd7", "classes"),
        ("Admin@123456", "guessable"),
        ("P@ssw0rd2026!", "guessable"),
        ("Woaini1314520!", "guessable"),
        ("Qwer!@#$1234", "guessable"),
        ("1qaz@WSX3edc", "guessable"),
        ("Zhangsan@1988", "guessable"),
        ("Beijing20080808!", "guessable"),
        ("Aaaaaaaaaaa1!", "guessable"),
        ("Gongan@110110", "guessable"),
    ],
)
def test_what_is_guessed_first_is_refused(password: str, why: str) -> None:
    assert reason(password) == why


def test_the_owners_name_is_a_weak_word() -> None:
    assert reason("Liwenhao@7Kq", personal=("liwenhao",)) == "guessable"
    assert check_password("Liwenhao@7KqTzv", MLPS, ("li",))


def test_only_mlps_asks_for_kinds_of_character() -> None:
    assert check_password("xkqmpwvtzrhd", NIST, ())
    assert check_password("xkqmpwvtzrhdxkqmpwvtz", MLPS, ())


def test_one_password_has_one_form() -> None:
    assert normal_password("e\u0301") == normal_password("\u00e9")


@given(st.text(max_size=200))
def test_any_text_is_judged(text: str) -> None:
    with contextlib.suppress(PasswordWeak):
        assert check_password(text, MLPS, ("name",))


@given(st.sampled_from(sorted(weak_passwords())), st.sampled_from(sorted(weak_passwords())))
def test_weak_words_side_by_side_stay_weak(first: str, second: str) -> None:
    assert guessable_rest(first + second, MLPS.weak) < 5


def test_the_weak_list_is_folded_and_long() -> None:
    words = weak_passwords()
    assert len(words) > 3_000
    assert all(word == word.casefold() and 4 <= len(word) <= 24 for word in words)
