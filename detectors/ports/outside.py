"""What other planes provide."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from detectors.ports.alert_page import AlertIncidents, EntityStates, NoEntityStates, NoIncidents
from detectors.ports.anomalies import ModelSigner, NoModelSigner
from detectors.ports.controls import ControlChecks, NoControlChecks
from detectors.ports.privacy import NoPrivacyKeys, PrivacyKeys
from detectors.ports.situation import NoOpenIncidents, OpenIncidents
from secops.kernel.errors import NotFound


class OwnActs(Protocol):
    """The ledger's records, which the platform watches like any other log; audits fills it."""

    def records_from(self, first: int, count: int) -> Sequence[bytes]:
        """Return at most ``count`` leaf records from index ``first`` on, in order."""
        ...


class NoActs:
    """Where there is no ledger to watch."""

    def records_from(self, first: int, count: int) -> Sequence[bytes]:  # noqa: ARG002 - the port's
        """Return nothing."""
        return ()


class RolesNow(Protocol):
    """What somebody may do by now, for work that goes on when they are gone; iam fills it."""

    def roles_now(self, account_id: str) -> frozenset[str] | None:
        """Return the roles of an account as they are now; None where it may not act."""
        ...

    def resolve_subject(self, org_id: str, name: str) -> str:
        """Return ``account:ID`` or ``client:ID`` of an organisation's; raise ``NotFound``."""
        ...


class NoRoles:
    """Where nobody is known, nobody may have work done later."""

    def roles_now(self, account_id: str) -> frozenset[str] | None:  # noqa: ARG002 - the port's
        """Return None."""
        return None

    def resolve_subject(self, org_id: str, name: str) -> str:  # noqa: ARG002 - the port's
        """Raise ``NotFound``."""
        raise NotFound("nobody is known here")


HeldDays = Callable[[], Sequence[tuple[int, int]]]
"""Windows of event time (from, until before: UTC microseconds) that retention leaves alone.

Raises ``Unavailable`` where nobody can tell.
"""


def nothing_held() -> Sequence[tuple[int, int]]:
    """Return no window: nobody keeps legal holds."""
    return ()


@dataclass(frozen=True, slots=True)
class DetectorsPorts:
    """What other planes provide."""

    acts: OwnActs = field(default_factory=NoActs)
    privacy_keys: PrivacyKeys = field(default_factory=NoPrivacyKeys)
    model_signer: ModelSigner = field(default_factory=NoModelSigner)
    roles: RolesNow = field(default_factory=NoRoles)
    entities: EntityStates = field(default_factory=NoEntityStates)
    incidents: AlertIncidents = field(default_factory=NoIncidents)
    open_incidents: OpenIncidents = field(default_factory=NoOpenIncidents)
    controls: ControlChecks = field(default_factory=NoControlChecks)
    held_days: HeldDays = nothing_held
