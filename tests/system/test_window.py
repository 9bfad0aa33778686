#!/usr/bin/env python3
"""The window that ORB keeps equal: how it goes on with the days, and that what
is read anew or not at all is no evidence of anything.

mapd's clock is moved (clock.c); the two systems stay where they are.
"""
import os
import sqlite3
import unittest

import orbtest
import tap
from calendars import (Calendars, DAY, dates, lasting, monday, recurrence,
                       wall, weekly_on)
from people import iso, minutes


class Window(Calendars):
    """Each test has systems of its own, since it has a time of its own."""
    count = 3
    policy = {"window_ahead_days": 30, "rebase_days": 7}

    @classmethod
    def setUpClass(cls):
        pass

    def setUp(self):
        self.addCleanup(type(self).doClassCleanups)
        self.make()

    def based(self):
        """When the rooms' windows were last made anew: mapd lets nobody else
        look while it runs."""
        self.orb.stop_units(["mapd"])
        base = sqlite3.connect("file:%s?mode=ro" % os.path.join(
            self.orb.dir, "state/mapd/state.db"), uri=True)
        try:
            return dict(base.execute("SELECT id, based FROM room"))
        finally:
            base.close()
            self.orb.start(["mapd"])

    def some_of_everything(self, room):
        """Singles, all-day, a series with exceptions: its intervals."""
        first = monday(1)
        days = dates(first, 3)
        self.book(room, wall(first, 9))
        self.people.cancel(self.book(room, wall(first + DAY, 9)))
        self.book(room, wall(first + DAY * 2, 0), None, 24 * 60, all_day=True)
        uid = self.book(room, wall(first, 14), weekly_on(first, count=3))
        self.people.move_one(uid, wall(days[1], 14), wall(days[1] + DAY, 15))
        self.people.delete_one(uid, wall(days[2], 14))
        all_day = (iso(wall(first + DAY * 2, 0)), iso(wall(first + DAY * 3, 0)))
        return sorted(lasting([wall(first, 9), wall(days[0], 14),
                               wall(days[1] + DAY, 15)]) + [all_day])

    def test_rolls_forward(self):
        """day after day the window goes on without a gap, and each booking
        that it reaches is one write"""
        first = monday()
        self.book_endless(0, wall(first, 9), weekly_on(
            first, "monday", "thursday"))
        self.book_endless(1, wall(first, 9), recurrence(
            "daily", first, interval=5))
        mondays = dates(first, 15)
        series = [wall(d, 9) for d in sorted(
            mondays + [d + DAY * 3 for d in mondays])]
        fifth = [wall(d, 9) for d in dates(first, 20, 5)]
        single = wall(first + DAY * 50, 11)
        self.book(2, single)
        for days in range(0, 34, 3):
            self.clock(days)
            end = self.window_end()
            before = [len(self.shown(r)) for r in range(3)]
            self.sim.counters_reset()
            expected = [[s for s in starts if s < end]
                        for starts in (series, fifth, [single])]
            for room, starts in enumerate(expected):
                self.expect(room, lasting(starts), both=False)
            self.assertEqual(self.writes(), sum(
                len(e) - b for e, b in zip(expected, before)),
                "%d days on" % days)
        self.assertEqual(self.people.reservations(status="cancelled"), [])

    def test_base_anew(self):
        """the window is read anew: no cancellation, no write, no mail"""
        wanted = {room: self.some_of_everything(room) for room in range(3)}
        for room in wanted:
            self.expect(room, wanted[room])
        cancelled = self.people.reservations(status="cancelled")
        before, numbers = self.based(), self.numbers(0)
        self.sim.counters_reset()
        self.sim.mails_reset()
        self.clock(8)
        self.rounds(3)
        for room, at in self.based().items():
            self.assertGreater(at, before[room] + 7 * 86400)
        self.rounds(2)
        self.assertEqual({r: self.shown(r) for r in wanted}, wanted)
        self.assertEqual(self.numbers(0), numbers)
        self.assertEqual(self.people.reservations(status="cancelled"),
                         cancelled)
        self.assertEqual(self.writes(), 0)
        self.assertEqual(self.sim.mails()["total"], 0)
        # What changes after that is seen.
        uid = self.book(0, wall(monday(2), 18))
        self.expect(0, wanted[0] + lasting([wall(monday(2), 18)]),
                    both=False)
        self.people.cancel(uid)
        self.expect(0, wanted[0], both=False)

    def test_changes_while_away(self):
        """mapd stands still for ten days; what happened meanwhile is seen
        with the window made anew"""
        wanted = self.some_of_everything(0)
        self.expect(0, wanted)
        first = monday()
        uid = self.book(1, wall(first, 9), weekly_on(first, count=5))
        self.expect(1, lasting([wall(d, 9) for d in dates(first, 5) if wall(
            d, 9) < self.window_end()]), both=False)
        self.orb.stop_units(["mapd"])
        self.clock(10)
        self.sim.series_repattern(uid=uid, recurrence=weekly_on(
            monday(), "tuesday", count=5))
        self.orb.start(["mapd"])
        now = self.now()
        # What is over by now stays as it was, on either weekday.
        starts = [wall(d, 9) for d in dates(first, 5)]
        ends = [wall(d + DAY, 9) for d in dates(first, 5)]
        past = [s for s in starts if s + minutes(60) <= now]
        come = [s for s in ends if s + minutes(60) > now]
        self.expect(1, lasting(past + come), both=False)
        self.expect(0, wanted, both=False)

    def test_wider(self):
        """a wider window in orb.conf is there after a restart; a narrower
        one cancels nothing"""
        first = monday()
        self.book(0, wall(first, 9), weekly_on(first, count=10))
        starts = [wall(d, 9) for d in dates(first, 10)]
        near = [s for s in starts if s < self.window_end()]
        self.expect(0, lasting(near), both=False)
        for days, expected in ((120, starts), (10, starts)):
            self.orb.configure(policy={"window_ahead_days": days})
            self.orb.restart()
            self.rounds(2)
            self.expect(0, lasting(expected), both=False)

    def test_removed_outside(self):
        """what the feed says of meetings outside the window: nothing is done
        here, and nothing is cancelled"""
        wanted = self.some_of_everything(0)
        self.expect(0, wanted)
        self.sim.counters_reset()
        far = wall(monday() + DAY * 200, 9)
        single = self.book(0, far)
        series = self.book(0, far + minutes(120), recurrence(
            "daily", monday() + DAY * 200, count=9))
        self.rounds(1)
        self.people.move(single, far + minutes(30))
        self.people.move_one(series, far + minutes(120), far + minutes(240))
        self.rounds(1)
        self.people.cancel(single)
        self.sim.meeting_delete(uid=series)
        self.rounds(2)
        self.expect(0, wanted, both=False)
        self.assertEqual(self.writes(), 0)

    def test_empty_pages(self):
        """pages with nothing on them, and with one line each"""
        self.sim.set(key="empty_pages", value=True)
        self.sim.set(key="page_size", value=1)
        first = monday()
        uid = self.book(0, wall(first, 9), weekly_on(first, count=3))
        self.expect(0, lasting([wall(d, 9) for d in dates(first, 3)]))
        self.sim.series_repattern(uid=uid, recurrence=weekly_on(
            first, "friday", count=3))
        fridays = [wall(d + DAY * 4, 9) for d in dates(first, 3)]
        self.expect(0, lasting(fridays))
        self.clock(8)  # read anew in such pages
        self.rounds(3)
        self.expect(0, lasting(fridays), both=False)

    def test_lines_twice(self):
        """every line of the feed comes twice"""
        self.sim.set(key="replay", value=1)
        wanted = self.some_of_everything(0)
        self.expect(0, wanted)

    def test_unreadable(self):
        """an item whose times nobody can read is said, and holds up nothing;
        it is forgotten when it is gone and all has been read anew"""
        start = wall(monday(), 9)
        uid = self.book(0, start, None, zone_name_shown="Eastern Standard Time")
        other = self.book(0, wall(monday(), 11))
        if self.kind == "ews":  # it says UTC, whatever the zone
            self.expect(0, lasting([start, wall(monday(), 11)]))
            return
        said = orbtest.wait_for("it is said", lambda: [
            p for p in self.problems(0) if not p["booking"]], 10)
        self.assertEqual(len(said), 1)
        self.assertIn("cannot be read", said[0]["text"])
        self.assertFalse(self.orb.status()["well"])
        self.people.move(other, wall(monday(), 12))
        orbtest.wait_for("the other is moved", lambda: self.shown(0) ==
                         lasting([wall(monday(), 12)]), 10)
        self.rounds(2)
        self.assertEqual([p["text"] for p in self.problems(0)],
                         [said[0]["text"]])
        self.sim.meeting_delete(uid=uid)
        self.clock(8)
        self.expect(0, lasting([wall(monday(), 12)]), both=False)

    def cursor_lost(self, skip):
        self.sim.set(key="page_size", value=2)
        first = monday()
        uid = self.book(0, wall(first, 9), weekly_on(
            first, "monday", "wednesday", "friday", count=9))
        other = self.some_of_everything(1)
        self.expect(0, lasting([wall(d + DAY * n, 9) for d in dates(first, 3)
                                for n in (0, 2, 4)]))
        self.expect(1, other)
        numbers = self.numbers(0)
        self.orb.stop_units(["mapd"])
        self.sim.series_repattern(uid=uid, recurrence=weekly_on(
            first, "monday", "thursday", count=6))
        self.sim.fault(kind="410", listener=self.kind, count=1, skip=skip)
        self.orb.start(["mapd"])
        orbtest.wait_for("the cursor is refused", lambda: all(
            f["hits"] for f in self.sim.counters()["faults"]), 20)
        self.expect(0, lasting([wall(d + DAY * n, 9) for d in dates(first, 3)
                                for n in (0, 3)]))
        for at in dates(first, 3):
            self.assertEqual(self.numbers(0)[wall(at, 9)],
                             numbers[wall(at, 9)])
        self.expect(1, other)

    def test_cursor_lost(self):
        """the cursor is refused when a series has changed"""
        self.cursor_lost(0)

    def test_cursor_lost_within(self):
        """the same in the middle of the pages that tell of it"""
        self.cursor_lost(3)


class EwsWindow(Window):
    """With both directions on, too."""
    kind = "ews"
    policy = dict(Window.policy, direction="both")


if __name__ == "__main__":
    tap.main()
