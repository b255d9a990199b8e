"""Say of what is kept where it was shown: in a list, by "why not?", or to who looks again."""

import sqlalchemy as sa
from alembic import op

revision = "0056"
down_revision = "0055"
branch_labels = None
depends_on = None

KINDS = "matches", "why_not", "review"


def upgrade() -> None:
    with op.batch_alter_table("proposals") as batch_op:
        batch_op.add_column(
            sa.Column("kind", sa.String(length=40), nullable=False, server_default="matches")
        )
        batch_op.add_column(sa.Column("place_told_sealed", sa.LargeBinary(), nullable=True))
        batch_op.create_check_constraint(
            batch_op.f("ck_proposals_proposalkind"), sa.column("kind").in_(KINDS)
        )


def downgrade() -> None:
    with op.batch_alter_table("proposals") as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_proposals_proposalkind"), type_="check")
        batch_op.drop_column("place_told_sealed")
        batch_op.drop_column("kind")
