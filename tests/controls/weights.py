"""New weights and lists worked out again: who is shown nothing, and what cannot pass unseen."""

from tests.controls.control import Control

FIGURES = "practice/oversight/weights/figures.py"
PREVIEW = "practice/oversight/weights/preview.py"
REPLAYING = "practice/matches/replaying.py"
FIGURE_TESTS = "tests/practice/oversight/test_weights_figures.py"
WEIGHTS_TESTS = "tests/practice/oversight/test_weights.py"
BESIDES_TESTS = "tests/practice/matches/test_kept_besides_lists.py"
REPLAY_TESTS = "tests/practice/matches/test_replaying.py"

CONTROLS = (
    Control(
        "a small group of a preview of weights is kept back",
        "each group has its figures",
        FIGURES,
        '        {"group": name} if is_back else _tally(name, by_group[name])\n',
        "        _tally(name, by_group[name])\n",
        (
            f"{FIGURE_TESTS}::test_a_group_of_forty_nine_has_no_figure_nor_has_the_next_smallest",
            f"{FIGURE_TESTS}::test_those_who_did_not_say_cannot_be_had_by_subtraction",
        ),
    ),
    Control(
        "whoever did not say is a group of a preview, too",
        "they are left out of the groups",
        FIGURES,
        "        by_group.setdefault(one.groups[attribute] or NOT_SAID, []).append(one)\n",
        "        if one.groups[attribute]:\n"
        "            by_group.setdefault(one.groups[attribute], []).append(one)\n",
        (f"{FIGURE_TESTS}::test_those_who_did_not_say_cannot_be_had_by_subtraction",),
    ),
    Control(
        "a preview of weights tells nothing of fewer than fifty people",
        "it tells of anybody",
        FIGURES,
        "    if len(somebody) < FEWEST_PEOPLE:\n",
        "    if not somebody:\n",
        (
            f"{FIGURE_TESTS}::test_of_fewer_than_fifty_people_nothing_is_told",
            f"{WEIGHTS_TESTS}::test_they_are_tried_out_in_the_background_and_then_published",
        ),
    ),
    Control(
        "numbers of people in a preview of weights are rounded",
        "they are told as they are",
        "practice/oversight/weights/words.py",
        '    return f"{round(people, -1):,}"\n',
        '    return f"{people:,}"\n',
        (f"{FIGURE_TESTS}::test_one_person_more_changes_no_number_of_people_on_the_page",),
    ),
    Control(
        "shares in a preview of weights are of tens by tens",
        "one person more changes a share",
        "practice/oversight/weights/words.py",
        '    tens, people = round(tally[which], -1), round(tally["people"], -1)\n',
        '    tens, people = tally[which], tally["people"]\n',
        (f"{FIGURE_TESTS}::test_one_person_more_changes_no_share_on_the_page",),
    ),
    Control(
        "no weights without a preview that somebody could read",
        "what is being worked out can be published",
        PREVIEW,
        "    if preview.made_at is None:\n        return NotPreviewed()\n",
        "    if preview.made_at is None:\n        return None\n",
        (f"{WEIGHTS_TESTS}::test_nothing_is_published_that_nobody_could_have_read",),
    ),
    Control(
        "a preview of weights is good for a week",
        "it never grows old",
        PREVIEW,
        "is_old = at - preview.made_at > GOOD_FOR or",
        "is_old = False or",
        (f"{WEIGHTS_TESTS}::test_a_preview_is_good_for_a_week",),
    ),
    Control(
        "a preview beside weights that are past cannot be published",
        "what came in between is not looked at",
        PREVIEW,
        "    if preview.after_version != newest_weights().version:\n"
        "        return weighing.NewerWeights()\n",
        "",
        (f"{WEIGHTS_TESTS}::test_of_two_administrators_at_once_the_second_looks_again",),
    ),
    Control(
        "of two new versions of the weights at once one is refused",
        "the later one is put on top",
        "practice/matches/market/weighing.py",
        "    if before is None or before.version != after:\n        raise NewerWeights\n",
        "    assert before is not None\n    after = before.version\n",
        (
            "tests/practice/matches/market/test_weighing.py"
            "::test_what_was_meant_to_follow_an_older_version_is_refused",
        ),
    ),
    Control(
        "lists of people without the privacy notice are not worked out again",
        "any list is found",
        "practice/matches/policy.py",
        "    return sa.select(Proposal)"
        ".where(in_force(Purpose.privacy_notice, Proposal.client_id))\n",
        "    return sa.select(Proposal)\n",
        (
            f"{REPLAY_TESTS}::test_whoever_took_back_the_privacy_notice_is_not_worked_out",
            f"{WEIGHTS_TESTS}"
            "::test_the_newest_list_of_each_person_counts_while_their_notice_stands",
        ),
    ),
    Control(
        "what is shown outside a list counts as no list when weights are tried out",
        "whatever was shown counts",
        "practice/matches/policy.py",
        "    return proposals_under_notice().where(Proposal.kind == ProposalKind.matches)\n",
        "    return proposals_under_notice()\n",
        (f"{BESIDES_TESTS}::test_they_count_as_no_list_of_anybodys",),
    ),
    Control(
        "what is shown outside a list counts as no list when therapists learn how they are found",
        "whatever was shown counts",
        "practice/matches/reach/policy.py",
        "        Proposal.kind == ProposalKind.matches,\n",
        "",
        (f"{BESIDES_TESTS}::test_they_count_as_no_list_of_anybodys",),
    ),
    Control(
        "a request rests on a list and not on an answer to why not",
        "whatever was shown last is its list",
        "practice/matches/operations.py",
        "        Proposal.client_id == client.id, Proposal.kind == ProposalKind.matches\n",
        "        Proposal.client_id == client.id\n",
        (f"{BESIDES_TESTS}::test_asking_somebody_rests_on_the_list_and_not_on_why_not",),
    ),
    Control(
        "what is kept says under seal where it was shown and which place was told",
        "the digest covers lists alone",
        "practice/matches/kept.py",
        "    if shown_as != A_LIST:\n",
        "    if not shown_as:\n",
        (
            f"{BESIDES_TESTS}::test_a_kind_or_a_place_that_was_changed_from_outside_is_told",
            f"{BESIDES_TESTS}::test_a_list_of_one_is_kept_beside_the_same_answer_to_why_not",
        ),
    ),
    Control(
        "whoever a list was shown to reads who worked it out again",
        "the act names nobody",
        REPLAYING,
        "        clients=[proposal.client.public_id],\n",
        "        clients=[],\n",
        (
            f"{REPLAY_TESTS}::test_each_look_is_written_down_for_the_person_with_the_reason",
            f"{WEIGHTS_TESTS}::test_a_list_is_worked_out_by_its_number_and_a_reason",
        ),
    ),
    Control(
        "what is kept of a list is held to its digest",
        "whatever is kept is believed",
        REPLAYING,
        "    if digest_of(proposal) != proposal.digest:\n        return Verdict.changed\n",
        "",
        (
            f"{REPLAY_TESTS}::test_what_was_changed_in_the_record_is_told",
            f"{REPLAY_TESTS}::test_a_column_in_the_clear_that_was_changed_is_told",
        ),
    ),
    Control(
        "what is worked out again is held to the points that were shown",
        "the digest is enough",
        REPLAYING,
        "        return Verdict.same if equal and in_order else Verdict.other_points\n"
        "    if proposal.engine_version",
        "        return Verdict.same\n    if proposal.engine_version",
        (
            f"{REPLAY_TESTS}"
            "::test_weights_that_were_changed_behind_the_records_are_told_beside_what_was_shown",
            f"{REPLAY_TESTS}::test_another_engine_that_reckons_otherwise_shows_both",
        ),
    ),
    Control(
        "a version of the weights is never rewritten",
        "weights are no record",
        "practice/append_only.py",
        '    WeightsVersion: frozenset("public_id version weights reason decided_by_id decided_at"'
        ".split()),\n",
        "    WeightsVersion: frozenset(),\n",
        ("tests/practice/matches/market/test_weighing.py::test_a_version_is_never_rewritten",),
    ),
)
