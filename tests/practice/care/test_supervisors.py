"""A supervisor reads along where the client agreed to this very person, and no longer."""

import pytest

from core.errors import NotFound, WrongState
from practice.care import operations
from practice.care.models import Episode
from practice.care.policy import episodes_visible_to
from practice.care.queries import new_supervisors, openings_of
from tests.builders.accounts import look_again, sign_in
from tests.builders.care import make_episode
from tests.builders.therapists import make_therapist
from tests.conftest import NOW
from tests.practice.care.pages import actions, text


@pytest.fixture
def first(session):
    return make_therapist(session, name="Ana First")


@pytest.fixture
def second(session):
    return make_therapist(session, name="Bea Second")


@pytest.fixture
def episode(session, first):
    return make_episode(session, therapist=make_therapist(session, name="Cy", supervisor=first))


def supervise(session, episode, supervisor):
    episode.therapist.supervisor = supervisor
    episode.therapist.supervisor_confirmed_at = NOW
    session.flush()


def seen_by(session, therapist):
    return list(session.scalars(episodes_visible_to(therapist.user)))


def page_of(episode):
    return f"/care/{episode.public_id}/supervisor"


def test_a_new_supervisor_sees_nothing_until_the_client_agrees(
    session, http, episode, first, second
):
    assert seen_by(session, first) == [episode]
    supervise(session, episode, second)
    assert seen_by(session, second) == []
    assert seen_by(session, first) == []
    assert seen_by(session, episode.therapist) == [episode]
    sign_in(http, second.user)
    assert http.get(f"/caseload/{episode.public_id}").status_code == 404
    look_again(session)
    [asked] = new_supervisors(episode.client)
    assert asked.supervisor is second
    operations.agree_to_supervisor(session, episode, second, episode.client.user, NOW)
    assert seen_by(session, second) == [episode]
    assert new_supervisors(episode.client) == []
    session.commit()
    assert http.get(f"/caseload/{episode.public_id}").status_code == 200


def test_a_supervisors_list_is_not_told_as_that_of_whoever_treats(session, http, episode, first):
    session.commit()
    sign_in(http, first.user)
    assert http.get("/caseload").status_code == 200
    look_again(session)
    [line] = openings_of(episode.client)
    assert line.reason_label == "They treat you, or supervise who does"


def test_the_client_answers_on_a_page_and_takes_it_back_there(session, http, episode, second):
    supervise(session, episode, second)
    sign_in(http, episode.client.user)
    assert "Cy has a new supervisor" in text(http.get("/today"))
    answer = {"answer": "agree", "supervisor": str(second.public_id)}
    assert http.post(page_of(episode), data=answer).status_code == 303
    look_again(session)
    assert seen_by(session, second) == [episode]
    assert "Take it back" in text(http.get(page_of(episode)))
    http.post(page_of(episode), data={"answer": "no"})
    look_again(session)
    assert seen_by(session, second) == []
    assert actions(session, subject_kind="episode")[-2:] == [
        "supervisor.agreed_to",
        "supervisor.taken_back",
    ]


def test_agreed_is_to_whom_the_page_named(session, http, episode, first, second):
    supervise(session, episode, second)
    sign_in(http, episode.client.user)
    http.post(page_of(episode), data={"answer": "agree", "supervisor": str(first.public_id)})
    look_again(session)
    assert seen_by(session, second) == []
    with pytest.raises(WrongState):
        operations.agree_to_supervisor(session, episode, first, episode.client.user, NOW)


def test_nobody_agrees_for_the_client(session, http, episode, second):
    supervise(session, episode, second)
    for other in (second.user, episode.therapist.user, make_episode(session).client.user):
        with pytest.raises(NotFound):
            operations.agree_to_supervisor(session, episode, second, other, NOW)
        session.commit()
        sign_in(http, other)
        assert http.get(page_of(episode)).status_code == 404
        answer = {"answer": "agree", "supervisor": str(second.public_id)}
        assert http.post(page_of(episode), data=answer).status_code == 404
    look_again(session)
    assert seen_by(session, second) == []


def test_whom_the_consent_named_stands_on_the_episode(session, episode, first):
    assert session.get(Episode, episode.id).supervisor is first
    assert make_episode(session, therapist=make_therapist(session, name="Di")).supervisor is None
