"""The risk of sign-ins for identity, judged by the detectors; iam is installed first."""

from __future__ import annotations

from typing import Any, Final

from detectors.models.anomalies import LoginAssessment, LoginFacts
from detectors.service import DetectorsServices
from iam.ports import RiskAdvice, SignInFacts

_MOST_REASONS: Final = 9
_PARTS: Final = 1_000_000
"""The rank goes into the ledger in millionths: leaves hold no fractions."""


class LateLoginRisk:
    """Implements ``iam.ports.LoginRisk``; detectors are installed after iam and bound then."""

    def __init__(self) -> None:
        self._detectors: DetectorsServices | None = None

    def bind(self, detectors: DetectorsServices) -> None:
        """Ask ``detectors`` from now on."""
        self._detectors = detectors

    def assess(self, facts: SignInFacts) -> RiskAdvice:
        """Return the advice; never raises."""
        if self._detectors is None:
            return RiskAdvice("unjudged", {"note": "detectors are not installed yet"})
        roles = "+".join(sorted(facts.roles))
        found = self._detectors.login_risk.assess(
            LoginFacts(
                account=facts.account_id,
                peers=f"{facts.org_id}|{roles}",
                at=facts.at,
                address=facts.address,
                user_agent=facts.user_agent,
                device=facts.device,
                failures=facts.failures,
                last_at=facts.last_at,
                last_address=facts.last_address,
                factor=facts.factor,
            )
        )
        if found.answer in ("step_up", "allow"):
            return RiskAdvice("step_up" if found.answer == "step_up" else "allow", _details(found))
        return RiskAdvice("unjudged", _details(found))


def _details(found: LoginAssessment) -> dict[str, Any]:
    """Return the explanation as a ledger's details: texts and integers, keyed hashes."""
    details: dict[str, Any] = {**found.features, "alert": found.alert}
    if found.note:
        details["note"] = found.note[:200]
    if found.model:
        details["model"] = found.model
        details["risk"] = int(found.risk * _PARTS)
        details["why"] = [
            f"{each.feature}.{each.level}:{round(each.log_ratio * 1_000)}:{each.known:g}"
            for each in found.weights[:_MOST_REASONS]
        ]
    return details
