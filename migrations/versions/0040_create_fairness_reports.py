"""Create the reports of the fairness audit."""

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "fairness_reports",
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("figures", sa.Text(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fairness_reports")),
        sa.UniqueConstraint("public_id", name=op.f("uq_fairness_reports_public_id")),
    )
    op.create_index("ix_fairness_reports_made_at", "fairness_reports", ["made_at"])


def downgrade() -> None:
    op.drop_index("ix_fairness_reports_made_at", "fairness_reports")
    op.drop_table("fairness_reports")
