"""Keep no statistics of wrapped keys.

PostgreSQL's planner remembers a sample of each column's values, and would remember wrapped keys
that were destroyed since. Declaring the type again drops what it remembers already.
"""

from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE data_keys ALTER COLUMN wrapped TYPE bytea")
        op.execute("ALTER TABLE data_keys ALTER COLUMN wrapped SET STATISTICS 0")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE data_keys ALTER COLUMN wrapped SET STATISTICS -1")
