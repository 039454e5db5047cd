"""Pages: Jinja with autoescape, the reader's language, and the navigation their role may see."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from secops.console.navigation import GROUPS, Group
from secops.console.statics import asset_path
from secops.console.texts import translate, translations
from secops.kernel.actors import Actor
from secops.kernel.catalogue import Language, Text
from secops.kernel.clock import SECOND, Clock, SystemClock
from secops.kernel.permissions import ROLES
from secops.web.messages import Request, Response, html_response

_BEIJING: Final = timedelta(hours=8)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def beijing_time(instant: int | None) -> str:
    """Return ``instant`` (UTC microseconds) as Beijing time, to the second."""
    if instant is None:
        return "—"
    moment = _EPOCH + timedelta(seconds=instant // SECOND) + _BEIJING
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def utc_time(instant: int | None) -> str:
    """Return ``instant`` as ISO 8601 in UTC, for a ``<time datetime>``."""
    if instant is None:
        return ""
    return (_EPOCH + timedelta(seconds=instant // SECOND)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _environment(language: Language) -> Environment:
    environment = Environment(
        loader=PackageLoader("secops.console", "templates"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.install_gettext_translations(translations(language), newstyle=True)  # type: ignore[attr-defined]
    environment.filters.update(
        beijing=beijing_time,
        utc=utc_time,
        into=lambda text: text.into(language) if isinstance(text, Text) else text,
    )
    environment.globals["asset"] = asset_path
    return environment


@dataclass(frozen=True, slots=True)
class Renderer:
    """Makes pages. ``demo`` puts the banner 演示数据 on every one.

    ``warned`` tells whether somebody's own account waits for a reset: their pages say so.
    """

    demo: bool
    version: str
    clock: Clock = field(default_factory=SystemClock)
    warned: Callable[[Actor], bool] = field(default=lambda _: False)
    environments: Mapping[Language, Environment] = field(
        default_factory=lambda: {"zh": _environment("zh"), "en": _environment("en")}
    )

    def page(
        self, request: Request, template: str, /, status: int = 200, **context: Any
    ) -> Response:
        """Return the page ``template`` with ``context``."""
        page = self.environments[request.language].get_template(template)
        return html_response(page.render(**self._shared(request), **context), status)

    def word(self, request: Request, text: str) -> str:
        """Return the Chinese ``text`` in the reader's language."""
        return translate(text, request.language)

    def _shared(self, request: Request) -> dict[str, Any]:
        return {
            "language": request.language,
            "nonce": request.nonce,
            "request_id": request.request_id,
            "path": request.path,
            "here": here(request),
            "now": self.clock.now(),
            "actor": request.actor,
            "roles": _roles(request),
            "navigation": visible(request),
            "demo": self.demo,
            "warned": request.actor is not None and self.warned(request.actor),
            "version": self.version,
        }


def here(request: Request) -> str:
    """Return the address to come back to: a form's answer has none of its own, so its list."""
    if request.method != "GET":
        return "/"
    return request.path + (f"?{request.query_string}" if request.query_string else "")


def visible(request: Request) -> list[Group]:
    """Return what of the navigation the reader's role may open, without empty groups."""
    if request.actor is None:
        return []
    held = request.actor.permissions
    groups = [
        replace(
            group,
            entries=tuple(e for e in group.entries if e.permission is None or e.permission in held),
        )
        for group in GROUPS
    ]
    return [group for group in groups if group.entries]


def _roles(request: Request) -> str:
    if request.actor is None:
        return ""
    names = [ROLES[role].into(request.language) for role in sorted(request.actor.roles)]
    return "、".join(names) if request.language == "zh" else ", ".join(names)
