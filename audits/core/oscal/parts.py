"""What OSCAL's models have in common: identifiers, properties, metadata, texts.

Identifiers are made of a report's id and what they name (UUID version 5, RFC 9562 §5.5), so the
same document gives the same file, and two files of one report name the same things alike. Empty
lists are refused by the schema, so they are left out.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Mapping
from typing import Any, Final

OSCAL_VERSION: Final = "1.2.1"
NAMESPACE: Final = "https://govsecops.example/ns/oscal"
_SPACE: Final = uuid.uuid5(uuid.NAMESPACE_URL, NAMESPACE)
_TOKEN: Final = re.compile(r"[^0-9A-Za-z._-]")
_PARTY: Final = "operator"
_UNSEEN: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff\ud800-\udfff]")
"""What XML 1.0 takes nowhere, so that the file can be turned into OSCAL's XML."""

Oscal = dict[str, Any]


def identifier(document: Mapping[str, Any], *names: object) -> str:
    """Return the UUID of a thing of this report."""
    return str(uuid.uuid5(_SPACE, "\x1f".join([str(document["id"]), *map(str, names)])))


def token(text: str) -> str:
    """Return ``text`` as an OSCAL token: it begins with a letter or ``_`` and has no blanks."""
    made = _TOKEN.sub("-", text)
    return made if made[:1].isalpha() else f"c{made}"


def said(value: object) -> str:
    """Return a text of the document in both languages, never an empty one."""
    if isinstance(value, Mapping):
        texts = dict.fromkeys(str(value[name]).strip() for name in ("zh", "en"))
        value = " / ".join(text for text in texts if text)
    text = _UNSEEN.sub("�", "" if value is None else str(value)).strip()
    return text or "-"


def prop(name: str, value: object) -> Oscal:
    """Return a property of ours; its value is on one line."""
    return {"name": token(name), "ns": NAMESPACE, "value": " ".join(said(value).split())}


def filled(made: Mapping[str, Any]) -> Oscal:
    """Return ``made`` without empty lists and values that are not there."""
    return {name: value for name, value in made.items() if value not in (None, [], "")}


def props(values: Iterable[tuple[str, object]]) -> list[Oscal]:
    """Return properties of those values that are there."""
    return [prop(name, value) for name, value in values if value not in (None, "", [], {})]


def metadata(document: Mapping[str, Any], title: str) -> Oscal:
    """Return metadata: who made the report, of what edition, and what it is not."""
    party = identifier(document, "party", _PARTY)
    return {
        "title": title,
        "last-modified": document["made_at"],
        "version": said(document["id"]),
        "oscal-version": OSCAL_VERSION,
        "props": props(
            [
                ("standard", document["edition"]),
                ("level", document["level"]),
                ("system", document["system"]["id"]),
                ("kind", "self-assessment"),
            ]
        ),
        "roles": [{"id": _PARTY, "title": "Operator's own check / 运营者自查"}],
        "parties": [
            {
                "uuid": party,
                "type": "organization",
                "name": said(document["system"]["owner"] or document["made_by"]),
            }
        ],
        "responsible-parties": [{"role-id": _PARTY, "party-uuids": [party]}],
        "remarks": said(document["disclaimer"]),
    }


def import_target(document: Mapping[str, Any], name: str) -> tuple[Oscal, Oscal]:
    """Return a reference into the back matter, and the resource there that explains it."""
    resource = identifier(document, "resource", name)
    return {"href": f"#{resource}"}, {
        "uuid": resource,
        "title": said(document["edition"]),
        "description": "There is no plan in OSCAL: all items of the edition and level are checked.",
    }
