"""Reading in silence, and what outlives a consent; more of openings in `openings.py`."""

from tests.controls.control import Control

CLOSING = "tests/practice/care/test_closing.py"
EMERGENCY = "tests/practice/care/test_emergency.py"
TAKING_BACK = "tests/practice/care/test_taking_back.py"
READINGS = "tests/conventions/test_readings.py"
POLICY = "practice/care/policy.py"
EMERGENCY_POLICY = "practice/care/emergency/policy.py"
NOTHING_OUTLIVES = f"{TAKING_BACK}::test_nothing_that_rests_on_a_consent_outlives_it"
ONE_ROW = f"{READINGS}::test_a_page_about_a_client_writes_exactly_one_row_that_names_them"

CONTROLS = (
    Control(
        "the page of closing notes closes after thirty days",
        "the page stays for ever",
        POLICY,
        "return sa.select(Episode).where(_is_own(user), Episode.ended_at > at - CLOSING_NOTES)",
        "return sa.select(Episode).where(_is_own(user), Episode.ended_at.is_not(None))",
        (f"{CLOSING}::test_notes_are_written_to_the_last_minute_of_day_thirty_and_not_on_day_31",),
    ),
    Control(
        "an emergency opening that was ended stays closed",
        "ending early changes nothing",
        EMERGENCY_POLICY,
        "EmergencyOpening.ended_at.is_(None),",
        "",
        (f"{EMERGENCY}::test_it_closes_early_and_stays_closed",),
    ),
    Control(
        "a delayed notice is hidden until its day",
        "the list of readings tells it before",
        "practice/care/queries.py",
        "EmergencyOpening.client_id == client.id, EmergencyOpening.told_at.is_(None)",
        "sa.false()",
        (f"{EMERGENCY}::test_a_delayed_notice_is_hidden_until_its_day_and_then_sent",),
    ),
    Control(
        "a roster rests on the group's consent",
        "the clause left out of the roster",
        "practice/groups/policy.py",
        "sa.and_(takes_part, in_force(Purpose.group, Enrolment.client_id, scope)),",
        "takes_part,",
        (NOTHING_OUTLIVES,),
    ),
    Control(
        "a request rests on the privacy notice",
        "the clause left out of the inbox",
        "practice/matches/policy.py",
        "in_force(Purpose.privacy_notice, MatchRequest.client_id),",
        "",
        (NOTHING_OUTLIVES,),
    ),
    Control(
        "a closed flag rests on the agreement to safety contact",
        "closed flags stay for ever",
        "practice/intake/policy.py",
        "sa.or_(is_waiting(), consented)",
        "sa.true()",
        (NOTHING_OUTLIVES,),
    ),
    Control(
        "a page that shows several clients names each in the log",
        "the others are not written down",
        "core/readings.py",
        "session.execute(sa.insert(AuditConcern), lines)",
        "pass",
        (ONE_ROW,),
    ),
    Control(
        "a therapist's list of meetings is written down",
        "the first page of the day is read in silence",
        "practice/today/views.py",
        'viewed(session, "day.viewed", "user", me, clients, Role.therapist)',
        "pass",
        (ONE_ROW,),
    ),
)
