from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from practice.groups.models import RefundTemplate
from practice.groups.refunds import TEMPLATE_WORDS, refund_due, refund_table
from tests.conftest import NOW

WEEKS = [NOW + timedelta(weeks=week) for week in range(8)]
BEFORE = NOW - timedelta(seconds=1)

templates = st.sampled_from(RefundTemplate)
amounts = st.integers(min_value=0, max_value=10_000_000)
moments = st.integers(min_value=-10_000, max_value=2_000_000).map(
    lambda seconds: NOW + timedelta(seconds=seconds)
)
timetables = st.lists(moments, min_size=1, max_size=20, unique=True).map(sorted)


def by_session(paid, at):
    return refund_due(RefundTemplate.by_session, paid, WEEKS, at)


@pytest.mark.parametrize("template", RefundTemplate)
def test_until_the_first_session_begins_everything_goes_back(template):
    assert refund_due(template, 24000, WEEKS, BEFORE) == 24000


def test_the_moment_the_first_session_begins_it_no_longer_counts():
    assert by_session(24000, NOW) == 21000
    assert refund_due(RefundTemplate.until_start, 24000, WEEKS, NOW) == 0


def test_each_session_that_has_begun_costs_its_share():
    assert by_session(24000, NOW + timedelta(days=8)) == 18000


def test_a_share_that_does_not_divide_is_rounded_up_for_who_paid():
    assert by_session(1000, NOW) == 875
    assert by_session(1001, NOW) == 876


def test_after_the_last_session_has_begun_nothing_goes_back():
    assert by_session(24000, WEEKS[-1]) == 0


def test_the_table_says_it_in_dates_and_amounts():
    steps = refund_table(RefundTemplate.by_session, 24000, WEEKS[:3])
    assert [(step.until, step.amount) for step in steps] == [
        (WEEKS[0], 24000),
        (WEEKS[1], 16000),
        (WEEKS[2], 8000),
        (None, 0),
    ]


def test_every_template_has_words():
    assert set(TEMPLATE_WORDS) == set(RefundTemplate)


@given(templates, amounts, timetables, moments)
def test_a_refund_is_never_less_than_nothing_nor_more_than_was_paid(template, paid, starts, at):
    assert 0 <= refund_due(template, paid, starts, at) <= paid


@given(templates, amounts, timetables, moments, moments)
def test_waiting_never_brings_more_back(template, paid, starts, one, other):
    sooner, later = sorted((one, other))
    assert refund_due(template, paid, starts, sooner) >= refund_due(template, paid, starts, later)


@given(amounts, timetables, moments)
def test_nobody_pays_for_more_than_the_sessions_that_have_begun(paid, starts, at):
    kept = paid - refund_due(RefundTemplate.by_session, paid, starts, at)
    begun = sum(start <= at for start in starts)
    assert kept * len(starts) <= paid * begun


@given(templates, amounts, timetables, moments)
def test_the_table_and_the_rule_agree_at_every_moment(template, paid, starts, at):
    steps = refund_table(template, paid, starts)
    told = next(step.amount for step in steps if step.until is None or at < step.until)
    assert told == refund_due(template, paid, starts, at)
