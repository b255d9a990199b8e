"""Columns for what is sealed of clients, and public ids for the rows that it is bound to."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


SEALED = (
    ("clients", "preferred_name"),
    ("clients", "phone"),
    ("intake_answers", "value"),
    ("assessments", "responses"),
    ("assessments", "result"),
    ("risk_flags", "raised_by"),
    ("flag_contacts", "words"),
    ("flag_outcomes", "reason"),
    ("proposals", "client_inputs"),
    ("proposals", "shown"),
    ("match_requests", "shared"),
    ("match_requests", "reply"),
    ("appointments", "where"),
    ("enrolments", "why"),
    ("screening_decisions", "reason"),
    ("signatures", "scope_label"),
    ("signatures", "evidence"),
)
UNNAMED = ("intake_answers", "flag_outcomes", "screening_decisions")


def upgrade() -> None:
    for table, name in SEALED:
        op.add_column(table, sa.Column(f"{name}_sealed", sa.LargeBinary(), nullable=True))
    for table in UNNAMED:
        op.add_column(table, sa.Column("public_id", sa.Uuid(), nullable=True))


def downgrade() -> None:
    for table in UNNAMED:
        op.drop_column(table, "public_id")
    for table, name in reversed(SEALED):
        op.drop_column(table, f"{name}_sealed")
