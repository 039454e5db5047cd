"""Reports as files, in the forms of ``audits.models.forms``."""

from __future__ import annotations

from audits.adapters.rendering.renderer import Renderer

__all__ = ["Renderer"]
