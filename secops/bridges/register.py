"""What the register of systems asks the other planes: log sources, accounts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from audits.models.systems import KnownSource
from detectors.service import DetectorsServices
from iam.service import IamServices
from secops.kernel.actors import Actor
from secops.kernel.errors import Forbidden, NotFound


class DetectorSources:
    """Implements ``audits.ports.systems.KnownSources``."""

    def __init__(self, detectors: DetectorsServices) -> None:
        self._detectors = detectors

    def __call__(self, actor: Actor) -> Sequence[KnownSource] | None:
        """Return all sources, registered or heard, by name; None where ``actor`` may not see."""
        try:
            views = self._detectors.source_watch.list_health(actor)
            policies = self._detectors.privacy.list_policies(actor)
        except Forbidden:
            return None
        grades = {policy.source: str(policy.grade) for policy in policies}
        return [
            KnownSource(
                name=view.name,
                registered=view.source is not None,
                silent=view.is_silent,
                last_at=view.health.last_ingested,
                grade=grades.get(view.name, ""),
            )
            for view in sorted(views, key=lambda view: view.name)
        ]


class IamAccountStates:
    """Implements ``audits.ports.systems.ActiveAccounts``."""

    def __init__(self, iam: IamServices) -> None:
        self._iam = iam

    def __call__(self, org_id: str, names: Sequence[str]) -> Mapping[str, bool]:
        """Return for each of ``names`` that is an account whether it may act now."""
        found: dict[str, bool] = {}
        for name in names:
            try:
                subject = self._iam.actors.resolve_subject(org_id, name)
            except NotFound:
                continue
            kind, _, account_id = subject.partition(":")
            if kind == "account":
                found[name] = self._iam.actors.roles_now(account_id) is not None
        return found
