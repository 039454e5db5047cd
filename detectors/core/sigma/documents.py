"""Rule files as YAML documents, with the line on which each thing stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml
from sigma.exceptions import SigmaError
from sigma.rule.base import SigmaYAMLLoader, check_alias_expansion

MAX_FILE: Final = 1 << 20
MAX_DOCUMENTS: Final = 200


class BadFile(ValueError):
    """The file is not readable as rules; ``line`` says where (from 1)."""

    def __init__(self, what: str, line: int = 1) -> None:
        """Keep ``what`` is wrong and the ``line``."""
        super().__init__(what)
        self.line = line


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document of a rule file, and where its parts stand."""

    number: int
    content: Mapping[str, Any]
    node: yaml.MappingNode

    @property
    def line(self) -> int:
        """The line of its first key."""
        return self.node.start_mark.line + 1

    def line_of(self, *path: str | int) -> int:
        """Return the line of what stands at ``path``, or of the deepest part that exists."""
        node: yaml.Node = self.node
        line = self.line
        for step in path:
            found = _child(node, step)
            if found is None:
                break
            line, node = found
        return line


def read_documents(content: bytes) -> list[Document]:
    """Return the documents of a rule file; raise ``BadFile``.

    Refuses duplicate keys, aliases that expand without end, and files above 1 MiB.
    """
    if len(content) > MAX_FILE:
        msg = f"the file is larger than {MAX_FILE} bytes"
        raise BadFile(msg)
    try:
        text = content.decode("utf-8-sig")
        nodes = list(yaml.compose_all(text, Loader=SigmaYAMLLoader))
        values = list(yaml.load_all(text, Loader=SigmaYAMLLoader))
    except UnicodeDecodeError as error:
        msg = "the file is not UTF-8"
        raise BadFile(msg) from error
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        what = getattr(error, "problem", None) or str(error)
        raise BadFile(f"not YAML: {what}", mark.line + 1 if mark else 1) from error
    return _checked(values, nodes)


def _checked(values: list[Any], nodes: list[yaml.Node]) -> list[Document]:
    documents = []
    if len(nodes) > MAX_DOCUMENTS:
        msg = f"more than {MAX_DOCUMENTS} documents in one file"
        raise BadFile(msg)
    for number, (value, node) in enumerate(zip(values, nodes, strict=True)):
        if value is None:
            continue
        line = node.start_mark.line + 1
        if not isinstance(value, dict) or not isinstance(node, yaml.MappingNode):
            msg = "a rule is a YAML map"
            raise BadFile(msg, line)
        try:
            check_alias_expansion(value)
        except SigmaError as error:
            raise BadFile(str(error), line) from error
        documents.append(Document(number, value, node))
    return documents


def _child(node: yaml.Node, step: str | int) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(step):
                return key.start_mark.line + 1, value
        return None
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step].start_mark.line + 1, node.value[step]
    return None


def read_lists(content: bytes) -> dict[str, tuple[str, ...]]:
    """Return the lists of a placeholder file, by name; raise ``BadFile``.

    Such a file has the one key ``placeholders``: a map of names to lists of values.
    """
    lists: dict[str, tuple[str, ...]] = {}
    for document in read_documents(content):
        found = document.content.get("placeholders")
        if not isinstance(found, dict) or len(document.content) != 1:
            msg = "a placeholder file has the key 'placeholders' and no other"
            raise BadFile(msg, document.line)
        for name, values in found.items():
            if not isinstance(values, list) or not all(isinstance(v, str | int) for v in values):
                msg = f"the placeholder {name} is not a list of texts"
                raise BadFile(msg, document.line_of("placeholders", str(name)))
            lists[str(name)] = tuple(map(str, values))
    return lists
