"""Conditions in the words of STIX 2.1 Patterning (§9), as CACAO 2.0 §4.6 borrows them."""

from playbooks.core.stix21.comparison import holds
from playbooks.core.stix21.grammar import (
    OBJECT_PATH,
    Comparison,
    Condition,
    ConditionInvalid,
    Joined,
    names_in,
    read_condition,
)

__all__ = [
    "OBJECT_PATH",
    "Comparison",
    "Condition",
    "ConditionInvalid",
    "Joined",
    "holds",
    "names_in",
    "read_condition",
]
