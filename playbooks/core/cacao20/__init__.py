"""CACAO Security Playbooks 2.0 (OASIS): parse, check, and our profile of it."""

from __future__ import annotations

from playbooks.core.cacao20.check import check_document, check_text, check_value, content_hash
from playbooks.core.cacao20.problems import Findings

__all__ = ["Findings", "check_document", "check_text", "check_value", "content_hash"]
