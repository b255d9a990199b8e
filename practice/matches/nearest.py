"""The printed part of a therapist's week that comes closest to the hours a client has."""

from dataclasses import dataclass

import matching
from matching.hours import nearest
from practice.hours import WEEKDAYS, Daypart
from practice.matches.profiles import Profile
from practice.when import zone_words


@dataclass(frozen=True)
class NearestPart:
    """`away` is how many hours lie between it and the client's nearest hour, 0 when none does."""

    weekday: int
    part: Daypart
    away: int

    def words(self, zone: str) -> str:
        when = f"{WEEKDAYS[self.weekday]} {self.part.label.lower()} ({zone_words(zone)})"
        if self.away == 0:
            return f"The nearest is {when}, but not for a whole hour that you both have."
        hours = "an hour" if self.away == 1 else f"{self.away} hours"
        return f"The nearest is {when}, {hours} from an hour of yours."


def nearest_part(profile: Profile, client: matching.Client) -> NearestPart | None:
    """Of several that are as near, the first of the week; None where either names no hours.

    It looks at nothing but what the profile prints, so exact hours do not show through.
    """
    found = [
        NearestPart(weekday, part, distance)
        for weekday, part in profile.parts
        if (distance := _distance(weekday, part, profile.zone, client)) is not None
    ]
    return min(found, key=lambda one: one.away, default=None)


def _distance(weekday: int, part: Daypart, zone: str, client: matching.Client) -> int | None:
    window = matching.Window.of(weekday, part.starts, part.ends)
    found = nearest(client.hours, matching.weekly_bits([window], zone, client.on))
    return None if found is None else found.away
