"""add seals to audit entries"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def columns() -> tuple[sa.Column, ...]:
    return (
        sa.Column("actor_pseudonym", sa.String(length=64), nullable=True),
        sa.Column("subject_pseudonym", sa.String(length=64), nullable=True),
        sa.Column("client_pseudonym", sa.String(length=64), nullable=True),
        sa.Column("salt", sa.String(length=32), server_default="", nullable=False),
        sa.Column("details_digest", sa.String(length=64), server_default="", nullable=False),
        sa.Column("sealed_as", sa.Integer(), nullable=True),
        sa.Column("blanked_by", sa.Uuid(), nullable=True),
    )


def upgrade() -> None:
    with op.batch_alter_table("audit_entries") as batch_op:
        for column in columns():
            batch_op.add_column(column)
        batch_op.create_index(batch_op.f("ix_audit_entries_blanked_by"), ["blanked_by"])
    waits = sa.text("sealed_as IS NULL")
    op.create_index(
        "ix_audit_entries_unsealed",
        "audit_entries",
        ["id"],
        sqlite_where=waits,
        postgresql_where=waits,
    )


def downgrade() -> None:
    op.drop_index("ix_audit_entries_unsealed", "audit_entries")
    with op.batch_alter_table("audit_entries") as batch_op:
        batch_op.drop_index(batch_op.f("ix_audit_entries_blanked_by"))
        for column in reversed(columns()):
            batch_op.drop_column(column.name)
