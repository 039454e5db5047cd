"""Values of the key pool and its seals, one file per family."""

from kms.models.keys import KmsOptions

__all__ = ["KmsOptions"]
