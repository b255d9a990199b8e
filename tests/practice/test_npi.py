import pytest
from hypothesis import given
from hypothesis import strategies as st

from practice.npi import check_digit, is_valid_npi, npi_problem

nine_digits = st.from_regex(r"[12][0-9]{8}", fullmatch=True)


def test_the_number_of_the_published_example_is_valid() -> None:
    assert is_valid_npi("1234567893")
    assert check_digit("123456789") == "3"


@given(nine_digits)
def test_exactly_one_last_digit_makes_a_number_valid(nine: str) -> None:
    valid = [digit for digit in "0123456789" if is_valid_npi(nine + digit)]
    assert valid == [check_digit(nine)]


@given(nine_digits, st.integers(1, 9), st.integers(1, 9))
def test_any_one_mistyped_digit_is_noticed(nine: str, at: int, by: int) -> None:
    npi = nine + check_digit(nine)
    mistyped = npi[:at] + str((int(npi[at]) + by) % 10) + npi[at + 1 :]
    assert not is_valid_npi(mistyped)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "123456789",
        "12345678930",
        " 1234567893",
        "1234567893\n",
        "12345-67893",
        "１２３４５６７８９３",
    ],
)
def test_anything_but_ten_plain_digits_is_refused(text: str) -> None:
    assert npi_problem(text) == "An NPI is ten digits, with no spaces or dashes."


def test_a_number_that_begins_otherwise_is_refused_even_if_its_check_digit_holds() -> None:
    nine = "323456789"
    assert npi_problem(nine + check_digit(nine)) == "An NPI begins with 1 or 2."


def test_the_form_does_not_tell_which_digit_would_pass() -> None:
    problem = npi_problem("1234567890")
    assert problem is not None
    assert "3" not in problem


@pytest.mark.parametrize("nine", ["12345678", "1234567893", "12345678x"])
def test_a_check_digit_belongs_to_nine_digits(nine: str) -> None:
    with pytest.raises(ValueError, match="nine digits"):
        check_digit(nine)
