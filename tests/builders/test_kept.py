"""People who are put back are those who were built; whatever else was written, they are built."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from flask import Flask

from core.database import Base, db
from practice.accounts.models import Client, Role, UserRole
from practice.care.models import Episode
from practice.matches.models import RequestState
from tests.builders import accounts, kept
from tests.builders.accounts import make_client
from tests.builders.care import make_episode
from tests.builders.intake import STORY, make_intake, make_shift
from tests.builders.matches import make_request, make_seeker
from tests.conftest import NOW, empty_database


def rows() -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table but the market's own numbers, which the commit writes."""
    return {
        table.name: sorted(map(tuple, db.session.execute(sa.select(table))), key=repr)
        for table in Base.metadata.sorted_tables
        if not table.name.startswith("market_")
    }


def begin_anew() -> None:
    db.session.rollback()
    db.session.remove()
    empty_database(db.engine)
    kept.begin(db.engine)


@pytest.fixture
def putting_back() -> Iterator[list[object]]:
    """What was put back so far. By hand: while something is patched, builders only build."""
    seen: list[object] = []
    put_back = kept._put_back

    def watched(session, after):
        seen.append(after)
        return put_back(session, after)

    kept._put_back = watched
    yield seen
    kept._put_back = put_back


def test_what_is_put_back_is_row_for_row_what_was_built(app: Flask, putting_back) -> None:
    with app.app_context():
        make_intake(db.session(), make_client(db.session()), phq_9_9=1)
        make_episode(db.session())
        db.session.commit()
        built = rows()
        begin_anew()
        assert not any(rows().values())
        intake = make_intake(db.session(), make_client(db.session()), phq_9_9=1)
        episode = make_episode(db.session())
        db.session.commit()
        assert len(putting_back) >= 3
        assert rows() == built
        assert {answer.page: answer.value for answer in intake.answers}["story"] == STORY
        assert isinstance(episode, Episode)
        db.session.remove()


def test_a_row_that_made_room_for_another_makes_it_again(app: Flask, putting_back) -> None:
    """Of a client's requests one is open at a time."""
    with app.app_context():
        for _time in range(2):
            begin_anew()
            client = make_seeker(db.session())
            first = make_request(db.session(), client)
            make_request(db.session(), client, at=first.answer_due_at)
            assert first.state is RequestState.lapsed
        assert len(putting_back) >= 3
        db.session.remove()


def test_what_its_builder_did_not_commit_is_not_committed_when_it_is_put_back(
    app: Flask, putting_back
) -> None:
    """Nor where somebody committed what was there before, the first time."""
    with app.app_context():
        for commits in (True, False):
            begin_anew()
            user = make_client(db.session(), preferred_name="Not for long").user
            if commits:
                db.session.commit()
            make_shift(db.session(), user)
        assert len(putting_back) >= 2
        db.session.rollback()
        assert not any(rows().values())
        db.session.remove()


def another_row(client: Client) -> None:
    db.session.execute(
        sa.insert(UserRole).values(user_id=client.user_id, role=Role.therapist, granted_at=NOW)
    )


def another_value(client: Client) -> None:
    client.place = "US-OR"


def a_rollback(_client: Client) -> None:
    db.session.rollback()


@pytest.mark.parametrize("happens", [another_row, another_value, a_rollback])
def test_after_anything_else_people_are_built(app: Flask, putting_back, happens) -> None:
    with app.app_context():
        for _before in range(2):
            begin_anew()
            make_shift(db.session(), make_client(db.session()).user)
        putting_back.clear()
        begin_anew()
        client = make_client(db.session())
        happens(client)
        make_shift(db.session())
        assert len(putting_back) == 1
        db.session.remove()


def test_while_something_is_patched_people_are_built_and_nobody_else_gets_them(
    app: Flask, putting_back: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    def password() -> str:
        begin_anew()
        return make_client(db.session()).user.password_hash

    with app.app_context():
        for _before in range(2):
            assert password() == accounts.NO_PASSWORD
        putting_back.clear()
        with monkeypatch.context() as patch:
            patch.setattr(accounts, "NO_PASSWORD", "another")
            assert [password() for _ in range(2)] == ["another"] * 2
        assert putting_back == []
        assert password() == accounts.NO_PASSWORD
        assert len(putting_back) == 1
        db.session.remove()


def test_other_answers_are_another_person(app: Flask, putting_back) -> None:
    with app.app_context():
        for story in ("One.", "Another."):
            begin_anew()
            intake = make_intake(db.session(), make_client(db.session()), story=story)
            assert {answer.page: answer.value for answer in intake.answers}["story"] == story
        db.session.remove()
