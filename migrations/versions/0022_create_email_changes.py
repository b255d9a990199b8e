"""create email changes"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


BEFORE = ("confirm", "reset", "invitation")
NOW = (*BEFORE, "new_address", "old_address", "keep_factor")


def upgrade() -> None:
    op.create_table(
        "email_changes",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("old_email_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("new_email_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_email_changes_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_email_changes")),
        sa.UniqueConstraint("public_id", name=op.f("uq_email_changes_public_id")),
    )
    with op.batch_alter_table("email_changes") as batch_op:
        batch_op.create_index(batch_op.f("ix_email_changes_user_id"), ["user_id"], unique=False)
    _allow(BEFORE, NOW)


def downgrade() -> None:
    op.execute(
        "DELETE FROM email_tokens WHERE purpose IN ('new_address', 'old_address', 'keep_factor')"
    )
    _allow(NOW, BEFORE)
    op.drop_table("email_changes")


def _allow(before: tuple[str, ...], after: tuple[str, ...]) -> None:
    """Exchange the CHECK; on SQLite the table is written anew with it."""
    with op.batch_alter_table("email_tokens") as batch_op:
        batch_op.alter_column(
            "purpose",
            existing_type=_purpose(before),
            type_=_purpose(after),
            existing_nullable=False,
        )


def _purpose(names: tuple[str, ...]) -> sa.Enum:
    return sa.Enum(
        *names, name="emailtokenpurpose", native_enum=False, create_constraint=True, length=40
    )
