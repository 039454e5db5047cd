"""New passwords: judged by the rules, against the last ones, and by age."""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Sequence
from typing import Final

from iam.core.passwords import check_password
from iam.errors import PasswordExpired, PasswordWeak
from iam.models.accounts import Account
from iam.models.credentials import PasswordCredential
from iam.service.means import Means
from iam.service.sign_on.opening import Subject
from iam.service.sign_on.stored_passwords import hash_password, password_fits
from secops.kernel.errors import NotFound
from secops.kernel.transactions import Transaction

_PARTS: Final = re.compile(r"[^\w]+|_")


def hash_of_new(means: Means, subject: Subject, password: str) -> str:
    """Return the hash of a new password; raise ``PasswordWeak`` with the rule it breaks."""
    return hash_of_first(means, subject.account, password, subject.passwords)


def hash_of_first(
    means: Means, account: Account, password: str, history: Sequence[PasswordCredential] = ()
) -> str:
    """Return the hash of an account's new password; raise ``PasswordWeak``.

    No word of the owner's or the organisation's name, nothing on the operator's list of
    breached passwords, none of ``history``.
    """
    words = means.parts.transactions.read(lambda tx: _words_of(means, tx, account))
    text = check_password(password, means.rules, words)
    # a list of breached passwords is kept by SHA-1: that is its format, no protection
    digest = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest().upper()
    if means.breached.holds(digest):
        msg = "it is on the list of passwords that attackers know"
        raise PasswordWeak(msg, reason="breached")
    if any(password_fits(means, old.hash, text) for old in history):
        msg = f"one of the last {means.options.password_history} passwords"
        raise PasswordWeak(msg, reason="history")
    return hash_password(means, text)


def _words_of(means: Means, tx: Transaction, account: Account) -> tuple[str, ...]:
    """Return the owner's names and the organisation's, whole and in parts."""
    names = [account.name]
    with contextlib.suppress(NotFound):  # the root has no name of its own
        names.append(means.stores.organisations.get(tx, account.org_id).name)
    if account.person_id is not None:
        person = means.stores.persons.get_person(tx, account.person_id)
        names.append(means.box.open(person.sealed_name, person.key).decode())
    return tuple(names + [part for name in names for part in _PARTS.split(name)])


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
