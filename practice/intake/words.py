"""What a score says to the person who answered: gently, and with its limits."""

from dataclasses import dataclass

from practice.intake.instruments import Instrument
from practice.intake.scoring import Score


@dataclass(frozen=True)
class ResultWords:
    """`summary` is one sentence, `meaning` what it may mean, `limits` what it cannot say."""

    summary: str
    meaning: str
    limits: str


LIMITS = (
    "This is a count of your own answers about the last two weeks. It is not a diagnosis, and it "
    "does not decide what help you can have. A therapist will talk it through with you."
)

INCOMPLETE = ResultWords(
    "You left some of these questions open, so there is no total.",
    "That is fine. What you did answer is kept as you gave it, and you can come back to the rest.",
    "Nothing is guessed in place of an open question.",
)

MEANINGS = {
    ("phq-9", "minimal"): (
        "Few signs of low mood in these two weeks. If something weighs on you all the same, that "
        "is reason enough to talk to someone."
    ),
    ("phq-9", "mild"): (
        "Some signs of low mood. For many people this eases with time and support; talking early "
        "can help."
    ),
    ("phq-9", "moderate"): (
        "Low mood has been part of many of your days. Many people find it a good time to talk to "
        "a therapist."
    ),
    ("phq-9", "moderately-severe"): (
        "Low mood has weighed on most of your days. That is hard to carry alone, and talking to a "
        "therapist soon may help."
    ),
    ("phq-9", "severe"): (
        "These two weeks sound very heavy. You deserve support soon: a therapist, and perhaps "
        "your doctor as well."
    ),
    ("gad-7", "minimal"): (
        "Few signs of anxiety in these two weeks. If something worries you all the same, that is "
        "reason enough to talk to someone."
    ),
    ("gad-7", "mild"): (
        "Some signs of anxiety. For many people this eases with time and support; talking early "
        "can help."
    ),
    ("gad-7", "moderate"): (
        "Anxiety has been part of many of your days. Many people find it a good time to talk to a "
        "therapist."
    ),
    ("gad-7", "severe"): (
        "Anxiety has been with you most of the time. That is exhausting, and talking to a "
        "therapist soon may help."
    ),
}


def result_words(instrument: Instrument, result: Score) -> ResultWords:
    """The words for a client's page about their own sheet, complete or not."""
    if result.total is None:
        return INCOMPLETE
    band = instrument.band_of(result.total)
    summary = (
        f"Your answers add up to {result.total} of {instrument.highest_total}, "
        f"in the range called {band.label}."
    )
    return ResultWords(summary, MEANINGS[instrument.code, band.code], LIMITS)
