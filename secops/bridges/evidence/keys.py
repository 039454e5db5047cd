"""Evidence on keys: their types and strength, where they lie, who renews them, what is sealed."""

from __future__ import annotations

from typing import Final

from audits.core.gbt39786.strength import APPROVED, SOUND_BITS, bits_of
from audits.models.evidence import Fact
from detectors.service import DetectorsServices
from kms.models.backends import SOFTWARE
from kms.service import KmsServices
from secops.bridges.evidence.looking import Look, Looks, Sight, of_events
from secops.bridges.keys import damaged_system_keys
from secops.kernel.clock import DAY
from secops.settings import Settings

_YEAR: Final = 365 * DAY
_SEALED: Final = "event.action:kms.use_seal AND event.outcome:success"
"""Seals are SM2 with SM3 by their standard (GB/T 38540-2020)."""
_SIGNED: Final = "event.action:kms.sign AND event.outcome:success"
_GRADED: Final = ("3", "4", "important", "core")


class KeyEvidence:
    """Looks at the key pool and at what is done with graded data in logs."""

    def __init__(self, settings: Settings, kms: KmsServices, detectors: DetectorsServices) -> None:
        self._settings = settings
        self._kms = kms
        self._detectors = detectors

    @property
    def looks(self) -> Looks:
        """What can be looked for."""
        return {
            "kms.custody": self._custody,
            "kms.policy": self._policy,
            "db.encryption": self._encryption,
            "kms.signature": self._signatures,
        }

    def _custody(self, look: Look) -> Sight:
        status = self._kms.pool.status()
        groups = self._kms.key_census.count_keys(look.actor.org_id)
        facts: dict[str, Fact] = {
            "hardware": bool(groups) and all(group.backend != SOFTWARE for group in groups),
            "damaged_system_keys": damaged_system_keys(self._kms),
            "root_key_protected": status.state in ("unlocked", "locked"),
            "custody": status.custody,
            "profile": status.profile,
            "refused_engines": len(self._kms.self_tests.refused_engines(look.actor, look.at - DAY)),
        }
        return Sight(facts, "state of the key pool, self-tests of a day", link="/keys")

    def _policy(self, look: Look) -> Sight:
        groups = self._kms.key_census.count_keys(look.actor.org_id)
        facts: dict[str, Fact] = {
            "keys": sum(group.keys for group in groups),
            "keys_not_approved": sum(g.keys for g in groups if g.type not in APPROVED),
            "weak_keys": sum(group.keys for group in groups if bits_of(group.type) < SOUND_BITS),
            "software_keys": sum(group.keys for group in groups if group.backend == SOFTWARE),
            "rotations_overdue": sum(group.overdue for group in groups),
            "unrotated": sum(group.unrotated for group in groups),
            "types": " ".join(sorted({group.type for group in groups})),
        }
        if groups:
            facts["least_bits"] = min(bits_of(group.type) for group in groups)
        return Sight(facts, "keys in use of the organisation, by type and backend", link="/keys")

    def _signatures(self, look: Look) -> Sight | None:
        window = look.since(_YEAR)
        seals = look.own.count(_SEALED, window)
        by_type = look.own.counts(_SIGNED, window, "details.type")
        if not seals + by_type.total():
            return None
        stamped = self._settings.seal_time_stamps != "none"
        facts: dict[str, Fact] = {
            "signatures": seals + by_type.total(),
            "seals": seals,
            "algorithms_not_approved": sum(
                number for (_, kind), number in by_type.items() if kind not in APPROVED
            ),
            "without_time_stamp": 0 if stamped else seals,
        }
        return of_events(facts, look.own.scoped(f"({_SEALED}) OR ({_SIGNED})"), window)

    def _encryption(self, look: Look) -> Sight:
        policies = self._detectors.privacy.list_policies(look.actor)
        graded = [
            policy
            for policy in policies
            if policy.grade in _GRADED and policy.source in look.logs.names
        ]
        status = self._kms.pool.status()
        facts: dict[str, Fact] = {
            "graded_sources": len(graded),
            "graded_in_clear": sum(not policy.masked for policy in graded),
            "sealed_fields": status.state != "uninitialised",
        }
        return Sight(
            facts, "data policies of log sources of grade 3 and above", link="/log-sources"
        )
