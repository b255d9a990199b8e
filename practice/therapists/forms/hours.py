"""The week's hours, and how many new people a therapist can take."""

from collections.abc import Iterator
from datetime import time
from typing import Any, Self

from wtforms import (
    Field,
    IntegerField,
    SelectField,
    TimeField,
)
from wtforms.validators import (
    InputRequired,
    NumberRange,
    Optional,
)

from practice.forms import Form, with_fields
from practice.hours import WEEKDAYS, BadHours, WeeklyWindow, merged
from practice.places import PLACES
from practice.therapists.models import Therapist

WINDOWS_A_DAY = 2
Pair = tuple[Field, Field]


class CapacityForm(Form):
    open_places = IntegerField(
        "How many new people you can take now",
        [
            InputRequired("Please write a number; 0 is fine."),
            NumberRange(0, 50, "Please write a number from 0 to 50."),
        ],
    )


class HoursForm(Form):
    """At least two windows a day; `days` gives (weekday, its pairs of fields) for the page."""

    zone = SelectField("Your time zone")

    @classmethod
    def of(cls, therapist: Therapist) -> Self:
        fields = dict(_time_fields(therapist))
        form = with_fields(cls, fields)(data={"zone": therapist.zone})
        zones = {place.zone for place in PLACES.values()} | {therapist.zone}
        form.zone.choices = [(zone, zone.replace("_", " ")) for zone in sorted(zones)]
        return form

    def days(self) -> list[tuple[str, list[Pair]]]:
        return [(label, self._pairs(weekday)) for weekday, label in enumerate(WEEKDAYS)]

    def validate(self, *args: Any, **kwargs: Any) -> bool:
        if not super().validate(*args, **kwargs):
            return False
        unsound = [pair for _, pairs in self.days() for pair in pairs if not self._is_sound(pair)]
        return not unsound

    def windows(self) -> list[tuple[int, time, time]]:
        """The hours as `operations.set_hours` takes them, joined where they touch."""
        given = [
            WeeklyWindow(weekday, starts.data, ends.data)
            for weekday in range(len(WEEKDAYS))
            for starts, ends in self._pairs(weekday)
            if starts.data is not None
        ]
        return [(window.weekday, window.starts, window.ends) for window in merged(given)]

    def _pairs(self, weekday: int) -> list[Pair]:
        starts = [field for field in self if field.name.startswith(f"day_{weekday}_from_")]
        return [(field, self[field.name.replace("_from_", "_to_")]) for field in starts]

    def _is_sound(self, pair: Pair) -> bool:
        starts, ends = pair
        if starts.data is None and ends.data is None:
            return True
        if starts.data is None or ends.data is None:
            empty = starts if starts.data is None else ends
            empty.errors = ["Please write both times, or neither."]
            return False
        try:
            WeeklyWindow(0, starts.data, ends.data)
        except BadHours as bad:
            ends.errors = [str(bad)]
            return False
        return True


def _time_fields(therapist: Therapist) -> Iterator[tuple[str, Field]]:
    for weekday, label in enumerate(WEEKDAYS):
        known = sorted((w.starts, w.ends) for w in therapist.hours if w.weekday == weekday)
        for turn in range(max(WINDOWS_A_DAY, len(known))):
            starts, ends = known[turn] if turn < len(known) else (None, None)
            again = "" if turn == 0 else ", again"
            yield (
                f"day_{weekday}_from_{turn}",
                TimeField(f"{label}{again} from", [Optional()], default=starts),
            )
            yield (
                f"day_{weekday}_to_{turn}",
                TimeField(f"{label}{again} to", [Optional()], default=ends),
            )
