"""Which real-name level applications and CAS services demand of people."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0028_client_demands"
down_revision = "0024_decision_folds"

_TABLES = ("iam_clients", "iam_cas_services")


def upgrade() -> None:
    """Add the demand; what stood before demands none, as it did."""
    for table in _TABLES:
        column = sa.Column("real_name_level", sa.Text, nullable=False, server_default="none")
        op.add_column(table, column)


def downgrade() -> None:
    for table in _TABLES:
        op.drop_column(table, "real_name_level")
