"""add the records custodian to the roles"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


BEFORE = (
    "client",
    "therapist",
    "supervisor",
    "duty_clinician",
    "clinical_lead",
    "moderator",
    "administrator",
)
NOW = (*BEFORE[:5], "records_custodian", *BEFORE[5:])


def upgrade() -> None:
    _allow(BEFORE, NOW)


def downgrade() -> None:
    op.execute("DELETE FROM user_roles WHERE role = 'records_custodian'")
    _allow(NOW, BEFORE)


def _allow(before: tuple[str, ...], after: tuple[str, ...]) -> None:
    """Exchange the CHECK; on SQLite the table is written anew with it."""
    with op.batch_alter_table("user_roles") as batch_op:
        batch_op.alter_column(
            "role", existing_type=_role(before), type_=_role(after), existing_nullable=False
        )


def _role(names: tuple[str, ...]) -> sa.Enum:
    return sa.Enum(*names, name="role", native_enum=False, create_constraint=True, length=40)
