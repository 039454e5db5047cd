"""Refusals as pages: what happened, why, and what to do."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from secops.console.render import Renderer
from secops.kernel.errors import SecopsError, StepUpRequired, Unauthenticated
from secops.kernel.permissions import GRANTS, ROLES
from secops.web.dispatch import ErrorPage
from secops.web.messages import Request, Response, redirect


def error_pages(demo: bool, version: str) -> ErrorPage:  # noqa: FBT001 - a setting
    """Return what words errors of pages; nobody signed in is sent to the sign-in page."""
    renderer = Renderer(demo, version)

    def error_page(error: SecopsError, request: Request) -> Response:
        if isinstance(error, StepUpRequired) and request.actor is not None:
            # the form's page again, once proved: what was typed is not kept
            return redirect(f"/step-up?next={quote(_page_of(request), safe='/')}")
        if isinstance(error, Unauthenticated | StepUpRequired) and request.method == "GET":
            return redirect(f"/signin?next={quote(_page_of(request), safe='/')}")
        return renderer.page(
            request,
            "error.html",
            error.status,
            error=error,
            title=error.title.into(request.language),
            remedy=error.remedy.into(request.language),
            needed=_needed(error, request),
            because=error.facts.get(f"because_{request.language}"),
            helps=_helps(error, request),
        )

    return error_page


def _page_of(request: Request) -> str:
    """Return the page that was asked for, or the one whose form was sent."""
    if request.method == "GET":
        return request.path + (f"?{request.query_string}" if request.query_string else "")
    parts = urlsplit(request.headers.get("referer", ""))
    if f"{parts.scheme}://{parts.netloc}" != request.origin:
        return "/"
    return parts.path + (f"?{parts.query}" if parts.query else "")


def _helps(error: SecopsError, request: Request) -> list[str]:
    """Return in the reader's language what would turn the refusal around."""
    joined = str(error.facts.get(f"helps_{request.language}") or "")
    return [text for text in joined.split(";" if request.language == "zh" else "; ") if text]


def _needed(error: SecopsError, request: Request) -> str:
    """Return in the reader's language which right was missing and whose roles hold it."""
    named = error.facts.get("permission")
    found = next((each for each in GRANTS if each.permission == named), None)
    if found is None:
        return ""
    language = request.language
    roles = [ROLES[role].into(language) for role in sorted(found.roles)]
    joined = ("、" if language == "zh" else ", ").join(roles)
    return f"{found.title.into(language)} — {joined}"
