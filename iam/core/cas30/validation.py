"""Reading a CAS server's answer to a ticket (CAS Protocol 3.0 §2.5, appendix A).

XML without a DTD, entities, comments or instructions: each of them has been used to make a
parser and an application see two different users.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from lxml import etree

from iam.errors import UpstreamRefused

NAMESPACE: Final = "http://www.yale.edu/tp/cas"
MAX_ANSWER: Final = 65_536
MAX_ELEMENTS: Final = 500
MAX_SUBJECT: Final = 255
_TAG: Final = f"{{{NAMESPACE}}}"


@dataclass(frozen=True, slots=True)
class CasUser:
    """Whom the server names; attributes given more than once have several values."""

    user: str
    attributes: Mapping[str, tuple[str, ...]]

    def one(self, name: str) -> str:
        """Return the one value of an attribute, "" if ``name`` is empty or it is not there.

        Raises ``UpstreamRefused`` where several values leave open which one counts.
        """
        values = self.attributes.get(name, ()) if name else ()
        if len(values) > 1:
            msg = f"the attribute {name} has several values"
            raise UpstreamRefused(msg)
        return values[0] if values else ""


def read_answer(content: bytes) -> CasUser:
    """Return the user of a success; raise ``UpstreamRefused`` for everything else."""
    root = _parse(content)
    if root.tag != f"{_TAG}serviceResponse" or len(root) != 1:
        msg = "not one answer of a CAS server"
        raise UpstreamRefused(msg)
    success = root[0]
    if success.tag != f"{_TAG}authenticationSuccess":
        code = str(success.get("code", ""))[:40]
        msg = f"the ticket was refused ({code if code.isidentifier() else 'without a code'})"
        raise UpstreamRefused(msg)
    users = success.findall(f"{_TAG}user")
    if len(users) != 1 or not 0 < len(_text(users[0])) <= MAX_SUBJECT:
        msg = "the answer names no user, or several"
        raise UpstreamRefused(msg)
    if success.find(f"{_TAG}proxies") is not None:
        # a proxy ticket says what another service did, not who sits at this browser
        msg = "the answer is to a proxy ticket"
        raise UpstreamRefused(msg)
    groups = success.findall(f"{_TAG}attributes")
    found: dict[str, tuple[str, ...]] = {}
    for entry in (entry for group in groups for entry in group):
        name = etree.QName(entry).localname
        found[name] = (*found.get(name, ()), _text(entry))
    return CasUser(_text(users[0]), found)


def _parse(content: bytes) -> Any:
    if len(content) > MAX_ANSWER or b"<!" in content:
        msg = "the answer is too long, or holds a DTD, comment or CDATA"
        raise UpstreamRefused(msg)
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        msg = "the answer is not XML"
        raise UpstreamRefused(msg) from error
    nodes = list(root.iter())
    if root.getroottree().docinfo.doctype:
        msg = "the answer holds a DTD"
        raise UpstreamRefused(msg)
    if len(nodes) > MAX_ELEMENTS or any(not isinstance(node.tag, str) for node in nodes):
        msg = "the answer holds too much, or something that is no element"
        raise UpstreamRefused(msg)
    return root


def _text(element: Any) -> str:
    if len(element):
        msg = "a value holds elements"
        raise UpstreamRefused(msg)
    return (element.text or "").strip()
