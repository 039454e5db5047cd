"""What the console is given: the planes' services, a clock, and how to make pages."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from audits.service import AuditsServices
from detectors.service import DetectorsServices
from iam.service import IamServices
from kms.service import KmsServices
from playbooks.service import PlaybooksServices
from secops.console.render import Renderer
from secops.console.tables import Table, export_table, view_table
from secops.kernel.access import FRESH_SECONDS
from secops.kernel.clock import Clock
from secops.kernel.errors import Invalid
from secops.kernel.permissions.iam import ACCOUNT_READ
from secops.web.forms import Upload
from secops.web.messages import Request, Response
from secops.web.routes import Access, Route

FRESH: Final[Mapping[str, Any]] = {"level": 2, "fresh_seconds": FRESH_SECONDS}
"""What the form of a decision or a seal asks of the sign-in: a second factor, just now."""


@dataclass(frozen=True, slots=True)
class ConsoleParts:
    """The services of all planes, which the pages call and nothing else."""

    clock: Clock
    demo: bool
    version: str
    iam: IamServices
    kms: KmsServices
    detectors: DetectorsServices
    playbooks: PlaybooksServices
    audits: AuditsServices


@dataclass(frozen=True, slots=True)
class Desk:
    """What every page works with."""

    parts: ConsoleParts
    renderer: Renderer

    def page(
        self, request: Request, template: str, /, status: int = 200, **context: Any
    ) -> Response:
        """Return the page ``template`` with ``context``."""
        return self.renderer.page(request, template, status, **context)

    def list_page(
        self, request: Request, template: str, table: Table, /, **context: Any
    ) -> Response:
        """Return a page with ``table``, or the table as a file where ``?format=`` asks."""
        if request.query.get("format") in ("csv", "xlsx"):
            return export_table(request, table, template.rpartition("/")[2].partition(".")[0])
        return self.page(request, template, table=view_table(request, table), **context)

    def account_names(self, request: Request, ids: Sequence[str]) -> Mapping[str, str]:
        """Return the names of accounts by id; none for a reader who may not see accounts."""
        if not ids or not request.caller.may(ACCOUNT_READ):
            return {}
        return self.parts.iam.accounts.names_of(request.caller, ids)


def whole_number(text: str, digits: int) -> int | None:
    """Return what at most ``digits`` ASCII digits say; None for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= digits else None


def version_of(request: Request) -> int:
    """Return the version that a form was made for; raise ``Invalid`` where it names none."""
    version = whole_number(request.form.get("version", ""), 9)
    if version is None:
        raise Invalid("the form names no version")
    return version


def chosen_file(request: Request, name: str, otherwise: str) -> Upload:
    """Return the file ``name`` of a form; raise ``Invalid(otherwise)`` for none or an empty one."""
    upload = request.files.get(name)
    if upload is None or not upload.content:
        raise Invalid(otherwise)
    return upload


def granted(form: Mapping[str, str]) -> bool:
    """Tell whether a form approves or rejects; raise ``Invalid`` where it says neither."""
    if form.get("decision") not in ("grant", "reject"):
        raise Invalid("decide: grant or reject")
    return form["decision"] == "grant"


def png_picture(content: bytes) -> str:
    """Return a PNG as a data URI: an image needs no address and no inline style."""
    return "data:image/png;base64," + base64.b64encode(content).decode()


def get_page(
    path: str, operation: str, access: Access, handler: Callable[[Request], Response]
) -> Route:
    """Return the route of a page."""
    return Route(
        method="GET",
        path=path,
        operation=operation,
        access=access,
        handler=handler,
        credential="session",
        page=True,
    )


def post_page(
    path: str,
    operation: str,
    access: Access,
    handler: Callable[[Request], Response],
    **more: Any,
) -> Route:
    """Return the route of a form's submission; ``more`` are fields of ``Route``."""
    return Route(
        method="POST",
        path=path,
        operation=operation,
        access=access,
        handler=handler,
        credential="session",
        page=True,
        **more,
    )
