"""Mark the proposal that is being worked out, so that of two who ask at once one begins it."""

import sqlalchemy as sa
from alembic import op

revision = "0057"
down_revision = "0056"
branch_labels = None
depends_on = None

INDEX = "uq_waiting_runs_being_made"


def upgrade() -> None:
    op.add_column("waiting_runs", sa.Column("being_made", sa.Boolean(), nullable=True))
    runs = sa.table(
        "waiting_runs",
        sa.column("id", sa.Integer),
        sa.column("made_at"),
        sa.column("withdrawn_at"),
        sa.column("being_made", sa.Boolean),
    )
    is_open = sa.and_(runs.c.made_at.is_(None), runs.c.withdrawn_at.is_(None))
    newest = sa.select(sa.func.max(runs.c.id)).where(is_open).scalar_subquery()
    op.execute(sa.update(runs).where(runs.c.id == newest).values(being_made=True))
    op.create_index(INDEX, "waiting_runs", ["being_made"], unique=True)


def downgrade() -> None:
    op.drop_index(INDEX, "waiting_runs")
    op.drop_column("waiting_runs", "being_made")
