"""Wires the playbooks plane."""

from __future__ import annotations

from playbooks.adapters.calendars import HomeCalendars
from playbooks.adapters.packaged import PackagedLibrary
from playbooks.adapters.printing import DocxReports, TypstNotices, TypstReports
from playbooks.api import routes
from playbooks.jobs import jobs
from playbooks.models import PlaybooksOptions
from playbooks.ports import PlaybooksPorts
from playbooks.service import PlaybooksServices, Surroundings, make_services
from playbooks.store import make_notice_tools, make_stores
from secops.kernel.events import AlertRaised, Subscription
from secops.kernel.parts import Parts
from secops.web.routes import Plane


def install(parts: Parts, ports: PlaybooksPorts, options: PlaybooksOptions) -> Plane:
    """Return the plane; opens nothing and starts nothing."""
    library = PackagedLibrary()
    surroundings = Surroundings(
        parts=parts,
        ports=ports,
        stores=make_stores(),
        library=library,
        options=options,
        printers={"docx": DocxReports(), "pdf": TypstReports()},
        notices=make_notice_tools(TypstNotices(), HomeCalendars(library, parts.home)),
    )
    services = make_services(surroundings, owner=parts.ids.new("runner"))
    return Plane(
        "playbooks", services, routes(services), jobs(services), _subscriptions(services, options)
    )


def _subscriptions(
    services: PlaybooksServices, options: PlaybooksOptions
) -> tuple[Subscription, ...]:
    told = Subscription(
        "playbooks.tell_alerts", AlertRaised, services.notifications.herald.alert_raised
    )
    answered = Subscription(
        "playbooks.answer_alerts", AlertRaised, services.autonomy.answerer.alert_raised
    )
    if not options.open_for:
        return (told, answered)
    handle = services.openers.alert_raised
    return (told, Subscription("playbooks.open_incidents", AlertRaised, handle), answered)
