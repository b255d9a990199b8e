"""Columns for sealed addresses, names, waiting work and kept mails, and their blind indexes."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


SEALED = (
    ("users", "email"),
    ("users", "name"),
    ("outbox_messages", "payload"),
    ("kept_mails", "to"),
    ("kept_mails", "subject"),
    ("kept_mails", "body"),
    ("kept_mails", "attachment"),
)


def upgrade() -> None:
    for table, name in SEALED:
        op.add_column(table, sa.Column(f"{name}_sealed", sa.LargeBinary(), nullable=True))
    op.add_column("users", sa.Column("email_index", sa.String(64), nullable=True))
    op.add_column("kept_mails", sa.Column("to_index", sa.String(64), nullable=True))


def downgrade() -> None:
    op.drop_column("kept_mails", "to_index")
    op.drop_column("users", "email_index")
    for table, name in reversed(SEALED):
        op.drop_column(table, f"{name}_sealed")
