"""Versions of the weights: what changed, what is in force, and that none is ever rewritten."""

import pytest
import sqlalchemy as sa

import matching
from practice.accounts.models import Role
from practice.append_only import Rewriting
from practice.matches.market import weighing
from practice.matches.market.in_place import newest_weights
from practice.matches.models import WeightsVersion
from practice.matches.operations import ensure_weights
from tests.builders.accounts import make_user
from tests.conftest import NOW

DEFAULT = matching.DEFAULT_WEIGHTS.by_factor
OTHER = {**DEFAULT, "hours": 200, "format": 0}


@pytest.fixture
def ines(session):
    ensure_weights(session, NOW)
    return make_user(session, roles=[Role.administrator])


def test_the_newest_is_in_force_and_the_history_says_what_changed(session, ines):
    weighing.publish(session, OTHER, "Hours.", ines, NOW, after=1)
    weighing.publish(session, DEFAULT, "Back.", ines, NOW, after=2)
    assert newest_weights().version == 3
    changed = [weighing.in_words(one.changes) for one in weighing.history()]
    back = "Hours 200 to 150, Way of meeting 0 to 50"
    assert changed == [back, "Hours 150 to 200, Way of meeting 50 to 0", ""]


def test_a_version_that_does_not_exist_has_no_weights(session, ines):
    assert weighing.version_with(1).by_factor == DEFAULT
    assert weighing.version_with(2) is None


def test_before_any_version_was_written_down_the_products_own_count(session):
    assert weighing.history() == []
    assert weighing.version_with(1) == matching.DEFAULT_WEIGHTS


@pytest.mark.parametrize("change", [{"hours": 999}, {"hours": -1}, {"hours": 200, "format": 1}])
def test_weights_that_cannot_be_are_refused_by_the_operation_itself(session, ines, change):
    with pytest.raises(matching.BadWeights):
        weighing.publish(session, DEFAULT | change, "Why", ines, NOW, after=1)
    assert newest_weights().version == 1


def test_what_was_meant_to_follow_an_older_version_is_refused(session, ines):
    weighing.publish(session, OTHER, "Hours.", ines, NOW, after=1)
    with pytest.raises(weighing.NewerWeights):
        weighing.publish(session, DEFAULT, "Back.", ines, NOW, after=1)
    assert newest_weights().version == 2


def test_a_version_is_never_rewritten(session, ines):
    first = session.scalars(sa.select(WeightsVersion)).one()
    first.weights = OTHER
    with pytest.raises(Rewriting):
        session.flush()
    session.rollback()
    with pytest.raises(Rewriting):
        session.execute(sa.delete(WeightsVersion))
