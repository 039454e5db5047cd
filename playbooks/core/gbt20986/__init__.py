"""GB/T 20986-2023: ten classes of incidents and four levels. It proposes; a person sets."""

from __future__ import annotations

from playbooks.core.gbt20986.classification import Classification, Named, read_classification

__all__ = ["Classification", "Named", "read_classification"]
