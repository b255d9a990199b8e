"""What happens to accounts: opened, confirmed, signed in, reset, ended, staffed.

Passwords arrive hashed: hashing takes long by design and must not hold the write transaction.
"""

import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.database import db, unit_of_work
from core.errors import NotFound, Refusal, WrongState
from practice.accounts import attempts, known_browsers, mails, signing_in, tokens, two_people
from practice.accounts.acts import record_about
from practice.accounts.models import (
    STAFF_ROLES,
    Client,
    EmailToken,
    EmailTokenPurpose,
    HalfSignIn,
    KeptForm,
    PasskeyChallenge,
    Role,
    SignInAttempt,
    SignInSession,
    User,
    UserRole,
)
from practice.accounts.queries import user_with

NO_PASSWORD_YET = "none yet"
GRANTABLE_ROLES = STAFF_ROLES
KEPT_AFTERWARDS = timedelta(days=30)
# Who hears of it when one administrator alone changes who can be a second person.
TOLD = (Role.administrator, Role.clinical_lead, Role.records_custodian)


class AddressTaken(Refusal):
    message = "Somebody with this address has an account already."


class NotYourOwnAdministration(Refusal):
    message = "Nobody changes their own administrator role. Please ask another administrator."


class NotYourOwnRoles(Refusal):
    message = "Nobody gives themselves a role. Please ask another administrator."


class SecondAdministratorNeeded(Refusal):
    message = "A second administrator has to agree to this. Please propose it."


class LastAdministrator(Refusal):
    message = "At least one administrator must remain. Make somebody else one first."


def sign_up(
    session: Session, email: str, *, password_hash: str, role: Role, at: datetime, name: str = ""
) -> None:
    """Open an account, or say by mail that there is one: the caller learns nothing either way.

    A client signs up as an adult. An account that nobody has confirmed belongs to nobody, so the
    newest sign-up's password and role replace the ones before and earlier links stop working.
    """
    user = user_with(session, email) or _added(session, email, password_hash, role, name, at)
    if user is None or user.is_confirmed or user.is_disabled:
        _tell_known(session, email, at)
    elif user.password_hash == NO_PASSWORD_YET:
        # Invited: only the link in that mail may set a password, never whoever signs up.
        _send_invitation(session, user, at)
    else:
        user.password_hash = password_hash
        _take_only_role(session, user, role, at)
        _ask_to_confirm(session, user, at)


def ask_to_confirm_again(session: Session, email: str, at: datetime) -> None:
    """Send a fresh link to an address that waits for one; other addresses get nothing."""
    user = user_with(session, email)
    if user is None or user.is_confirmed or user.is_disabled:
        return
    if user.password_hash == NO_PASSWORD_YET:
        _send_invitation(session, user, at)
    else:
        _ask_to_confirm(session, user, at)


def confirm(session: Session, token: str, at: datetime) -> User:
    """The address is theirs; raises LinkOver."""
    user = tokens.use(session, token, EmailTokenPurpose.confirm, at)
    user.email_confirmed_at = user.email_confirmed_at or at
    record_about(session, user, user, "account.confirmed", at)
    session.flush()
    return user


def may_sign_in(session: Session, user: User, at: datetime) -> bool:
    """Whether somebody whose password was right comes in; the unconfirmed get a fresh mail."""
    if not user.is_confirmed and not user.is_disabled:
        _ask_to_confirm(session, user, at)
    return user.is_confirmed and not user.is_disabled


def renew_hash(user: User, password_hash: str) -> None:
    """The same password, hashed at today's costs."""
    user.password_hash = password_hash


def take_turn(session: Session, user: User) -> None:
    """What concerns who gets into one account happens one after the other, on what is there now."""
    session.refresh(user, with_for_update=True)


def require_half(session: Session, key: int) -> None:
    """Raises NotFound when the password behind this half was taken back meanwhile."""
    if session.scalar(sa.select(HalfSignIn.id).where(HalfSignIn.id == key)) is None:
        raise NotFound


def forget_halves(session: Session, user: User) -> None:
    """Nobody goes on from a password that was typed before."""
    session.execute(sa.delete(HalfSignIn).where(HalfSignIn.user_id == user.id))


def begin_session(
    session: Session,
    user: User,
    browser: str,
    at: datetime,
    *,
    strong: bool = False,
    short_password: bool = False,
) -> str:
    token = signing_in.begin(
        session, user, at, browser, strong=strong, short_password=short_password
    )
    record_about(session, user, user, "session.begun", at, strong=strong)
    session.flush()
    return token


def prove(session: Session, browser: uuid.UUID, at: datetime, *, strong: bool) -> str:
    """Note that whoever sits at this browser has just proved who they are; its new token.

    Raises NotFound when the browser was signed out elsewhere meanwhile.
    """
    row = session.scalars(
        sa.select(SignInSession).where(
            SignInSession.public_id == browser, SignInSession.ended_at.is_(None)
        )
    ).one_or_none()
    if row is None:
        raise NotFound
    record_about(session, row.user, row.user, "session.proved", at)
    return signing_in.prove(row, at, strong=strong)


def end_session(session: Session, actor: User, public_id: uuid.UUID, at: datetime) -> None:
    """Sign one browser of the actor's own out; raises NotFound for anybody else's."""
    mine = sa.and_(
        SignInSession.public_id == public_id,
        SignInSession.user_id == actor.id,
        SignInSession.ended_at.is_(None),
    )
    ended = session.execute(sa.update(SignInSession).where(mine).values(ended_at=at))
    if ended.rowcount != 1:
        raise NotFound
    record_about(session, actor, actor, "session.ended", at)


def end_all_sessions(session: Session, user: User, actor: User, at: datetime) -> None:
    # The account's row first, as in `take_turn`: otherwise whoever signs in just then and this
    # could wait for each other.
    known_browsers.forget_all(user)
    live = sa.and_(SignInSession.user_id == user.id, SignInSession.ended_at.is_(None))
    session.execute(sa.update(SignInSession).where(live).values(ended_at=at))
    forget_halves(session, user)
    record_about(session, user, actor, "session.all_ended", at)


def end_other_sessions(session: Session, user: User, stays: uuid.UUID, at: datetime) -> None:
    """Sign this person out on every browser but the one with this public id."""
    known_browsers.forget_all(user)
    others = sa.and_(
        SignInSession.user_id == user.id,
        SignInSession.public_id != stays,
        SignInSession.ended_at.is_(None),
    )
    session.execute(sa.update(SignInSession).where(others).values(ended_at=at))
    forget_halves(session, user)
    record_about(session, user, user, "session.others_ended", at)


def forget_password(session: Session, email: str, at: datetime) -> None:
    """Send a link to choose a new password, if somebody has this address."""
    user = user_with(session, email)
    if user is not None and not user.is_disabled:
        token = tokens.issue(session, user, EmailTokenPurpose.reset, at)
        mails.send_reset(session, user, token, at)
        record_about(session, user, user, "password.forgotten", at)


def reset_password(session: Session, token: str, *, password_hash: str, at: datetime) -> User:
    """Set the new password and sign every browser out; raises LinkOver."""
    user = _choose_password(session, token, EmailTokenPurpose.reset, password_hash, at)
    mails.send_password_changed(session, user, at)
    record_about(session, user, user, "password.reset", at)
    return user


def take_up_invitation(session: Session, token: str, *, password_hash: str, at: datetime) -> User:
    """The invited person chooses a password; raises LinkOver."""
    user = _choose_password(session, token, EmailTokenPurpose.invitation, password_hash, at)
    record_about(session, user, user, "invitation.taken_up", at)
    return user


def change_password(
    session: Session, user: User, password_hash: str, *, stays: uuid.UUID, at: datetime
) -> None:
    """A new password; only the browser it was chosen on stays signed in."""
    user.password_hash = password_hash
    tokens.void_ways_in(session, user, at)
    end_other_sessions(session, user, stays, at)
    here = sa.update(SignInSession).where(SignInSession.public_id == stays)
    session.execute(here.values(short_password=False))
    mails.send_password_changed(session, user, at)
    record_about(session, user, user, "password.changed", at)
    session.flush()


def change_details(
    session: Session, user: User, *, name: str, at: datetime, phone: str = ""
) -> None:
    """What to call them and where to ring: the client's own words, or a colleague's name."""
    if user.client is not None:
        user.client.preferred_name = name
        user.client.phone = phone
    else:
        user.name = name
    record_about(session, user, user, "account.details_changed", at)
    session.flush()


def create_administrator(
    session: Session, email: str, *, password_hash: str, name: str, at: datetime
) -> User:
    """An administrator made by whoever runs the machine; raises AddressTaken."""
    user = _added(session, email, password_hash, Role.administrator, name, at)
    if user is None:
        raise AddressTaken
    user.email_confirmed_at = at
    session.flush()
    return user


def invite(
    session: Session,
    email: str,
    name: str,
    roles: Iterable[Role],
    actor: User,
    at: datetime,
    *,
    agreed_by: User | None = None,
) -> User:
    """Ask a colleague in by mail, with these roles.

    Raises AddressTaken, or SecondAdministratorNeeded (`proposals.invite` asks one).
    """
    first, *others = sorted(_grantable(roles))
    _require_agreement(session, None, {first, *others}, actor, agreed_by, at)
    user = _added(session, email, NO_PASSWORD_YET, first, name, at, actor)
    if user is None:
        raise AddressTaken
    for role in others:
        _take_role(user, role, at, actor)
    _note_agreement(user, agreed_by)
    _send_invitation(session, user, at)
    record_about(session, user, agreed_by or actor, "staff.invited", at, roles=sorted(user.roles))
    _tell_the_house(session, user.roles, agreed_by, at)
    return user


def invite_again(session: Session, user: User, actor: User, at: datetime) -> None:
    """Send a fresh link; raises WrongState for an invitation taken up or an account closed."""
    if user.is_confirmed or user.is_disabled:
        raise WrongState
    _send_invitation(session, user, at)
    record_about(session, user, actor, "staff.invited_again", at)


def change_roles(
    session: Session,
    user: User,
    roles: Iterable[Role],
    actor: User,
    at: datetime,
    *,
    agreed_by: User | None = None,
) -> None:
    """Give these staff roles and no others; whether somebody is a client stays as it is.

    Their browsers are signed out, so that no page opened with the old roles goes on working.
    Nobody gives themselves a role: one of them opens what administrators are not to read.
    Raises NotYourOwnAdministration, NotYourOwnRoles, LastAdministrator, or
    SecondAdministratorNeeded (`proposals.change_roles` asks one).
    """
    wanted = _grantable(roles) | (user.roles - GRANTABLE_ROLES)
    _check_administration(session, user, Role.administrator in wanted, actor)
    if user.id == actor.id and wanted - user.roles:
        raise NotYourOwnRoles
    _lock_roles(session, user)
    _require_agreement(session, user, wanted - user.roles, actor, agreed_by, at)
    before = user.roles
    user.role_rows = [row for row in user.role_rows if row.role in wanted]
    for role in sorted(wanted):
        _take_role(user, role, at, actor)
    _note_agreement(user, agreed_by, wanted - before)
    end_all_sessions(session, user, actor, at)
    record_about(
        session, user, agreed_by or actor, "staff.roles_changed", at,
        before=sorted(before), after=sorted(wanted),
    )  # fmt: skip
    lost = two_people.GIVEN_BY_TWO & (before - wanted)
    _tell_the_house(session, before ^ wanted, agreed_by, at, lost_by=user if lost else None)
    session.flush()


def disable(session: Session, user: User, actor: User, at: datetime) -> None:
    """Close the account to its owner at once; raises as `change_roles` does."""
    _check_administration(session, user, False, actor)
    user.disabled_at = at
    end_all_sessions(session, user, actor, at)
    record_about(session, user, actor, "staff.disabled", at)
    _tell_the_house(session, user.roles, None, at, lost_by=user)
    session.flush()


def enable(
    session: Session, user: User, actor: User, at: datetime, *, agreed_by: User | None = None
) -> None:
    """Open a closed account again, as if its roles were given now; nobody is in it yet.

    Raises WrongState for one that is open, or SecondAdministratorNeeded (`proposals.enable` asks
    one).
    """
    if not user.is_disabled:
        raise WrongState
    _require_agreement(session, user, user.roles, actor, agreed_by, at)
    user.disabled_at = None
    for row in user.role_rows:
        row.granted_at, row.granted_by_id = at, actor.id
    _note_agreement(user, agreed_by, user.roles)
    record_about(session, user, agreed_by or actor, "staff.enabled", at)
    _tell_the_house(session, user.roles, agreed_by, at)
    session.flush()


def tidy(at: datetime) -> None:
    """A sweep: forget what has served its time: tries, links, ended browsers, kept forms."""
    over = (
        (KeptForm, KeptForm.expires_at < at),
        (HalfSignIn, HalfSignIn.expires_at < at),
        (PasskeyChallenge, PasskeyChallenge.expires_at < at),
        (SignInAttempt, SignInAttempt.at < at - attempts.KEPT_FOR),
        (EmailToken, EmailToken.expires_at < at - KEPT_AFTERWARDS),
        (SignInSession, SignInSession.ended_at < at - KEPT_AFTERWARDS),
        (SignInSession, SignInSession.expires_at < at - KEPT_AFTERWARDS),
    )
    # Looked at first: most sweeps find nothing and need not take the one writer's turn.
    if any(db.session.scalar(sa.select(sa.exists().where(old))) for _, old in over):
        with unit_of_work() as session:
            for table, old in over:
                session.execute(sa.delete(table).where(old))


def _added(
    session: Session,
    email: str,
    password_hash: str,
    role: Role,
    name: str,
    at: datetime,
    granted_by: User | None = None,
) -> User | None:
    """The new user, or None when the address was taken, perhaps a moment ago."""
    user = User(email=email.strip().lower(), name=name, password_hash=password_hash, created_at=at)
    _take_role(user, role, at, granted_by)
    try:
        with session.begin_nested():
            session.add(user)
    except IntegrityError:
        return None
    record_about(session, user, granted_by or user, "account.opened", at, role=role)
    return user


def _take_role(user: User, role: Role, at: datetime, granted_by: User | None = None) -> None:
    if not user.has(role):
        granted_by_id = granted_by.id if granted_by else None
        user.role_rows.append(UserRole(role=role, granted_at=at, granted_by_id=granted_by_id))
    if role is Role.client and user.client is None:
        user.client = Client(adult_attested_at=at, created_at=at)


def _take_only_role(session: Session, user: User, role: Role, at: datetime) -> None:
    """One account is a client's or a colleague's: the log names colleagues, and never clients."""
    user.role_rows = [row for row in user.role_rows if row.role is role]
    if role is not Role.client and user.client is not None:
        session.delete(user.client)
    _take_role(user, role, at)


def _tell_known(session: Session, email: str, at: datetime) -> None:
    user = user_with(session, email)
    if user is not None and not user.is_disabled:
        mails.send_known_already(session, user, at)


def _ask_to_confirm(session: Session, user: User, at: datetime) -> None:
    token = tokens.issue(session, user, EmailTokenPurpose.confirm, at)
    mails.send_confirmation(session, user, token, at)


def _send_invitation(session: Session, user: User, at: datetime) -> None:
    token = tokens.issue(session, user, EmailTokenPurpose.invitation, at)
    mails.send_invitation(session, user, token, at)


def _choose_password(
    session: Session, token: str, purpose: EmailTokenPurpose, password_hash: str, at: datetime
) -> User:
    """Whoever has the link reads the mail of this address, so it is confirmed as well."""
    user = tokens.use(session, token, purpose, at)
    tokens.void_ways_in(session, user, at)
    user.password_hash = password_hash
    user.email_confirmed_at = user.email_confirmed_at or at
    end_all_sessions(session, user, user, at)
    session.flush()
    return user


def _grantable(roles: Iterable[Role]) -> frozenset[Role]:
    return frozenset(roles) & GRANTABLE_ROLES


def _lock_roles(session: Session, user: User) -> None:
    """Two changes at once follow each other, and the second sees what the first has left."""
    # Administrators before anybody else, as everywhere: otherwise two could wait for each other.
    two_people.administrators(session)
    session.execute(sa.select(User.id).where(User.id == user.id).with_for_update())
    session.refresh(user, ["role_rows"])


def _check_administration(session: Session, user: User, stays: bool, actor: User) -> None:
    """Refuse what would change one's own administration, or leave nobody to administer."""
    if stays == user.has(Role.administrator):
        return
    if user.id == actor.id:
        raise NotYourOwnAdministration
    if not stays and two_people.administrators(session) <= {user.id}:
        raise LastAdministrator


def _require_agreement(
    session: Session,
    user: User | None,
    new: Iterable[Role],
    actor: User,
    agreed_by: User | None,
    at: datetime,
) -> None:
    """Refuse that one administrator alone makes somebody who can be a second person."""
    two_people.administrators(session)
    if agreed_by is not None:
        two_people.require_two(session, actor, agreed_by, at)
    elif two_people.needs_two(session, actor, user, new):
        raise SecondAdministratorNeeded


def _note_agreement(user: User, agreed_by: User | None, new: Iterable[Role] | None = None) -> None:
    for row in user.role_rows:
        if new is None or row.role in new:
            row.agreed_by_id = agreed_by.id if agreed_by else None


def _tell_the_house(
    session: Session,
    roles: Iterable[Role],
    agreed_by: User | None,
    at: datetime,
    *,
    lost_by: User | None = None,
) -> None:
    """What one administrator did alone to who decides or may open records, others are to hear of.

    Whoever lost such a role is no holder any more, and is the first who would object.
    """
    if agreed_by is None and two_people.GIVEN_BY_TWO & frozenset(roles):
        holders = session.scalars(two_people.able_holders(*TOLD)).all()
        losers = [lost_by] if lost_by is not None and lost_by.is_confirmed else []
        for person in dict.fromkeys([*holders, *losers]):
            mails.send_second_persons_changed(session, person, at)
