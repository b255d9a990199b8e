"""Say of a request whether an open place was taken for it before it was answered."""

import sqlalchemy as sa
from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "match_requests",
        sa.Column("keeps_place", sa.Boolean(), nullable=False, server_default=sa.false()),
    )


def downgrade() -> None:
    op.drop_column("match_requests", "keeps_place")
