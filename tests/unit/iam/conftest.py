"""A home with the plane installed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.iam_home import IamHome, open_iam_home
from tests.services.postgresql import postgresql_server, postgresql_url

__all__ = ["postgresql_server", "postgresql_url"]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[IamHome]:
    opened = open_iam_home(tmp_path)
    yield opened
    opened.close()
