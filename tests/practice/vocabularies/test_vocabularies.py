import re

import pytest

from practice.vocabularies import VOCABULARIES, UnknownCode, UnknownVocabulary, vocabulary
from practice.vocabularies.loading import Term, Vocabulary, in_language

CODE = re.compile(r"-?[a-z0-9]+([-_][a-z0-9]+)*")


def with_their_options(found: Vocabulary) -> list[Vocabulary]:
    return [found, *(term.options for term in found.terms if term.options)]


EVERY = [part for found in VOCABULARIES.values() for part in with_their_options(found)]


@pytest.mark.parametrize("found", EVERY, ids=lambda found: found.name)
def test_every_code_is_plain_and_stands_once(found: Vocabulary) -> None:
    assert all(CODE.fullmatch(term.code) for term in found.terms)
    assert len(found.codes) == len(found.terms)


@pytest.mark.parametrize("found", EVERY, ids=lambda found: found.name)
def test_every_label_has_english_words_of_its_own(found: Vocabulary) -> None:
    labels = [label for _, label in found.choices("en")]
    assert all(label.strip() for label in labels)
    assert len(set(labels)) == len(labels)


@pytest.mark.parametrize("found", VOCABULARIES.values(), ids=lambda found: found.name)
def test_every_term_of_a_grouped_vocabulary_stands_under_one_heading(found: Vocabulary) -> None:
    if found.headings:
        grouped = [choice for choices in found.groups().values() for choice in choices]
        assert sorted(grouped) == sorted(found.choices())


@pytest.mark.parametrize("name", ["approaches", "group_kinds", "professions"])
def test_what_needs_explaining_is_explained(name: str) -> None:
    assert all(term.text("description").endswith(".") for term in vocabulary(name).terms)


def test_a_client_meets_plain_words_under_a_short_heading() -> None:
    concerns = vocabulary("concerns")
    assert concerns.label("panic", "en") == "Panic attacks"
    assert ("panic", "Panic attacks") in concerns.groups("en")["Worry and fear"]


def test_thoughts_of_suicide_are_no_concern_to_choose() -> None:
    words = " ".join(label for _, label in vocabulary("concerns").choices()).casefold()
    assert not re.search(r"suicid|self-harm|hurting myself", words)


def test_an_unknown_code_is_refused_with_its_vocabulary() -> None:
    with pytest.raises(UnknownCode, match="concerns has no code 'pannic'"):
        vocabulary("concerns").label("pannic")


def test_an_unknown_vocabulary_is_refused() -> None:
    with pytest.raises(UnknownVocabulary):
        vocabulary("colours")


def test_words_fall_back_to_the_base_language_and_then_to_english() -> None:
    labels = {"en": "Grief", "es": "Duelo"}
    assert in_language(labels, "es-MX") == "Duelo"
    assert in_language(labels, "vi") == "Grief"


def test_a_text_that_a_term_lacks_is_empty() -> None:
    assert Term("x", {"en": "X"}).text("description") == ""


def test_faith_orientation_and_race_can_only_be_would_likes() -> None:
    identities = vocabulary("identities")
    assert {"faith", "orientation", "ethnicity"} <= identities.flagged("would_like_only")
    assert identities.flagged("may_be_must") == {"gender"}


def test_each_attribute_is_either_a_possible_must_or_a_would_like_only() -> None:
    identities = vocabulary("identities")
    musts, likes = identities.flagged("may_be_must"), identities.flagged("would_like_only")
    assert musts | likes == set(identities.codes)
    assert not musts & likes


def test_a_therapy_group_is_screened_and_a_peer_group_has_no_licensed_lead() -> None:
    kinds = vocabulary("group_kinds")
    assert kinds.flagged("screened") == {"therapy"}
    assert "peer" not in kinds.flagged("licensed_lead")


def test_both_ends_of_each_style_axis_are_described() -> None:
    for axis in vocabulary("style").terms:
        assert axis.text("low")
        assert axis.text("high")
        assert axis.text("low") != axis.text("high")


def test_the_steps_of_style_run_from_minus_three_to_three() -> None:
    assert [int(code) for code in vocabulary("style_steps").codes] == list(range(-3, 4))


def test_a_profession_with_an_associate_level_names_it() -> None:
    for profession in vocabulary("professions").terms:
        assert bool(profession.text("associate")) == profession.has("associate")
