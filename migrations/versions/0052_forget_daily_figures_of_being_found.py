"""Forget figures of being found that were counted daily: they are rounded and nothing else.

A count of four weeks takes their place as soon as the worker looks.
"""

import sqlalchemy as sa
from alembic import op

revision = "0052"
down_revision = "0051"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(sa.text("DELETE FROM reach_reports"))


def downgrade() -> None:
    """They were of another shape, and are counted anew."""
    op.execute(sa.text("DELETE FROM reach_reports"))
