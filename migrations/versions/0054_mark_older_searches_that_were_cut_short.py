"""Mark proposals that were made before this was kept: their search aimed for a gap of 0.1 %."""

import sqlalchemy as sa
from alembic import op

revision = "0054"
down_revision = "0053"
branch_labels = None
depends_on = None


def upgrade() -> None:
    runs = sa.table("waiting_runs", sa.column("gap", sa.Float), sa.column("cut_short", sa.Boolean))
    op.execute(sa.update(runs).where(runs.c.gap > 0.001).values(cut_short=True))


def downgrade() -> None:
    """The column goes with the migration before, and the gap still says it."""
