#!/usr/bin/env python3
"""Series: each pattern, each way in which people change them, and what no feed
tells of that.

test_bookings.py has the plain ones (moved whole, re-patterned, cancelled);
zones are in test_zones.py, the window in test_window.py; the same over Exchange
Web Services is test_series_ews.py.
"""
import datetime
import unittest

import orbtest
import tap
from calendars import (AHEAD, Calendars, DAY, add_months, dates, lasting,
                       monday, recurrence, today, wall, weekly_on)
from people import iso


def at(days, hour=9, minute=0):
    return [wall(d, hour, minute) for d in days]


class Patterns(Calendars):
    """What a pattern means, date by date."""
    count = 13

    def series(self, recurs, first, expected):
        room = self.room()
        self.book(room, wall(first, 9), recurs)
        self.expect(room, lasting(at(expected)))

    def test_every_third_day(self):
        """daily, every third day"""
        first = monday()
        self.series(recurrence("daily", first, count=10, interval=3), first,
                    dates(first, 10, 3))

    def test_several_weekdays(self):
        """weekly on Monday, Wednesday and Friday"""
        first = monday()
        self.series(weekly_on(first, "monday", "wednesday", "friday",
                              count=9), first,
                    sorted(dates(first, 3) + dates(first + DAY * 2, 3) +
                           dates(first + DAY * 4, 3)))

    def test_biweekly_week_from_monday(self):
        """every other week, Sunday and Monday, weeks beginning on Monday"""
        first = monday()
        self.series(weekly_on(first, "sunday", "monday", interval=2, count=6,
                              firstDayOfWeek="monday"), first,
                    sorted(dates(first, 3, 14) +
                           dates(first + DAY * 6, 3, 14)))

    def test_biweekly_week_from_sunday(self):
        """the same with weeks that begin on Sunday, as Exchange has it when
        nothing is said"""
        first = monday()
        self.series(weekly_on(first, "sunday", "monday", interval=2, count=6),
                    first, sorted(dates(first, 3, 14) +
                                  dates(first + DAY * 13, 3, 14)))

    def test_monthly_31st(self):
        """monthly on the 31st, which most months have not"""
        first = add_months(today(), 1, 31)
        self.series(recurrence("absoluteMonthly", first, count=11,
                               dayOfMonth=31), first,
                    [add_months(first, n, 31) for n in range(11)])

    def test_monthly_last_friday(self):
        """monthly on the last Friday"""
        def last_friday(n):
            end = add_months(today(), n, 31)
            return end - DAY * ((end.weekday() - 4) % 7)
        days = [last_friday(n) for n in range(1, 11)]
        self.series(recurrence("relativeMonthly", days[0], count=10,
                               daysOfWeek=["friday"], index="last"), days[0],
                    days)

    def test_yearly(self):
        """yearly, begun years ago: the dates of it that are to come"""
        day = today() + DAY * 40
        if (day.month, day.day) == (2, 29):
            day += DAY
        first = day.replace(year=day.year - 3)
        room = self.room()
        self.book_endless(room, wall(first, 9), recurrence(
            "absoluteYearly", first, dayOfMonth=day.day, month=day.month))
        starts = at([day, day.replace(year=day.year + 1)])
        self.expect(room, lasting([s for s in starts if s < self.window_end()]
                                  ), both=False)

    def test_endless(self):
        """a series without end is reserved as far as the window goes"""
        room, first = self.room(), monday()
        self.book_endless(room, wall(first, 9), weekly_on(first))
        within = [s for s in at(dates(first, AHEAD // 7 + 3))
                  if s < self.window_end()]
        self.expect(room, lasting(within))
        self.assertGreater(len(within), AHEAD // 7 - 2)

    def test_first_outside_pattern(self):
        """a series whose own start is none of its dates: no ghost there"""
        first = monday()
        self.series(weekly_on(first, "tuesday", "thursday", count=6), first,
                    sorted(dates(first + DAY, 3) + dates(first + DAY * 3, 3)))

    def test_begun_long_before(self):
        """a series begun two years ago: what is to come is reserved"""
        soon = today() + DAY * 3
        first = soon - DAY * 7 * 104
        room = self.room()
        self.book(room, wall(first, 9), weekly_on(first, count=124))
        self.expect(room, lasting(at(dates(soon, 20))), both=False)
        self.assertEqual(self.people.reservations(room, "cancelled"), [])

    def test_many_dates(self):
        """two hundred dates of one series: more than one page"""
        first = monday()
        self.series(recurrence("daily", first, count=200), first,
                    dates(first, 200, 1))

    def test_zz_still(self):
        """all of this stays without another write"""
        self.check_still()


class Changes(Calendars):
    """What people do to series and to single dates of them."""
    count = 36
    policy = {"window_ahead_days": AHEAD, "subject": "keep"}

    def weekly(self, count=6, hour=9, **more):
        """A weekly series: room, uid, its starts; it is on both sides."""
        room, first = self.room(), monday()
        uid = self.book(room, wall(first, hour), weekly_on(
            first, count=count), **more)
        starts = at(dates(first, count), hour)
        self.expect(room, lasting(starts))
        return room, uid, starts

    def test_end_date_cut(self):
        """an end date brought forward frees the dates behind it, put back
        reserves them again"""
        room, first = self.room(), monday()
        days = dates(first, 10)
        uid = self.book(room, wall(first, 9), weekly_on(
            first, until=days[-1]))
        self.expect(room, lasting(at(days)))
        before = self.numbers(room)
        self.sim.series_repattern(uid=uid, recurrence=weekly_on(
            first, until=days[3]))
        self.expect(room, lasting(at(days[:4])))
        self.assertEqual(len(self.people.reservations(room, "cancelled")), 6)
        self.sim.series_repattern(uid=uid, recurrence=weekly_on(
            first, until=days[5] + DAY))  # a day that is none of its dates
        self.expect(room, lasting(at(days[:6])))
        after = self.numbers(room)
        for start in at(days[:4]):
            self.assertEqual(after[start], before[start])

    def test_vanish_without_a_word(self):
        """dates that are no longer of the pattern: nothing says removed"""
        room, first = self.room(), monday()
        uid = self.book(room, wall(first, 9), weekly_on(
            first, "monday", "wednesday", "friday", count=12))
        mondays = dates(first, 4)
        self.expect(room, lasting(at(sorted(
            mondays + dates(first + DAY * 2, 4) + dates(first + DAY * 4, 4)))))
        before = self.numbers(room)
        self.sim.series_repattern(uid=uid, recurrence=weekly_on(
            first, "monday", count=4))
        self.expect(room, lasting(at(mondays)))
        self.assertEqual(self.numbers(room),
                         {s: before[s] for s in at(mondays)})

    def test_leaves_the_window_and_returns(self):
        """a series moved beyond the window, and back"""
        room, uid, starts = self.weekly(4)
        far = monday() + DAY * (AHEAD + 60)
        self.people.move(uid, wall(far, 9))
        self.expect(room, [], both=False)
        self.people.move(uid, starts[0])
        self.expect(room, lasting(starts))

    def test_single_leaves_and_returns(self):
        """a meeting moved beyond the window, and back: one reservation"""
        room, start = self.room(), wall(monday(), 9)
        uid = self.book(room, start)
        number = self.expect(room, lasting([start]))[0]["number"]
        far = wall(monday() + DAY * (AHEAD + 60), 9)
        self.people.move(uid, far)
        self.expect(room, lasting([far]), both=False)
        self.people.move(uid, start)
        self.assertEqual(self.expect(room, lasting([start]))[0]["number"],
                         number)

    def test_one_deleted(self):
        """one date deleted, without a trace in the feed"""
        room, uid, starts = self.weekly()
        self.people.delete_one(uid, starts[2])
        self.expect(room, lasting(starts[:2] + starts[3:]))

    def test_one_moved_to_another_day(self):
        """one date on another day keeps its reservation; so it does when it
        is moved again, and back"""
        room, uid, starts = self.weekly()
        number = self.numbers(room)[starts[2]]
        for start in (starts[2] + DAY, starts[2] + DAY * 2, starts[2]):
            self.people.move_one(uid, starts[2], start)
            self.expect(room, lasting(starts[:2] + [start] + starts[3:]))
            self.assertEqual(self.numbers(room)[start], number)

    def test_one_past_its_neighbour(self):
        """one date moved behind the one after it"""
        room, uid, starts = self.weekly()
        number = self.numbers(room)[starts[1]]
        start = starts[2] + DAY
        self.people.move_one(uid, starts[1], start)
        self.expect(room, lasting([starts[0], starts[2], start] + starts[3:]))
        self.assertEqual(self.numbers(room)[start], number)

    def test_one_takes_anothers_place(self):
        """one date moved to where its neighbour was, which was moved away:
        each keeps its own reservation"""
        room, uid, starts = self.weekly()
        before = self.numbers(room)
        self.people.move_one(uid, starts[2], starts[2] + DAY)
        self.people.move_one(uid, starts[1], starts[2])
        self.expect(room, lasting([starts[0], starts[2], starts[2] + DAY] +
                                  starts[3:]))
        after = self.numbers(room)
        self.assertEqual(after[starts[2]], before[starts[1]])
        self.assertEqual(after[starts[2] + DAY], before[starts[2]])

    def test_cancelled_then_all_moved(self):
        """a date cancelled, then the series moved: Exchange forgets the
        exception, so that all dates are reserved at the new time"""
        room, uid, starts = self.weekly()
        self.people.cancel_one(uid, starts[3])
        self.expect(room, lasting(starts[:3] + starts[4:]))
        self.people.move(uid, wall(monday(), 14))
        self.expect(room, lasting(at(dates(monday(), 6), 14)))

    def test_moved_by_half_its_length(self):
        """a series moved by half an hour: its new dates stand where its own
        old ones were"""
        self.sim.set(key="conflict", value="refused")
        self.addCleanup(self.sim.set, key="conflict", value="stored")
        room, uid, starts = self.weekly()
        self.people.move(uid, starts[0] + datetime.timedelta(minutes=30))
        self.expect(room, lasting(at(dates(monday(), 6), 9, 30)))

    def test_all_cancelled_with_exceptions(self):
        """a series with exceptions is cancelled as a whole"""
        room, uid, starts = self.weekly()
        self.people.move_one(uid, starts[1], starts[1] + DAY)
        self.people.delete_one(uid, starts[2])
        self.expect(room, lasting([starts[0], starts[1] + DAY] + starts[3:]))
        self.people.cancel(uid)
        self.expect(room, [])

    def test_exception_into_the_window(self):
        """a date beyond the window is moved into it, and back out"""
        room, first = self.room(), monday() + DAY * (AHEAD - 14)
        uid = self.book(room, wall(first, 9), weekly_on(first, count=8))
        days = at(dates(first, 8))
        inside = [s for s in days if s < self.window_end()]
        self.expect(room, lasting(inside))
        near = wall(monday() + DAY, 9)
        self.people.move_one(uid, days[-1], near)
        self.expect(room, lasting([near] + inside))
        self.people.move_one(uid, days[-1], days[-1])
        self.expect(room, lasting(inside + days[-1:]), both=False)

    def test_exception_out_of_the_window(self):
        """a date moved beyond the window keeps its reservation"""
        room, uid, starts = self.weekly()
        number = self.numbers(room)[starts[4]]
        far = wall(monday() + DAY * (AHEAD + 60), 9)
        self.people.move_one(uid, starts[4], far)
        self.expect(room, lasting(starts[:4] + starts[5:] + [far]),
                    both=False)
        self.assertEqual(self.numbers(room)[far], number)

    def test_series_becomes_single(self):
        """a series cut to its first date"""
        room, uid, starts = self.weekly()
        self.sim.series_repattern(uid=uid, recurrence=weekly_on(
            monday(), count=1))
        self.expect(room, lasting(starts[:1]))

    def test_changed_twice_between_looks(self):
        """changes upon changes while ORB does not look"""
        room, uid, starts = self.weekly()
        self.orb.stop_units(["mapd"])
        self.people.move_one(uid, starts[1], starts[1] + DAY)
        self.people.move(uid, wall(monday(), 11))
        again = at(dates(monday(), 6), 11)
        self.people.cancel_one(uid, again[0])
        self.people.move_one(uid, again[5], again[5] + DAY)
        self.orb.start(["mapd"])
        self.expect(room, lasting(again[1:5] + [again[5] + DAY]))

    def test_long_series_moved(self):
        """a hundred dates at another time: one series is one cancellation, it
        is not held, and no date stands in another's way"""
        room, first = self.room(), monday()
        uid = self.book(room, wall(first, 9), recurrence(
            "daily", first, count=100))
        self.expect(room, lasting(at(dates(first, 100, 1))))
        self.people.move(uid, wall(first + DAY, 9, 30))
        self.expect(room, lasting(at(dates(first + DAY, 100, 1), 9, 30)))

    def test_accepted_later(self):
        """a series that the room accepts when ORB has long seen it, declines,
        and gets again"""
        room, first = self.room(), monday()
        self.room_settings(room, silent=True)
        mailbox = self.orb.rooms[room]["mailbox"]
        days = dates(first, 4)
        uid = self.book(room, wall(first, 9), weekly_on(first, count=4))
        self.rounds(2)
        self.assertEqual(self.people.reservations(room), [])
        for response, starts in (("accepted", at(days)), ("tentative", []),
                                 ("accepted", at(days)), ("declined", [])):
            self.sim.meeting_respond(uid=uid, room=mailbox, response=response)
            if response == "tentative":
                self.rounds(2)  # what is booked stays until it is declined
            else:
                self.expect(room, lasting(starts))

    def test_vanishes_from_the_room(self):
        """a series that is taken out of the room's calendar"""
        room, uid, starts = self.weekly()
        self.people.delete_one(uid, starts[1])
        self.sim.meeting_delete(
            uid=uid, room=self.orb.rooms[room]["mailbox"])
        self.expect(room, [])

    def test_all_but_some(self):
        """a series of which the room accepted all but some dates: those it
        declined are not reserved for it, also when it changes"""
        room, first = self.room(), monday()
        self.room_settings(room, maximum_conflict_instances=3)
        days = dates(first, 6)
        taken = [wall(days[1], 9, 30), wall(days[4], 8, 30)]
        for start in taken:
            self.book(room, start, who="grace")
        self.expect(room, lasting(taken))
        uid = self.book(room, wall(first, 9), weekly_on(first, count=6))
        free = at([days[0], days[2], days[3], days[5]])
        self.expect(room, lasting(taken + free))
        self.people.move_one(uid, free[1], free[1] + DAY)
        free[1] += DAY
        self.expect(room, lasting(taken + free))
        self.people.cancel(uid)
        self.expect(room, lasting(taken))

    def in_other_room(self, uid, original, *rooms):
        self.sim.occurrence_rooms(
            uid=uid, original_start=iso(original),
            rooms=[self.orb.rooms[r]["mailbox"] for r in rooms])

    def test_one_in_another_room(self):
        """one date in another room, moved there, then back"""
        room, uid, starts = self.weekly()
        other = self.room()
        self.in_other_room(uid, starts[2], other)
        self.expect(room, lasting(starts[:2] + starts[3:]))
        self.expect(other, lasting([starts[2]]))
        self.people.move_one(uid, starts[2], starts[2] + DAY)
        self.expect(other, lasting([starts[2] + DAY]))
        self.people.cancel_one(uid, starts[2])
        self.expect(other, [])
        self.expect(room, lasting(starts[:2] + starts[3:]))

    def test_two_in_another_room(self):
        """two dates of one series in the same other room: they have the uid
        in common, and are two bookings"""
        room, uid, starts = self.weekly()
        other = self.room()
        self.in_other_room(uid, starts[1], other)
        self.in_other_room(uid, starts[3], other)
        self.expect(other, lasting([starts[1], starts[3]]))
        self.expect(room, lasting([starts[0], starts[2]] + starts[4:]))
        self.people.move(uid, wall(monday(), 15))  # all are back
        self.expect(other, [])
        self.expect(room, lasting(at(dates(monday(), 6), 15)))

    def test_subject_of_one(self):
        """one date gets a subject of its own: one write, no time in it"""
        room, first = self.room(), monday()
        self.room_settings(room, add_organizer_to_subject=False,
                           delete_subject=False)
        starts = at(dates(first, 3))
        uid = self.book(room, wall(first, 9), weekly_on(first, count=3),
                        subject="Team")
        before = self.expect(room, lasting(starts))
        self.sim.counters_reset()
        self.sim.occurrence_move(
            uid=uid, original_start=iso(starts[1]), start=iso(starts[1]),
            end=iso(starts[1] + datetime.timedelta(minutes=60)),
            subject="Team and guests")
        orbtest.wait_for("it is called so", lambda: [
            r["briefDescription"] for r in self.people.planned(room)] == [
                "Team", "Team and guests", "Team"], 15)
        after = self.expect(room, lasting(starts))
        self.assertEqual([r["number"] for r in after],
                         [r["number"] for r in before])
        self.assertEqual(self.writes(), 1)

    def test_zz_still(self):
        """all of this stays without another write"""
        self.check_still()


if __name__ == "__main__":
    tap.main()
