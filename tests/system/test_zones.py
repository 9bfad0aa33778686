#!/usr/bin/env python3
"""Zones: clocks that change, organisers elsewhere, names that say nothing, and
all-day as dates of the room.

All expected instants come from Python's zone database by the wall times that
people see.  Rooms are in Amsterdam unless a test says otherwise.
"""
import datetime
import unittest
import zoneinfo

import tap
from calendars import (Calendars, DAY, NEW_YORK, clock_change, dates, lasting,
                       monday, recurrence, wall, weekly_on,
                       whole_days)
from people import ZONE, iso, minutes

# What stands where a zone's name is expected.
NAMES = ("tzone://Microsoft/Custom", "Customized Time Zone",
         "Mitteleuropäische Zeit", "Mitteleuropäische Zeit 1", "CEST", "",
         "(UTC+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna",
         "(GMT+01.00) Amsterdam / Berlin",
         "Romance (zomertijd)", "+01:00", "\u4e2d\u56fd\u6807\u51c6\u65f6\u95f4")


def zone(name):
    return zoneinfo.ZoneInfo(name)


class Clocks(Calendars):
    """Series on the wall, while clocks change."""
    count = 13

    def weekly(self, where, first, hour, minute=0, count=8, length=60):
        room = self.room()
        self.book(room, wall(first, hour, minute, where), weekly_on(
            first, count=count), length, zone=where)
        starts = [wall(d, hour, minute, where) for d in dates(first, count)]
        self.expect(room, lasting(starts, length))
        return starts

    def across(self, spring, zone=ZONE):
        """A Monday four weeks before the change; it is not yet over."""
        change = clock_change(spring, zone, after=36)
        return change - DAY * (change.weekday() + 28)

    def test_spring(self):
        """a series across the change in spring keeps its wall time"""
        starts = self.weekly(ZONE, self.across(True), 10)
        self.assertEqual(len({s.hour for s in starts}), 2)

    def test_autumn(self):
        """a series across the change in autumn keeps its wall time"""
        starts = self.weekly(ZONE, self.across(False), 10)
        self.assertEqual(len({s.hour for s in starts}), 2)

    def at_half_past_two(self, change):
        room, first = self.room(), change - DAY * 2
        self.book(room, wall(first, 2, 30), recurrence(
            "daily", first, count=5), 30)
        starts = [wall(d, 2, 30) for d in dates(first, 5, 1)]
        self.expect(room, lasting(starts, 30))

    def test_time_that_is_skipped(self):
        """02:30 on the day on which there is none"""
        self.at_half_past_two(clock_change(True))

    def test_time_that_comes_twice(self):
        """02:30 on the day on which it comes twice: the second"""
        self.at_half_past_two(clock_change(False))

    def test_over_the_night_of_the_change(self):
        """a night's meeting while the clock jumps: its length is as long as
        the clock says"""
        for spring, hours in ((True, 7), (False, 9)):
            room, change = self.room(), clock_change(spring)
            start = wall(change - DAY, 22)
            self.book(room, start, None, hours * 60)
            self.expect(room, [(iso(start), iso(wall(change, 6)))])

    def test_new_york(self):
        """an organiser whose clocks change on other days than the room's"""
        for spring in (True, False):
            theirs = clock_change(spring, NEW_YORK, after=36)
            first = theirs - DAY * (theirs.weekday() + 14)
            starts = self.weekly(NEW_YORK, first, 9)
            here = {s.astimezone(ZONE).hour for s in starts}
            self.assertEqual(here, {14, 15})

    def test_southern(self):
        """an organiser in Sydney: summer is in winter"""
        starts = self.weekly(zone("Australia/Sydney"), self.across(True), 18,
                             count=9)
        self.assertGreater(len({s.astimezone(ZONE).hour for s in starts}), 1)

    def test_half_hours(self):
        """organisers in zones of half hours and quarters, and one whose
        clocks change by half an hour"""
        self.weekly(zone("Asia/Kolkata"), monday(), 14, 30, 4)
        self.weekly(zone("Asia/Kathmandu"), monday(), 12, 15, 4)
        lord_howe = zone("Australia/Lord_Howe")
        change = clock_change(False, lord_howe, after=36)
        self.weekly(lord_howe, change - DAY * 14, 19, 15, 4)

    def test_zz_still(self):
        """all of this stays without another write"""
        self.check_still()


class Names(Calendars):
    """Names of zones that nobody knows: the times are in UTC all the same."""
    count = len(NAMES)

    def test_every_name(self):
        """custom, localized, displayed, abbreviated and blank names: single
        meetings, series with an exception and all-day"""
        first = monday(1)
        days = dates(first, 3)
        for n, name in enumerate(NAMES):
            named = {"zone_name_shown": name}
            self.book(n, wall(first, 9), None, **named)
            uid = self.book(n, wall(first, 11), weekly_on(first, count=3),
                            **named)
            self.people.move_one(uid, wall(days[1], 11), wall(days[1], 12))
            self.book(n, wall(first + DAY, 0), None, 24 * 60, all_day=True,
                      **named)
        for n in range(len(NAMES)):
            self.expect(n, lasting([
                wall(first, 9), wall(days[0], 11), wall(days[1], 12),
                wall(days[2], 11)]) + [whole_days(first + DAY)])

    def test_zz_still(self):
        """all of this stays without another write"""
        self.check_still()


class AllDay(Calendars):
    """All-day is dates, and they are the room's."""
    count = 15
    elsewhere = ("America/New_York", "Pacific/Auckland", "Pacific/Honolulu",
                 "Asia/Kolkata")

    @classmethod
    def add_room(cls, n, zone="Europe/Amsterdam", **settings):
        if n < len(cls.elsewhere):
            zone = cls.elsewhere[n]
        return super().add_room(n, zone, **settings)

    def room(self):
        return super().room() + len(self.elsewhere)

    def book_days(self, room, date, days=1, who=ZONE, recurs=None, **more):
        start, end = wall(date, 0, 0, who), wall(
            date + datetime.timedelta(days=days), 0, 0, who)
        return self.book(room, start, recurs, (end - start) // minutes(1),
                         zone=who, all_day=True, **more)

    def test_organisers_east_and_west(self):
        """the same date for organisers from Hawaii to New Zealand, in winter
        and in summer"""
        room, expected = self.room(), []
        for n, name in enumerate((
                "Pacific/Honolulu", "America/Los_Angeles", "America/New_York",
                "America/St_Johns", "Asia/Kolkata", "Asia/Tokyo",
                "Pacific/Auckland")):
            for year, month in self.months():
                date = datetime.date(year, month, 3 + 2 * n)
                self.book_days(room, date, who=zone(name))
                expected.append(whole_days(date))
        self.expect(room, expected)

    @staticmethod
    def months():
        """The next January and the next July that are wholly to come."""
        now = datetime.date.today()
        return [(now.year + (now.month >= m), m) for m in (1, 7)]

    def test_rooms_elsewhere(self):
        """the date in the room's own zone, wherever it is"""
        for room, name in enumerate(self.elsewhere):
            self.book_days(room, monday(1))
            self.expect(room, [whole_days(monday(1), 1, zone(name))])

    def test_day_of_the_change(self):
        """the day on which the clocks change is 23 or 25 hours long"""
        room = self.room()
        days = [clock_change(True), clock_change(False)]
        for day in days:
            self.book_days(room, day)
        self.expect(room, [whole_days(d) for d in days])

    def test_several_days(self):
        """several days as one, over the change of the clocks too"""
        room, change = self.room(), clock_change(True)
        self.book_days(room, monday(1), 5)
        self.book_days(room, change - DAY, 3)
        self.book_days(room, clock_change(False) - DAY, 3, NEW_YORK)
        self.expect(room, [whole_days(monday(1), 5),
                           whole_days(change - DAY, 3),
                           whole_days(clock_change(False) - DAY, 3)])

    def series(self, who):
        """A weekly all-day series across a change of the room's clocks; one
        date moved, one deleted."""
        room, change = self.room(), clock_change(True, after=36)
        first = change - DAY * (change.weekday() + 14)
        days = dates(first, 6)
        uid = self.book_days(room, first, 1, who, weekly_on(first, count=6))
        self.expect(room, [whole_days(d) for d in days])
        before = self.numbers(room)
        other = days[3] + DAY * 2
        self.people.move_one(
            uid, wall(days[3], 0, 0, who), wall(other, 0, 0, who),
            (wall(other + DAY, 0, 0, who) -
             wall(other, 0, 0, who)) // minutes(1))
        self.people.delete_one(uid, wall(days[1], 0, 0, who))
        self.expect(room, [whole_days(d) for d in (
            days[0], days[2], other, days[4], days[5])])
        self.assertEqual(self.numbers(room)[wall(other, 0)],
                         before[wall(days[3], 0)])

    def test_series(self):
        """a weekly all-day series, with exceptions"""
        self.series(ZONE)

    def test_series_from_new_york(self):
        """the same of an organiser in New York"""
        self.series(NEW_YORK)

    def test_series_from_auckland(self):
        """the same from Auckland, thirteen hours ahead"""
        self.series(zone("Pacific/Auckland"))

    def test_series_from_honolulu(self):
        """the same from Hawaii, where midnight is at the hour of Auckland's"""
        self.series(zone("Pacific/Honolulu"))

    def test_one_becomes_all_day(self):
        """one date of a timed series becomes all-day, one of an all-day
        series gets an hour: each keeps its reservation"""
        room, first = self.room(), monday(1)
        days = dates(first, 3)
        uid = self.book(room, wall(first, 9), weekly_on(first, count=3))
        self.expect(room, lasting([wall(d, 9) for d in days]))
        number = self.numbers(room)[wall(days[1], 9)]
        self.sim.occurrence_move(
            uid=uid, original_start=iso(wall(days[1], 9)),
            start=iso(wall(days[1], 0)), end=iso(wall(days[1] + DAY, 0)),
            all_day=True)
        self.expect(room, lasting([wall(days[0], 9), wall(days[2], 9)]) + [
            whole_days(days[1])])
        self.assertEqual(self.numbers(room)[wall(days[1], 0)], number)
        room = self.room()
        uid = self.book_days(room, first, 1, ZONE, weekly_on(first, count=3))
        self.expect(room, [whole_days(d) for d in days])
        number = self.numbers(room)[wall(days[1], 0)]
        self.sim.occurrence_move(
            uid=uid, original_start=iso(wall(days[1], 0)),
            start=iso(wall(days[1], 9)), end=iso(wall(days[1], 10)),
            all_day=False)
        self.expect(room, lasting([wall(days[1], 9)]) + [
            whole_days(days[0]), whole_days(days[2])])
        self.assertEqual(self.numbers(room)[wall(days[1], 9)], number)

    def test_becomes_all_day(self):
        """a meeting becomes all-day and an hour again: one reservation"""
        room = self.room()
        uid = self.book(room, wall(monday(1), 9))
        number = self.expect(room, lasting([wall(monday(1), 9)]))[0]["number"]
        self.sim.meeting_move(uid=uid, start=iso(wall(monday(1), 0)),
                              end=iso(wall(monday(1) + DAY, 0)), all_day=True)
        self.expect(room, [whole_days(monday(1))])
        self.sim.meeting_move(uid=uid, start=iso(wall(monday(1), 9)),
                              end=iso(wall(monday(1), 10)), all_day=False)
        self.assertEqual(self.expect(
            room, lasting([wall(monday(1), 9)]))[0]["number"], number)

    def test_zz_still(self):
        """all of this stays without another write"""
        self.check_still()


class EwsClocks(Clocks):
    kind = "ews"


class EwsNames(Names):
    kind = "ews"


class EwsAllDay(AllDay):
    kind = "ews"


if __name__ == "__main__":
    tap.main()
