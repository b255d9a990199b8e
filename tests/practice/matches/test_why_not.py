"""Why not …?: where only private facts stand in the way, everybody reads the same bytes."""

from datetime import timedelta

import pytest
from bs4 import BeautifulSoup

from practice.matches.models import RequestState
from practice.matches.reasons import ONE_SENTENCE
from tests.builders.accounts import sign_in
from tests.builders.matches import make_request, make_seeker
from tests.builders.therapists import make_therapist
from tests.conftest import NOW
from tests.practice.matches.test_pages import assert_same


@pytest.fixture
def client(session, http):
    client = make_seeker(session)
    sign_in(http, client.user)
    return client


def test_whichever_private_fact_alone_stands_in_the_way_the_page_is_the_same(session, http, client):
    """Nothing printed is in the way: too old, too ill, turned down, or several of these."""
    therapist = make_therapist(session, name="Ruth Adeyemi", youngest=60)
    session.commit()
    pages = [http.get("/matches/why-not?name=Ruth").data]
    therapist.youngest, therapist.most_acuity = 18, 0
    session.commit()
    pages.append(http.get("/matches/why-not?name=Ruth").data)
    therapist.most_acuity = 3
    request = make_request(session, client, therapist, at=NOW - timedelta(days=1))
    request.move_to(RequestState.declined, NOW)
    session.commit()
    pages.append(http.get("/matches/why-not?name=Ruth").data)
    therapist.youngest, therapist.most_acuity = 60, 0
    session.commit()
    pages.append(http.get("/matches/why-not?name=Ruth").data)
    page = BeautifulSoup(pages[0], "html.parser").main
    assert ONE_SENTENCE in page.get_text()
    assert not page.select("li")
    for other in pages[1:]:
        assert_same(pages[0], other)
