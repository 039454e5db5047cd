"""GB/T 20986-2023: ten classes of incidents and four levels. It proposes; a person sets."""

from __future__ import annotations

from playbooks.core.gbt20986.advice import LevelAdvice, LevelAnswers, advise_level
from playbooks.core.gbt20986.classification import Classification, Named, read_classification

__all__ = [
    "Classification",
    "LevelAdvice",
    "LevelAnswers",
    "Named",
    "advise_level",
    "read_classification",
]
