"""Evidence for self-assessment: facts looked up in the planes, each with its origin.

What can't be read is left out; the checks then say 未核查. Nothing here decides anything.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from audits.models.evidence import Origin, Snapshot
from audits.models.systems import PlatformService, Scope
from audits.service import AuditsServices
from detectors.service import DetectorsServices
from iam.service import IamServices
from kms.service import KmsServices
from playbooks.service import PlaybooksServices
from secops.bridges.evidence import reported
from secops.bridges.evidence.acts import Acts, LedgerEvidence
from secops.bridges.evidence.detection import DetectionEvidence
from secops.bridges.evidence.identity import IdentityEvidence
from secops.bridges.evidence.keys import KeyEvidence
from secops.bridges.evidence.log_reader import OWN_SOURCE, LogReader
from secops.bridges.evidence.logs import LogEvidence
from secops.bridges.evidence.looking import Look, Looks, Sight
from secops.bridges.evidence.sensors import SensorEvidence
from secops.bridges.evidence.transport import TransportEvidence, probe
from secops.kernel.actors import Actor
from secops.kernel.errors import SecopsError
from secops.settings import Settings

__all__ = ["OWN_SOURCE", "VERSION", "Evidence"]

VERSION: Final = "3"
"""Of the questions asked here: it grows with every change of what a fact means."""
_LOG: Final = logging.getLogger("secops.evidence")


class Evidence:
    """Implements ``audits.ports.EvidenceSource``; the last two planes bind late."""

    def __init__(
        self,
        settings: Settings,
        *,
        iam: IamServices,
        kms: KmsServices,
        detectors: DetectorsServices,
    ) -> None:
        self._detectors = detectors
        self._acts = Acts()
        self._detection = DetectionEvidence(detectors, iam)
        ledger = LedgerEvidence(self._acts, iam)
        self._own: Looks = {**TransportEvidence(settings, probe).looks, **ledger.looks}
        self._by_service: Mapping[PlatformService, Sequence[Looks]] = {
            "iam": (IdentityEvidence(iam, self._acts).looks,),
            "kms": (KeyEvidence(settings, kms, detectors).looks,),
            "logs": (
                LogEvidence(settings, detectors).looks,
                self._detection.looks,
                SensorEvidence(detectors, iam).looks,
                reported.looks(),
            ),
        }

    def bind(self, *, playbooks: PlaybooksServices, audits: AuditsServices) -> None:
        """Look at these planes too from now on."""
        self._detection.bind(playbooks)
        self._acts.bind(audits)

    def __call__(self, actor: Actor, scope: Scope, at: int) -> Sequence[Snapshot]:
        """Return what can be seen now, of services that the system in ``scope`` uses."""
        look = Look(
            actor,
            scope,
            at,
            LogReader(self._detectors, actor, scope, at),
            LogReader(self._detectors, actor, scope, at, own=True),
        )
        taken: dict[str, Snapshot] = {}
        for looks in self._looks(look):
            for kind, seek in looks.items():
                sight = self._seek(kind, seek, look)
                if sight is not None:  # what a device reports of itself goes before the platform's
                    taken[kind] = Snapshot(kind, sight.facts, _origin(kind, sight), at)
        return list(taken.values())

    def _looks(self, look: Look) -> Sequence[Looks]:
        used = [looks for service in look.scope.system.uses for looks in self._by_service[service]]
        return [self._own, *used] if look.is_platform else used

    @staticmethod
    def _seek(kind: str, seek: Callable[[Look], Sight | None], look: Look) -> Sight | None:
        try:
            return seek(look)
        except (SecopsError, OSError) as error:
            _LOG.warning("evidence %s can't be read: %s", kind, error)
            return None


def _origin(kind: str, sight: Sight) -> Origin:
    return Origin(
        source=f"secops.bridges.evidence:{kind}",
        version=VERSION,
        query=sight.query,
        window=sight.window,
        link=sight.link,
    )
