"""Stripe's form encoding, read strictly."""

import pytest
import stripe

from billing.sandbox.errors import BadParameter
from billing.sandbox.parameters import Params, parse
from tests.billing.sandbox.conftest import open_session


def test_brackets_nest_and_empty_ones_append():
    pairs = [("a[0][b]", "1"), ("a[1][b]", "2"), ("c[]", "x"), ("c[]", "y"), ("d[e][f]", "é")]
    assert parse(pairs) == {
        "a": {"0": {"b": "1"}, "1": {"b": "2"}},
        "c": {"0": "x", "1": "y"},
        "d": {"e": {"f": "é"}},
    }


def test_entries_come_in_the_order_of_their_numbers_not_of_their_arrival():
    params = Params(parse([(f"a[{index}]", str(index)) for index in (10, 9, 2, 0)]))
    assert params.texts("a") == ["0", "2", "9", "10"]


@pytest.mark.parametrize(
    "pairs", [[("a]", "1")], [("[a]", "1")], [("a[b", "1")], [("a", "1"), ("a[b]", "2")]]
)
def test_a_name_that_cannot_be_read_is_refused(pairs):
    with pytest.raises(BadParameter):
        parse(pairs)


@pytest.mark.parametrize("text", ["1.0", "1e3", "٣", " 1", "0x1", "1_000", "9" * 16])
def test_a_whole_number_has_only_digits(text):
    with pytest.raises(BadParameter) as refused:
        Params(parse([("amount", text)])).whole("amount")
    assert refused.value.code == "parameter_invalid_integer"


def test_what_nobody_read_is_refused_by_its_full_name():
    params = Params(parse([("known", "1"), ("lines[0][known]", "1"), ("lines[0][odd]", "1")]))
    params.text("known")
    for line in params.groups("lines"):
        line.text("known")
    with pytest.raises(BadParameter) as refused:
        params.refuse_leftovers()
    assert (refused.value.param, refused.value.code) == ("lines[0][odd]", "parameter_unknown")


@pytest.mark.parametrize("path", ["colour", "status", "client_reference_id"])
def test_only_what_is_an_id_can_be_expanded(client, path):
    with pytest.raises(stripe.InvalidRequestError) as refused:
        open_session(client, expand=[path])
    assert refused.value.param == "expand"
    assert client.v1.checkout.sessions.list().data == []


def test_metadata_is_changed_key_by_key(client):
    session = open_session(client, metadata={"order": "A1", "kept": "yes"})
    changed = client.v1.checkout.sessions.update(
        session.id, {"metadata": {"order": "A2", "kept": ""}}
    )
    assert changed.metadata.to_dict() == {"order": "A2"}
