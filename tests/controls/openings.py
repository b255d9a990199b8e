"""Records after the care and outside it: closing notes, the custodian, emergencies."""

from tests.controls.control import Control

POLICY = "practice/care/policy.py"
EMERGENCY = "practice/care/emergency/operations.py"
EMERGENCY_POLICY = "practice/care/emergency/policy.py"
CLOSING_TESTS = "tests/practice/care/test_closing.py"
LATE_TESTS = "tests/practice/care/test_late_notes.py"
CUSTODY_TESTS = "tests/practice/care/test_custody.py"
EMERGENCY_TESTS = "tests/practice/care/test_emergency.py"

CONTROLS = (
    Control(
        "whoever signed up as a therapist asks for no record before they are verified",
        "any therapist asks",
        EMERGENCY_POLICY,
        "(user.has(Role.therapist) and is_verified(user))",
        "user.has(Role.therapist)",
        (
            f"{EMERGENCY_TESTS}"
            "::test_who_signed_up_as_a_therapist_and_is_not_verified_finds_no_door",
            f"{EMERGENCY_TESTS}::test_a_therapist_who_is_suspended_within_the_hour_reads_no_longer",
        ),
    ),
    Control(
        "for a week a new therapist is the hand of who verified them",
        "they are a second person at once",
        "practice/credentials/operations.py",
        "            _note_who_took_them_in(subject.therapist.user, actor, at)\n",
        "            pass\n",
        (
            "tests/practice/credentials/test_operations.py"
            "::test_for_a_week_a_new_therapist_is_the_hand_of_who_verified_them",
        ),
    ),
    Control(
        "closing notes end after thirty days",
        "they can be written for ever",
        "practice/care/closing.py",
        "if until <= at:\n        raise ClosingNotesOver",
        "pass",
        (
            f"{CLOSING_TESTS}"
            "::test_notes_are_written_to_the_last_minute_of_day_thirty_and_not_on_day_31",
        ),
    ),
    Control(
        "closing notes are the responsible clinician's",
        "anybody finds them",
        POLICY,
        "return sa.select(Episode).where(_is_own(user), Episode.ended_at > at - CLOSING_NOTES)",
        "return sa.select(Episode).where(Episode.ended_at > at - CLOSING_NOTES)",
        (f"{CLOSING_TESTS}::test_neither_supervisor_nor_colleague_finds_the_notes",),
    ),
    Control(
        "what is typed too late is not lost",
        "the page is not found",
        "practice/care/closing_views.py",
        "if form.words.data and queries.handed_on_episode(current_user.user, episode, at):",
        "if False:",
        (f"{LATE_TESTS}::test_what_was_typed_is_given_back_and_nothing_of_the_record_with_it",),
    ),
    Control(
        "a late note is the responsible clinician's",
        "any therapist adds to any record",
        POLICY,
        "return sa.select(Episode).where(_is_own(user), Episode.ended_at <= at - CLOSING_NOTES)",
        "return sa.select(Episode).where(Episode.ended_at <= at - CLOSING_NOTES)",
        (f"{LATE_TESTS}::test_nobody_elses_record_takes_a_late_note",),
    ),
    Control(
        "a late note is marked as late",
        "it looks like one that was in time",
        "practice/care/models.py",
        "return until is not None and until <= self.written_at",
        "return False",
        (
            f"{LATE_TESTS}::test_handed_over_it_stands_in_the_record_late_by_its_author_and_time",
            f"{LATE_TESTS}::test_the_custodian_finds_what_came_and_reads_it_only_with_a_reason",
        ),
    ),
    Control(
        "each search of the custodian is written down",
        "names are opened in silence",
        "practice/care/custody.py",
        "    _record_search(session, found, actor, at)\n",
        "",
        (f"{CUSTODY_TESTS}::test_each_search_is_one_row_that_says_how_many_names_were_opened",),
    ),
    Control(
        "the custodian holds what is closed, and nothing before",
        "records are there as soon as the care ends",
        POLICY,
        "Episode.ended_at <= at - CLOSING_NOTES, Episode.client_id.not_in(_records_of(user))",
        "Episode.ended_at <= at, Episode.client_id.not_in(_records_of(user))",
        (f"{CUSTODY_TESTS}::test_before_thirty_days_are_over_the_custodian_finds_nothing",),
    ),
    Control(
        "what the custodian found closes after an hour",
        "it stays open",
        POLICY,
        "RecordLookup.at > at - LOOKUP,",
        "",
        (f"{CUSTODY_TESTS}::test_what_was_found_closes_after_an_hour_and_is_the_finders_alone",),
    ),
    Control(
        "nobody is the custodian of their own record",
        "their own is found too",
        POLICY,
        "Episode.ended_at <= at - CLOSING_NOTES, Episode.client_id.not_in(_records_of(user))",
        "Episode.ended_at <= at - CLOSING_NOTES",
        (f"{CUSTODY_TESTS}::test_nobody_is_the_custodian_of_their_own_record",),
    ),
    Control(
        "a supervisor reads where the client agreed to them",
        "any supervisor reads along",
        POLICY,
        "return sa.and_(theirs, Episode.supervisor_id.in_(_profiles_of(user)))",
        "return theirs",
        (
            "tests/practice/care/test_supervisors.py"
            "::test_a_new_supervisor_sees_nothing_until_the_client_agrees",
        ),
    ),
    Control(
        "an emergency opening needs a second person",
        "the asker may decide",
        EMERGENCY,
        "if not actor.has(*MAY_DECIDE) or actor.id in (opening.asked_by_id, "
        "opening.client.user_id):",
        "if not actor.has(*MAY_DECIDE):",
        (
            f"{EMERGENCY_TESTS}::test_the_asker_cannot_be_the_second_person",
            f"{EMERGENCY_TESTS}::test_neither_can_the_client_nor_somebody_without_the_role",
        ),
    ),
    Control(
        "an emergency opening ends by itself after sixty minutes",
        "it stays open",
        EMERGENCY_POLICY,
        "EmergencyOpening.opened_at > at - OPEN_FOR,",
        "",
        (
            f"{EMERGENCY_TESTS}::test_it_ends_by_itself_after_sixty_minutes_by_the_clock",
            f"{EMERGENCY_TESTS}::test_danger_too_ends_after_sixty_minutes",
        ),
    ),
    Control(
        "an emergency opening is the asker's alone",
        "every colleague reads along",
        EMERGENCY_POLICY,
        "return openings_asked_by(user).where(\n        EmergencyOpening.opened_at <= at,",
        "return sa.select(EmergencyOpening).where(\n        EmergencyOpening.opened_at <= at,",
        (f"{EMERGENCY_TESTS}::test_it_is_the_askers_alone",),
    ),
    Control(
        "only a duty clinician opens at once",
        "everybody may",
        EMERGENCY,
        "if not actor.has(Role.duty_clinician):\n        raise NotAllowed",
        "pass",
        (f"{EMERGENCY_TESTS}::test_nobody_else_opens_at_once",),
    ),
    Control(
        "whoever opened in danger does not review it",
        "the lead reviews their own",
        EMERGENCY,
        "_require_lead(session, opening, actor, at)\n    if not opening.wants_review:",
        "if not opening.wants_review:",
        (f"{EMERGENCY_TESTS}::test_whoever_opened_it_does_not_review_it",),
    ),
    Control(
        "the client is told of an emergency opening",
        "nobody is told",
        EMERGENCY,
        "    tell(session, opening, at)\n\n\ndef _client(",
        "\n\ndef _client(",
        (f"{EMERGENCY_TESTS}::test_the_client_is_told_at_once_who_why_and_when",),
    ),
    Control(
        "a notice waits thirty days at most",
        "it can be put off for ever",
        EMERGENCY,
        "if not at < until <= opening.latest_notice:",
        "if not at < until:",
        (f"{EMERGENCY_TESTS}::test_a_notice_waits_thirty_days_at_most",),
    ),
    Control(
        "searches that find nobody end",
        "one may go on guessing",
        EMERGENCY,
        "if _misses(session, actor, at) >= MOST_MISSES:",
        "if False:",
        (f"{EMERGENCY_TESTS}::test_searches_that_find_nobody_are_counted_and_end",),
    ),
    Control(
        "a removal of a second factor takes two",
        "whoever asked confirms",
        "practice/accounts/factor_resets.py",
        "two_people.require_two(session, reset.asked_by, actor, at)",
        "pass",
        ("tests/practice/accounts/test_factor_resets.py::test_whoever_asked_cannot_confirm",),
    ),
    Control(
        "a new address must answer first",
        "it counts as soon as it is asked for",
        "practice/accounts/addresses.py",
        "    token = tokens.issue(session, user, EmailTokenPurpose.new_address, at)\n"
        "    if user_with(session, email) is None:",
        "    token = tokens.issue(session, user, EmailTokenPurpose.new_address, at)\n"
        "    user.email = email\n    if user_with(session, email) is None:",
        (
            "tests/practice/accounts/test_addresses.py"
            "::test_until_the_new_address_answers_nothing_changes",
        ),
    ),
    Control(
        "ending browsers asks for a fresh proof",
        "an open browser is enough",
        "practice/accounts/account_views.py",
        "@step_up\ndef end_other_browsers() -> Page:",
        "def end_other_browsers() -> Page:",
        (
            "tests/practice/accounts/test_ending_browsers.py"
            "::test_ending_browsers_asks_for_a_fresh_proof",
        ),
    ),
)
