"""What notices take from other planes: our own e-seals, units, detectors and controls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from audits.service import AuditsServices
from detectors.service import DetectorsServices
from iam.service import IamServices
from kms.models.seal_registry import SealRecord
from kms.models.seals import Step
from kms.models.stamps import LAST_PAGE, PdfStandard, Stamping, StampPlace, StampRequest
from kms.models.verdicts import STEP_NAMES
from kms.service import KmsServices
from playbooks.models.notices import Recheck, SealVerdict, UsableSeal
from playbooks.ports.notices import NoticePorts, SealPlace
from secops.kernel.actors import Actor
from secops.kernel.catalogue import Text
from secops.kernel.clock import Clock
from secops.kernel.errors import Invalid, Unavailable
from secops.kernel.logs import Window
from secops.kernel.pages import every_item
from secops.settings import Settings

DOCUMENT_CLASS: Final = "通报"
"""What a seal's use policy calls notices."""
_SAID: Final = {
    True: Text("通过", "passed"),
    False: Text("未通过", "failed"),
    None: Text("未能判断", "could not be judged"),
}


class PoolNoticeSeals:
    """Implements ``playbooks.ports.notices.NoticeSeals`` with the seals of the registry."""

    def __init__(self, kms: KmsServices, clock: Clock, profile: str) -> None:
        self._kms = kms
        self._clock = clock
        self._standard: PdfStandard = "sm2" if profile == "gm" else "pades"

    def usable_seals(self, actor: Actor) -> Sequence[UsableSeal]:
        """Return the seals in use that ``actor`` holds."""
        now, registry = self._clock.now(), self._kms.seal_registry
        return [
            UsableSeal(record.id, record.name)
            for record in every_item(lambda page: registry.list_seals(actor, page))
            if record.state == "active"
            and record.valid_from <= now <= record.valid_until
            and self._holds(actor, record)
        ]

    def seal_notice(
        self, actor: Actor, seal_id: str, document: bytes, purpose: str, place: SealPlace
    ) -> bytes:
        """Return the PDF sealed by ``actor``, who holds the seal; its policy is asked."""
        stamping = Stamping((StampPlace(LAST_PAGE, place.x, place.y),))
        wish = StampRequest(
            document, stamping, purpose, self._standard, document_class=DOCUMENT_CLASS
        )
        return self._kms.seal_stamping.stamp_document(actor, seal_id, wish).document

    def verify_notice(self, document: bytes) -> SealVerdict:
        """Return what our own verifier finds, now."""
        report = self._kms.seal_verification.verify_seal(document, None)
        steps = [step for verdict in report.signatures for step in verdict.steps]
        return SealVerdict(report.valid, tuple((step.what, _told(step)) for step in steps))

    def _holds(self, actor: Actor, record: SealRecord) -> bool:
        holders = self._kms.seal_registry.show_seal(actor, record.id).holders
        return any(holder.account_id == actor.id for holder in holders)


def _told(step: Step) -> Text:
    name, said = STEP_NAMES[step.what], _SAID[step.ok]
    return Text(
        f"{name.zh}:{said.zh}。{step.why.zh}".rstrip("。"),
        f"{name.en}: {said.en}. {step.why.en}".rstrip(". "),
    )


class TreeUnits:
    """Implements ``playbooks.ports.notices.Units`` with the tree of organisations."""

    def __init__(self, iam: IamServices) -> None:
        self._units = iam.power.units

    def names(self, ids: Sequence[str]) -> Mapping[str, str]:
        """Return the names of ``ids``."""
        return self._units.names(ids)

    def below(self, org_id: str) -> Mapping[str, str]:
        """Return ``org_id`` and what is open below it."""
        return self._units.below(org_id)

    def above(self, org_id: str) -> Sequence[str]:
        """Return ``org_id`` and all above it."""
        return self._units.above(org_id)


class LateRechecks:
    """Implements ``playbooks.ports.notices.Rechecks``; the audits plane binds late."""

    def __init__(self, detectors: DetectorsServices, clock: Clock) -> None:
        self._detectors = detectors
        self._clock = clock
        self._audits: AuditsServices | None = None

    def bind(self, audits: AuditsServices) -> None:
        """Ask ``audits`` for controls from now on."""
        self._audits = audits

    def recheck(self, actor: Actor, check: str, since: int, until: int) -> Recheck:
        """Run the detector over the logs since, or judge the control by what is there now."""
        kind, _, rest = check.partition(":")
        passed, summary = (
            self._detector(actor, rest, Window(since, until))
            if kind == "detector"
            else self._control(actor, rest)
        )
        return Recheck(check, passed, summary, self._clock.now())

    def _detector(self, actor: Actor, rule_id: str, window: Window) -> tuple[bool | None, Text]:
        """Silence proves nothing: without an event in the window nobody can tell."""
        found = self._detectors.forecasts.forecast_rule(actor, rule_id, window)
        counts = f"{found.hits}/{found.events}"
        if found.hits:
            return False, Text(
                f"规则 {rule_id} 仍有命中({counts} 条日志)",
                f"rule {rule_id} still fires ({counts} events)",
            )
        if found.failure or found.cut or not found.events:
            return None, Text(
                f"规则 {rule_id} 未能判断:整改后日志 {found.events} 条",
                f"rule {rule_id} can't tell: {found.events} events since",
            )
        return True, Text(
            f"规则 {rule_id} 无命中({counts} 条日志)",
            f"rule {rule_id} is silent ({counts} events)",
        )

    def _control(self, actor: Actor, text: str) -> tuple[bool | None, Text]:
        """Judge by machine alone: what a person entered earlier proves nothing here."""
        if self._audits is None:
            msg = "the audits plane is not installed yet"
            raise Unavailable(msg)
        standard, level, item_id = text.split(":", 2)
        made = self._audits.assessments.assess(actor, standard, int(level))
        for verdict in made.verdicts:
            if verdict.item.id == item_id:
                known = verdict.judge == "machine" and verdict.status != "unassessed"
                passed = verdict.status == "compliant" if known else None
                said = _SAID[passed]
                reason = verdict.reason
                return passed, Text(
                    f"控制点 {item_id}:{said.zh}。{reason.zh}",
                    f"control {item_id} {said.en}: {reason.en}",
                )
        msg = f"{standard} has no item {item_id} at level {level}"
        raise Invalid(msg)


def notice_ports(
    settings: Settings,
    clock: Clock,
    kms: KmsServices,
    iam: IamServices,
    rechecks: LateRechecks,
) -> NoticePorts:
    """Return what the playbooks plane needs for notices."""
    seals = PoolNoticeSeals(kms, clock, settings.crypto_profile)
    return NoticePorts(units=TreeUnits(iam), seals=seals, rechecks=rechecks)
