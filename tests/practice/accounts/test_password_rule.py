"""What the standard asks of passwords (OWASP ASVS 5.0.0, V6.2), one by one."""

from dataclasses import fields

import pytest
from argon2 import extract_parameters
from argon2.low_level import Type
from bs4 import BeautifulSoup
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from core.config import Settings
from practice.accounts.passwords import find_fault, hash_password, is_right
from tests.builders.accounts import make_user, sign_in

SHORTEST = 8
MOST_BREACHED = [word for word in FREQUENCY_LISTS["passwords"] if len(word) >= SHORTEST]
# The second recommended option of RFC 9106 §4: 3 passes over 64 MiB.
PASSES, KIBIBYTES = 3, 64 * 1024


def test_the_commonest_breached_passwords_are_refused():
    """Of those long enough to be chosen at all, beside a second factor."""
    assert len(MOST_BREACHED) > 10_000
    taken = [word for word in MOST_BREACHED if find_fault(word, second_factor=True) is None]
    assert taken == []


@pytest.mark.parametrize(
    "password",
    [
        "only small letters here",
        "ONLY LARGE LETTERS HERE",
        "7392 5501 8846 2917 03",
        "!?#~ ()[] %&/= +*-_ ;:",
        "жёлтая лодка у причала",
        "🪁🌧🍵🛶🌾🪨🕯🧶🪴🥣🌫🐢🧂🪡🎐",
        " blanks at both ends of it ",
    ],
)
def test_any_mixture_of_characters_is_taken(password):
    assert find_fault(password) is None


def test_a_password_counts_to_its_last_character_and_to_the_letter(session):
    password = "Tea in the rain, " * 20 + "at last"
    kept = hash_password(password)
    assert is_right(password, kept)
    for other in (password[:-1], password.swapcase(), password + " ", " " + password):
        assert not is_right(other, kept)


def test_a_password_is_kept_by_argon2id_with_the_settings_costs(session):
    kept = extract_parameters(hash_password("tea in the rain"))
    assert kept.type is Type.ID
    assert (kept.salt_len, kept.hash_len) >= (16, 32)


def test_without_a_setting_a_hash_costs_what_is_recommended():
    default = {field.name: field.default for field in fields(Settings)}
    assert default["argon2_time_cost"] >= PASSES
    assert default["argon2_memory_kib"] >= KIBIBYTES


def test_password_fields_are_masked_and_let_managers_and_the_clipboard_in(http, session):
    sign_in(http, make_user(session))
    asked = []
    for address in ("/sign-in", "/sign-up?adult=yes", "/account/password"):
        page = BeautifulSoup(http.get(address, follow_redirects=True).text, "html.parser")
        asked += [field for field in page.find_all("input") if "password" in field["name"]]
    assert asked
    for field in asked:
        assert field["type"] == "password"
        assert field["autocomplete"] in {"current-password", "new-password"}
        assert not {"onpaste", "maxlength", "readonly", "pattern"} & {*field.attrs}
