"""What a restored database must still be told: who was erased since, and which mails went out.

Work of other kinds that waited when the backup was made is done again. It brings what came back up
to date, and is safe to repeat: payments and refunds carry their intent's id as the payment
company's idempotency key, and the register of erasures may hold a line twice.
"""

from collections.abc import Iterable
from datetime import datetime
from itertools import islice

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import erasures
from core.backup.checking import BEWARE
from core.backup.errors import CheckFailed
from core.backup.making import Manifest
from core.backup.places import Known
from core.config import current_settings
from core.outbox import OutboxMessage

KEYS_AT_ONCE = 500
SENT_BEFORE = "SentBeforeRestore"
LOST = (
    "the register of erasures lacks some that the backup knows: it was lost or is another one, "
    "and whoever was erased after the backup was made may be back"
)


def erase_again(session: Session, known: Known, _manifest: Manifest, at: datetime) -> list[str]:
    """Erase what the register and the replaced database know as erased; both go on knowing it."""
    register = erasures.register_of(current_settings())
    written = erasures.lines_of(register)
    unwritten = sorted(set(known.erasures) - set(written))
    lost = sorted(_registered(session) - {*written, *known.erasures})
    try:
        number = erasures.replay(session, [*written, *unwritten])
    except erasures.UnreadableRegister as error:
        raise CheckFailed(f"{register}: {error}; nothing was restored.") from None
    if unwritten or lost:
        erasures.ask_to_write_down(session, f"restored:{at.isoformat()}", at)
    said = f"{number} erasures were carried out again" if number else "nobody was erased since"
    return [f"{BEWARE} {LOST}", said] if lost else [said]


def keep_mails_from_going_twice(
    session: Session, known: Known, _manifest: Manifest, at: datetime
) -> list[str]:
    """A mail that the replaced database has sent since the backup is not sent by this one.

    Nobody can know it where that database is lost: then what waited goes out once more.
    """
    free_leases(session)
    for keys in _parts(known.mails):
        theirs = OutboxMessage.dedupe_key.in_(keys)
        there = set(session.scalars(sa.select(OutboxMessage.dedupe_key).where(theirs)))
        waiting = sa.and_(theirs, OutboxMessage.done_at.is_(None))
        done = {"done_at": at, "last_error": SENT_BEFORE, "payload_sealed": None}
        session.execute(sa.update(OutboxMessage).where(waiting).values(done))
        session.add_all(_sent(key, at) for key in keys if key not in there)
        session.flush()
    return [_mails_in_words(known)]


def free_leases(session: Session) -> None:
    """Whoever had leased work when the backup was made does not work on this database."""
    open_ = OutboxMessage.done_at.is_(None)
    session.execute(sa.update(OutboxMessage).where(open_).values(lease=None, leased_until=None))


def _registered(session: Session) -> set[str]:
    """The lines that the register had when the backup was made."""
    rows = session.scalars(sa.select(erasures.Erasure))
    return {erasures.Line(row.at, row.owner, row.realm).text for row in rows}


def _sent(key: str, at: datetime) -> OutboxMessage:
    return OutboxMessage(
        kind="mail", payload={}, dedupe_key=key, posted_at=at, due_at=at, done_at=at,
        last_error=SENT_BEFORE,
    )  # fmt: skip


def _mails_in_words(known: Known) -> str:
    if not known.readable:
        return "the old database could not be read: mails that waited may go out twice"
    return f"{len(known.mails)} mails sent since the backup will not go out again"


def _parts(keys: Iterable[str]) -> Iterable[list[str]]:
    rest = iter(keys)
    while part := list(islice(rest, KEYS_AT_ONCE)):
        yield part
