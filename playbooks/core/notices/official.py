"""A notice as an official document: whose it is, to whom, what, by when, of which day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from playbooks.core.notices.deadlines import receive_due, rectify_due
from playbooks.models.calendars import WorkCalendar
from playbooks.models.notices import NOTICE_SEVERITIES, OWED, Notice, PrintedNotice
from secops.kernel.clock import BEIJING, DAY, HOUR, MINUTE, beijing_day


def printed_notice(
    notice: Notice, names: Mapping[str, str], calendar: WorkCalendar, at: int
) -> PrintedNotice:
    """Return the numbered ``notice`` as it is set when it is issued ``at``."""
    content = notice.content
    receive = receive_due(at, urgent=content.urgent)
    rectify = rectify_due(calendar, at, content.severity)
    facts = {
        "风险等级": NOTICE_SEVERITIES[content.severity].zh,
        f"{OWED['receive'].zh}时限": f"{_minute(receive)}前" + ("(特急)" if content.urgent else ""),
        f"{OWED['rectify'].zh}时限": f"{written_day(beijing_day(rectify.at))}前",
    }
    if rectify.guessed:
        years = "、".join(str(year) for year in rectify.guessed)
        facts["说明"] = f"{years} 年节假日安排尚未录入,期限按周一至周五推算"
    return PrintedNotice(
        issuer=names[notice.org_id],
        reference=notice.reference,
        title=content.title,
        units=tuple(names[unit] for unit in content.units),
        paragraphs=tuple(content.body.split("\n")),
        facts=facts,
        date=written_day(beijing_day(at)),
        at=at,
    )


def written_day(day: date) -> str:
    """Return ``day`` as official documents write it."""
    return f"{day.year}年{day.month}月{day.day}日"


def _minute(instant: int) -> str:
    minutes = (instant + BEIJING) % DAY // MINUTE
    hours, rest = divmod(minutes, HOUR // MINUTE)
    return f"{written_day(beijing_day(instant))}{hours}时{rest}分"
