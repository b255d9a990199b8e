"""A supervisor reads along where the client agreed to this very supervisor, and nowhere else."""

import pytest

from practice.care.policy import episodes_visible_to
from tests.builders.accounts import sign_in
from tests.builders.care import make_episode
from tests.builders.therapists import make_therapist
from tests.conftest import NOW


@pytest.fixture
def care(session):
    """An episode of an associate who got a new supervisor since the client has signed."""
    first = make_therapist(session, name="Ana First")
    associate = make_therapist(session, name="Ben Associate", supervisor=first)
    episode = make_episode(session, therapist=associate)
    second = make_therapist(session, name="Cleo Second")
    associate.supervisor, associate.supervisor_confirmed_at = second, NOW
    session.commit()
    return episode, first, second


def reads(session, therapist) -> bool:
    session.rollback()
    return bool(session.scalars(episodes_visible_to(therapist.user)).all())


def page_of(episode) -> str:
    return f"/care/{episode.public_id}/supervisor"


def test_a_new_supervisor_reads_nothing_before_the_client_agrees(session, http, care):
    episode, _first, second = care
    assert not reads(session, second)
    sign_in(http, second.user)
    assert http.get(f"/caseload/{episode.public_id}").status_code == 404


def test_whoever_supervised_before_reads_no_more(session, care):
    _episode, first, _second = care
    assert not reads(session, first)


def test_the_client_agrees_and_takes_it_back(session, http, care):
    episode, _first, second = care
    sign_in(http, episode.client.user)
    assert "Cleo Second" in http.get(page_of(episode)).text
    agreed = {"supervisor": str(second.public_id), "answer": "agree"}
    http.post(page_of(episode), data=agreed)
    assert reads(session, second)
    http.post(page_of(episode), data={"supervisor": str(second.public_id), "answer": "no"})
    assert not reads(session, second)


def test_nobody_answers_for_the_client(session, http, care):
    episode, _first, second = care
    for person in (second.user, episode.therapist.user):
        sign_in(http, person)
        agreed = {"supervisor": str(second.public_id), "answer": "agree"}
        assert http.post(page_of(episode), data=agreed).status_code == 404
    assert not reads(session, second)
