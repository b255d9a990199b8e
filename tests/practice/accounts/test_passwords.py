import secrets

import pytest

from practice.accounts.passwords import find_fault, hash_password, is_outdated, is_right, length

SAMANTHA = ("samantha.doe@example.org", "Samantha Doe")


@pytest.mark.parametrize("length", [14, 1001])
def test_alone_a_password_has_15_to_1000_characters(length):
    assert find_fault(words_of(length))
    assert find_fault(words_of(15)) is None
    assert find_fault(words_of(1000)) is None


def test_with_a_second_factor_eight_are_enough():
    assert find_fault("x7#kQ2!", second_factor=True)
    assert find_fault("x7#kQ2!a", second_factor=True) is None


def words_of(length: int) -> str:
    """Something nobody guesses, as long as asked for."""
    return secrets.token_urlsafe(length)[:length]


@pytest.mark.parametrize(
    "password",
    [
        "passwordpassword",
        "P@ssw0rd!P@ssw0rd!",
        "Password-2026-2026",
        "sunshine2019!!!!",
        "iloveyou iloveyou",
        "123456789012345",
        "qwertyuiopasdfgh",
        "zyxwvutsrqponmlk",
        "qazwsxedcrfvtgb",
        "lampalampalampa",
        "aaaaaaaaaaaaaaaaaa",
        "the quick brown fox",
        "correct horse battery staple",
        "ATTUNE attune 2026",
        "letmeinletmein1",
    ],
)
def test_a_long_password_that_is_guessed_early_is_refused(password):
    assert len(password) >= 15
    assert "easy to guess" in find_fault(password)


@pytest.mark.parametrize(
    "password",
    ["samantha.doe@example.org", "samantha.doe1990!", "S4manthaDoe-example", "doe Samantha 1990"],
)
def test_a_password_made_of_the_address_or_the_name_is_refused(password):
    assert "easy to guess" in find_fault(password, SAMANTHA)


@pytest.mark.parametrize(
    "password",
    [
        "tea in the rain",
        "three small green boats",
        "samantha.doe walks slowly",
        "пароль из многих слов",
        "только дождь и чай",
        "84719284710293847",
        "quiet river lantern",
    ],
)
def test_words_in_a_row_are_taken_whatever_they_are_made_of(password):
    assert find_fault(password, SAMANTHA) is None


def test_characters_are_counted_as_they_are_kept():
    """Fifteen letters with a combining accent each are fifteen, not thirty."""
    accented = "e\u0301" * 7 + "a\u0301bcdefg"
    assert len(accented) > 15 > length(accented)
    assert "at least 15" in find_fault(accented)


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
