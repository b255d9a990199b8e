"""What can truthfully be promised from the duty rota. Nothing is said that no shift bears out."""

from datetime import datetime, timedelta

from practice.when import moment_words, zone_words

SOON = timedelta(minutes=30)


def promise_words(
    until: datetime | None, next_from: datetime | None, at: datetime, zone: str
) -> str:
    """When somebody reads an answer given at `at`, in at most 300 characters.

    `until` is the end of the shift now running, `next_from` the start of the next one; None is
    none. Times are told with their date and zone, so that the words stay true when read later.
    """
    if until is None:
        return _nobody_now(next_from, zone)
    if until - at < SOON:
        return _ending_soon(until, next_from, zone)
    return (
        f"A clinician is on duty now, until {_told(until, zone)}, and reads this answer "
        "in that time."
    )


def _nobody_now(next_from: datetime | None, zone: str) -> str:
    if next_from is None:
        return (
            "Nobody is on duty right now and no shift is planned yet, so we cannot say when "
            "somebody will read this answer."
        )
    return (
        f"Nobody is on duty right now. The next clinician begins on "
        f"{_told(next_from, zone)} and reads this answer first."
    )


def _ending_soon(until: datetime, next_from: datetime | None, zone: str) -> str:
    now = f"A clinician is on duty until {_told(until, zone)}, which is soon."
    if next_from is None:
        return f"{now} After that nobody is planned yet, so this answer may wait."
    return (
        f"{now} If they cannot read this answer by then, the next one begins on "
        f"{_told(next_from, zone)}."
    )


def _told(at: datetime, zone: str) -> str:
    """ "Tuesday 1 December at 17:00 (Los Angeles time)"."""
    return f"{moment_words(at, zone)} ({zone_words(zone)})"
