"""What seals need from outside: a painter of pictures, a registry, a signer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

Shape = Literal["round", "oval", "square"]


@dataclass(frozen=True, slots=True)
class PictureRequest:
    """A seal's picture to be drawn: ``name`` around it, ``marking`` inside it.

    ``width`` and ``height`` are millimetres.
    """

    shape: Shape
    name: str
    marking: str
    width: int
    height: int


class SealPainter(Protocol):
    """Draws seals."""

    def paint(self, request: PictureRequest) -> bytes:
        """Return a PNG with a transparent ground.

        Raises ``FontMissing`` or ``PictureRejected``; nothing is ever left blank.
        """
        ...
