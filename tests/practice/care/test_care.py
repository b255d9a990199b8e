import re
from datetime import timedelta

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup

from core.audit import AuditEntry
from core.errors import WrongState
from practice.accounts.models import Role
from practice.care import operations
from practice.care.models import EndReason, Episode
from practice.care.policy import episodes_visible_to
from practice.consent.models import Purpose
from practice.consent.operations import revoke
from practice.consent.policy import signatures_of
from practice.therapists.models import Level, Therapist
from tests.builders.accounts import make_client, make_user, sign_in
from tests.builders.care import make_episode
from tests.builders.counting import statements_of
from tests.builders.intake import STORY, make_intake
from tests.builders.matches import make_seeker
from tests.builders.therapists import make_therapist
from tests.conftest import NOW


def text(response):
    page = BeautifulSoup(response.data, "html.parser")
    return re.sub(r"\s+", " ", page.get_text(" "))


def visible(session, user):
    return list(session.scalars(episodes_visible_to(user)))


def take_back(session, episode):
    scope = f"therapist:{episode.therapist.public_id}"
    signatures = session.scalars(signatures_of(episode.client))
    [signature] = [one for one in signatures if one.scope == scope]
    revoke(session, signature, episode.client.user, NOW)


def page_of(episode):
    return f"/caseload/{episode.public_id}"


@pytest.fixture
def episode(session):
    return make_episode(session)


def test_the_treating_therapist_sees_the_episode(session, episode):
    assert visible(session, episode.therapist.user) == [episode]


def test_a_revoked_consent_hides_the_record_at_once(session, http, episode):
    sign_in(http, episode.therapist.user)
    assert STORY in text(http.get(page_of(episode)))
    take_back(session, episode)
    session.commit()
    assert http.get(page_of(episode)).status_code == 404
    page = text(http.get("/caseload"))
    assert "Nobody is in your care" in page
    assert "10, moderate" not in page
    assert "Ended, with closing notes still open" in page


def test_the_consent_stands_in_the_query_itself(session, episode):
    """Even were the episode left open, nothing would show."""
    take_back(session, episode)
    episode.ended_at = None
    session.flush()
    assert visible(session, episode.therapist.user) == []


def test_an_ended_episode_is_no_longer_there(session, episode):
    therapist = episode.therapist.user
    operations.end(session, episode, EndReason.completed, therapist, NOW)
    assert visible(session, therapist) == []


def test_ending_gives_the_place_back_once(session, episode):
    therapist = episode.therapist.user
    operations.end(session, episode, EndReason.completed, therapist, NOW)
    with pytest.raises(WrongState):
        operations.end(session, episode, EndReason.completed, therapist, NOW)
    assert session.get(Therapist, episode.therapist_id).open_places == 3


def test_a_supervisor_reads_along_and_no_longer_once_the_supervision_ended(session):
    supervisor = make_therapist(session, name="Ana Supervisor")
    associate = make_therapist(session, name="Ben Associate", supervisor=supervisor)
    episode = make_episode(session, therapist=associate)
    assert visible(session, supervisor.user) == [episode]
    associate.supervisor_confirmed_at = None
    session.flush()
    assert visible(session, supervisor.user) == []
    assert visible(session, associate.user) == [episode]


def test_a_supervisor_reads_but_does_not_end(session, http):
    supervisor = make_therapist(session, name="Ana Supervisor")
    associate = make_therapist(session, name="Ben Associate", supervisor=supervisor)
    episode = make_episode(session, therapist=associate)
    sign_in(http, supervisor.user)
    assert "with Ben Associate" in text(http.get(page_of(episode)))
    assert http.get(f"{page_of(episode)}/end").status_code == 404
    assert http.post(f"{page_of(episode)}/end", data={"because": "completed"}).status_code == 404


@pytest.mark.parametrize("role", list(Role))
def test_nobody_else_finds_the_record(session, http, episode, role):
    other = {
        Role.client: lambda: make_client(session).user,
        Role.therapist: lambda: make_therapist(session, name="Another").user,
    }.get(role, lambda: make_user(session, roles=(role,)))()
    sign_in(http, other)
    for address in (page_of(episode), f"{page_of(episode)}/end"):
        answer = http.get(address)
        assert answer.status_code == 404
        assert STORY.encode() not in answer.data


def test_each_view_of_the_record_adds_one_row(session, http, episode):
    sign_in(http, episode.therapist.user)
    for _ in range(2):
        http.get(page_of(episode))
    http.get("/caseload")
    viewed = sa.select(AuditEntry).where(AuditEntry.action.contains("viewed"))
    rows = session.scalars(viewed.order_by(AuditEntry.id)).all()
    assert [row.action for row in rows] == ["record.viewed", "record.viewed", "caseload.viewed"]
    assert {row.actor_id for row in rows} == {episode.therapist.user.public_id}
    assert STORY not in str([row.details for row in rows])


def test_no_row_no_page(session, http, episode, monkeypatch):
    sign_in(http, episode.therapist.user)

    def broken(*_arguments, **_details):
        raise RuntimeError("the log cannot be written")

    monkeypatch.setattr("core.audit.record", broken)
    http.application.config["PROPAGATE_EXCEPTIONS"] = False
    try:
        for address in (page_of(episode), "/caseload"):
            answer = http.get(address)
            assert answer.status_code == 500
            assert STORY.encode() not in answer.data
    finally:
        http.application.config["PROPAGATE_EXCEPTIONS"] = True


def test_the_caseload_has_scores_and_the_next_meeting(session, http, episode):
    sign_in(http, episode.therapist.user)
    page = text(http.get("/caseload"))
    assert "10, moderate" in page
    assert "7, mild" in page
    assert "Wednesday 2 December at 10:00" in page


def test_a_change_is_called_reliable_only_beyond_the_error(session, http):
    client = make_seeker(session, at=NOW - timedelta(days=40))
    phq = {f"phq-9-{item}": 0 for item in range(1, 10)}
    gad = {f"gad-7-{item}": 1 for item in range(1, 7)} | {"gad-7-7": 0}
    make_intake(session, client, answers=phq | gad, at=NOW - timedelta(days=3))
    episode = make_episode(session, client)
    sign_in(http, episode.therapist.user)
    page = BeautifulSoup(http.get(page_of(episode)).data, "html.parser")
    assert "reliably better" in page.get_text()
    assert page.select_one("svg title").get_text() == "PHQ-9: 10 at first, 0 now"
    assert "no reliable change" in page.get_text()


def test_an_unfinished_sheet_has_no_total(session, http):
    client = make_seeker(session, phq_9_2=None)
    sign_in(http, make_episode(session, client).therapist.user)
    assert "not complete, so no total" in text(http.get("/caseload"))


def test_the_queries_do_not_grow_with_the_caseload(app, session, http):
    therapist = make_therapist(session, open_places=12)

    def asked_with(count, first):
        for number in range(first, first + count):
            make_episode(session, therapist=therapist, nth=number)
        sign_in(http, therapist.user)
        http.get("/caseload")
        with statements_of(app) as statements:
            assert http.get("/caseload").status_code == 200
        return len(statements)

    few = asked_with(2, 0)
    assert asked_with(6, 2) == few <= 18


def test_the_therapist_ends_the_care_with_a_reason(session, http, episode):
    sign_in(http, episode.therapist.user)
    refused = http.post(f"{page_of(episode)}/end", data={})
    assert refused.status_code == 422
    assert (
        http.post(f"{page_of(episode)}/end", data={"because": "consent_withdrawn"}).status_code
        == 422
    )
    assert http.post(f"{page_of(episode)}/end", data={"because": "completed"}).status_code == 303
    session.expire_all()
    ended = session.get(Episode, episode.id)
    assert (ended.ended_at, ended.ended_because) == (NOW, "completed")


def take_back_assessment(session, client, at):
    signatures = session.scalars(signatures_of(client))
    [signature] = [one for one in signatures if one.purpose is Purpose.assessment]
    revoke(session, signature, client.user, at)


def test_whoever_begins_to_treat_after_the_assessment_was_taken_back_sees_no_scores(session, http):
    client = make_seeker(session)
    take_back_assessment(session, client, NOW)
    episode = make_episode(session, client, at=NOW + timedelta(hours=1))
    sign_in(http, episode.therapist.user)
    assert "10, moderate" not in text(http.get("/caseload"))
    page = text(http.get(page_of(episode)))
    assert "10, moderate" not in page
    assert "no scores to show" in page


def test_whoever_treats_already_keeps_the_scores_of_the_record(session, http, episode):
    take_back_assessment(session, episode.client, NOW + timedelta(hours=1))
    sign_in(http, episode.therapist.user)
    assert "10, moderate" in text(http.get("/caseload"))


def test_whoever_supervised_before_a_full_licence_reads_no_more(session):
    supervisor = make_therapist(session, name="Ana Supervisor")
    associate = make_therapist(session, name="Ben Associate", supervisor=supervisor)
    make_episode(session, therapist=associate)
    associate.level = Level.licensed
    session.flush()
    assert visible(session, supervisor.user) == []


def test_taking_back_the_consent_succeeds_though_the_therapist_ends_the_care_meanwhile(
    session, episode, monkeypatch
):
    monkeypatch.setattr(operations, "open_episodes_under", lambda *_: [episode])
    operations.end(session, episode, EndReason.completed, episode.therapist.user, NOW)
    take_back(session, episode)
    assert session.get(Therapist, episode.therapist_id).open_places == 3
