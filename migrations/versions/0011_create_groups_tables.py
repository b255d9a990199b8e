"""create groups tables"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "groups",
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("summary", sa.String(length=300), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "therapy",
                "psychoeducation",
                "peer",
                name="groupkind",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("topics", sa.Text(), nullable=False),
        sa.Column("language", sa.String(length=20), nullable=False),
        sa.Column("format", sa.String(length=20), nullable=False),
        sa.Column("where", sa.String(length=300), nullable=False),
        sa.Column("seats", sa.Integer(), nullable=False),
        sa.Column("price", sa.Integer(), nullable=False),
        sa.Column(
            "refund_template",
            sa.Enum(
                "until_start",
                "by_session",
                name="refundtemplate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("zone", sa.String(length=60), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "draft",
                "open",
                "cancelled",
                name="groupstate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("created_by_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("price >= 0", name=op.f("ck_groups_price_not_negative")),
        sa.CheckConstraint("seats > 0", name=op.f("ck_groups_seats_positive")),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["users.id"], name=op.f("fk_groups_created_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_groups")),
        sa.UniqueConstraint("public_id", name=op.f("uq_groups_public_id")),
    )
    with op.batch_alter_table("groups", schema=None) as batch_op:
        batch_op.create_index("ix_groups_catalogue", ["state", "starts_at"], unique=False)

    op.create_table(
        "enrolments",
        sa.Column("group_id", sa.Integer(), nullable=False),
        sa.Column("client_id", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "screening",
                "invited",
                "declined",
                "held",
                "seated",
                "expired",
                "left",
                name="enrolmentstate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("handle", sa.String(length=40), nullable=False),
        sa.Column("seat_number", sa.Integer(), nullable=True),
        sa.Column("place", sa.String(length=6), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("price", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("held_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("left_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id"], ["clients.id"], name=op.f("fk_enrolments_client_id")
        ),
        sa.ForeignKeyConstraint(["group_id"], ["groups.id"], name=op.f("fk_enrolments_group_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enrolments")),
        sa.UniqueConstraint(
            "group_id", "seat_number", name=op.f("uq_enrolments_group_id_seat_number")
        ),
        sa.UniqueConstraint("order_id", name=op.f("uq_enrolments_order_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_enrolments_public_id")),
    )
    with op.batch_alter_table("enrolments", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_enrolments_client_id"), ["client_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_enrolments_group_id"), ["group_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_enrolments_held_until"), ["held_until"], unique=False)
        batch_op.create_index(
            "uq_enrolments_live_group_id_client_id",
            ["group_id", "client_id"],
            unique=True,
            sqlite_where=sa.text("NOT (state IN ('declined', 'expired', 'left'))"),
            postgresql_where=sa.text("NOT (state IN ('declined', 'expired', 'left'))"),
        )

    op.create_table(
        "group_leads",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("group_id", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "professional",
                "lived_experience",
                name="leadkind",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("therapist_id", sa.Integer(), nullable=True),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.ForeignKeyConstraint(["group_id"], ["groups.id"], name=op.f("fk_group_leads_group_id")),
        sa.ForeignKeyConstraint(
            ["therapist_id"], ["therapists.id"], name=op.f("fk_group_leads_therapist_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_group_leads")),
    )
    with op.batch_alter_table("group_leads", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_group_leads_group_id"), ["group_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_group_leads_therapist_id"), ["therapist_id"], unique=False
        )

    op.create_table(
        "group_sessions",
        sa.Column("group_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["group_id"], ["groups.id"], name=op.f("fk_group_sessions_group_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_group_sessions")),
        sa.UniqueConstraint("group_id", "number", name=op.f("uq_group_sessions_group_id_number")),
        sa.UniqueConstraint("public_id", name=op.f("uq_group_sessions_public_id")),
    )
    with op.batch_alter_table("group_sessions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_group_sessions_group_id"), ["group_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_group_sessions_starts_at"), ["starts_at"], unique=False
        )

    op.create_table(
        "screening_decisions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("enrolment_id", sa.Integer(), nullable=False),
        sa.Column("decided_by_id", sa.Integer(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("invited", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["decided_by_id"], ["users.id"], name=op.f("fk_screening_decisions_decided_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["enrolment_id"], ["enrolments.id"], name=op.f("fk_screening_decisions_enrolment_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_screening_decisions")),
        sa.UniqueConstraint("enrolment_id", name=op.f("uq_screening_decisions_enrolment_id")),
    )


def downgrade() -> None:
    op.drop_table("screening_decisions")
    with op.batch_alter_table("group_sessions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_group_sessions_starts_at"))
        batch_op.drop_index(batch_op.f("ix_group_sessions_group_id"))

    op.drop_table("group_sessions")
    with op.batch_alter_table("group_leads", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_group_leads_therapist_id"))
        batch_op.drop_index(batch_op.f("ix_group_leads_group_id"))

    op.drop_table("group_leads")
    with op.batch_alter_table("enrolments", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_enrolments_live_group_id_client_id",
            sqlite_where=sa.text("NOT (state IN ('declined', 'expired', 'left'))"),
            postgresql_where=sa.text("NOT (state IN ('declined', 'expired', 'left'))"),
        )
        batch_op.drop_index(batch_op.f("ix_enrolments_held_until"))
        batch_op.drop_index(batch_op.f("ix_enrolments_group_id"))
        batch_op.drop_index(batch_op.f("ix_enrolments_client_id"))

    op.drop_table("enrolments")
    with op.batch_alter_table("groups", schema=None) as batch_op:
        batch_op.drop_index("ix_groups_catalogue")

    op.drop_table("groups")
