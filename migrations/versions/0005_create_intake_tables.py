"""create intake tables"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "duty_shifts",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["users.id"], name=op.f("fk_duty_shifts_created_by_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_duty_shifts_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duty_shifts")),
        sa.UniqueConstraint("public_id", name=op.f("uq_duty_shifts_public_id")),
    )
    with op.batch_alter_table("duty_shifts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_duty_shifts_ends_at"), ["ends_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_duty_shifts_starts_at"), ["starts_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_duty_shifts_user_id"), ["user_id"], unique=False)

    op.create_table(
        "intakes",
        sa.Column("client_id", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"], name=op.f("fk_intakes_client_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_intakes")),
        sa.UniqueConstraint("public_id", name=op.f("uq_intakes_public_id")),
    )
    with op.batch_alter_table("intakes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_intakes_client_id"), ["client_id"], unique=False)
        batch_op.create_index(
            "uq_intakes_open_client_id",
            ["client_id"],
            unique=True,
            sqlite_where=sa.text("submitted_at IS NULL"),
            postgresql_where=sa.text("submitted_at IS NULL"),
        )

    op.create_table(
        "assessments",
        sa.Column("client_id", sa.Integer(), nullable=False),
        sa.Column("intake_id", sa.Integer(), nullable=True),
        sa.Column("instrument", sa.String(length=40), nullable=False),
        sa.Column("instrument_version", sa.String(length=20), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("responses", sa.Text(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id"], ["clients.id"], name=op.f("fk_assessments_client_id")
        ),
        sa.ForeignKeyConstraint(
            ["intake_id"], ["intakes.id"], name=op.f("fk_assessments_intake_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assessments")),
        sa.UniqueConstraint("public_id", name=op.f("uq_assessments_public_id")),
    )
    with op.batch_alter_table("assessments", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_assessments_client_id"), ["client_id"], unique=False)

    op.create_table(
        "intake_answers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("intake_id", sa.Integer(), nullable=False),
        sa.Column("page", sa.String(length=40), nullable=False),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["intake_id"], ["intakes.id"], name=op.f("fk_intake_answers_intake_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_intake_answers")),
        sa.UniqueConstraint("intake_id", "page", name=op.f("uq_intake_answers_intake_id_page")),
    )
    op.create_table(
        "risk_flags",
        sa.Column("client_id", sa.Integer(), nullable=False),
        sa.Column("intake_id", sa.Integer(), nullable=True),
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("raised_by", sa.Text(), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("promised", sa.String(length=300), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id"], ["clients.id"], name=op.f("fk_risk_flags_client_id")
        ),
        sa.ForeignKeyConstraint(
            ["intake_id"], ["intakes.id"], name=op.f("fk_risk_flags_intake_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_risk_flags")),
        sa.UniqueConstraint("public_id", name=op.f("uq_risk_flags_public_id")),
    )
    with op.batch_alter_table("risk_flags", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_risk_flags_client_id"), ["client_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_risk_flags_intake_id"), ["intake_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_risk_flags_raised_at"), ["raised_at"], unique=False)

    op.create_table(
        "flag_contacts",
        sa.Column("flag_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "manner",
            sa.Enum(
                "telephone",
                "message",
                "in_person",
                "emergency_service",
                name="contactmanner",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("reached", sa.Boolean(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["flag_id"], ["risk_flags.id"], name=op.f("fk_flag_contacts_flag_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_flag_contacts_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flag_contacts")),
        sa.UniqueConstraint("public_id", name=op.f("uq_flag_contacts_public_id")),
    )
    with op.batch_alter_table("flag_contacts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_flag_contacts_flag_id"), ["flag_id"], unique=False)

    op.create_table(
        "flag_outcomes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("flag_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "result",
            sa.Enum(
                "safe_plan_made",
                "referred_urgently",
                "emergency_service_called",
                "not_reached_handed_on",
                "answered_by_mistake",
                name="flagresult",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["flag_id"], ["risk_flags.id"], name=op.f("fk_flag_outcomes_flag_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_flag_outcomes_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flag_outcomes")),
        sa.UniqueConstraint("flag_id", name=op.f("uq_flag_outcomes_flag_id")),
    )
    op.create_table(
        "flag_readings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("flag_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["flag_id"], ["risk_flags.id"], name=op.f("fk_flag_readings_flag_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_flag_readings_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flag_readings")),
    )
    with op.batch_alter_table("flag_readings", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_flag_readings_flag_id"), ["flag_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("flag_readings", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_flag_readings_flag_id"))

    op.drop_table("flag_readings")
    op.drop_table("flag_outcomes")
    with op.batch_alter_table("flag_contacts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_flag_contacts_flag_id"))

    op.drop_table("flag_contacts")
    with op.batch_alter_table("risk_flags", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_risk_flags_raised_at"))
        batch_op.drop_index(batch_op.f("ix_risk_flags_intake_id"))
        batch_op.drop_index(batch_op.f("ix_risk_flags_client_id"))

    op.drop_table("risk_flags")
    op.drop_table("intake_answers")
    with op.batch_alter_table("assessments", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_assessments_client_id"))

    op.drop_table("assessments")
    with op.batch_alter_table("intakes", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_intakes_open_client_id",
            sqlite_where=sa.text("submitted_at IS NULL"),
            postgresql_where=sa.text("submitted_at IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_intakes_client_id"))

    op.drop_table("intakes")
    with op.batch_alter_table("duty_shifts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_duty_shifts_user_id"))
        batch_op.drop_index(batch_op.f("ix_duty_shifts_starts_at"))
        batch_op.drop_index(batch_op.f("ix_duty_shifts_ends_at"))

    op.drop_table("duty_shifts")
