"""Pages of an archive: an index and one page an item, static, without scripts, readable offline."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any, Final

import orjson

from audits.adapters.archives.words import WORDS
from audits.adapters.page_templates import templates_of
from audits.adapters.rendering.items import evidence_of
from audits.models.assessments import STATUSES
from secops.kernel.catalogue import Language

_SAFE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,100}\Z")
_SHOWN: Final = 20_000
_HERE: Final = "audits.adapters.archives"


class JinjaArchivePages:
    """Implements ``audits.ports.reports.ArchivePages``."""

    def __init__(self) -> None:
        self._environment = templates_of(_HERE)

    def pages(
        self,
        document: Mapping[str, Any],
        reports: Sequence[str],
        evidence: Mapping[str, bytes],
        language: Language,
    ) -> Mapping[str, bytes]:
        """Return index, README and one page for each item."""
        items = document["items"]
        names = [_file_name(item["id"], number) for number, item in enumerate(items)]
        shared = {
            "document": document,
            "language": language,
            "word": {name: text.into(language) for name, text in WORDS.items()},
            "statuses": {status: text.into(language) for status, text in STATUSES.items()},
        }
        rows = list(zip(items, names, strict=True))
        made = {
            "index.html": self._page("index.html.jinja", **shared, rows=rows, reports=reports),
            "README.md": self._page("README.md.jinja", document=document, reports=reports),
        }
        for number, (item, name) in enumerate(rows):
            made[f"items/{name}"] = self._page(
                "item.html.jinja",
                **shared,
                item=item,
                shown=_shown(item, evidence),
                before=names[number - 1] if number else "",
                after=names[number + 1] if number + 1 < len(names) else "",
            )
        return made

    def verifier(self) -> bytes:
        """Return the verifier: one file that runs with nothing but Python."""
        # a copy of tools/verify_report.py and no link: not every way to hand on sources keeps one
        return (files(_HERE) / "verifier.txt").read_bytes()

    def _page(self, template: str, **context: Any) -> bytes:
        return self._environment.get_template(template).render(**context).encode()


def _file_name(item_id: str, number: int) -> str:
    """Return the name of an item's page: its id where that can be a file's name everywhere."""
    return f"{item_id}.html" if _SAFE.match(item_id) and ".." not in item_id else f"{number}.html"


def _shown(item: Mapping[str, Any], evidence: Mapping[str, bytes]) -> list[dict[str, Any]]:
    """Return each piece of evidence of an item once, with its content as text."""
    shown = []
    for piece in evidence_of(item):
        content = evidence.get(piece["sha256"])
        shown.append({**piece, "kept": content is not None, "text": _text(content or b"")})
    return shown


def _text(content: bytes) -> str:
    try:
        return orjson.dumps(orjson.loads(content), option=orjson.OPT_INDENT_2).decode()[:_SHOWN]
    except orjson.JSONDecodeError:
        return ""
