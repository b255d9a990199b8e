"""What stands beside a password: an authenticator app, passkeys and recovery codes.

Operations; what takes long by design (hashing) comes in done. Everything that can be used once is
used by a conditional write, so of two at the same moment one is refused.
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.audit import AuditEntry
from core.errors import NotFound, Refusal
from practice.accounts import authenticator, mails, recovery
from practice.accounts.acts import record_about
from practice.accounts.models import AuthenticatorApp, Passkey, RecoveryCode, User
from practice.accounts.passkeys import NewKey, PasskeyRefused, UsedKey

MOST_PASSKEYS = 20
GUESSED = "second_step.guessed"
WARNED_EVERY = timedelta(days=1)


class CodeUsed(Refusal):
    message = "This code was used already. Please wait for the next one."


class LastSecondFactor(Refusal):
    """Staff read other people's records, so they keep one."""

    message = "People who work here need a second factor. Add another one first."


class TooManyPasskeys(Refusal):
    message = "That is as many passkeys as an account can have. Remove one you no longer use."


class KnownPasskey(Refusal):
    message = "This passkey is on your account already."


@dataclass(frozen=True)
class Factors:
    """What somebody has beside the password."""

    app: AuthenticatorApp | None
    passkeys: list[Passkey]
    codes_left: int
    codes_made_at: datetime | None = None

    @property
    def any(self) -> bool:
        return self.app is not None or bool(self.passkeys)

    @property
    def count(self) -> int:
        return len(self.passkeys) + (self.app is not None)


@dataclass(frozen=True)
class Shown:
    """A code that was right, still to be used up: the app's time step or a recovery code's row."""

    step: int | None = None
    recovery_code: int | None = None


def factors_of(session: Session, user: User) -> Factors:
    passkeys = sa.select(Passkey).where(Passkey.user_id == user.id).order_by(Passkey.id)
    return Factors(
        app=confirmed_app(session, user),
        passkeys=list(session.scalars(passkeys)),
        codes_left=_codes_left(session, user),
        codes_made_at=codes_made_at(session, user),
    )


def codes_made_at(session: Session, user: User) -> datetime | None:
    """Since when there are recovery codes, used or not."""
    mine = sa.select(sa.func.max(RecoveryCode.created_at)).where(RecoveryCode.user_id == user.id)
    return session.scalar(mine)


def confirmed_app(session: Session, user: User) -> AuthenticatorApp | None:
    app = app_of(session, user)
    return app if app is not None and app.confirmed_at is not None else None


def app_of(session: Session, user: User) -> AuthenticatorApp | None:
    """The authenticator app of this person, set up or being set up."""
    mine = sa.select(AuthenticatorApp).where(AuthenticatorApp.user_id == user.id)
    return session.scalars(mine).first()


def look_at(session: Session, user: User, code: str, at: datetime) -> Shown | None:
    """Whether this is a good code of the app or a recovery code, without using it up.

    Hashing a recovery code takes a while: never inside a unit of work.
    """
    number = recovery.number_of(code)
    if number is not None:
        return _recovery_code(session, user, number, code)
    app = confirmed_app(session, user)
    step = authenticator.step_of_code(app.secret, code, at, app.last_step) if app else None
    return Shown(step=step) if step is not None else None


def use_up(session: Session, user: User, shown: Shown, at: datetime) -> None:
    """The code is not good again; raises CodeUsed when it has just been used."""
    if shown.step is not None:
        _use_step(session, user, shown.step)
        return
    unused = sa.and_(RecoveryCode.id == shown.recovery_code, RecoveryCode.used_at.is_(None))
    used = session.execute(sa.update(RecoveryCode).where(unused).values(used_at=at))
    if used.rowcount != 1:
        raise CodeUsed
    mails.send_recovery_code_used(session, user, at)
    record_about(session, user, user, "recovery_code.used", at, left=_codes_left(session, user))


def warn_of_guessing(session: Session, user: User, at: datetime) -> None:
    """Wrong codes came after the right password: its owner is told, once in `WARNED_EVERY`."""
    # Each refused try comes by here, perhaps several at once.
    session.execute(sa.select(User.id).where(User.id == user.id).with_for_update())
    told = sa.select(AuditEntry.id).where(
        AuditEntry.action == GUESSED,
        AuditEntry.subject_id == user.public_id,
        AuditEntry.at > at - WARNED_EVERY,
    )
    if session.scalars(told.limit(1)).first() is None:
        mails.send_second_step_guessed(session, user, at)
        record_about(session, user, None, GUESSED, at)


def begin_app(session: Session, user: User, at: datetime) -> AuthenticatorApp:
    """A new secret, waiting for its first code; one that is in use stays until then."""
    if confirmed_app(session, user) is not None:
        raise NotFound
    session.execute(sa.delete(AuthenticatorApp).where(AuthenticatorApp.user_id == user.id))
    app = AuthenticatorApp(user=user, created_at=at, secret=authenticator.new_secret())
    session.add(app)
    session.flush()
    return app


def confirm_app(session: Session, user: User, code: str, at: datetime) -> bool:
    """Whether the first code was right; from then on the app counts."""
    app = app_of(session, user)
    if app is None or app.confirmed_at is not None:
        raise NotFound
    step = authenticator.step_of_code(app.secret, code, at, app.last_step)
    if step is None:
        return False
    app.confirmed_at, app.last_step = at, step
    _changed(session, user, "authenticator_app.added", at)
    return True


def remove_app(session: Session, user: User, at: datetime) -> None:
    """Raises LastSecondFactor where one must remain."""
    app = app_of(session, user)
    if app is None:
        raise NotFound
    _check_one_remains(session, user)
    session.delete(app)
    _changed(session, user, "authenticator_app.removed", at)
    _forget_codes_without_factor(session, user)


def renew_codes(session: Session, user: User, hashes: Iterable[str], at: datetime) -> None:
    """Ten new recovery codes; the ones before are good for nothing."""
    before = session.execute(sa.delete(RecoveryCode).where(RecoveryCode.user_id == user.id))
    session.add_all(
        RecoveryCode(user_id=user.id, number=number, code_hash=code_hash, created_at=at)
        for number, code_hash in enumerate(hashes)
    )
    if before.rowcount:
        mails.send_signing_in_changed(session, user, at)
    record_about(session, user, user, "recovery_codes.renewed", at)
    session.flush()


def add_passkey(session: Session, user: User, new: NewKey, name: str, at: datetime) -> Passkey:
    """Raises KnownPasskey or TooManyPasskeys."""
    known = session.scalar(sa.select(Passkey.id).where(Passkey.credential_id == new.credential_id))
    if known is not None:
        raise KnownPasskey
    if _passkeys(session, user) >= MOST_PASSKEYS:
        raise TooManyPasskeys
    passkey = Passkey(
        user=user,
        name=name,
        credential_id=new.credential_id,
        public_key=new.public_key,
        sign_count=new.sign_count,
        transports=new.transports,
        created_at=at,
    )
    session.add(passkey)
    session.flush()
    _changed(session, user, "passkey.added", at, passkey=str(passkey.public_id))
    return passkey


def passkey_of(session: Session, user: User, public_id: uuid.UUID) -> Passkey:
    """One of this person's own; raises NotFound for anybody else's."""
    mine = sa.select(Passkey).where(Passkey.public_id == public_id, Passkey.user_id == user.id)
    passkey = session.scalars(mine).first()
    if passkey is None:
        raise NotFound
    return passkey


def passkey_with(session: Session, credential_id: bytes) -> Passkey | None:
    known = sa.select(Passkey).where(Passkey.credential_id == credential_id)
    return session.scalars(known).first()


def rename_passkey(session: Session, passkey: Passkey, name: str, at: datetime) -> None:
    passkey.name = name
    record_about(
        session, passkey.user, passkey.user, "passkey.renamed", at, passkey=str(passkey.public_id)
    )
    session.flush()


def remove_passkey(session: Session, passkey: Passkey, at: datetime) -> None:
    """Raises LastSecondFactor where one must remain."""
    user = passkey.user
    _check_one_remains(session, user)
    session.delete(passkey)
    _changed(session, user, "passkey.removed", at, passkey=str(passkey.public_id))
    _forget_codes_without_factor(session, user)


def note_use(session: Session, used: UsedKey, at: datetime) -> None:
    """Keep the new count; raises PasskeyRefused when the key was used elsewhere, or is gone."""
    as_seen = sa.and_(Passkey.id == used.row, Passkey.sign_count == used.kept_count)
    noted = session.execute(
        sa.update(Passkey).where(as_seen).values(sign_count=used.shown_count, last_used_at=at)
    )
    if noted.rowcount != 1:
        raise PasskeyRefused


def remove_all(session: Session, user: User) -> None:
    """Everything beside the password, recovery codes and all."""
    for table in (Passkey, AuthenticatorApp, RecoveryCode):
        session.execute(sa.delete(table).where(table.user_id == user.id))


def _recovery_code(session: Session, user: User, number: int, code: str) -> Shown | None:
    kept = session.scalars(
        sa.select(RecoveryCode).where(
            RecoveryCode.user_id == user.id,
            RecoveryCode.number == number,
            RecoveryCode.used_at.is_(None),
        )
    ).first()
    fits = recovery.fits(code, kept.code_hash if kept else None)
    return Shown(recovery_code=kept.id) if kept and fits else None


def _use_step(session: Session, user: User, step: int) -> None:
    older = sa.and_(AuthenticatorApp.user_id == user.id, AuthenticatorApp.last_step < step)
    used = session.execute(sa.update(AuthenticatorApp).where(older).values(last_step=step))
    if used.rowcount != 1:
        raise CodeUsed


def _check_one_remains(session: Session, user: User) -> None:
    # Two removed at the same moment would otherwise each leave the other.
    session.execute(sa.select(User.id).where(User.id == user.id).with_for_update())
    if user.is_staff and factors_of(session, user).count <= 1:
        raise LastSecondFactor


def _forget_codes_without_factor(session: Session, user: User) -> None:
    session.flush()
    if not factors_of(session, user).any:
        session.execute(sa.delete(RecoveryCode).where(RecoveryCode.user_id == user.id))


def _codes_left(session: Session, user: User) -> int:
    unused = sa.and_(RecoveryCode.user_id == user.id, RecoveryCode.used_at.is_(None))
    return session.scalar(sa.select(sa.func.count()).where(unused)) or 0


def _passkeys(session: Session, user: User) -> int:
    return session.scalar(sa.select(sa.func.count()).where(Passkey.user_id == user.id)) or 0


def _changed(session: Session, user: User, action: str, at: datetime, **details: object) -> None:
    mails.send_signing_in_changed(session, user, at)
    record_about(session, user, user, action, at, **details)
    session.flush()
