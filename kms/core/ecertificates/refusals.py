"""How the pure part says what is wrong, in both languages."""

from __future__ import annotations

from secops.kernel.catalogue import Text


class ECertificateError(ValueError):
    """A template, a row file or a datum is not of the documented form; ``why`` says where."""

    def __init__(self, why: Text) -> None:
        """Keep ``why``."""
        super().__init__(why.en)
        self.why = why


def refuse(zh: str, en: str) -> ECertificateError:
    """Return the error that says so."""
    return ECertificateError(Text(zh, en))
