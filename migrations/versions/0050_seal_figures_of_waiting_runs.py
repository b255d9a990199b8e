"""Seal the figures of a proposal: of a list of one person they are that person's."""

import sqlalchemy as sa
from alembic import op

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("waiting_runs", sa.Column("figures_sealed", sa.LargeBinary(), nullable=True))
    op.drop_column("waiting_runs", "figures")


def downgrade() -> None:
    op.add_column(
        "waiting_runs", sa.Column("figures", sa.Text(), nullable=False, server_default="{}")
    )
    op.drop_column("waiting_runs", "figures_sealed")
