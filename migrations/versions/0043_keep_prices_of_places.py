"""Keep what places are worth to those who wait, and with each list that was shown."""

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "market_prices",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("points", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_market_prices")),
    )
    op.add_column("proposals", sa.Column("prices_sealed", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    op.drop_column("proposals", "prices_sealed")
    op.drop_table("market_prices")
