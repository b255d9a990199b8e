"""What a therapist may learn of how they are found."""

from tests.controls.control import Control

COUNTING = "practice/matches/reach_counting.py"
TESTS = "tests/practice/matches/test_reach.py"

CONTROLS = (
    Control(
        "how a therapist is found is told in tens, and below ten not at all",
        "counts are kept as they are",
        COUNTING,
        "    return count - count % STEP",
        "    return count",
        (
            f"{TESTS}::test_figures_go_down_to_tens",
            f"{TESTS}::test_worlds_that_differ_in_one_client_below_the_threshold_give_the_same_page",
        ),
    ),
    Control(
        "of fewer than ten people nothing is kept of what stands in a therapist's way",
        "what nobody is counted under is told as well",
        COUNTING,
        " for name, count in counts.items() if count >= STEP}",
        " for name, count in counts.items()}",
        (f"{TESTS}::test_of_fewer_than_ten_no_figure_is_kept",),
    ),
    Control(
        "each therapist reads only how they are found themselves",
        "whichever report comes first",
        "practice/matches/reach.py",
        "ReachReport.therapist_id == therapist.id, ReachReport.made_at > at - GOOD_FOR",
        "ReachReport.made_at > at - GOOD_FOR",
        (f"{TESTS}::test_each_reads_only_their_own",),
    ),
    Control(
        "no wish about the person shows in how a therapist is found",
        "every wish is asked",
        COUNTING,
        "    return replace(values, wishes=approach)",
        "    return values",
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
        "practice/matches/reach_policy.py",
        "Intake.submitted_at >= since, in_force(Purpose.privacy_notice, Intake.client_id)",
        "Intake.submitted_at >= since",
        (
            f"{TESTS}::test_whoever_took_back_the_privacy_notice_is_not_counted",
            "tests/conventions/test_consent_clauses.py"
            "::test_a_scoped_query_holds_a_consent_or_says_why_not",
        ),
    ),
)
