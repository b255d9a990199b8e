"""Count the acts on a proposal, so that what was seen of it can be told from what it is now."""

import sqlalchemy as sa
from alembic import op

revision = "0055"
down_revision = "0054"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("waiting_runs", _version())
    with op.batch_alter_table("waiting_placements") as batch_op:
        batch_op.add_column(_version())
        batch_op.add_column(sa.Column("changed_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("changed_by_id", sa.Integer(), nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_waiting_placements_changed_by_id"), "users", ["changed_by_id"], ["id"]
        )


def downgrade() -> None:
    with op.batch_alter_table("waiting_placements") as batch_op:
        batch_op.drop_constraint(
            batch_op.f("fk_waiting_placements_changed_by_id"), type_="foreignkey"
        )
        batch_op.drop_column("changed_by_id")
        batch_op.drop_column("changed_at")
        batch_op.drop_column("version")
    op.drop_column("waiting_runs", "version")


def _version() -> sa.Column[int]:
    return sa.Column("version", sa.Integer(), nullable=False, server_default="0")
