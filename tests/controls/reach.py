"""What a therapist may learn of how they are found."""

from tests.controls.control import Control

COUNTING = "practice/matches/reach/counting.py"
TESTS = "tests/practice/matches/test_reach.py"

CONTROLS = (
    Control(
        "what is told of how a therapist is found has noise in it",
        "counts are told as they are",
        COUNTING,
        '        noisy = count + keyed_noise(SCALE, "reach", begun, self.whom, *figure)',
        "        noisy = count",
        (
            f"{TESTS}::test_from_a_figure_nobody_can_tell_whether_one_person_or_nine_more_are_in_it",
            f"{TESTS}::test_each_therapist_period_and_figure_has_a_noise_of_its_own",
        ),
    ),
    Control(
        "the noise in how therapists are found is broad enough to hide nine people",
        "a tenth as broad",
        COUNTING,
        '        noisy = count + keyed_noise(SCALE, "reach", begun, self.whom, *figure)',
        '        noisy = count + keyed_noise(SCALE, "reach", begun, self.whom, *figure) // 10',
        (f"{TESTS}::test_from_a_figure_nobody_can_tell_whether_one_person_or_nine_more_are_in_it",),
    ),
    Control(
        "each therapist's figures have a noise of their own",
        "all have the same, which one page told would give away",
        COUNTING,
        "begun, self.whom, *figure)",
        "begun, *figure)",
        (f"{TESTS}::test_each_therapist_period_and_figure_has_a_noise_of_its_own",),
    ),
    Control(
        "a search is told of in one count and no other",
        "the four weeks before any day are counted",
        COUNTING,
        "        until = at - (at - A_MONDAY) % PERIOD",
        "        until = at",
        (
            f"{TESTS}::test_looking_again_brings_nothing_new_of_a_search",
            f"{TESTS}::test_every_instant_lies_in_one_period_of_four_weeks_from_a_monday",
        ),
    ),
    Control(
        "how therapists are found is told from twenty people on, and named from seventy",
        "whatever is left of noise and people is told",
        COUNTING,
        "        return in_tens(noisy) if noisy >= fewest else 0",
        "        return in_tens(noisy)",
        (f"{TESTS}::test_with_noise_too_nothing_is_told_below_twenty_nor_named_below_seventy",),
    ),
    Control(
        "a rule, place or concern shows nobody by being named at all",
        "only what somebody was counted under has noise",
        COUNTING,
        "_told(counts.get(name, 0), FEWEST_NAMED, figure, name)) for name in names",
        "_told(counts.get(name, 0), FEWEST_NAMED, figure, name)) for name in counts",
        (f"{TESTS}::test_of_ones_own_places_and_concerns_chance_names_none",),
    ),
    Control(
        "that a therapist was shown to somebody is not told by there being figures",
        "only who can be found has some",
        COUNTING,
        "        for row_id, public_id in _therapists()\n",
        "        for row_id, public_id in _therapists() if public_id in everybody.index\n",
        (f"{TESTS}::test_that_somebody_was_shown_at_all_is_not_told_by_there_being_figures",),
    ),
    Control(
        "one person is counted under three concerns at most",
        "under all they named",
        COUNTING,
        "    return replace(values, wishes=approach, concerns=_heaviest(values.concerns))",
        "    return replace(values, wishes=approach)",
        (f"{TESTS}::test_one_person_is_in_no_more_figures_of_a_therapist_than_is_promised",),
    ),
    Control(
        "each therapist reads only how they are found themselves",
        "whichever report comes first",
        "practice/matches/reach/figures.py",
        "ReachReport.therapist_id == therapist.id, ReachReport.made_at > at - GOOD_FOR",
        "ReachReport.made_at > at - GOOD_FOR",
        (f"{TESTS}::test_each_reads_only_their_own",),
    ),
    Control(
        "no wish about the person shows in how a therapist is found",
        "every wish is asked",
        COUNTING,
        "    return replace(values, wishes=approach, concerns=_heaviest(values.concerns))",
        "    return replace(values, concerns=_heaviest(values.concerns))",
        (f"{TESTS}::test_what_nobody_is_to_learn_changes_no_figure_of_anybody",),
    ),
    Control(
        "only the answers that are asked about are opened to count how therapists are found",
        "all of them are",
        COUNTING,
        " for each in intake.answers if each.page in PAGES_READ}",
        " for each in intake.answers}",
        (f"{TESTS}::test_only_the_pages_that_are_asked_about_are_opened",),
    ),
    Control(
        "whoever took back the privacy notice is not counted among those who look",
        "their search counts on",
        "practice/matches/reach/policy.py",
        "        in_force(Purpose.privacy_notice, Intake.client_id),\n",
        "",
        (
            f"{TESTS}::test_whoever_took_back_the_privacy_notice_is_not_counted",
            "tests/conventions/test_consent_clauses.py"
            "::test_a_scoped_query_holds_a_consent_or_says_why_not",
        ),
    ),
)
