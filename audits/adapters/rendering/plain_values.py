"""A report as plain values, for templates that know no classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from audits.adapters.rendering.paper import Block, Paper


def plain_paper(paper: Paper) -> dict[str, Any]:
    """Return ``paper`` as dicts, lists and texts; each block says what it ``is``."""
    return {
        "title": paper.title,
        "lang": paper.language,
        "footer": paper.footer,
        "cover": plain_blocks(paper.cover),
        "chapters": [
            {
                "heading": chapter.heading,
                "wide": chapter.wide,
                "blocks": plain_blocks(chapter.blocks),
            }
            for chapter in paper.chapters
        ],
    }


def plain_blocks(blocks: Sequence[Block]) -> list[dict[str, Any]]:
    """Return blocks as dicts."""
    return [{"is": type(block).__name__, **asdict(block)} for block in blocks]
