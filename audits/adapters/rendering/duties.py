"""What every report says whoever wrote its template, and what none says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_DUTIES: Final = ("title", "disclaimer", "edition", "coverage", "estimate")
_CLAIMS: Final = ("等级测评报告", "密评报告", "测评机构", "通过", "合规", "认证", "certified")
"""What a self-check must not say of itself; ``_ALLOWED`` say the contrary."""

_ALLOWED: Final = ("不是等级测评报告", "不是密评报告", "不含任何测评机构")
_ENTITIES: Final = {"&lt;": "<", "&gt;": ">", "&quot;": '"', "&#34;": '"', "&#39;": "'"}
_AT_LINE_ENDS: Final = str.maketrans("", "", "-\u00ad\u2010\u200b")


def duties_left_out(said: str, fields: Mapping[str, Any]) -> list[str]:
    """Return which of the duties a report that says ``said`` does not say."""
    squeezed = _squeezed(said)
    return [
        f"the report does not say {{{{ {name} }}}}"
        for name in _DUTIES
        if _squeezed(str(fields[name])) not in squeezed
    ]


def claims_in(text: str) -> list[str]:
    """Return what a template's own ``text`` claims that a self-check must not say."""
    said = "".join(text.split())
    for allowed in _ALLOWED:
        said = said.replace(allowed, "")
    return [f"a self-check does not say {claim}" for claim in _CLAIMS if claim in said]


def _squeezed(text: str) -> str:
    for entity, letter in _ENTITIES.items():
        text = text.replace(entity, letter)
    return "".join(text.replace("&amp;", "&").translate(_AT_LINE_ENDS).split())
