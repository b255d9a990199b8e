"""create closing notes, lookups, emergency openings, and the episodes' agreed supervisor"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "emergency_openings",
        sa.Column(
            "kind",
            sa.Enum(
                "ordinary",
                "danger",
                name="openingkind",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("client_id", sa.Integer(), nullable=False),
        sa.Column("asked_by_id", sa.Integer(), nullable=False),
        sa.Column("asked_as", sa.String(length=40), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "reason",
            sa.Enum(
                "safety",
                "therapist_away",
                "complaint",
                "fault",
                "law",
                "danger",
                name="openingreason",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("words_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("notice_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["asked_by_id"], ["users.id"], name=op.f("fk_emergency_openings_asked_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["client_id"], ["clients.id"], name=op.f("fk_emergency_openings_client_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_emergency_openings")),
        sa.UniqueConstraint("public_id", name=op.f("uq_emergency_openings_public_id")),
    )
    with op.batch_alter_table("emergency_openings", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_emergency_openings_asked_at"), ["asked_at"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_emergency_openings_asked_by_id"), ["asked_by_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_emergency_openings_client_id"), ["client_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_emergency_openings_notice_due_at"), ["notice_due_at"], unique=False
        )
    op.create_table(
        "record_lookups",
        sa.Column("client_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "reason",
            sa.Enum(
                "client_asks",
                "release",
                "law",
                "complaint",
                "retention",
                name="lookupreason",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("words_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id"], ["clients.id"], name=op.f("fk_record_lookups_client_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_record_lookups_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_record_lookups")),
        sa.UniqueConstraint("public_id", name=op.f("uq_record_lookups_public_id")),
    )
    with op.batch_alter_table("record_lookups", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_record_lookups_client_id"), ["client_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_record_lookups_user_id"), ["user_id"], unique=False)
    op.create_table(
        "notice_delays",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("opening_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("words_sealed", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["opening_id"], ["emergency_openings.id"], name=op.f("fk_notice_delays_opening_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_notice_delays_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_delays")),
        sa.UniqueConstraint("public_id", name=op.f("uq_notice_delays_public_id")),
    )
    with op.batch_alter_table("notice_delays", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_notice_delays_opening_id"), ["opening_id"], unique=False
        )
    op.create_table(
        "opening_decisions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("opening_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approved", sa.Boolean(), nullable=False),
        sa.Column("words_sealed", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["opening_id"], ["emergency_openings.id"], name=op.f("fk_opening_decisions_opening_id")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_opening_decisions_user_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_opening_decisions")),
        sa.UniqueConstraint("public_id", name=op.f("uq_opening_decisions_public_id")),
        sa.UniqueConstraint("opening_id", name=op.f("uq_opening_decisions_opening_id")),
    )
    op.create_table(
        "opening_reviews",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("opening_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("justified", sa.Boolean(), nullable=False),
        sa.Column("words_sealed", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["opening_id"], ["emergency_openings.id"], name=op.f("fk_opening_reviews_opening_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_opening_reviews_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_opening_reviews")),
        sa.UniqueConstraint("public_id", name=op.f("uq_opening_reviews_public_id")),
        sa.UniqueConstraint("opening_id", name=op.f("uq_opening_reviews_opening_id")),
    )
    op.create_table(
        "closing_notes",
        sa.Column("episode_id", sa.Integer(), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("amends_id", sa.Integer(), nullable=True),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("words_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["amends_id"], ["closing_notes.id"], name=op.f("fk_closing_notes_amends_id")
        ),
        sa.ForeignKeyConstraint(
            ["author_id"], ["users.id"], name=op.f("fk_closing_notes_author_id")
        ),
        sa.ForeignKeyConstraint(
            ["episode_id"], ["episodes.id"], name=op.f("fk_closing_notes_episode_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_closing_notes")),
        sa.UniqueConstraint("public_id", name=op.f("uq_closing_notes_public_id")),
    )
    with op.batch_alter_table("closing_notes", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_closing_notes_episode_id"), ["episode_id"], unique=False
        )
    with op.batch_alter_table("episodes", schema=None) as batch_op:
        batch_op.add_column(sa.Column("supervisor_id", sa.Integer(), nullable=True))
        batch_op.create_index(
            batch_op.f("ix_episodes_supervisor_id"), ["supervisor_id"], unique=False
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_episodes_supervisor_id"), "therapists", ["supervisor_id"], ["id"]
        )


def downgrade() -> None:
    with op.batch_alter_table("episodes", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_episodes_supervisor_id"), type_="foreignkey")
        batch_op.drop_index(batch_op.f("ix_episodes_supervisor_id"))
        batch_op.drop_column("supervisor_id")
    with op.batch_alter_table("closing_notes", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_closing_notes_episode_id"))
    op.drop_table("closing_notes")
    op.drop_table("opening_reviews")
    op.drop_table("opening_decisions")
    with op.batch_alter_table("notice_delays", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_notice_delays_opening_id"))
    op.drop_table("notice_delays")
    with op.batch_alter_table("record_lookups", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_record_lookups_user_id"))
        batch_op.drop_index(batch_op.f("ix_record_lookups_client_id"))
    op.drop_table("record_lookups")
    with op.batch_alter_table("emergency_openings", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_emergency_openings_notice_due_at"))
        batch_op.drop_index(batch_op.f("ix_emergency_openings_client_id"))
        batch_op.drop_index(batch_op.f("ix_emergency_openings_asked_by_id"))
        batch_op.drop_index(batch_op.f("ix_emergency_openings_asked_at"))
    op.drop_table("emergency_openings")
