"""Search filters: values escaped, a template's one place filled (RFC 4515 §3)."""

from __future__ import annotations

from typing import Final

MAX_NAME: Final = 256
_SPECIAL: Final = frozenset("\\*()\x00")
_PLACE: Final = "{name}"
_DEEPEST: Final = 8


def escape_value(value: str) -> str:
    """Return ``value`` so that it is nothing but a value in a filter.

    Everything outside printable ASCII is written as bytes of UTF-8 too: fewer parsers disagree.
    """
    escaped = []
    for char in value:
        if " " <= char <= "~" and char not in _SPECIAL:
            escaped.append(char)
        else:
            escaped += [f"\\{byte:02x}" for byte in char.encode()]
    return "".join(escaped)


def fill_template(template: str, name: str) -> str:
    """Return ``template`` with ``name`` as a value in its one place."""
    return template.replace(_PLACE, escape_value(name))


def template_is_safe(template: str) -> bool:
    """Tell whether ``{name}`` stands once, as the whole value of an equality, in a balance."""
    if template.count(_PLACE) != 1 or f"={_PLACE})" not in template:
        return False
    depth = 0
    for char in template:
        depth += {"(": 1, ")": -1}.get(char, 0)
        if not 0 <= depth <= _DEEPEST:
            return False
    return depth == 0 and template.startswith("(") and template.endswith(")")
