"""The actions that a playbook may take, a file per family."""

from __future__ import annotations

from collections.abc import Mapping

from playbooks.core.http_calls import HTTP_API
from playbooks.service.actions.accounts import LockAccount, RevokeSessions
from playbooks.service.actions.calls import Action, Call, Performed, Recovery
from playbooks.service.actions.http_calls import HttpCall
from playbooks.service.actions.notifications import SendNotification
from playbooks.service.surroundings import Surroundings

__all__ = ["Action", "Call", "Performed", "Recovery", "make_actions"]


def make_actions(surroundings: Surroundings) -> Mapping[str, Action]:
    """Return the actions by name."""
    return {
        "session.revoke": RevokeSessions(surroundings),
        "account.lock": LockAccount(surroundings),
        "notify.send": SendNotification(surroundings),
        HTTP_API: HttpCall(surroundings),
    }
