"""Care: what somebody may see of a client, and on what consent."""

from tests.controls.control import Control

WALK = "tests/journeys/test_private_pages.py::test_nobody_opens_a_page_that_is_not_theirs"
CARE = "tests/practice/care/test_care.py"
FLAGS = "tests/practice/intake/test_flag_operations.py"
FLAG_PAGES = "tests/practice/intake/test_flag_views.py"

CONTROLS = (
    Control(
        "a record is for the therapist of its episode",
        "every episode is everybody's",
        "practice/care/policy.py",
        "theirs = sa.and_(Episode.therapist_id == therapist.id, consented)",
        "theirs = sa.true()",
        (f"{CARE}::test_nobody_else_finds_the_record", WALK),
    ),
    Control(
        "a consent taken back hides the record at once",
        "the consent's clause left out of the query",
        "practice/care/policy.py",
        "theirs = sa.and_(Episode.therapist_id == therapist.id, consented)",
        "theirs = Episode.therapist_id == therapist.id",
        (f"{CARE}::test_the_consent_stands_in_the_query_itself",),
    ),
    Control(
        "a consent taken back is no longer in force",
        "revocations are not looked at",
        "practice/consent/policy.py",
        ".where(~taken_back.exists())",
        "",
        (
            "tests/practice/consent/test_signing.py"
            "::test_taking_back_ends_it_at_once_and_keeps_what_was_signed",
        ),
    ),
    Control(
        "a consent holds for its scope alone",
        "the scope left out of the clause",
        "practice/consent/policy.py",
        ".where(_SIGNATURE.client_id == client_id, _SIGNATURE.scope == scope)",
        ".where(_SIGNATURE.client_id == client_id)",
        (
            "tests/practice/consent/test_signing.py"
            "::test_a_consent_holds_for_its_person_its_purpose_and_its_scope_alone",
        ),
    ),
    Control(
        "taking the consent back ends the care",
        "nobody hears of the revocation",
        "practice/consent/operations.py",
        "consent_revoked.send(signature.purpose, signature=signature)",
        "pass",
        (
            "tests/practice/consent/test_signing.py"
            "::test_the_rooms_on_the_right_hear_of_it_inside_the_transaction",
            "tests/practice/appointments/test_operations.py"
            "::test_withdrawing_the_treatment_consent_cancels_what_is_ahead_and_ends_the_care",
        ),
    ),
    Control(
        "words that changed are read before they are signed",
        "the text shown is not compared",
        "practice/consent/operations.py",
        "if shown and str(document.public_id) not in shown:",
        "if False:",
        (
            "tests/practice/consent/test_pages.py"
            "::test_words_published_while_the_page_was_open_are_read_before_they_are_signed",
        ),
    ),
    Control(
        "somebody else's signature is not found",
        "signatures of all clients",
        "practice/consent/policy.py",
        ".where(Signature.client_id == client.id)\n        .options",
        ".options",
        (
            "tests/practice/consent/test_pages.py::test_somebody_elses_signature_is_not_found",
            "tests/practice/consent/test_pages.py::test_somebody_elses_signature_is_not_taken_back",
        ),
    ),
    Control(
        "no health question before both consents",
        "the questions are open at once",
        "practice/consent/policy.py",
        "return not any(needs_signing(purpose, client) for purpose in BEFORE_INTAKE)",
        "return True",
        ("tests/practice/intake/test_views.py::test_no_health_question_before_both_consents",),
    ),
    Control(
        "an ended episode is no longer there",
        "ended episodes stay open to read",
        "practice/care/policy.py",
        "Episode.ended_at.is_(None), ",
        "",
        (f"{CARE}::test_an_ended_episode_is_no_longer_there",),
    ),
    Control(
        "nobody is asked to agree to what is over",
        "ended care is asked about",
        "practice/consent/renewing.py",
        "        .where(~is_over(signature))\n",
        "",
        (
            "tests/practice/consent/test_going_on.py"
            "::test_whose_care_has_ended_is_not_asked_and_not_counted",
            "tests/practice/consent/test_going_on.py"
            "::test_in_a_group_only_who_has_a_seat_and_meets_again_is_asked",
        ),
    ),
    Control(
        "a supervisor reads along only while supervising",
        "an unconfirmed supervision counts",
        "practice/care/policy.py",
        "Therapist.supervisor_confirmed_at.is_not(None),",
        "",
        (f"{CARE}::test_a_supervisor_reads_along_and_no_longer_once_the_supervision_ended",),
    ),
    Control(
        "each view of a record writes one row",
        "the record is shown without its row",
        "practice/care/views.py",
        'viewed(session, "record.viewed", "episode", found.public_id, [found.client], role)',
        "pass",
        (f"{CARE}::test_each_view_of_the_record_adds_one_row", f"{CARE}::test_no_row_no_page"),
    ),
    Control(
        "each opening of a flag writes one row",
        "the flag is shown without its row",
        "practice/intake/flags/views.py",
        "flag_operations.read_flag(session, found, current_user.user, now())",
        "pass",
        (
            f"{FLAG_PAGES}::test_every_opening_of_a_flag_writes_one_row_of_the_log",
            f"{FLAG_PAGES}::test_without_the_row_there_is_no_page",
        ),
    ),
    Control(
        "flags are for duty clinicians and the lead",
        "every role sees them",
        "practice/intake/policy.py",
        "if not user.has(*FLAG_READERS):",
        "if False:",
        (f"{FLAGS}::test_no_other_role_sees_a_flag",),
    ),
    Control(
        "nobody reads a flag about themselves",
        "a clinician's own flag is shown",
        "practice/intake/policy.py",
        "RiskFlag.client_id.not_in(about), sa.or_(is_waiting(), consented)",
        "sa.or_(is_waiting(), consented)",
        (f"{FLAGS}::test_a_clinician_does_not_read_a_flag_about_themselves",),
    ),
    Control(
        "nobody closes a flag that they have not read",
        "unread flags can be closed",
        "practice/intake/flags/operations.py",
        "if not flag.was_read_by(actor):\n        raise NotReadYet",
        "pass",
        (f"{FLAGS}::test_nobody_closes_what_they_have_not_read",),
    ),
    Control(
        "a risky answer raises a flag, whatever the total",
        "no flag is raised",
        "practice/intake/flags/operations.py",
        "if _is_known(session, intake, page):\n        return None",
        "return None",
        (f"{FLAGS}::test_a_risky_answer_raises_a_flag_the_moment_it_is_saved",),
    ),
    Control(
        "a client's answers are theirs alone",
        "everybody's intakes",
        "practice/intake/policy.py",
        "return sa.select(Intake).where(Intake.client_id == client.id)",
        "return sa.select(Intake)",
        (
            "tests/practice/intake/test_views.py"
            "::test_one_client_never_sees_or_changes_the_answers_of_another",
        ),
    ),
    Control(
        "a request is for the therapist who was asked",
        "requests to anybody",
        "practice/matches/policy.py",
        "MatchRequest.therapist_id.in_(own),",
        "",
        ("tests/practice/matches/test_pages.py::test_somebody_elses_request_is_not_found", WALK),
    ),
    Control(
        "a meeting shows only while the consent stands",
        "the consent's clause left out of the query",
        "practice/appointments/policy.py",
        "in_force(Purpose.treatment, Appointment.client_id, scope),",
        "",
        (
            "tests/practice/appointments/test_policy.py"
            "::test_the_consent_stands_in_the_query_of_meetings_itself",
        ),
    ),
    Control(
        "a meeting is for its two people",
        "everybody's meetings",
        "practice/appointments/policy.py",
        "return sa.select(Appointment).where(Appointment.client_id == client.id)",
        "return sa.select(Appointment)",
        ("tests/practice/appointments/test_pages.py::test_somebody_elses_meeting_is_not_found",),
    ),
    Control(
        "somebody else's seat is not there",
        "everybody's enrolments",
        "practice/groups/policy.py",
        "return sa.select(Enrolment).where(Enrolment.client_id == mine)",
        "return sa.select(Enrolment)",
        (
            "tests/practice/groups/test_joining_pages.py"
            "::test_somebody_elses_enrolment_is_not_there",
            "tests/journeys/test_a_seat_is_paid_and_given_up.py::test_nobody_opens_somebody_elses_seat",
        ),
    ),
    Control(
        "a group is led by its leaders",
        "every therapist leads every group",
        "practice/groups/policy.py",
        "return sa.select(Group).where(_is_led_by(user))",
        "return sa.select(Group)",
        (
            "tests/practice/groups/test_leading.py::test_another_therapists_group_is_not_there",
            WALK,
        ),
    ),
)
