"""Who may be offered, why somebody is not, and who decides about licences."""

from tests.controls.control import Control

CREDENTIALS = "practice/credentials/operations.py"
CREDENTIAL_TESTS = "tests/practice/credentials/test_operations.py"
AUTHORITY_TESTS = "tests/practice/therapists/test_authority.py"
MATCH_PAGES = "tests/practice/matches/test_pages.py"
MARKET_TESTS = "tests/practice/matches/market/test_of_many.py"
WHAT_IF_TESTS = "tests/practice/matches/test_what_if.py"
WAITING = "practice/waiting"
WAITING_TESTS = "tests/practice/waiting"
REVIEW_TESTS = "tests/practice/matches/test_reviews.py"

CONTROLS = (
    Control(
        "nobody decides on their own application",
        "the check for one's own left out",
        CREDENTIALS,
        "if therapist.user_id == actor.id:\n        raise OwnApplication",
        "pass",
        (f"{CREDENTIAL_TESTS}::test_nobody_works_on_their_own_application",),
    ),
    Control(
        "one's own application is not in the queue",
        "the queue holds one's own",
        "practice/credentials/policy.py",
        ".where(Application.state != ApplicationState.draft, Therapist.user_id != user.id)",
        ".where(Application.state != ApplicationState.draft)",
        (
            "tests/practice/credentials/test_pages.py"
            "::test_a_draft_is_nobodys_business_and_ones_own_application_never_waits",
        ),
    ),
    Control(
        "a reversal takes a second administrator",
        "the first one may confirm",
        CREDENTIALS,
        "require_two(session, reversal.proposed_by, actor, at)",
        "pass",
        (f"{CREDENTIAL_TESTS}::test_to_undo_a_decision_takes_two",),
    ),
    Control(
        "no licence is verified without a look at the primary source",
        "faults are not looked for",
        CREDENTIALS,
        "if faults:\n        raise NotReady(faults)",
        "pass",
        (
            f"{CREDENTIAL_TESTS}::test_a_difference_or_old_evidence_refuses_verifying_in_words",
            f"{CREDENTIAL_TESTS}::test_an_application_needs_an_npi_that_was_looked_up_and_a_verified_licence",
        ),
    ),
    Control(
        "evidence is for the licence as it was declared",
        "a changed licence keeps its evidence",
        CREDENTIALS,
        "if declared_at not in (None, licence.declared_at):\n        raise ChangedMeanwhile",
        "pass",
        (
            "tests/practice/credentials/test_pages.py"
            "::test_a_look_up_counts_for_what_stood_on_the_page_when_it_was_made",
        ),
    ),
    Control(
        "only verified people are listed",
        "an application under review is enough",
        "practice/therapists/queries.py",
        "return sa.select(Therapist).where(_is_verified(Therapist), right)",
        "return sa.select(Therapist).where(right)",
        (f"{AUTHORITY_TESTS}::test_only_a_verified_application_is_listed",),
    ),
    Control(
        "a licence ends at midnight in its own zone, also while booking",
        "the booking does not ask for the licence",
        "practice/appointments/operations.py",
        "_require_licence(appointment.therapist_id, client.place, at, appointment.ends_at)",
        "pass",
        (
            "tests/practice/appointments/test_operations.py"
            "::test_a_licence_that_ends_meanwhile_is_looked_at_again_in_the_booking",
            "tests/practice/appointments/test_operations.py"
            "::test_a_licence_that_is_suspended_meanwhile_refuses_the_booking",
            "tests/practice/appointments/test_operations.py"
            "::test_a_client_who_has_moved_is_not_booked_across_a_border",
        ),
    ),
    Control(
        "nobody accepts with a licence that has ended",
        "accepting does not ask for the licence",
        "practice/matches/operations.py",
        "if not has_authority(request.therapist_id, request.place, at):",
        "if False:",
        (
            "tests/practice/matches/test_operations.py"
            "::test_nobody_accepts_with_a_licence_that_has_ended_meanwhile",
        ),
    ),
    Control(
        "nobody answers for another therapist",
        "anybody may answer a request",
        "practice/matches/operations.py",
        "_require_own(request, actor)\n    lock(session, request)\n    if request.is_overdue(at):",
        "lock(session, request)\n    if request.is_overdue(at):",
        ("tests/practice/matches/test_operations.py::test_nobody_answers_for_another_therapist",),
    ),
    Control(
        "reasons use only what a public profile prints",
        "whoever turned the client down is named",
        "practice/matches/reasons.py",
        'tell = self._tellers.get(failure.rule)\n        return tell(failure) if tell else ""',
        "tell = self._tellers.get(failure.rule)\n"
        '        return tell(failure) if tell else f"There is another reason: {failure.rule}."',
        (
            f"{MATCH_PAGES}::test_worlds_that_differ_in_a_private_fact_give_the_same_bytes",
            "tests/practice/matches/test_words.py::test_private_failures_have_no_words",
        ),
    ),
    Control(
        "a count below ten is no figure",
        "every count is told",
        "practice/matches/obstacles.py",
        '"Some" if count < FEWEST_TOLD else f"About {rounded(count)}"',
        'f"About {rounded(count)}"',
        (f"{MATCH_PAGES}::test_nobody_fits_says_what_stands_in_the_way_and_what_there_is",),
    ),
    Control(
        "wishes about the person are never counted",
        "every rule is counted",
        "practice/matches/obstacles.py",
        '    "must.approach": (',
        '    "must.gender": ("are not who you wished for", "wishes", '
        'lambda client: {"wishes": dict(client.wishes)}),\n    "must.approach": (',
        (f"{MATCH_PAGES}::test_wishes_about_the_person_are_never_counted",),
    ),
    Control(
        "asking looks at the rows of its own transaction",
        "what may have changed is not looked at again",
        "practice/matches/operations.py",
        "failing = failing_rules(values, entry.values)",
        "failing: frozenset[str] = frozenset()",
        (
            "tests/practice/matches/test_operations.py"
            "::test_asking_looks_at_the_rows_themselves_whatever_a_process_has_kept",
        ),
    ),
    Control(
        "every process learns of a change to who can be found",
        "no version is raised",
        "practice/matches/market/changes.py",
        "        _write_down(session.connection(), changes)",
        "        pass",
        (
            f"{MARKET_TESTS}::test_what_one_process_changes_the_other_shows_at_its_next_page",
            f"{MARKET_TESTS}"
            "::test_a_licence_that_is_verified_in_one_process_is_offered_by_the_other",
        ),
    ),
    Control(
        "a licence ends in what a process has kept at its own midnight",
        "nobody's time runs out",
        "practice/matches/market/ends.py",
        "return bool(self._heap) and self._heap[0][0] <= at",
        "return False",
        (f"{MARKET_TESTS}::test_each_process_lets_a_licence_end_by_itself",),
    ),
    Control(
        "no page sees half of a change to the market",
        "a page takes its answers while another changes it",
        "practice/matches/market/in_place.py",
        "        with self._lock:\n            yield self._index",
        "        yield self._index",
        (f"{MARKET_TESTS}::test_while_one_page_takes_its_answers_no_other_changes_the_market",),
    ),
    Control(
        "exact hours do not show through why not",
        "the nearest exact hour is told",
        "practice/matches/reasons.py",
        'return f"{lists} {nearest.words(self.profile.zone)}" if nearest else lists',
        "return f\"{lists} {failure.facts['nearest_hour']}\"",
        (f"{MATCH_PAGES}::test_exact_hours_show_only_as_the_parts_of_the_day_that_are_printed",),
    ),
    Control(
        "trying wishes tells no count below ten",
        "every count is told",
        "practice/matches/what_if/trying.py",
        'return FEW if count < FEWEST_TOLD else f"about {rounded(count)}"',
        'return f"about {rounded(count)}"',
        (f"{WHAT_IF_TESTS}::test_no_count_below_ten_is_told_apart",),
    ),
    Control(
        "two wishes that are tried tell no count below ten by subtraction",
        "exact figures are told",
        "practice/matches/obstacles.py",
        "return ROUNDED_TO * ((count + ROUNDED_TO // 2) // ROUNDED_TO)",
        "return count",
        (f"{WHAT_IF_TESTS}::test_subtracting_what_two_wishes_show_tells_no_count_below_ten",),
    ),
    Control(
        "trying wishes counts no wish about the person",
        "they count like any other",
        "practice/matches/what_if/trying.py",
        "return replace(client, wishes=kept)",
        "return client",
        (f"{WHAT_IF_TESTS}::test_wishes_about_the_person_are_in_no_count",),
    ),
    Control(
        "only wishes whose effect was shown are kept",
        "whatever is sent is kept",
        "practice/matches/what_if/views.py",
        'if is_to_keep and request.form.get("shown") == wishes.digest:',
        "if is_to_keep:",
        (
            f"{WHAT_IF_TESTS}::test_what_was_not_shown_is_not_kept_but_shown",
            f"{WHAT_IF_TESTS}"
            "::test_wishes_that_changed_elsewhere_since_they_were_shown_are_shown_anew",
        ),
    ),
    Control(
        "a look that fails leaves nothing standing that was shown before",
        "what was shown stands on beside it",
        "static/js/previews.js",
        "region.replaceChildren(...shown.childNodes);",
        "region.append(...shown.childNodes);",
        (
            "tests/journeys/test_other_wishes.py"
            "::test_a_look_that_fails_leaves_nothing_standing_that_was_shown_before",
        ),
    ),
    Control(
        "who is beyond everybody's scope is promised no reading that is not to come",
        "the rota's promise is given to everybody",
        "practice/matches/page.py",
        "return crisis_words(intake(), now(), lasting=True) if",
        'return "A clinician is on duty now, and reads this answer in that time." if',
        (
            f"{MATCH_PAGES}::test_nobody_is_said_to_read_an_answer_that_raised_no_flag",
            f"{MATCH_PAGES}::test_an_answer_that_was_read_is_not_promised_to_be_read_again",
        ),
    ),
    Control(
        "where nobody fits, help stands above it for who may be in danger",
        "only wishes to change are shown",
        "templates/matches/nobody.html",
        "{% if reading is not none %}",
        "{% if false %}",
        (f"{MATCH_PAGES}::test_where_nobody_fits_help_stands_above_it_for_who_may_be_in_danger",),
    ),
    Control(
        "whoever waits and is beyond everybody's scope is led to a person first",
        "they wait like everybody",
        f"{WAITING}/views.py",
        "needs_more=fits_nobody and search.is_beyond_every_scope(),",
        "needs_more=False,",
        (
            f"{WAITING_TESTS}/test_pages.py"
            "::test_somebody_beyond_every_scope_is_led_to_a_person_before_they_wait",
        ),
    ),
    Control(
        "help stands above the wait for whoever may be in danger",
        "only the wait is shown",
        "templates/waiting/index.html",
        "{% if needs_more or reading is not none %}",
        "{% if false %}",
        (
            f"{WAITING_TESTS}/test_pages.py"
            "::test_help_stands_above_the_wait_for_whoever_may_be_in_danger",
            f"{WAITING_TESTS}/test_pages.py"
            "::test_somebody_beyond_every_scope_is_led_to_a_person_before_they_wait",
        ),
    ),
    Control(
        "whoever is acutely unwell is offered a person before wishes to change",
        "they are sent to change their wishes like everybody",
        "practice/matches/obstacles.py",
        "return (client.acuity or 0) >= ACUTE",
        "return False",
        (
            f"{MATCH_PAGES}"
            "::test_whoever_is_acutely_unwell_is_offered_a_person_before_wishes_to_change",
        ),
    ),
    Control(
        "nobody's scope shows through what stands in the way",
        "only those within whose scope they are are counted",
        "practice/matches/search.py",
        "return matching.Client(place=self.values.place, on=self.values.on)",
        "return matching.Client(\n            place=self.values.place, on=self.values.on, "
        "acuity=self.values.acuity\n        )",
        (f"{MATCH_PAGES}::test_that_a_person_should_look_tells_nobodys_scope",),
    ),
    Control(
        "nothing typed is lost when a therapist cannot be asked by now",
        "they are sent back to the list",
        "practice/matches/views.py",
        "return _cannot_ask(therapist, form) or _refused(refusal)",
        "return _refused(refusal)",
        (f"{MATCH_PAGES}::test_nothing_typed_is_lost_when_they_cannot_be_asked_by_now",),
    ),
    Control(
        "nothing about health is ticked beforehand",
        "concerns are, as they used to be",
        "practice/matches/sharing.py",
        'TICKED_BEFOREHAND = ("hours", "languages")',
        'TICKED_BEFOREHAND = ("concerns", "hours", "languages")',
        (f"{MATCH_PAGES}::test_nothing_about_health_is_ticked_beforehand",),
    ),
    Control(
        "only the clinical lead answers, and never their own",
        "anybody answers a client who asks for a look",
        "practice/matches/reviews/operations.py",
        "if not actor.has(Role.clinical_lead) or actor.id == review.client.user_id:",
        "if False:",
        (
            f"{REVIEW_TESTS}::test_only_the_clinical_lead_answers",
            f"{REVIEW_TESTS}::test_nobody_answers_their_own",
        ),
    ),
    Control(
        "a promised answer that is late is escalated",
        "nobody is told",
        "practice/matches/reviews/operations.py",
        "if not review.is_overdue(at) or review.told_late_at is not None:",
        "if True:",
        (f"{REVIEW_TESTS}::test_a_late_answer_is_escalated_once_and_not_a_second_early",),
    ),
    Control(
        "nothing is proposed for whoever asked or was offered somebody meanwhile",
        "everybody who waits is proposed for",
        f"{WAITING}/runs.py",
        "entries = can_be_placed_now().with_for_update(",
        "entries = sa.select(WaitingEntry).with_for_update(",
        (
            f"{WAITING_TESTS}/test_runs.py"
            "::test_whoever_asked_or_was_offered_somebody_meanwhile_is_not_proposed",
        ),
    ),
    Control(
        "only the clinical lead decides on placements, and never their own",
        "anybody places those who wait",
        f"{WAITING}/deciding.py",
        "if is_own or not actor.has(Role.clinical_lead):",
        "if False:",
        (f"{WAITING_TESTS}/test_deciding.py::test_nobody_but_the_lead_decides",),
    ),
    Control(
        "whoever takes a consent back is not on the waiting list for anybody",
        "the list forgets the consents",
        f"{WAITING}/policy.py",
        "        *(in_force(purpose, Placement.client_id) for purpose in RESTS_ON),\n",
        "",
        (
            f"{WAITING_TESTS}/test_deciding.py"
            "::test_a_consent_alone_hides_them_whatever_else_was_forgotten",
        ),
    ),
    Control(
        "a place that is kept for somebody is taken",
        "places are promised and not taken",
        f"{WAITING}/deciding.py",
        "        take_place(session, therapist.id)\n",
        "        pass\n",
        (
            f"{WAITING_TESTS}/test_deciding.py"
            "::test_a_therapist_who_became_full_is_named_and_nothing_is_half_done",
        ),
    ),
    Control(
        "a placement is decided once",
        "what was decided is decided again",
        f"{WAITING}/deciding.py",
        "return placement.state is PlacementState.proposed and placement.version <= seen",
        "return placement.version <= seen",
        (
            f"{WAITING_TESTS}/test_deciding.py"
            "::test_a_decision_is_made_once_and_only_while_the_run_stands",
        ),
    ),
    Control(
        "a placement is looked at again before it is offered",
        "what fitted once is offered",
        f"{WAITING}/deciding.py",
        "if fit is None or not fit.holds:",
        "if False:",
        (f"{WAITING_TESTS}/test_deciding.py::test_what_has_changed_since_is_looked_at_again",),
    ),
    Control(
        "what a legal hold protects does not go with the next proposal",
        "nobody asks whether a hold stands",
        f"{WAITING}/letting_go.py",
        "        .where(*which, Placement.state.in_(UNDECIDED), held)\n",
        "        .where(sa.false())\n",
        (
            f"{WAITING_TESTS}/test_runs.py"
            "::test_what_nobody_decided_goes_but_not_under_a_legal_hold",
        ),
    ),
    Control(
        "a legal hold that is placed while a proposal goes is heeded",
        "the statement that deletes does not look for itself",
        f"{WAITING}/letting_go.py",
        "    _delete(session, *which, ~held)\n",
        "    _delete(session, *which)\n",
        (
            f"{WAITING_TESTS}/test_runs.py"
            "::test_a_hold_that_is_placed_while_a_proposal_goes_is_heeded",
        ),
    ),
    Control(
        "a reason counts only for the two who stood on the page",
        "whoever is proposed by now is not proposed again",
        f"{WAITING}/deciding.py",
        "if not _is_as_seen(placement, seen):",
        "if False:",
        (f"{WAITING_TESTS}/test_pages.py::test_a_reason_is_about_the_two_who_stood_on_the_page",),
    ),
    Control(
        "what a colleague has changed is not confirmed unseen",
        "whatever is proposed by now is confirmed",
        f"{WAITING}/deciding.py",
        " and placement.version <= seen",
        "",
        (
            f"{WAITING_TESTS}/test_deciding.py"
            "::test_what_a_colleague_changed_is_not_confirmed_unseen_and_says_who_and_when",
            f"{WAITING_TESTS}/test_deciding.py"
            "::test_of_many_only_those_are_confirmed_who_are_as_they_were_seen",
            f"{WAITING_TESTS}/test_deciding.py"
            "::test_a_change_that_is_under_way_is_waited_for_and_not_confirmed_unseen",
            f"{WAITING_TESTS}/test_pages.py"
            "::test_what_a_colleague_changed_is_shown_before_it_is_confirmed",
        ),
    ),
    Control(
        "nobody gives way who did not stand on the page",
        "a change is made whatever it costs by now",
        f"{WAITING}/deciding.py",
        "if moved is not None and placement.run.version > seen:",
        "if False:",
        (
            f"{WAITING_TESTS}/test_deciding.py"
            "::test_a_change_costs_nobody_a_place_who_did_not_stand_on_the_page",
        ),
    ),
    Control(
        "whoever would give way is looked at again, with their row locked",
        "whoever stood on the board gives way",
        f"{WAITING}/deciding.py",
        "_propose(session, _locked(session, moved.key), moved.goes_to, actor, at)",
        "_propose(session, session.get_one(Placement, moved.key), moved.goes_to, actor, at)",
        (
            f"{WAITING_TESTS}/test_deciding.py"
            "::test_whoever_would_give_way_and_leaves_in_that_moment_stops_the_change",
        ),
    ),
    Control(
        "a change is an act in the log for each client whom it moves",
        "it is written down of nobody",
        f"{WAITING}/deciding.py",
        '    record(session, placement, "changed", actor, at)\n',
        "",
        (f"{WAITING_TESTS}/test_deciding.py::test_whoever_gives_way_has_a_row_in_the_log_too",),
    ),
    Control(
        "a search that was stopped is said beside how near it is",
        "the page keeps quiet about it",
        "templates/waiting/list.html",
        "{% if run.cut_short %}",
        "{% if false %}",
        (
            f"{WAITING_TESTS}/test_pages.py"
            "::test_a_search_that_was_stopped_is_told_beside_how_near_it_is_and_what_it_means",
        ),
    ),
    Control(
        "how near a proposal is to the best is never rounded to nearer",
        "it is rounded to the nearest",
        f"{WAITING}/comparing.py",
        "math.ceil(round(gap * 10_000, 6))",
        "round(gap * 10_000)",
        (f"{WAITING_TESTS}/test_pages.py::test_how_near_it_is_is_never_rounded_to_nearer",),
    ),
    Control(
        "whoever looks at a match sees nothing of it once it is over",
        "what was asked once stays on the list",
        "practice/matches/policy.py",
        "        MatchReview.state == ReviewState.asked,\n",
        "",
        (f"{REVIEW_TESTS}::test_once_it_is_over_the_lead_sees_none_of_it",),
    ),
    Control(
        "only somebody listed and licensed there is suggested",
        "anybody is suggested",
        "practice/matches/reviews/operations.py",
        "    _require_listed(session, review.client, suggested, at)\n    review.end",
        "    review.end",
        (f"{REVIEW_TESTS}::test_only_somebody_listed_and_licensed_there_is_suggested",),
    ),
    Control(
        "a therapist reads only what the client chose to share",
        "everything goes along",
        "practice/matches/sharing.py",
        "for code in BY_CODE if code in codes}",
        "for code in BY_CODE}",
        (
            "tests/practice/matches/test_operations.py::test_only_what_was_chosen_goes_along",
            f"{MATCH_PAGES}::test_what_was_not_shared_is_not_there",
        ),
    ),
    Control(
        "mails about requests say that something waits",
        "the mail names the occasion",
        "practice/accounts/neutral_mail.py",
        "body=BODY.format(**words),",
        'body=BODY.format(**words) + f"{about} {user.name}",',
        ("tests/practice/matches/test_operations.py::test_mails_name_nobody_and_nothing",),
    ),
    Control(
        "mails about groups say that something waits",
        "the mail names the group",
        "practice/groups/mails.py",
        'for therapist in group.professionals:\n        address = f"/led-groups/{group.public_id}"',
        'for therapist in group.professionals:\n        address = f"/led-groups/{group.title}"',
        (
            "tests/practice/groups/test_operations.py"
            "::test_mails_say_neither_which_group_nor_what_it_is_about",
        ),
    ),
    Control(
        "a calendar file holds nothing private",
        "the file names the therapist",
        "practice/appointments/calendar.py",
        'event.add("summary", "Meeting")',
        'event.add("summary", f"Meeting with {appointment.therapist.name}")',
        (
            "tests/practice/appointments/test_operations.py"
            "::test_the_calendar_file_holds_the_instant_and_nothing_private",
        ),
    ),
)
