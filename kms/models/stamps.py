"""Where a seal's picture stands on a document. Measures are millimetres."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

PdfStandard = Literal["pades", "sm2"]
PadesLevel = Literal["b-b", "b-t", "b-lt", "b-lta"]
PadesKey = Literal["ecdsa-p256", "rsa-3072"]

PADES_LEVELS: Final[tuple[PadesLevel, ...]] = ("b-b", "b-t", "b-lt", "b-lta")
"""ETSI EN 319 142-1 §6: signature, with a time-stamp, with revocations, stamped as a whole."""

PADES_KEYS: Final[tuple[PadesKey, ...]] = ("ecdsa-p256", "rsa-3072")

LAST_PAGE: Final = -1

MAX_PLACES: Final = 20
"""Pictures of one signature, the slices across page edges not counted."""


@dataclass(frozen=True, slots=True)
class StampPlace:
    """A picture whose upper left corner is ``x``, ``y`` from the page's.

    Pages count from 1, and from the end below zero: -1 is the last one.
    """

    page: int
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class EdgePlace:
    """骑缝: one picture cut into slices, one at the right edge of each page, ``y`` from the top.

    Pages ``first`` to ``last``, both included, counted as in ``StampPlace``.
    """

    y: float
    first: int = 1
    last: int = LAST_PAGE


@dataclass(frozen=True, slots=True)
class Stamping:
    """All pictures that one signature puts on a document.

    Without any, one picture stands at the lower right of the last page.
    """

    places: tuple[StampPlace, ...] = ()
    edge: EdgePlace | None = None


@dataclass(frozen=True, slots=True)
class PagePreview:
    """A PNG of a page as it will look: ``page`` of ``pages``, from 1.

    ``blank`` tells that only the page's size and the seals are drawn, not what is on it.
    """

    picture: bytes
    page: int
    pages: int
    blank: bool = False


@dataclass(frozen=True, slots=True)
class PadesForm:
    """How a PDF is signed by PAdES: ``level`` None is what the instance is set to."""

    level: PadesLevel | None = None
    key: PadesKey = "ecdsa-p256"


@dataclass(frozen=True, slots=True)
class StampRequest:
    """A ``document`` (OFD or PDF) to be sealed, where, and what for.

    In a PDF, the standard ``pades`` is ECDSA or RSA, which readers validate, in the form
    ``pades``; ``sm2`` is the seal's own signature (SES_Signature), which they don't.
    ``request_id`` names the approved request that
    this use is of.
    """

    document: bytes
    stamping: Stamping = Stamping()
    purpose: str = ""
    standard: PdfStandard = "pades"
    document_class: str = ""
    request_id: str = ""
    pades: PadesForm = PadesForm()
