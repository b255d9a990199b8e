"""Add failed to retention_runs."""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("retention_runs") as runs:
        runs.add_column(sa.Column("failed", sa.Text(), nullable=False, server_default="[]"))


def downgrade() -> None:
    with op.batch_alter_table("retention_runs") as runs:
        runs.drop_column("failed")
