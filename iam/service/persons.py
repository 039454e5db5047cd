"""One natural person behind several accounts: who asks and who approves are two."""

from __future__ import annotations

from collections.abc import Iterable

from iam.service.means import Means
from secops.kernel.actors import Actor
from secops.kernel.approvals import SelfApproval
from secops.kernel.errors import Forbidden, NotFound
from secops.kernel.transactions import Transaction


def same_person(means: Means, tx: Transaction, one: str, other: str) -> bool:
    """Tell whether two account ids belong to one natural person (an id is its own person)."""
    if one == other:
        return True
    persons = []
    for account_id in (one, other):
        try:
            persons.append(means.stores.accounts.get(tx, account_id).person_id)
        except NotFound:
            return False  # an application or the system: no natural person
    return persons[0] is not None and persons[0] == persons[1]


def refuse_same_person(means: Means, tx: Transaction, one: str, others: Iterable[str]) -> None:
    """Return if no account of ``others`` belongs to the person of ``one``; ``SelfApproval``."""
    if any(same_person(means, tx, one, other) for other in others):
        raise SelfApproval


def refuse_own(means: Means, tx: Transaction, actor: Actor, account_id: str) -> None:
    """Raise ``Forbidden`` where somebody acts on an account of theirs, by whichever of them."""
    if same_person(means, tx, actor.id, account_id):
        raise Forbidden


def refuse_requester(means: Means, tx: Transaction, actor: Actor, approval_id: str) -> None:
    """Return if another person asked, and it is about another; raise ``SelfApproval``.

    The kernel compares accounts; a person may have several, and would decide about one by another.
    """
    asked = means.parts.approvals.get(tx, approval_id)
    about = asked.subject.removeprefix("account:")
    refuse_same_person(means, tx, actor.id, (asked.requester_id, about))
