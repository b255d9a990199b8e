"""The lines of a card add up to its total, whatever weighs and whatever places cost."""

from random import Random

import pytest
from bs4 import BeautifulSoup
from flask import render_template_string
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from matching import FACTORS, NEEDED_ELSEWHERE, Index, Prices, Weights, shown_total
from practice.matches.cards import _sum
from tests.matching.worlds import ON, easy_client, random_client, random_therapist

LINES = '{% from "components/match.html" import sum_lines %}{{ sum_lines(lines, total) }}'
MORE_THAN_A_MATCH = 1_200_000


@pytest.fixture
def printed(app):
    """The figures of a sum as they stand on a page, and the one under them."""

    def figures(lines, total):
        with app.test_request_context():
            page = BeautifulSoup(
                render_template_string(LINES, lines=lines, total=total), "html.parser"
            )
        *shown, below = [whole(one) for one in page.select(".sum .num")]
        return shown, below

    return figures


def whole(figure):
    for hidden in figure.select(".visually-hidden"):
        hidden.extract()
    return int(figure.get_text().replace("−", "-"))


def random_weights(random):
    cuts = sorted(random.choices(range(1001), k=len(FACTORS) - 1))
    parts = (end - start for start, end in zip([0, *cuts], [*cuts, 1000], strict=True))
    return Weights.from_mapping(2, dict(zip(FACTORS, parts, strict=True)))


@settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.integers(0, 2**32), st.one_of(st.just(0), st.integers(1, MORE_THAN_A_MATCH)))
def test_the_lines_add_up_to_the_total_with_any_weights_and_any_price(printed, seed, price):
    random = Random(seed)
    therapist = random_therapist(random)
    client = random.choice([random_client(random), easy_client(random)])
    index, prices = Index([therapist], on=ON), Prices({therapist.id: price} if price else {})
    explanation = index.explain(client, therapist.id, random_weights(random), prices)
    lines, total = _sum(explanation), shown_total(explanation.total)
    assert sum(points for _, points, _ in lines) == total
    shown, below = printed(lines, total)
    assert (shown, below) == ([points for _, points, _ in lines], total)
    assert len(lines) == len(explanation.points)
    assert (NEEDED_ELSEWHERE in explanation.points) == bool(price)
