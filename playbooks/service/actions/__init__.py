"""The actions that a playbook may take, a file per family."""

from __future__ import annotations

from collections.abc import Mapping

from playbooks.core.cacao20.vocabulary import INVERSES
from playbooks.core.http_calls import HTTP_API
from playbooks.models.runs import WAIT
from playbooks.service.actions.approvals import WaitForApproval
from playbooks.service.actions.calls import Action, Call, Performed, Recovery
from playbooks.service.actions.drilled import Drilled
from playbooks.service.actions.evidence import CollectEvidence, Keep
from playbooks.service.actions.http_calls import HttpCall
from playbooks.service.actions.notices import IssueNotice
from playbooks.service.actions.notifications import SendNotification
from playbooks.service.actions.restraints import WORDS, GiveBack, TakeAway
from playbooks.service.actions.sessions import RevokeSessions
from playbooks.service.actions.tokens import RevokeToken
from playbooks.service.surroundings import Surroundings

__all__ = ["Action", "Call", "Performed", "Recovery", "make_actions"]


def make_actions(surroundings: Surroundings, keep: Keep) -> Mapping[str, Action]:
    """Return the actions by name; ``keep`` puts evidence into the locker."""
    real: Mapping[str, Action] = {
        **{name: TakeAway(surroundings, words) for name, words in WORDS.items()},
        **{INVERSES[name]: GiveBack(surroundings, words) for name, words in WORDS.items()},
        "session.revoke": RevokeSessions(surroundings),
        "token.revoke": RevokeToken(surroundings),
        HTTP_API: HttpCall(surroundings),
    }
    return {
        **{name: Drilled(surroundings, action) for name, action in real.items()},
        "evidence.collect": CollectEvidence(surroundings, keep),
        "notice.issue": IssueNotice(surroundings),
        "notify.send": SendNotification(surroundings),
        WAIT: WaitForApproval(),
    }
