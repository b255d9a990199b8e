from datetime import UTC, datetime, timedelta, timezone

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import StatementError

from core.audit import AuditEntry, record
from core.database import NestedUnitOfWork, db, unit_of_work

AT = datetime(2026, 12, 1, 9, 0, tzinfo=timezone(timedelta(hours=-8)))


def add_entry(session, at=AT):
    return record(
        session, at=at, action="tested", subject_kind="test", subject_id=None, actor_id=None
    )


def add_one_and_fail():
    with unit_of_work() as work:
        add_entry(work)
        work.flush()
        raise ZeroDivisionError


def count() -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(AuditEntry))


def test_a_unit_of_work_keeps_everything_inside(session):
    with unit_of_work() as work:
        add_entry(work)
        add_entry(work)
    assert count() == 2


def test_an_error_inside_keeps_nothing(session):
    with pytest.raises(ZeroDivisionError):
        add_one_and_fail()
    assert count() == 0


def test_a_unit_of_work_begins_even_after_something_was_read(session):
    assert count() == 0
    with unit_of_work() as work:
        add_entry(work)
    assert count() == 1


def test_a_unit_of_work_inside_another_is_refused(session):
    with unit_of_work(), pytest.raises(NestedUnitOfWork), unit_of_work():
        pass


def test_an_instant_comes_back_in_utc(session):
    with unit_of_work() as work:
        add_entry(work)
    assert db.session.scalar(sa.select(AuditEntry.at)) == datetime(2026, 12, 1, 17, 0, tzinfo=UTC)
    assert db.session.scalar(sa.select(AuditEntry.at)).tzinfo is UTC


def test_a_naive_instant_is_refused(session):
    with pytest.raises(StatementError), unit_of_work() as work:
        add_entry(work, datetime(2026, 12, 1, 9, 0))  # noqa: DTZ001


def test_a_unit_of_work_decides_on_what_is_there_now_not_on_what_an_earlier_one_saw(app, session):
    with unit_of_work() as work:
        add_entry(work)
        work.flush()
        mine = work.scalars(sa.select(AuditEntry)).one()
    with db.engine.begin() as somebody_else:
        somebody_else.execute(sa.update(AuditEntry).values(actor_role="changed"))
    with unit_of_work() as work:
        assert work.get_one(AuditEntry, mine.id).actor_role == "changed"


def test_texts_of_other_alphabets_come_back_the_same(session):
    words = {"b": "Zażółć 🌱 \u202eabc", "a": [1, None]}
    with unit_of_work() as work:
        add_entry(work).details = words
    assert db.session.scalar(sa.select(AuditEntry.details)) == words
