import pytest

from practice.accounts.passwords import find_fault, hash_password, is_outdated, is_right


@pytest.mark.parametrize(
    "password",
    ["1234567", "password", "PASSWORD123", "qwertyuiop", "aaaaaaaaaaaa", "abababababab", "a" * 129],
)
def test_a_short_long_or_easily_guessed_password_is_refused(password):
    assert find_fault(password)


def test_a_password_made_of_the_address_is_refused():
    assert find_fault("samantha.doe", "samantha.doe@example.org")
    assert find_fault("samantha.doe1!", "samantha.doe@example.org")
    assert find_fault("samantha.doe walks slowly", "samantha.doe@example.org") is None


@pytest.mark.parametrize(
    "password", ["tea in the rain", "x7#kQ2!a", "пароль из слов", "b" + "cd" * 60]
)
def test_a_password_of_eight_to_128_characters_is_taken(password):
    assert find_fault(password) is None


def test_a_hash_fits_its_password_and_no_other(session):
    kept = hash_password("tea in the rain")
    assert is_right("tea in the rain", kept)
    assert not is_right("tea in the Rain", kept)


def test_the_same_letter_typed_in_two_ways_is_the_same_password(session):
    assert is_right("cafe\u0301 at noon", hash_password("caf\u00e9 at noon"))


@pytest.mark.parametrize("kept", [None, "none yet", ""])
def test_without_a_hash_no_password_is_right(session, kept):
    assert not is_right("none yet", kept)
    assert not is_right("", kept)


def test_a_hash_of_other_costs_is_outdated(session):
    kept = hash_password("tea in the rain")
    assert not is_outdated(kept)
    assert is_outdated(kept.replace("t=1", "t=2"))
