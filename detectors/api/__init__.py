"""HTTP of the detectors plane."""

from __future__ import annotations

from detectors.api.alert_page import alert_page_routes
from detectors.api.alerts import alert_routes
from detectors.api.bulk import bulk_routes
from detectors.api.bulk_actions import bulk_action_routes
from detectors.api.log_search import search_routes
from detectors.api.logs import log_routes
from detectors.api.models import model_routes
from detectors.api.privacy import privacy_routes
from detectors.api.queue import QueueServices, queue_routes
from detectors.api.rule_folders import rule_folder_routes
from detectors.api.rules import rule_routes
from detectors.api.situation import situation_routes
from detectors.api.sources import source_routes
from detectors.api.triage import TriageServices, triage_routes
from detectors.service import DetectorsServices
from secops.web.routes import Route

__all__ = ["routes"]


def routes(services: DetectorsServices) -> tuple[Route, ...]:
    """Return all routes of the plane."""
    return (
        *log_routes(services.logs, services.integrity),
        *source_routes(services.sources, services.source_watch),
        *search_routes(services.search),
        *bulk_routes(services.shipping),
        *privacy_routes(services.privacy, services.tracing),
        *alert_routes(services.alerts),
        *alert_page_routes(services.alert_pages, services.replays, services.exception_previews),
        *queue_routes(
            QueueServices(
                services.queue,
                services.handling,
                services.alert_views,
                services.alert_deadlines,
            )
        ),
        *bulk_action_routes(services.bulk_actions),
        *model_routes(services.models),
        *rule_routes(services.rules, services.runs, services.reports),
        *triage_routes(
            TriageServices(
                services.reports,
                services.forecasts,
                services.exceptions,
                services.suppressions,
                services.entities,
            )
        ),
        *rule_folder_routes(services.rule_folders),
        *situation_routes(services.situations),
    )
