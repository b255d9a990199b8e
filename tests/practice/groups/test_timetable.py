from datetime import date, time
from zoneinfo import ZoneInfo

import pytest

from practice.groups.timetable import weekly

ZONES = ("America/Los_Angeles", "America/New_York", "Europe/London", "Australia/Sydney", "UTC")


@pytest.mark.parametrize("zone", ZONES)
def test_a_weekly_group_keeps_its_wall_time_for_three_years(zone):
    meetings = weekly(date(2026, 1, 7), time(18, 30), zone, minutes=75, count=156)
    local = [meeting.starts_at.astimezone(ZoneInfo(zone)) for meeting in meetings]
    assert {(start.time(), start.weekday()) for start in local} == {(time(18, 30), 2)}


def test_sessions_are_numbered_from_one_and_last_as_long_as_they_should():
    meetings = weekly(date(2026, 12, 2), time(18, 30), ZONES[0], minutes=75, count=3)
    assert [meeting.number for meeting in meetings] == [1, 2, 3]
    assert {(one.ends_at - one.starts_at).seconds for one in meetings} == {75 * 60}


def test_the_instant_moves_with_the_clocks():
    autumn, winter = weekly(date(2026, 10, 28), time(18, 30), ZONES[0], minutes=60, count=2)
    assert (winter.starts_at - autumn.starts_at).total_seconds() == 7 * 86400 + 3600
