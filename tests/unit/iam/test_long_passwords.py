"""Long passwords are welcome."""

from __future__ import annotations

import pytest

from iam.adapters.shipped import weak_passwords
from iam.core.passwords import PasswordRules, check_password


@pytest.mark.parametrize("length", [64, 100, 128])
def test_long_passwords_are_taken(length: int) -> None:
    password = ("vgrtMx3Y-kc9LtdHf?bQ" * 7)[:length]
    rules = PasswordRules("mlps", weak_passwords())
    assert check_password(password, rules, ("zhang.wei",)) == password
