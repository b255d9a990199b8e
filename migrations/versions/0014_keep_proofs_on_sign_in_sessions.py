"""keep when and how somebody proved who they are, and when idling ends, on the session"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("sign_in_sessions") as batch_op:
        batch_op.add_column(sa.Column("idle_until", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("proved_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(
            sa.Column("is_strong", sa.Boolean(), server_default=sa.false(), nullable=False)
        )
        batch_op.add_column(
            sa.Column("short_password", sa.Boolean(), server_default=sa.false(), nullable=False)
        )
    # How those browsers were signed in is not known: everybody signs in once more.
    op.execute("UPDATE sign_in_sessions SET idle_until = last_seen_at, proved_at = created_at")
    with op.batch_alter_table("sign_in_sessions") as batch_op:
        for name in ("idle_until", "proved_at"):
            batch_op.alter_column(name, existing_type=sa.DateTime(timezone=True), nullable=False)
        for name in ("is_strong", "short_password"):
            batch_op.alter_column(name, existing_type=sa.Boolean(), server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("sign_in_sessions") as batch_op:
        for name in ("short_password", "is_strong", "proved_at", "idle_until"):
            batch_op.drop_column(name)
