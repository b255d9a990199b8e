"""name on each episode the supervisor whom the consent named when it was signed"""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        UPDATE episodes SET supervisor_id = (
            SELECT therapists.supervisor_id FROM therapists
            WHERE therapists.id = episodes.therapist_id
            AND therapists.level = 'associate'
            AND therapists.supervisor_confirmed_at <= episodes.opened_at
        )
    """)


def downgrade() -> None:
    op.execute("UPDATE episodes SET supervisor_id = NULL")
