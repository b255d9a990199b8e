"""Declared and found: which differences count and which are only spelling."""

import pytest

from practice.credentials.comparing import names_agree, numbers_agree


@pytest.mark.parametrize(
    ("declared", "found"),
    [
        ("Ingrid Salcedo-Moreau", "SALCEDO MOREAU, INGRID L"),
        ("Tomás Okafor", "Okafor, Tomas"),
        ("Siobhán O’Neill", "ONEILL SIOBHAN"),
        ("Rosa Almeida", "Rosa Maria Almeida, PhD"),
    ],
)
def test_a_name_is_the_same_whatever_its_order_accents_and_further_names(declared, found):
    assert names_agree(declared, found)


@pytest.mark.parametrize(
    ("declared", "found"),
    [
        ("Rosa Almeida", "Rose Almeida"),
        ("Rosa Maria Almeida", "Rosa Almeida"),
        ("Rosa Almeida", "Rosalind Almeidas"),
        ("Rosa Almeida", ""),
        ("", "Rosa Almeida"),
        ("", ""),
    ],
)
def test_a_name_with_a_word_that_was_not_found_differs(declared, found):
    assert not names_agree(declared, found)


def test_a_number_is_the_same_without_its_blanks_dots_and_case():
    assert numbers_agree("OR C-7731", "orc 77.31")
    assert not numbers_agree("C7731", "C7713")
    assert not numbers_agree("", "")
    assert not numbers_agree("--", "..")
