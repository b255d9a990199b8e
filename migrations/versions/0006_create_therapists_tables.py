"""create therapists tables"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "therapists",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("supervisor_id", sa.Integer(), nullable=True),
        sa.Column("supervisor_confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("profession", sa.String(length=40), nullable=False),
        sa.Column(
            "level",
            sa.Enum(
                "licensed",
                "associate",
                name="level",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("npi", sa.String(length=10), nullable=False),
        sa.Column("npi_checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("voice", sa.String(length=300), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("practising_since", sa.Integer(), nullable=True),
        sa.Column("zone", sa.String(length=60), nullable=False),
        sa.Column("office", sa.String(length=200), nullable=False),
        sa.Column("meeting_link", sa.String(length=300), nullable=False),
        sa.Column("services", sa.Text(), nullable=False),
        sa.Column("formats", sa.Text(), nullable=False),
        sa.Column("languages", sa.Text(), nullable=False),
        sa.Column("skills", sa.Text(), nullable=False),
        sa.Column("approaches", sa.Text(), nullable=False),
        sa.Column("identities", sa.Text(), nullable=False),
        sa.Column("style", sa.Text(), nullable=False),
        sa.Column("payments", sa.Text(), nullable=False),
        sa.Column("fee", sa.Integer(), nullable=True),
        sa.Column("sliding_from", sa.Integer(), nullable=True),
        sa.Column("youngest", sa.Integer(), nullable=False),
        sa.Column("oldest", sa.Integer(), nullable=True),
        sa.Column("most_acuity", sa.Integer(), nullable=False),
        sa.Column("open_places", sa.Integer(), nullable=False),
        sa.Column("hours_confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("open_places >= 0", name=op.f("ck_therapists_open_places_not_negative")),
        sa.ForeignKeyConstraint(
            ["supervisor_id"], ["therapists.id"], name=op.f("fk_therapists_supervisor_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_therapists_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_therapists")),
        sa.UniqueConstraint("public_id", name=op.f("uq_therapists_public_id")),
        sa.UniqueConstraint("user_id", name=op.f("uq_therapists_user_id")),
    )
    with op.batch_alter_table("therapists", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_therapists_supervisor_id"), ["supervisor_id"], unique=False
        )

    op.create_table(
        "applications",
        sa.Column("therapist_id", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "draft",
                "submitted",
                "in_review",
                "needs_info",
                "verified",
                "rejected",
                "suspended",
                name="applicationstate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked", sa.Text(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["therapist_id"], ["therapists.id"], name=op.f("fk_applications_therapist_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_applications")),
        sa.UniqueConstraint("public_id", name=op.f("uq_applications_public_id")),
        sa.UniqueConstraint("therapist_id", name=op.f("uq_applications_therapist_id")),
    )
    op.create_table(
        "licences",
        sa.Column("therapist_id", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "state",
                "compact",
                name="licencekind",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("compact", sa.String(length=40), nullable=False),
        sa.Column("place", sa.String(length=6), nullable=False),
        sa.Column("profession", sa.String(length=40), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("board", sa.String(length=120), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.Column("in_force_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "draft",
                "submitted",
                "in_review",
                "needs_info",
                "verified",
                "rejected",
                "suspended",
                "restricted",
                "revoked",
                "surrendered",
                name="licencestate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("declared_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("found_source", sa.String(length=200), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("asked", sa.Text(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["therapist_id"], ["therapists.id"], name=op.f("fk_licences_therapist_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_licences")),
        sa.UniqueConstraint("public_id", name=op.f("uq_licences_public_id")),
        sa.UniqueConstraint(
            "therapist_id",
            "place",
            "profession",
            "number",
            "kind",
            name=op.f("uq_licences_therapist_id_place_profession_number_kind"),
        ),
    )
    with op.batch_alter_table("licences", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_licences_place"), ["place"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_licences_therapist_id"), ["therapist_id"], unique=False
        )
        batch_op.create_index(
            "uq_licences_verified_number",
            ["place", "profession", "number", "kind"],
            unique=True,
            sqlite_where=sa.text("state = 'verified' AND withdrawn_at IS NULL"),
            postgresql_where=sa.text("state = 'verified' AND withdrawn_at IS NULL"),
        )

    op.create_table(
        "weekly_hours",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("therapist_id", sa.Integer(), nullable=False),
        sa.Column("weekday", sa.Integer(), nullable=False),
        sa.Column("starts", sa.Time(), nullable=False),
        sa.Column("ends", sa.Time(), nullable=False),
        sa.CheckConstraint("starts < ends", name=op.f("ck_weekly_hours_starts_before_ends")),
        sa.ForeignKeyConstraint(
            ["therapist_id"], ["therapists.id"], name=op.f("fk_weekly_hours_therapist_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_weekly_hours")),
    )
    with op.batch_alter_table("weekly_hours", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_weekly_hours_therapist_id"), ["therapist_id"], unique=False
        )


def downgrade() -> None:
    with op.batch_alter_table("weekly_hours", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_weekly_hours_therapist_id"))

    op.drop_table("weekly_hours")
    with op.batch_alter_table("licences", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_licences_verified_number",
            sqlite_where=sa.text("state = 'verified' AND withdrawn_at IS NULL"),
            postgresql_where=sa.text("state = 'verified' AND withdrawn_at IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_licences_therapist_id"))
        batch_op.drop_index(batch_op.f("ix_licences_place"))

    op.drop_table("licences")
    op.drop_table("applications")
    with op.batch_alter_table("therapists", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_therapists_supervisor_id"))

    op.drop_table("therapists")
