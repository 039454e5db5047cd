"""The seal of an emergency account breaks when it signs in: for hours, and nobody overlooks it."""

from __future__ import annotations

from typing import Final

from iam.core.notices import BREAK_GLASS_OPENED
from iam.models.sessions import OpSession
from iam.service.means import Means
from iam.service.sign_on.notices import Cause, notify_owner
from secops.kernel.actors import system_actor
from secops.kernel.clock import HOUR
from secops.kernel.permissions.roles import ADMINISTRATORS
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

WINDOW: Final = 4 * HOUR
"""From its first use on, however often it signs in; the longest an override may last, too."""
_ACTOR: Final = system_actor("break-glass")
"""Not the account: an alert about it would raise its risk, and end the session it warns of."""


def break_seal(means: Means, tx: Transaction, session: OpSession) -> bool:
    """Break the seal, or go on within its hours; False where they are over.

    The act is what the rule ``platform_break_glass_opened`` raises its alert for.
    """
    account_id = session.account_id
    until = means.stores.break_glass.open(tx, account_id, tx.now + WINDOW)
    if until is None:
        return False
    details = {"session": session.id, "open_until": until}
    tx.record(Act("iam.open_break_glass", _ACTOR, f"break_glass:{account_id}", details=details))
    cause = Cause(BREAK_GLASS_OPENED, session.id, tx.now)
    for address in means.stores.message_addresses.of_roles(tx, ADMINISTRATORS):
        notify_owner(means, tx, address.account_id, cause, (address,))
    return True
