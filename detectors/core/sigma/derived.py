"""Values that no event carries, but that its fields make: a name with its domain, a registry path.

A log source table writes them as ``name(Field,Field)`` in place of a field's name. They bring
events of another log (Security 4688, 4657) to the texts that rules know from Sysmon.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from itertools import islice, product
from typing import Final

from detectors.core.events.text import canonical_list, texts_of
from secops.kernel.logs import Value

Derivation = Callable[[tuple[str, ...]], str]
"""Makes one text of its fields' texts; an absent field's is empty."""

_CALL: Final = re.compile(r"([a-z_]+)\(([^()]+)\)")
_MOST: Final = 64
_HIVES: Final = (
    ("\\registry\\machine\\system\\controlset001\\", "HKLM\\System\\CurrentControlSet\\"),
    ("\\registry\\machine\\", "HKLM\\"),
    ("\\registry\\user\\", "HKU\\"),
)
_LEVELS: Final = {
    "S-1-16-0": "Untrusted",
    "S-1-16-4096": "Low",
    "S-1-16-8192": "Medium",
    "S-1-16-8448": "Medium Plus",
    "S-1-16-12288": "High",
    "S-1-16-16384": "System",
    "S-1-16-20480": "Protected Process",
}
_DWORD: Final = "%%1876"
_QWORD: Final = "%%1883"
_HEX: Final = re.compile(r"0[xX][0-9a-fA-F]{1,16}")
_DIGITS: Final = re.compile(r"[0-9]{1,20}")


def _domain_user(texts: tuple[str, ...]) -> str:
    user, domain = texts
    return f"{domain}\\{user}" if domain and user else user


def _registry_path(texts: tuple[str, ...]) -> str:
    key, name = texts
    start = key.lower()
    for long, short in _HIVES:
        if start.startswith(long):
            key = short + key[len(long) :]
            break
    return f"{key}\\{name}" if name else key


def _registry_details(texts: tuple[str, ...]) -> str:
    """Write numbers as Sysmon does: ``DWORD (0x00000001)``."""
    value, kind = texts
    number = int(value, 16) if _HEX.fullmatch(value) else None
    if number is None and _DIGITS.fullmatch(value):
        number = int(value)
    if kind == _DWORD and number is not None:
        return f"DWORD (0x{number:08x})"
    if kind == _QWORD and number is not None:
        high, low = divmod(number, 1 << 32)
        return f"QWORD (0x{high:08x}-0x{low:08x})"
    return value


def _integrity_level(texts: tuple[str, ...]) -> str:
    return _LEVELS.get(texts[0].upper(), texts[0])


def _decimal(texts: tuple[str, ...]) -> str:
    return str(int(texts[0], 16)) if _HEX.fullmatch(texts[0]) else texts[0]


_DERIVATIONS: Final[Mapping[str, tuple[int, Derivation]]] = {
    "domain_user": (2, _domain_user),
    "registry_path": (2, _registry_path),
    "registry_details": (2, _registry_details),
    "integrity_level": (1, _integrity_level),
    "decimal": (1, _decimal),
}


def derivation(name: str) -> tuple[Derivation, tuple[str, ...]] | None:
    """Return what makes ``name`` and of which fields; None if it is a field's own name."""
    found = _CALL.fullmatch(name)
    if found is None or found[1] not in _DERIVATIONS:
        return None
    count, function = _DERIVATIONS[found[1]]
    fields = tuple(part.strip() for part in found[2].split(","))
    return (function, fields) if len(fields) == count else None


def source_fields(name: str) -> tuple[str, ...]:
    """Return the event's own fields that ``name`` reads."""
    found = derivation(name)
    return (name,) if found is None else found[1]


def derive(function: Derivation, values: tuple[Value | None, ...]) -> Value | None:
    """Return the value made of ``values``: absent without the first; of lists any with any."""
    if values[0] is None:
        return None
    choices = [("",) if value is None else texts_of(value) for value in values]
    return canonical_list(function(texts) for texts in islice(product(*choices), _MOST))
