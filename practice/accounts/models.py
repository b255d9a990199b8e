"""People who sign in, the roles they hold, and the clients among them."""

import enum
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.database import Base, Identified, Json, Key, enum_column
from core.encryption import Realm, sealed_text


class Role(enum.StrEnum):
    client = "client"
    therapist = "therapist"
    supervisor = "supervisor"
    duty_clinician = "duty_clinician"
    clinical_lead = "clinical_lead"
    records_custodian = "records_custodian"
    moderator = "moderator"
    administrator = "administrator"

    @property
    def label(self) -> str:
        return self.value.replace("_", " ")


STAFF_ROLES = frozenset(Role) - {Role.client}


class User(Identified, Base):
    """Somebody who signs in. E-mail addresses are kept in lower case and found by their index.

    Browsers that the account knows are bound to `known_round`: as it moves on, all are strangers.
    """

    __tablename__ = "users"

    email_index: Mapped[str | None] = mapped_column(sa.String(64), unique=True)
    password_hash: Mapped[str] = mapped_column(sa.String(200))
    created_at: Mapped[datetime]
    email_confirmed_at: Mapped[datetime | None]
    disabled_at: Mapped[datetime | None]
    known_round: Mapped[int] = mapped_column(default=0, server_default="0")

    email = sealed_text(Realm.account, owner="", index="email_index")
    name = sealed_text(Realm.account, owner="")

    role_rows: Mapped[list["UserRole"]] = relationship(
        back_populates="user",
        foreign_keys="UserRole.user_id",
        lazy="selectin",
        cascade="all, delete-orphan",
    )
    client: Mapped["Client | None"] = relationship(back_populates="user")

    @property
    def roles(self) -> frozenset[Role]:
        return frozenset(row.role for row in self.role_rows)

    def has(self, *roles: Role) -> bool:
        return bool(self.roles & frozenset(roles))

    @property
    def is_staff(self) -> bool:
        return bool(self.roles & STAFF_ROLES)

    @property
    def is_confirmed(self) -> bool:
        return self.email_confirmed_at is not None

    @property
    def is_disabled(self) -> bool:
        return self.disabled_at is not None

    @property
    def main_role(self) -> str:
        """The role with the furthest reach: what the audit names for an act outside one role."""
        return next((role.value for role in reversed(Role) if role in self.roles), "")


class UserRole(Base):
    """A role somebody has. `agreed_by_id` is the second administrator, where there was one."""

    __tablename__ = "user_roles"
    __table_args__ = (sa.UniqueConstraint("user_id", "role"),)

    id: Mapped[Key]
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"))
    role: Mapped[Role] = enum_column(Role)
    granted_at: Mapped[datetime]
    granted_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    agreed_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))

    user: Mapped[User] = relationship(back_populates="role_rows", foreign_keys=[user_id])


class RoleProposal(Identified, Base):
    """Roles that one administrator wants somebody to have: they wait for another to agree.

    `roles` are all they have at work then. A colleague is `user`; of somebody who is to be invited
    there are an address and a name, and `user` is set when the invitation goes out. `agreed` says
    how it was answered.
    """

    __tablename__ = "role_proposals"

    user_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"), index=True)
    roles: Mapped[list[str]] = mapped_column(Json)
    proposed_by_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"))
    proposed_at: Mapped[datetime]
    answered_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    answered_at: Mapped[datetime | None]
    agreed: Mapped[bool] = mapped_column(default=False)

    email = sealed_text(Realm.account, owner="proposed_by")
    name = sealed_text(Realm.account, owner="proposed_by")

    user: Mapped[User | None] = relationship(foreign_keys=[user_id])
    proposed_by: Mapped[User] = relationship(foreign_keys=[proposed_by_id])
    answered_by: Mapped[User | None] = relationship(foreign_keys=[answered_by_id])

    @property
    def given(self) -> frozenset[Role]:
        return frozenset(map(Role, self.roles))


class SignInSession(Identified, Base):
    """One signed-in browser. The cookie holds the token, the row only its hash.

    `proved_at` is when its owner last proved who they are; `is_strong` whether with a second
    factor or a passkey; `short_password` whether the password typed was one that only an account
    with a second factor may have.
    """

    __tablename__ = "sign_in_sessions"

    token_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"), index=True)
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    idle_until: Mapped[datetime]
    proved_at: Mapped[datetime]
    is_strong: Mapped[bool] = mapped_column(default=False)
    short_password: Mapped[bool] = mapped_column(default=False)
    ended_at: Mapped[datetime | None]
    browser: Mapped[str] = mapped_column(sa.String(80), default="")

    user: Mapped[User] = relationship()


class KeptForm(Identified, Base):
    """What somebody typed when their time had run out, sealed under a key in their cookie."""

    __tablename__ = "kept_forms"

    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"), index=True)
    sealed: Mapped[bytes]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class SignInAttempt(Base):
    """A try counted against guessing. `counted` is a keyed hash of the address or the browser."""

    __tablename__ = "sign_in_attempts"
    __table_args__ = (sa.Index("ix_sign_in_attempts_counted_at", "counted", "at"),)

    id: Mapped[Key]
    counted: Mapped[str] = mapped_column(sa.String(64))
    at: Mapped[datetime] = mapped_column(index=True)


class EmailTokenPurpose(enum.StrEnum):
    confirm = "confirm"
    reset = "reset"
    invitation = "invitation"
    new_address = "new_address"
    old_address = "old_address"
    keep_factor = "keep_factor"


class EmailToken(Base):
    """A single-use link in a mail; only the hash of the token is kept."""

    __tablename__ = "email_tokens"

    id: Mapped[Key]
    token_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"), index=True)
    purpose: Mapped[EmailTokenPurpose] = enum_column(EmailTokenPurpose)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]

    user: Mapped[User] = relationship()


class Passkey(Identified, Base):
    """A passkey (WebAuthn Level 3): its public half, and a name its owner gave it."""

    __tablename__ = "passkeys"

    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"), index=True)
    credential_id: Mapped[bytes] = mapped_column(sa.LargeBinary, unique=True)
    public_key: Mapped[bytes]
    # An unsigned 32-bit number: more than PostgreSQL's integer.
    sign_count: Mapped[int] = mapped_column(sa.BigInteger)
    transports: Mapped[list[str]] = mapped_column(Json, default=list)
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]

    name = sealed_text(Realm.account, owner="user")

    user: Mapped[User] = relationship()


class AuthenticatorApp(Identified, Base):
    """A secret shared with an app that shows codes (TOTP, RFC 6238).

    It counts once its owner has typed a first code. `last_step` is the time step of the newest
    code that was taken: that one and older ones are not taken again.
    """

    __tablename__ = "authenticator_apps"

    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"), unique=True)
    secret = sealed_text(Realm.account, owner="user")
    created_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    last_step: Mapped[int] = mapped_column(sa.BigInteger, default=0)

    user: Mapped[User] = relationship()


class RecoveryCode(Base):
    """One of ten codes that stand in for a second factor, once. `number` begins the code."""

    __tablename__ = "recovery_codes"
    __table_args__ = (sa.UniqueConstraint("user_id", "number"),)

    id: Mapped[Key]
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"))
    number: Mapped[int]
    code_hash: Mapped[str] = mapped_column(sa.String(200))
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class ChallengePurpose(enum.StrEnum):
    register = "register"
    sign_in = "sign_in"
    prove = "prove"


class PasskeyChallenge(Identified, Base):
    """What an authenticator has to sign: for one browser, once, within minutes."""

    __tablename__ = "passkey_challenges"

    challenge: Mapped[bytes]
    purpose: Mapped[ChallengePurpose] = enum_column(ChallengePurpose)
    user_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"), index=True)
    expires_at: Mapped[datetime]


class HalfSignIn(Base):
    """Somebody whose password was right and whose second factor is still to come."""

    __tablename__ = "half_sign_ins"

    id: Mapped[Key]
    token_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"), index=True)
    expires_at: Mapped[datetime]

    user: Mapped[User] = relationship()


class EmailChange(Identified, Base):
    """An address exchanged for another; the old one may take it back for three days.

    `password_hash` is that of the password there was when the change was asked for.
    """

    __tablename__ = "email_changes"

    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"), index=True)
    old_email = sealed_text(Realm.account, owner="user")
    new_email = sealed_text(Realm.account, owner="user")
    password_hash: Mapped[str | None] = mapped_column(sa.String(200))
    asked_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    undone_at: Mapped[datetime | None]

    user: Mapped[User] = relationship()


class FactorResetState(enum.StrEnum):
    asked = "asked"
    confirmed = "confirmed"
    stopped = "stopped"
    done = "done"


class FactorReset(Identified, Base):
    """A lost second factor: asked for by one administrator, confirmed by another, then waited for.

    `due_at` is when the second factor goes; until then its owner can stop it from their mail.
    """

    __tablename__ = "factor_resets"

    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"), index=True)
    state: Mapped[FactorResetState] = enum_column(FactorResetState, default=FactorResetState.asked)
    reason = sealed_text(Realm.account, owner="user")
    asked_at: Mapped[datetime]
    asked_by_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"))
    confirmed_at: Mapped[datetime | None]
    confirmed_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    due_at: Mapped[datetime | None]

    user: Mapped[User] = relationship(foreign_keys=[user_id])
    asked_by: Mapped[User] = relationship(foreign_keys=[asked_by_id])
    confirmed_by: Mapped[User | None] = relationship(foreign_keys=[confirmed_by_id])


class Client(Identified, Base):
    """A person who looks for help. `place` is ISO 3166-2, empty until they say it."""

    __tablename__ = "clients"

    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"), unique=True)
    place: Mapped[str] = mapped_column(sa.String(6), default="")
    zone: Mapped[str] = mapped_column(sa.String(60), default="America/Los_Angeles")
    adult_attested_at: Mapped[datetime]
    created_at: Mapped[datetime]

    preferred_name = sealed_text(Realm.record, owner="")
    phone = sealed_text(Realm.record, owner="")

    user: Mapped[User] = relationship(back_populates="client", lazy="joined")

    @property
    def called(self) -> str:
        """What staff may call them: the name they gave, or a neutral word."""
        return self.preferred_name or "Client"
