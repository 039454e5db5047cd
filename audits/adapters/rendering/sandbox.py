"""The one environment that templates of reports run in, and what it finds wrong with them."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from types import FrameType
from typing import Any, Final

from jinja2 import ChainableUndefined, Template, TemplateSyntaxError, Undefined, nodes
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup, escape

from audits.adapters.rendering.duties import claims_in

_FILTERS: Final = (
    "default",
    "escape",
    "first",
    "float",
    "int",
    "join",
    "last",
    "length",
    "list",
    "lower",
    "replace",
    "round",
    "selectattr",
    "rejectattr",
    "sum",
    "title",
    "trim",
    "truncate",
    "unique",
    "upper",
)
_TESTS: Final = ("defined", "equalto", "eq", "ne", "in", "none", "odd", "even", "string")
_LONGEST: Final = 100_000
"""Characters of a text that a template may make by adding."""

_REFUSED: Final = (
    nodes.Include,
    nodes.Import,
    nodes.FromImport,
    nodes.Extends,
    nodes.EvalContextModifier,
)
_TAG: Final = re.compile(r"<[^<>]*>")
_HOLDERS: Final = (dict, list, tuple, str)
_VALUES: Final = (*_HOLDERS, int, float)
_SHOWN: Final = 60
_MOST: Final = 50


class Faults:
    """What is wrong with a template, each with its place, as far as it was looked at."""

    def __init__(self) -> None:
        self.found: dict[str, None] = {}
        self.place = "template"
        self.lines: list[str] = []

    def add(self, line: int, what: str) -> None:
        """Remember a fault at a line of the source that is compiled now."""
        if len(self.found) < _MOST:
            self.found[f"{self.where(line)}: {what}"] = None

    def where(self, line: int) -> str:
        """Return a place: the part, the line, and what stands there."""
        text = self.lines[line - 1] if 0 < line <= len(self.lines) else ""
        shown = " ".join(_TAG.sub(" ", text).split())[:_SHOWN]
        return f"{self.place} line {line} ({shown})"


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja's sandbox, less all that makes much of little or leaves a text unescaped."""

    intercepted_binops = frozenset({"*", "**", "%", "+"})

    def __init__(self, faults: Faults, undefined: type[Undefined]) -> None:
        super().__init__(autoescape=True, undefined=undefined, finalize=_literal)
        self.faults = faults
        self.filters = {name: self.filters[name] for name in _FILTERS}
        self.tests = {name: self.tests[name] for name in _TESTS}
        self.globals.clear()

    def from_string(self, source: Any, *given: Any, **named: Any) -> Template:
        """Return a template; raise ``TemplateSyntaxError`` for what none of ours may do."""
        self.faults.lines = str(source).splitlines()
        for line, what in _refusals(self.parse(source)):
            raise TemplateSyntaxError(what, line)
        return super().from_string(source, *given, **named)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Compute with numbers; refuse to repeat or format texts and lists."""
        texts = isinstance(left, str) and isinstance(right, str)
        if operator == "+" and texts and len(left) + len(right) <= _LONGEST:
            return super().call_binop(context, operator, left, right)
        if operator == "**" or not all(isinstance(each, int | float) for each in (left, right)):
            raise SecurityError(f"{operator} is for numbers here, and for short texts")
        return super().call_binop(context, operator, left, right)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return a field of a dict; texts, lists and numbers have none, and nothing a method."""
        if isinstance(obj, dict):
            found = attribute in obj
            return obj[attribute] if found else self.undefined(obj=obj, name=attribute)
        if isinstance(obj, _VALUES):
            return self.undefined(obj=obj, name=attribute)
        return super().getattr(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Return an element by its key or place, never an attribute by its name."""
        try:
            return (
                obj[argument] if isinstance(obj, _HOLDERS) else self.undefined(name=str(argument))
            )
        except (LookupError, TypeError):
            return self.undefined(obj=obj, name=str(argument))

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Refuse every method: fields are read, nothing is called on them."""
        return not callable(value) and super().is_safe_attribute(obj, attr, value)


def _literal(value: Any) -> Any:
    """Return ``value`` as it is printed: docxtpl takes ``{_{`` in a text for braces of its own."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return Markup(str(escape(value)).replace("_", "&#95;"))  # noqa: S704 - escaped here
    return value


def _refusals(tree: nodes.Template) -> Iterator[tuple[int, str]]:
    for node in tree.find_all(_REFUSED):
        yield node.lineno, f"a template may not {type(node).__name__.lower()}"
    for loop in tree.find_all(nodes.For):
        if loop.recursive:
            yield loop.lineno, "a loop may not be recursive"
    for data in tree.find_all(nodes.TemplateData):
        for claim in claims_in(_TAG.sub("", data.data)):
            yield data.lineno, claim


def collecting(faults: Faults) -> type[Undefined]:
    """Return an undefined value that notes where it was asked for, and is empty."""

    class Unknown(ChainableUndefined):
        """A field that is not there."""

        def __init__(self, *given: Any, **named: Any) -> None:
            super().__init__(*given, **named)
            faults.add(_line(inspect.currentframe()), f"no field {self._undefined_name!r}")

    return Unknown


def _line(frame: FrameType | None) -> int:
    """Return the line of the template that runs in a frame above ``frame``; 0 for none."""
    while frame is not None and frame.f_code.co_filename != "<template>":
        frame = frame.f_back
    if frame is None:
        return 0
    pairs = (pair.split("=") for pair in str(frame.f_globals.get("debug_info", "")).split("&"))
    lines = [(int(code), int(line)) for line, code in (p for p in pairs if len(p) == 2)]  # noqa: PLR2004 - line=code
    before = [line for code, line in lines if code <= frame.f_lineno]
    return before[-1] if before else 0
