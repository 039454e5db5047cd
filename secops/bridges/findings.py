"""What rectification and the register of risks ask the other planes: alerts, accounts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from audits.models.rectification import Person
from audits.models.risks import SevereAlert
from detectors.models.alerts import Alert, AlertFilter
from detectors.models.rules import Severity
from detectors.service import DetectorsServices
from iam.service import IamServices
from secops.kernel.actors import Actor
from secops.kernel.pages import every_item

_SEVERE: Final[tuple[Severity, ...]] = ("critical", "high")


class DetectorFindings:
    """Implements ``audits.ports.risks.SevereAlerts``: severe alerts, with the caller's rights."""

    def __init__(self, detectors: DetectorsServices) -> None:
        self._detectors = detectors

    def __call__(self, actor: Actor, since: int, limit: int) -> Sequence[SevereAlert]:
        """Return open alerts of the caller's own organisation; raise ``Forbidden``.

        Alerts of drills are none: nothing happened.
        """
        every = (one for severity in _SEVERE for one in self._listed(actor, since, severity))
        own = (_alert(one) for one in every if one.org_id == actor.org_id and _is_real(one))
        return list(islice(own, limit))

    def _listed(self, actor: Actor, since: int, severity: Severity) -> Iterator[Alert]:
        alerts, wanted = (
            self._detectors.alerts,
            AlertFilter(status="open", severity=severity, since=since),
        )
        return every_item(lambda page: alerts.list_alerts(actor, wanted, page))


class IamPersons:
    """Implements ``audits.ports.rectification.FindPerson``."""

    def __init__(self, iam: IamServices) -> None:
        self._iam = iam

    def __call__(self, org_id: str, name: str) -> Person | None:
        """Return the account of this name or id that may act."""
        found = self._iam.containment.restraint("account").look(org_id, name)
        if found is None or self._iam.actors.roles_now(found.id) is None:
            return None
        return Person(found.id, found.name)


def _is_real(alert: Alert) -> bool:
    return alert.kind not in ("drill", "health")


def _alert(alert: Alert) -> SevereAlert:
    return SevereAlert(
        id=alert.id,
        rule_id=alert.rule_id,
        title=alert.custom.get("title_zh") or alert.title,
        critical=alert.severity == "critical",
        subjects=alert.subjects,
        at=alert.raised_at,
    )
