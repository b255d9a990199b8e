"""Wrapped data keys, one in use for each owner and realm."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "data_keys",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("owner", sa.Uuid(), nullable=False),
        sa.Column("realm", sa.String(20), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("kek", sa.String(40), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_data_keys"),
    )
    op.create_index("ix_data_keys_owner", "data_keys", ["owner"])
    op.create_index("ix_data_keys_kek", "data_keys", ["kek"])
    op.create_index("ix_data_keys_retired_at", "data_keys", ["retired_at"])
    op.create_index(
        "uq_data_keys_active_owner_realm",
        "data_keys",
        ["owner", "realm"],
        unique=True,
        sqlite_where=sa.text("retired_at IS NULL"),
        postgresql_where=sa.text("retired_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_table("data_keys")
