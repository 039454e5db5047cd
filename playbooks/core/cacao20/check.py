"""Check a whole playbook: shape first, then what its parts say about one another."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from playbooks.core.cacao20.graph import check_graph
from playbooks.core.cacao20.json_text import read_json
from playbooks.core.cacao20.problems import Findings
from playbooks.core.cacao20.profile import check_profile
from playbooks.core.cacao20.references import check_references, check_times
from playbooks.core.cacao20.shape import PLAYBOOK
from playbooks.core.cacao20.signing import without_signatures
from playbooks.core.cacao20.variables import check_variables
from playbooks.models import CheckedPlaybook, Problem
from secops.kernel.canonical import canonical
from secops.kernel.errors import Invalid


def check_document(document: Any) -> tuple[Problem, ...]:
    """Return every problem of ``document``; never raises, whatever it is."""
    findings = Findings()
    PLAYBOOK(document, "", findings)
    if isinstance(document, dict):
        check_times(document, findings)
        check_references(document, findings)
        check_graph(document, findings)
        check_variables(document, findings)
        check_profile(document, findings)
    return findings.problems


def content_hash(document: Mapping[str, Any]) -> str:
    """Return the SHA-256 (hex) of the RFC 8785 form of ``document`` without its signatures.

    Signing does not change the version, so it does not change what approvals are bound to.
    """
    return hashlib.sha256(canonical(without_signatures(document))).hexdigest()


def check_text(text: bytes) -> tuple[CheckedPlaybook | None, tuple[Problem, ...]]:
    """Return the checked playbook in ``text`` (None if an error was found) and all problems."""
    findings = Findings()
    document = read_json(text, findings)
    if findings.failed:
        return None, findings.problems
    return check_value(document)


def check_value(document: Any) -> tuple[CheckedPlaybook | None, tuple[Problem, ...]]:
    """Return the checked playbook that ``document`` is (None if none) and all problems."""
    problems = check_document(document)
    if any(problem.level == "error" for problem in problems):
        return None, problems
    try:
        digest = content_hash(document)
    except Invalid as error:
        findings = Findings()
        findings.add("bad_value", "", error.detail)
        return None, (*problems, *findings.problems)
    return CheckedPlaybook(document, digest, problems), problems
