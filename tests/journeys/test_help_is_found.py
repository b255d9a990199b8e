"""From the first page to a first meeting: asked gently, explained exactly, shared by choice."""

import pytest

from practice.therapists.models import Therapist
from tests.journeys.people import (
    DESK,
    Anybody,
    Browse,
    add_therapist,
    agree_before_the_questions,
    building,
    sign,
    sign_in,
    sign_up,
)
from tests.journeys.town import Town

STORY = "Since the winter my heart races in shops, and I have stopped going out alone."
SUBJECT = "Something is waiting for you at Attune"
SECRETS = (STORY, "PHQ-9", "GAD-7", "150", "1990")


@pytest.fixture
def therapists(town: Town) -> None:
    """Three in Washington whom Sam can afford, one too dear, and one in Oregon."""
    with building(town) as session:

        def add(name: str, **columns: object) -> Therapist:
            return add_therapist(
                town, name, session=session, identities={"gender": ["woman"]}, **columns
            )

        add("Rosa Almeida", skills={"panic": 3, "grief": 3}, fee=14000)
        add("Lena Brandt", skills={"panic": 2}, fee=13000)
        add("Mara Osei", skills={"grief": 1}, fee=9000)
        add("Petra Novak", skills={"panic": 3}, fee=30000)
        add("Vera Lund", skills={"panic": 3}, places=("US-OR",))


def test_a_person_finds_help_from_the_first_page_to_a_first_meeting(
    town: Town, browse: Browse, therapists: None
) -> None:
    sam = browse()
    sign_up(town, sam, "Sam")
    agree_before_the_questions(sam, "Sam Doe")
    say_what_brings_them(sam)
    begin_the_sheets_and_stop(sam)
    sam = go_on_in_another_browser(browse(width=DESK))
    finish_the_sheets(sam)
    answer_what_is_practical(sam)
    say_what_they_wish(sam)
    check_change_and_finish(sam)
    assert_the_result_is_plain(sam)
    assert_the_matches_add_up(sam)
    assert_why_not_is_answered(sam)
    ask_rosa_sharing_some(sam)
    rosa = browse(width=DESK)
    accept_what_was_shared(town, rosa)
    choose_a_time(town, sam)
    sign_the_consent_and_book(sam)
    assert_both_have_the_meeting(town, sam, rosa)
    record = assert_the_record_is_open_to_rosa(rosa)
    read_download_and_take_back_the_consent(sam)
    assert_the_record_is_gone_at_once(rosa, record)


def say_what_brings_them(sam: Anybody) -> None:
    assert sam.heading == "What brings you here?"
    sam.fill("What brings you here?", STORY)
    sam.press("Continue")
    sam.press("Continue")
    assert sam.sees("Please choose at least one")
    sam.tick("Panic attacks")
    sam.unfold("Loss and change")
    sam.tick("Grief after a death")
    sam.press("Continue")
    sam.tick("A great deal", under="Panic attacks")
    sam.press("Continue")


def begin_the_sheets_and_stop(sam: Anybody) -> None:
    for _item in range(2):
        sam.tick("More than half the days")
        sam.press("Continue")
    sam.tick("Nearly every day")
    sam.press("Save and leave")
    assert sam.sees("Your answers so far are kept.")


def go_on_in_another_browser(sam: Anybody) -> Anybody:
    sign_in(sam, "Sam")
    assert sam.sees("Everything you answered is here.")
    sam.follow("Go on")
    assert sam.heading == "Feeling tired or having little energy"
    return sam


def finish_the_sheets(sam: Anybody) -> None:
    sam.press("Skip this one")
    for _item in range(5, 9):
        sam.tick("Several days")
        sam.press("Continue")
    sam.tick("Not at all")
    sam.press("Continue")
    for _item in range(7):
        sam.tick("Several days")
        sam.press("Continue")


def answer_what_is_practical(sam: Anybody) -> None:
    sam.fill("Where will you be when you meet?", "Washington")
    sam.press("Continue")
    sam.fill("In which year were you born?", "ninety")
    sam.press("Continue")
    assert sam.sees("Please write the year with four digits")
    sam.fill("In which year were you born?", "1990")
    sam.press("Continue")
    sam.tick("English")
    sam.press("Continue")
    sam.tick("On my own")
    sam.press("Continue")
    sam.tick("Online, by video")
    sam.press("Continue")
    sam.tick("I pay myself")
    sam.fill("The most you could pay for one meeting", "150")
    sam.press("Continue")
    sam.tick("Tuesday morning")
    sam.tick("Thursday afternoon")
    sam.press("Continue")


def say_what_they_wish(sam: Anybody) -> None:
    sam.tick("Woman")
    sam.tick("Would like", under="Gender: how much does it count?")
    sam.unfold("Approach")
    sam.tick("Cognitive behavioural therapy (CBT)")
    sam.tick("Would like", under="Approach: how much does it count?")
    sam.press("Continue")
    sam.fill("Who should decide what you talk about?", "Slightly the second")
    sam.press("Continue")
    sam.press("Skip this one")


def check_change_and_finish(sam: Anybody) -> None:
    assert sam.heading == "Check your answers"
    for line in (STORY, "Panic attacks: a great deal", "Skipped", "Gender: Woman (would like)"):
        assert sam.sees(line)
    sam.follow("Change Year of birth")
    sam.fill("In which year were you born?", "1991")
    sam.press("Save and go back to the list")
    assert sam.sees("1991")
    sam.press("Finish")


def assert_the_result_is_plain(sam: Anybody) -> None:
    assert sam.heading == "What your answers say"
    assert sam.sees("You left some of these questions open, so there is no total.")
    assert sam.sees("Your answers add up to 7 of 21, in the range called mild.")
    assert sam.sees("It is not a diagnosis")
    assert sam.sees("We cannot promise how therapy will go.")
    assert not sam.sees("You do not have to carry this alone")


def assert_the_matches_add_up(sam: Anybody) -> None:
    sam.follow("See who could help")
    assert sam.heading == "Three people who fit well"
    assert sam.sees("From 4 therapists who are licensed in Washington")
    assert sam.sees("$140")
    assert sam.sees("Washington licence")
    lines = [line.split(" of ") for line in sam.texts("article .sum li:not(.total) .num")]
    totals = [int(total) for total in sam.texts("article .sum .total .num")]
    assert len(totals) == 3
    for card, total in enumerate(totals):
        of_card = lines[card * len(lines) // 3 : (card + 1) * len(lines) // 3]
        assert sum(int(points) for points, _ in of_card) == total
        assert sum(int(most) for _, most in of_card) == 1000
    assert sam.texts("article h2")[0] == "Rosa Almeida"


def assert_why_not_is_answered(sam: Anybody) -> None:
    sam.fill("Their name", "Petra Novak")
    sam.press("Why are they not here?")
    assert sam.heading == "Why not Petra Novak?"
    assert sam.sees("Their lowest price, $300, is $150 above your limit.")
    sam.fill("Their name", "Vera")
    sam.press("Why are they not here?")
    assert sam.sees("Their profile shows no licence in force for Washington.")


def ask_rosa_sharing_some(sam: Anybody) -> None:
    sam.follow("Matches")
    sam.follow("Ask for a first meeting")
    assert sam.heading == "Ask Rosa Almeida for a first meeting"
    sam.fill("What may they call you?", "Sam")
    sam.untick("Languages")
    sam.tick("What you would like help with")
    sam.press("Send the request")
    assert sam.heading == "Your request to Rosa Almeida"
    assert sam.sees("Panic attacks")
    assert not sam.sees(STORY)
    # One at a time: nobody else can be asked meanwhile.
    sam.follow("Matches")
    assert sam.sees("You have asked Rosa Almeida")
    assert not sam.has_link("Ask for a first meeting")


def accept_what_was_shared(town: Town, rosa: Anybody) -> None:
    mail = town.mails_to("rosa@example.test")[-1]
    assert mail.subject == SUBJECT
    sign_in(rosa, "Rosa")
    assert rosa.sees("1 person waits for your answer")
    rosa.follow("Read and answer")
    assert rosa.heading == "Sam asks for a first meeting"
    for shared in ("Washington", "Panic attacks", "Tuesday 08:00–12:00"):
        assert rosa.sees(shared)
    for kept in (*SECRETS, "English", "Woman", "sam@example.test"):
        assert not rosa.sees(kept)
    rosa.press("Yes, offer them a first meeting")
    assert rosa.sees("You said yes.")


def choose_a_time(town: Town, sam: Anybody) -> None:
    assert town.mails_to("sam@example.test")[-1].subject == SUBJECT
    sam.open("/today")
    assert sam.sees("Rosa Almeida said yes.")
    sam.follow("Choose a time")
    sam.press("Keep this time for me")
    assert sam.sees("Please choose a time.")
    sam.tick("10:00")
    sam.tick("Online, by video")
    sam.press("Keep this time for me")


def sign_the_consent_and_book(sam: Anybody) -> None:
    assert sam.heading == "Before you meet Rosa Almeida"
    assert sam.sees("Washington licence")
    sign(sam, "Sam Doe", "Sign and book the meeting")
    assert sam.sees("Please tick the box if you agree.")
    sam.tick("I have read this and I agree")
    sam.press("Sign and book the meeting")
    assert sam.heading == "Your meeting with Rosa Almeida"
    assert sam.has_link("https://meet.example.test/room")


def assert_both_have_the_meeting(town: Town, sam: Anybody, rosa: Anybody) -> None:
    assert_neutral(sam.download("Add to my calendar"))
    for person in ("sam@example.test", "rosa@example.test"):
        mail = town.mails_to(person)[-1]
        assert mail.subject == SUBJECT
        assert_neutral(mail.attachment)
        assert "Rosa" not in mail.body
    sam.follow("Today")
    assert sam.sees("With Rosa Almeida, online, by video.")
    rosa.follow("Today")
    assert rosa.sees("first meeting · consent signed")
    rosa.follow("Open")
    assert rosa.heading == "Your meeting with Sam"


def assert_neutral(calendar: str) -> None:
    assert "BEGIN:VCALENDAR" in calendar
    assert "SUMMARY:Meeting" in calendar
    for word in ("Rosa", "Sam", "therap", "psych"):
        assert word not in calendar


def assert_the_record_is_open_to_rosa(rosa: Anybody) -> str:
    rosa.follow("Caseload")
    assert rosa.sees("One person is in your care")
    assert rosa.sees("mild")
    rosa.follow("Sam")
    assert rosa.heading == "Sam"
    assert rosa.sees("GAD-7")
    assert not rosa.sees(STORY)
    return rosa.address


def read_download_and_take_back_the_consent(sam: Anybody) -> None:
    sam.follow("Consents")
    assert sam.sees("Treatment: Rosa Almeida")
    sam.follow("Read what I signed")
    assert sam.sees("Rosa Almeida")
    copy = sam.download("Download a copy")
    assert "Sam Doe" in copy
    assert "Rosa Almeida" in copy
    sam.follow("Take it back")
    assert sam.heading == "Take back: Treatment with Rosa Almeida"
    assert sam.sees("This stops at once")
    assert sam.sees("meetings still ahead are cancelled")
    sam.press("Take it back now")
    assert sam.sees("You have taken this consent back.")
    sam.follow("Today")
    assert not sam.sees("With Rosa Almeida")


def assert_the_record_is_gone_at_once(rosa: Anybody, record: str) -> None:
    rosa.open(record)
    assert rosa.heading == "We could not find that page"
    rosa.open("/caseload")
    assert rosa.sees("Nobody is in your care")
    rosa.follow("Sam")
    assert rosa.heading == "Closing notes for Sam"
    assert rosa.sees("What was shared, the scores and the meetings are no longer shown to you.")
    assert not rosa.sees("GAD-7")


def test_somebody_younger_meets_help_and_leaves_nothing(town: Town, browse: Browse) -> None:
    kim = browse()
    kim.open("/sign-up")
    kim.follow("No, I am younger")
    assert kim.heading == "It is good that you are looking for help"
    assert kim.sees("You did not leave anything here")


def test_nobody_is_asked_about_their_health_before_they_agreed(town: Town, browse: Browse) -> None:
    sam = browse()
    sign_up(town, sam, "Sam")
    for page in ("/intake", "/intake/phq-9-1", "/intake/check"):
        sam.open(page)
        assert sam.heading == "Before you begin"
