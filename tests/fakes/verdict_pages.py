"""Verdicts set as one page that says nothing but the judged file's digest."""

from __future__ import annotations

from kms.models.verdicts import VerdictPage
from tests.fakes.pdf_pages import paged_pdf


class PlainPages:
    """Remembers what it was asked for."""

    def __init__(self) -> None:
        self.pages: list[VerdictPage] = []

    def render(self, page: VerdictPage) -> bytes:
        self.pages.append(page)
        return paged_pdf()
