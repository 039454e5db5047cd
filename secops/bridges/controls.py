"""What audits' control checks find, for the compliance-gap detector."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from audits.models.assessments import STATUSES
from audits.service import AuditsServices
from audits.service.assessments.controls import Gap
from detectors.models.controls import ControlGap
from detectors.models.rules import Severity
from secops.kernel.catalogue import Text

_SEVERITIES: Final[dict[str, Severity]] = {"low": "low", "medium": "medium", "high": "high"}


class AuditedControls:
    """Fills ``detectors.ports.controls.ControlChecks`` from audits, which is installed later."""

    def __init__(self) -> None:
        self._audits: AuditsServices | None = None

    def bind(self, audits: AuditsServices) -> None:
        """Ask this plane from now on."""
        self._audits = audits

    def gaps(self, org_id: str) -> Sequence[ControlGap]:
        """Return the gaps of an organisation that are open now."""
        if self._audits is None:
            return ()
        return [_gap(gap) for gap in self._audits.controls.gaps_of(org_id)]


def _gap(gap: Gap) -> ControlGap:
    state, item = gap.state, gap.item
    point = item.control_point if item else Text(state.item_id, state.item_id)
    before = STATUSES[state.drifted_from or "compliant"]
    return ControlGap(
        id=f"{state.system_id}:{state.standard}:{state.level}:{state.item_id}",
        title=Text(
            f"合规差距:{state.item_id} {point.zh}",
            f"compliance gap: {state.item_id} {point.en}",
        ),
        standard=state.standard,
        severity=_SEVERITIES.get(state.severity, "medium"),
        before=before.en,
        after=STATUSES[state.status].en,
        reason=state.reason,
        since=state.since,
        link=f"/assessments/controls/{state.standard}/{state.item_id}?system={state.system_id}",
    )
