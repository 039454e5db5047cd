"""With which algorithm an application's tokens are signed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022_token_algorithm"
down_revision = "0021_codes_by_message"


def upgrade() -> None:
    """Add the column; every application that stood before has what it had."""
    op.add_column(
        "iam_clients", sa.Column("token_alg", sa.Text, nullable=False, server_default="ES256")
    )
