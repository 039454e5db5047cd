"""What other planes and the spine provide; ``secops.bridges`` fills it."""

from __future__ import annotations

from dataclasses import dataclass, field

from audits.ports.assessments import EvidenceSource, NoRoles, RolesNow
from audits.ports.ledger import CheckpointSigner, Doors
from audits.ports.rectification import FindPerson, no_person
from audits.ports.reports import ExportProtection, ReportSigner
from audits.ports.risks import SevereAlerts, no_alerts
from audits.ports.systems import ActiveAccounts, KnownSources, no_accounts, no_sources
from audits.ports.witnesses import Post


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditsPorts:
    """``doors`` reads the spine's two doors; ``signer`` is the key pool's (bound late).

    ``evidence`` looks at the other planes' real state; ``report_signer`` is the key pool's.
    """

    doors: Doors
    signer: CheckpointSigner
    evidence: EvidenceSource
    report_signer: ReportSigner
    protection: ExportProtection | None = None
    witness_post: Post | None = None
    find_person: FindPerson = no_person
    severe_alerts: SevereAlerts = no_alerts
    known_sources: KnownSources = no_sources
    active_accounts: ActiveAccounts = no_accounts
    roles: RolesNow = field(default_factory=NoRoles)
