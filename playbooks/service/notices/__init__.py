"""Notices (通报) and early warnings (预警): the services, and the one object that holds them."""

from __future__ import annotations

from dataclasses import dataclass

from playbooks.service.notices.deliveries import DeliveryService
from playbooks.service.notices.desk import NoticeDesk
from playbooks.service.notices.drafting import DraftingService
from playbooks.service.notices.early_warnings import EarlyWarningService, EarlyWarningViews
from playbooks.service.notices.issuing import IssuingService
from playbooks.service.notices.reminders import ReminderService
from playbooks.service.notices.verifying import VerifyingService
from playbooks.service.notices.views import NoticeViews
from playbooks.service.surroundings import Surroundings

__all__ = ["NoticeServices", "make_notice_services"]


@dataclass(frozen=True, slots=True)
class NoticeServices:
    """From the first draft to the score, in the order of a notice's life."""

    drafting: DraftingService
    issuing: IssuingService
    deliveries: DeliveryService
    verifying: VerifyingService
    reminders: ReminderService
    views: NoticeViews
    warnings: EarlyWarningService
    warning_views: EarlyWarningViews


def make_notice_services(surroundings: Surroundings) -> NoticeServices:
    """Return the services of notices."""
    desk = NoticeDesk(surroundings)
    return NoticeServices(
        drafting=DraftingService(desk),
        issuing=IssuingService(desk),
        deliveries=DeliveryService(desk),
        verifying=VerifyingService(desk),
        reminders=ReminderService(desk),
        views=NoticeViews(desk),
        warnings=EarlyWarningService(desk),
        warning_views=EarlyWarningViews(desk),
    )
