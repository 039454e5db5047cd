"""New passwords: judged by the rules, against the last ones, and by age."""

from __future__ import annotations

from iam.core.passwords import check_password
from iam.errors import PasswordExpired, PasswordWeak
from iam.service.means import Means
from iam.service.sign_on.opening import Subject


def hash_of_new(means: Means, subject: Subject, password: str) -> str:
    """Return the hash of a new password; raise ``PasswordWeak`` with the rule it breaks."""
    text = check_password(password, means.rules, (subject.account.name,))
    peppered = means.peppered(text)
    if any(means.hasher.verify(old.hash, peppered) for old in subject.passwords):
        msg = f"one of the last {means.options.password_history} passwords"
        raise PasswordWeak(msg, reason="history")
    return means.hasher.hash(peppered)


def password_due(means: Means, subject: Subject) -> bool:
    """Tell whether the password is older than the profile allows; having none is not."""
    if not subject.passwords or not means.options.passwords_age:
        return False
    return means.now - subject.passwords[0].set_at > means.options.lifetimes.password_age


def hash_if_due(means: Means, subject: Subject, new_password: str | None) -> str | None:
    """Return the hash of ``new_password``, None where there is none and none is needed.

    Raises ``PasswordExpired`` where one is, ``PasswordWeak`` for a bad one.
    """
    if new_password is not None:
        return hash_of_new(means, subject, new_password)
    if password_due(means, subject):
        raise PasswordExpired
    return None
