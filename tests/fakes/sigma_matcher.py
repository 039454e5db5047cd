"""The slow, obvious reading of a rule's tree: one event, one question after the other.

It shares no code with the engine (only the tree's classes and the derived values), so that a
difference means something.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from itertools import product

import re2

from detectors.core.sigma.derived import derivation
from detectors.core.sigma.tree import (
    KEYWORDS,
    Absent,
    And,
    Gap,
    Network,
    Node,
    Not,
    Number,
    Or,
    Pattern,
    Present,
    Reference,
    Regex,
    Text,
    TimePart,
)
from secops.kernel.logs import Value


def shadow(text: str) -> str:
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())
    return folded.replace("\r\n", "\n")


def values(fields: Mapping[str, Value], name: str) -> list[str]:
    made = derivation(name)
    if made is not None:
        function, names = made
        parts = [values(fields, each) for each in names]
        if not parts[0]:
            return []
        return [function(texts) for texts in product(*(part or [""] for part in parts))]
    for key in (
        name,
        *(k for k in fields if " " in k and k.replace(" ", "") == name),
        f"System.{name}",
    ):
        if key in fields:
            value = fields[key]
            return list(value) if isinstance(value, tuple) else [value]
    return []


def holds(node: Node, fields: Mapping[str, Value], keywords: str = "") -> bool:
    if isinstance(node, And):
        return all(holds(child, fields, keywords) for child in node.children)
    if isinstance(node, Or):
        return any(holds(child, fields, keywords) for child in node.children)
    if isinstance(node, Not):
        return not holds(node.child, fields, keywords)
    found = [keywords] if node.field == KEYWORDS else values(fields, node.field)
    if isinstance(node, Absent | Present):
        return bool(found) is isinstance(node, Present)
    if isinstance(node, Reference):
        others = values(fields, node.other)
        return any(compare(node.operation, shadow(a), shadow(b)) for a in found for b in others)
    return any(fits(node, text) for text in found)


def compare(operation: str, left: str, right: str) -> bool:
    return {
        "equals": left == right,
        "contains": right in left,
        "startswith": left.startswith(right),
        "endswith": left.endswith(right),
    }[operation]


def fits(atom: Text | Pattern | Regex | Network | Number | TimePart, text: str) -> bool:
    if isinstance(atom, Text):
        return compare(atom.operation, text if atom.cased else shadow(text), atom.literal)
    if isinstance(atom, Pattern):
        pattern = "".join(
            {Gap.RUN: ".*", Gap.ONE: "."}[part] if isinstance(part, Gap) else re.escape(part)
            for part in atom.parts
        )
        return re.fullmatch(pattern, text if atom.cased else shadow(text), re.DOTALL) is not None
    if isinstance(atom, Regex):
        return re2.search(atom.pattern, text) is not None
    return computed(atom, text)


def computed(atom: Network | Number | TimePart, text: str) -> bool:
    if isinstance(atom, Network):
        return in_network(text, atom.cidr)
    if isinstance(atom, Number):
        return number(atom.comparison, text, atom.bound)
    return part_of_time(atom, text)


def in_network(text: str, cidr: str) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    network = ipaddress.ip_network(cidr)
    if network.version == 6 and str(network).startswith("::ffff:") and network.prefixlen >= 96:
        four = str(network.network_address.ipv4_mapped)
        network = ipaddress.ip_network(f"{four}/{network.prefixlen - 96}")
    address = mapped or address
    return address.version == network.version and address in network


def number(comparison: str, text: str, bound: str) -> bool:
    if not re.fullmatch(r"[+-]?[0-9]+(\.[0-9]+)?", text):
        return False
    try:
        left, right = Decimal(text), Decimal(bound)
    except InvalidOperation:
        return False
    return ordered(comparison, left, right)


def ordered(comparison: str, left: Decimal | int, right: Decimal | int) -> bool:
    return {
        "lt": left < right,
        "lte": left <= right,
        "gt": left > right,
        "gte": left >= right,
        "eq": left == right,
    }[comparison]


def part_of_time(atom: TimePart, text: str) -> bool:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        return False
    part = moment.isocalendar()[1] if atom.unit == "week" else getattr(moment, atom.unit)
    return ordered(atom.comparison, part, atom.bound)
