"""Drop the columns that held addresses, names, waiting work and kept mails in the clear."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


# Table, column, type, and what stands for nothing on the way back.
CLEAR = (
    ("users", "name", sa.String(120), ""),
    ("outbox_messages", "payload", sa.Text(), "{}"),
    ("kept_mails", "to", sa.String(254), ""),
    ("kept_mails", "subject", sa.String(200), ""),
    ("kept_mails", "body", sa.Text(), ""),
    ("kept_mails", "attachment", sa.Text(), ""),
)


def upgrade() -> None:
    op.drop_index("ix_kept_mails_to", "kept_mails")
    op.create_index("ix_kept_mails_to_index", "kept_mails", ["to_index"])
    for table, name, *_ in CLEAR:
        op.drop_column(table, name)
    with op.batch_alter_table("users") as batch_op:
        batch_op.drop_constraint(batch_op.f("uq_users_email"), type_="unique")
        batch_op.drop_column("email")
        batch_op.create_unique_constraint(batch_op.f("uq_users_email_index"), ["email_index"])


def downgrade() -> None:
    with op.batch_alter_table("users") as batch_op:
        batch_op.drop_constraint(batch_op.f("uq_users_email_index"), type_="unique")
        batch_op.add_column(sa.Column("email", sa.String(254), nullable=True))
    # An address that was erased leaves something unlike any other behind.
    op.execute("UPDATE users SET email = 'erased-' || id")
    with op.batch_alter_table("users") as batch_op:
        batch_op.alter_column("email", existing_type=sa.String(254), nullable=False)
        batch_op.create_unique_constraint(batch_op.f("uq_users_email"), ["email"])
    for table, name, type_, nothing in CLEAR:
        default = sa.text(f"'{nothing}'")
        op.add_column(table, sa.Column(name, type_, nullable=False, server_default=default))
        with op.batch_alter_table(table) as batch_op:
            batch_op.alter_column(name, existing_type=type_, server_default=None)
    op.drop_index("ix_kept_mails_to_index", "kept_mails")
    op.create_index("ix_kept_mails_to", "kept_mails", ["to"])
