"""Rotations of data keys, and which keys each is to replace."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "key_rotations",
        sa.Column("is_open", sa.Boolean(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sealed", sa.Integer(), nullable=False),
        sa.Column("unreadable", sa.Integer(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_rotations")),
        sa.UniqueConstraint("is_open", name=op.f("uq_key_rotations_is_open")),
        sa.UniqueConstraint("public_id", name=op.f("uq_key_rotations_public_id")),
    )
    with op.batch_alter_table("data_keys") as batch_op:
        batch_op.add_column(sa.Column("rotation_id", sa.Integer(), nullable=True))
        batch_op.create_index(batch_op.f("ix_data_keys_rotation_id"), ["rotation_id"])
        batch_op.create_foreign_key(
            batch_op.f("fk_data_keys_rotation_id"), "key_rotations", ["rotation_id"], ["id"]
        )


def downgrade() -> None:
    with op.batch_alter_table("data_keys") as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_data_keys_rotation_id"), type_="foreignkey")
        batch_op.drop_index(batch_op.f("ix_data_keys_rotation_id"))
        batch_op.drop_column("rotation_id")
    op.drop_table("key_rotations")
