"""The plane's one schema. Times are UTC microseconds; JSON stands in text."""

from __future__ import annotations

from typing import Final

from sqlalchemy import MetaData

metadata: Final = MetaData()
