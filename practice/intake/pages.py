"""The question pages of the intake in their order, and the shape of each one's answer.

An answer is kept as given under its page's key; None means that the page was skipped. A page
without an answer was not reached yet.

| key | value |
|---|---|
| `story` | text in the client's own words |
| `concerns` | list of codes of the vocabulary "concerns" |
| `concern-weights` | {code: 1…3}, only those weighed; `answers.weighed_concerns` joins the two |
| `phq-9-1` … `phq-9-9`, `gad-7-1` … `gad-7-7` | 0…3; `answers.responses` makes the sheet |
| `place` | ISO 3166-2, "US-WA" |
| `birth-year` | 1990; a year under eighteen is never kept |
| `languages` | list of BCP 47 codes |
| `service` | code of the vocabulary "services" |
| `format` | list of codes of the vocabulary "formats" |
| `payment` | {"kind": code, "insurer": code or None, "budget": minor units or None, "currency"} |
| `hours` | {"zone": IANA name, "windows": ["tue 17:00-21:00", …]} |
| `wishes` | {name: {"want": [codes], "strength": "must_have" or "would_like"}} |
| `style` | {axis: −3…+3}, an axis without a preference left out |
| `about-you` | {term of the vocabulary "about_you": [codes]}; for the audit of fairness alone |

A wish's name is "approach" or a term of the vocabulary "identities"; no preference is left out.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from practice.intake.instruments import INSTRUMENTS, Instrument, Item


class Part(StrEnum):
    """Parts of the intake, in order."""

    story = "What brings you here"
    weeks = "The last two weeks"
    practical = "When, where and how"
    person = "The right person for you"

    @property
    def number(self) -> int:
        return list(Part).index(self) + 1


@dataclass(frozen=True)
class Page:
    """One question. `seconds` is what it usually takes; `asks` names it in the list of answers.

    Pages of an instrument carry its code and the number of their item.
    """

    key: str
    part: Part
    heading: str
    asks: str
    why: str
    seconds: int
    hint: str = ""
    instrument: str = ""
    item: int = 0

    @property
    def is_risk_item(self) -> bool:
        return bool(self.instrument) and INSTRUMENTS[self.instrument].risk_item == self.item


BEFORE = (
    Page(
        "story",
        Part.story,
        "What brings you here?",
        "In your own words",
        "Telling it once, in your words, saves you from telling it again and again. Nobody sees it "
        "but you, until you choose to share it with one therapist.",
        60,
        "A few words are plenty. You can also leave this empty.",
    ),
    Page(
        "concerns",
        Part.story,
        "What would you like help with?",
        "What you would like help with",
        "Therapists know some troubles better than others. We compare what you choose here with "
        "what each of them works with most.",
        40,
        "Choose as many as fit.",
    ),
    Page(
        "concern-weights",
        Part.story,
        "How heavy is each of these?",
        "How heavy each one is",
        "What weighs most counts most when we compare therapists. What you leave open counts as "
        "“quite a lot”.",
        20,
    ),
)

PRACTICAL = (
    Page(
        "place",
        Part.practical,
        "Where will you be when you meet?",
        "Where you will be",
        "A therapist needs a licence for the place where you are, online as well. Without it we "
        "can show you groups but no therapist yet.",
        10,
    ),
    Page(
        "birth-year",
        Part.practical,
        "In which year were you born?",
        "Year of birth",
        "Some therapists work with certain ages. Only the year is asked, and it is compared with "
        "the ages they see.",
        5,
        "Attune is for adults for now. If the year makes you younger than 18, we show you who is "
        "there for young people and keep nothing of these answers.",
    ),
    Page(
        "languages",
        Part.practical,
        "In which languages could you talk?",
        "Languages",
        "Feelings are easier in a language that is close to you. Any one of those you choose is "
        "enough.",
        10,
        "Choose every language that would feel right.",
    ),
    Page(
        "service",
        Part.practical,
        "Who will come to the meetings?",
        "Kind of help",
        "Working with one person, a couple or a family are different crafts, and not every "
        "therapist offers each.",
        10,
    ),
    Page(
        "format",
        Part.practical,
        "How would you like to meet?",
        "Way of meeting",
        "So that you only see therapists you can really meet in a way that suits you.",
        10,
        "Choose all that would work.",
    ),
    Page(
        "payment",
        Part.practical,
        "How would you like to pay?",
        "Paying",
        "So that a fee is never a surprise. No therapist sees this answer; you see each fee before "
        "you ask anyone.",
        20,
    ),
    Page(
        "hours",
        Part.practical,
        "When could you meet?",
        "Hours that suit you",
        "We look for hours that you and the therapist share. You choose the exact time later.",
        40,
        "Choose every part of the week that would usually work.",
    ),
)

PERSON = (
    Page(
        "wishes",
        Part.person,
        "Is there anything that would make it easier to trust them?",
        "Wishes about the person",
        "People stay longer and do better when their wishes count. We compare only with what "
        "therapists choose to publish, and no therapist is shown what you wish about a person.",
        60,
        "All of this is optional. What you leave open stays open.",
    ),
    Page(
        "style",
        Part.person,
        "How would you like to work together?",
        "Ways of working",
        "There is no right way, only what suits you. This is a gentle weight, never a rule.",
        40,
    ),
    Page(
        "about-you",
        Part.person,
        "Is there something about yourself you would like us to know?",
        "About you, for fairness",
        "Nobody would notice otherwise if some groups of people waited longer here than others, or "
        "found less. It is counted together with at least fifty people. It changes nothing in whom "
        "you are shown, and nobody sees it but you.",
        20,
        "We use it for one thing: to find out whether some groups of people fare worse here. All "
        "of it is optional, and leaving it out changes nothing for you.",
    ),
)

_WHO_SEES = (
    "Together the answers show how heavy the last two weeks were, which helps to offer therapists "
    "who work with that. A therapist sees them only once you have agreed to work together."
)
_RISK = (
    "Everyone is asked this. With any answer but “Not at all” we show you help straight away, and "
    "a clinician on duty is told so that somebody can get in touch. You can go on either way."
)


def _item_pages(instrument: Instrument) -> Iterator[Page]:
    for item in instrument.items:
        yield _item_page(instrument, item)


def _item_page(instrument: Instrument, item: Item) -> Page:
    asked = f"This is question {item.number} of {len(instrument.items)} of the {instrument.name} "
    asked += f"({instrument.short_name}), used in many countries. "
    return Page(
        key=item_key(instrument, item.number),
        part=Part.weeks,
        heading=item.text,
        asks=item.text,
        why=asked + (_RISK if item.number == instrument.risk_item else _WHO_SEES),
        seconds=8,
        hint=instrument.recall,
        instrument=instrument.code,
        item=item.number,
    )


def item_key(instrument: Instrument, number: int) -> str:
    """The key of an item's page: "phq-9-1"."""
    return f"{instrument.code}-{number}"


PAGES: tuple[Page, ...] = (
    *BEFORE,
    *_item_pages(INSTRUMENTS["phq-9"]),
    *_item_pages(INSTRUMENTS["gad-7"]),
    *PRACTICAL,
    *PERSON,
)
BY_KEY = {page.key: page for page in PAGES}
KEYS = tuple(BY_KEY)
