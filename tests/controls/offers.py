"""Who may be offered, why somebody is not, and who decides about licences."""

from tests.controls.control import Control

CREDENTIALS = "practice/credentials/operations.py"
CREDENTIAL_TESTS = "tests/practice/credentials/test_operations.py"
AUTHORITY_TESTS = "tests/practice/therapists/test_authority.py"
MATCH_PAGES = "tests/practice/matches/test_pages.py"

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
        '"Some" if count < FEWEST_TOLD else str(count)',
        "str(count)",
        (f"{MATCH_PAGES}::test_nobody_fits_says_what_stands_in_the_way_and_what_there_is",),
    ),
    Control(
        "wishes about the person are never counted",
        "every rule is counted",
        "practice/matches/obstacles.py",
        '    "must.approach": (',
        '    "must.gender": ("are not who you wished for", "wishes"),\n    "must.approach": (',
        (f"{MATCH_PAGES}::test_wishes_about_the_person_are_never_counted",),
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
        "practice/neutral_mail.py",
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
