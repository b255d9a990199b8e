"""Drop the columns that held in the clear what is sealed of clients."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


# Table, column, type, whether it may be NULL, and what stands for nothing on the way back.
CLEAR = (
    ("clients", "preferred_name", sa.String(80), False, ""),
    ("clients", "phone", sa.String(40), False, ""),
    ("intake_answers", "value", sa.Text(), True, None),
    ("assessments", "responses", sa.Text(), False, "[]"),
    ("assessments", "result", sa.Text(), False, "{}"),
    ("risk_flags", "raised_by", sa.Text(), False, "{}"),
    ("flag_contacts", "words", sa.Text(), False, ""),
    ("flag_outcomes", "reason", sa.Text(), False, ""),
    ("proposals", "client_inputs", sa.Text(), False, "{}"),
    ("proposals", "shown", sa.Text(), False, "[]"),
    ("match_requests", "shared", sa.Text(), False, "{}"),
    ("match_requests", "reply", sa.String(500), False, ""),
    ("appointments", "where", sa.String(300), False, ""),
    ("enrolments", "why", sa.Text(), False, ""),
    ("screening_decisions", "reason", sa.Text(), False, ""),
    ("signatures", "scope_label", sa.String(200), False, ""),
    ("signatures", "evidence", sa.Text(), False, "{}"),
)
UNNAMED = ("intake_answers", "flag_outcomes", "screening_decisions")


def upgrade() -> None:
    for table, name, *_ in CLEAR:
        op.drop_column(table, name)
    for table in UNNAMED:
        with op.batch_alter_table(table) as batch_op:
            batch_op.alter_column("public_id", existing_type=sa.Uuid(), nullable=False)
            batch_op.create_unique_constraint(batch_op.f(f"uq_{table}_public_id"), ["public_id"])


def downgrade() -> None:
    for table in UNNAMED:
        with op.batch_alter_table(table) as batch_op:
            batch_op.drop_constraint(batch_op.f(f"uq_{table}_public_id"), type_="unique")
            batch_op.alter_column("public_id", existing_type=sa.Uuid(), nullable=True)
    for table, name, type_, nullable, nothing in CLEAR:
        # What stands for nothing meanwhile is taken away again: the rows are opened next.
        default = None if nullable else sa.text(f"'{nothing}'")
        op.add_column(table, sa.Column(name, type_, nullable=nullable, server_default=default))
        if default is not None:
            with op.batch_alter_table(table) as batch_op:
                batch_op.alter_column(name, existing_type=type_, server_default=None)
