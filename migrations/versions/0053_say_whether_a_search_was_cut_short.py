"""Say of a proposal whether its search ended before it was as near to the best as it aims for."""

import sqlalchemy as sa
from alembic import op

revision = "0053"
down_revision = "0052"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "waiting_runs",
        sa.Column("cut_short", sa.Boolean(), nullable=False, server_default=sa.false()),
    )


def downgrade() -> None:
    op.drop_column("waiting_runs", "cut_short")
