#!/usr/bin/env python3
"""Two who want the same room at the same time: who keeps it, who is told, how
often, and what orbctl says.

Each conflict is made while mapd is away, so that it finds both at once, or over
a pair that stands already.
"""
import unittest

import orbtest
import tap
from bothways import BothWays, rounds
from people import daily, day, iso

POLICIES = ("first-wins", "exchange-wins", "topdesk-wins")


class Base(BothWays):
    """A third of the rooms has each of the policies."""
    room_count = 48
    book_as = "room"

    @classmethod
    def prepare(cls):
        for i, room in enumerate(cls.orb.settings["rooms"]):
            room["conflict"] = POLICIES[i % 3]
        cls.orb.conf_write()
        cls.used = {p: 0 for p in POLICIES}

    def room(self, policy="exchange-wins"):
        n = self.used[policy]
        self.used[policy] += 1
        return self.use(n * 3 + POLICIES.index(policy))

    def settled(self, room, count=1):
        """The room's conflicts, once all have ended."""
        return orbtest.wait_for(
            "the conflict has ended", lambda: (
                lambda found: len(found) == count and all(
                    c["state"] == "settled" for c in found) and found)(
                        self.conflicts(room)), 20)

    def exchange_kept(self, room, lost):
        """The meeting stands, with its reservation; the other is cancelled
        and its requester has one notice."""
        self.equal()
        self.assertEqual(self.status_of(lost), "cancelled")
        self.assertEqual(len(self.in_room(room)), 1)
        self.assertEqual([r["start"] for r in self.people.planned(room)],
                         [self.in_room(room)[0][0]])
        notices = [m for m in self.sim.mails()["list"]
                   if not m["to_room"] and m["kind"] == "invitation" and
                   m["subject"].startswith("Not reserved")]
        self.assertEqual([m["to"] for m in notices], ["rita@sim.test"])
        self.assertIn(self.name(room), notices[0]["subject"])

    def topdesk_kept(self, room, kept):
        """The reservation stands, with its meeting; the room said no."""
        self.equal()
        self.assertEqual(self.status_of(kept), "planned")
        self.assertEqual(len(self.people.planned(room)), 1)
        self.assertEqual(len(self.in_room(room)), 1)


class Policies(Base):
    makes = "POST /users/*/events"  # what makes a meeting in Exchange

    def clash(self, policy, exchange_first):
        """ada 9 to 10 in Outlook, rita half past 9 to half past 10."""
        room = self.room(policy)
        book = lambda: self.people.book("ada", room, day(1, 9))  # noqa: E731
        take = lambda: self.reserve(room, day(1, 9, 30))  # noqa: E731
        done = self.at_once(*((book, take) if exchange_first
                              else (take, book)))
        uid, reservation = done if exchange_first else reversed(done)
        return room, uid, reservation

    def check(self, policy, exchange_first):
        room, uid, reservation = self.clash(policy, exchange_first)
        if policy == "topdesk-wins":
            self.topdesk_kept(room, reservation)
            self.assertNotIn(uid, [u for _, u in self.in_room(room)])
            self.assertEqual(self.sim.meeting_get(uid=uid)["responses"],
                             {self.mailbox(room): "declined"})
            self.mails(response=2)  # yes by itself, then no by ORB's hand
            loser, keeper = "exchange", "topdesk"
        else:
            self.exchange_kept(room, reservation)
            self.assertEqual([u for _, u in self.in_room(room)], [uid])
            self.mails(invitation=1, response=1)
            loser, keeper = "topdesk", "exchange"
        row, = self.settled(room)
        self.assertEqual((row["policy"], row["keeper"]), (policy, keeper))
        self.assertTrue(row["rival"], row)
        self.assertEqual(self.problems(room), [])
        self.assertNotEqual(loser, keeper)

    def test_first_wins_meeting_first(self):
        """first-wins, both new: the meeting stays, the requester is told"""
        self.check("first-wins", True)

    def test_first_wins_reservation_first(self):
        """first-wins, the reservation was made earlier: neither was answered
        yet, so the meeting stays"""
        self.check("first-wins", False)

    def test_exchange_wins_meeting_first(self):
        """exchange-wins, the meeting first"""
        self.check("exchange-wins", True)

    def test_exchange_wins_reservation_first(self):
        """exchange-wins, the reservation first"""
        self.check("exchange-wins", False)

    def test_topdesk_wins_meeting_first(self):
        """topdesk-wins, the meeting first: the room declines it"""
        self.check("topdesk-wins", True)

    def test_topdesk_wins_reservation_first(self):
        """topdesk-wins, the reservation first: the room declines the meeting"""
        self.check("topdesk-wins", False)

    def test_paired_meeting_keeps(self):
        """first-wins: what TOPdesk lets be planned over a pair loses"""
        room = self.room("first-wins")
        self.people.book("ada", room, day(2, 9))
        self.equal()
        self.sim.mails_reset()
        lost = self.reserve(room, day(2, 9, 30))
        self.assertEqual(self.status_of(lost), "conflictingPlanned")
        self.exchange_kept(room, lost)
        self.mails(invitation=1)
        self.settled(room)

    def test_paired_meeting_keeps_with_topdesk_wins(self):
        """topdesk-wins: TOPdesk itself calls the second one conflicting, so
        the first stays, whoever made it"""
        room = self.room("topdesk-wins")
        self.people.book("ada", room, day(2, 9))
        self.equal()
        self.sim.mails_reset()
        lost = self.reserve(room, day(2, 9, 30))
        self.exchange_kept(room, lost)
        self.mails(invitation=1)

    def test_a_race(self):
        """both made in the same second, and TOPdesk's answers are lost"""
        for kind in ("cut_after", "cut_before"):
            room = self.room("exchange-wins")
            self.sim.mails_reset()
            self.sim.fault(kind=kind, endpoint="POST /reservations", count=1)
            self.people.book("ada", room, day(3, 9))
            lost = self.reserve(room, day(3, 9, 30))
            self.exchange_kept(room, lost)
            self.mails(invitation=1, response=1)
            self.sim.faults_clear()

    def test_a_race_and_the_notice_is_lost(self):
        """the answer to the notice is lost: it is looked up, not sent again"""
        room = self.room("exchange-wins")
        self.sim.fault(kind="cut_after", endpoint=self.makes, count=1)
        _, lost = self.at_once(
            lambda: self.people.book("ada", room, day(3, 9)),
            lambda: self.reserve(room, day(3, 9, 30)))
        self.exchange_kept(room, lost)
        self.mails(invitation=1, response=1)

    def test_refused(self):
        """TOPdesk refuses to plan twice (HTTP 400): said, and made when the
        other has gone"""
        room = self.room("exchange-wins")
        self.sim.set(key="conflict", value="refused")
        # A request is nobody's meeting yet, but it holds the room.
        held = self.reserve(room, day(4, 9), status="request")
        self.people.book("ada", room, day(4, 9, 30))
        said = orbtest.wait_for("the problem is said",
                                lambda: self.problems(room), 20)
        self.assertIn("taken in TOPdesk", said[0]["text"])
        self.assertEqual(len(said), 1)
        self.assertEqual(self.people.planned(room), [])
        self.sim.reservation_status(id=held, status="rejected")
        self.equal()
        self.assertEqual(len(self.people.planned(room)), 1)
        self.assertEqual(self.problems(room), [])
        self.mails(response=1)

    def test_rival_goes_outlook(self):
        """the conflict ends when its rival goes before it is settled"""
        room = self.room("exchange-wins")
        self.orb.stop_units(["mapd"])
        uid = self.people.book("ada", room, day(5, 9))
        kept = self.reserve(room, day(5, 9, 30))
        # What would tell the requester cannot be sent.
        self.sim.fault(kind="503", endpoint=self.makes, count=-1)
        self.orb.start(["mapd"])
        orbtest.wait_for("the conflict is listed", lambda: [
            c for c in self.conflicts(room) if c["state"] == "open"], 20)
        self.people.cancel(uid)
        rounds(self.orb, 2)
        self.sim.faults_clear()
        self.equal()
        self.settled(room)
        self.assertEqual(self.problems(room), [])
        # Told or not is a race that nobody can win; never both.
        if self.status_of(kept) == "planned":
            self.assertEqual(len(self.in_room(room)), 1)
            self.mails(response=1)
        else:
            self.mails(response=1, invitation=1)

    def test_rival_goes_topdesk(self):
        """a reservation that stays conflictingPlanned after its rival has
        gone is planned anew, and gets its meeting"""
        room = self.room("first-wins")
        first = self.reserve(room, day(6, 9))
        self.equal()
        self.assertEqual(len(self.in_room(room)), 1)
        self.orb.stop_units(["mapd"])
        second = self.reserve(room, day(6, 9, 30), requester="karel")
        self.assertEqual(self.status_of(second), "conflictingPlanned")
        self.sim.reservation_cancel(id=first)
        self.sim.mails_reset()
        self.orb.start(["mapd"])
        orbtest.wait_for("planned", lambda: self.status_of(second) ==
                         "planned", 20)
        self.equal()
        self.assertEqual(len(self.in_room(room)), 1)
        self.assertEqual(self.problems(room), [])
        self.mails()

    def test_own_reservation_conflicting(self):
        """a reservation of a meeting that TOPdesk keeps as conflicting, whose
        rival goes, is planned in the end"""
        room = self.room("exchange-wins")
        held = self.reserve(room, day(7, 9), status="request")
        self.people.book("ada", room, day(7, 9, 30))
        mine = orbtest.wait_for("it is stored as conflicting", lambda: [
            r for r in self.people.reservations(room)
            if r["status"] == "conflictingPlanned"], 20)
        orbtest.wait_for("said", lambda: self.problems(room), 20)
        self.sim.reservation_status(id=held, status="rejected")
        self.equal()
        self.assertEqual(self.status_of(mine[0]["id"]), "planned")
        self.assertEqual(self.problems(room), [])
        self.mails(response=1)

    def test_three_in_one_slot(self):
        """one meeting and two reservations: one stays, two are told once"""
        room = self.room("exchange-wins")
        uid, second, third = self.at_once(
            lambda: self.people.book("ada", room, day(8, 9)),
            lambda: self.reserve(room, day(8, 9, 30)),
            lambda: self.reserve(room, day(8, 9, 15), requester="karel"))
        self.equal()
        self.assertEqual([self.status_of(second), self.status_of(third)],
                         ["cancelled", "cancelled"])
        self.assertEqual([u for _, u in self.in_room(room)], [uid])
        self.mails(invitation=2, response=1)
        told = sorted(m["to"] for m in self.sim.mails()["list"]
                      if m["kind"] == "invitation" and not m["to_room"])
        self.assertEqual(told, ["karel@sim.test", "rita@sim.test"])

    def test_three_topdesk_wins(self):
        """the same where TOPdesk wins: its first stays, the second, which it
        calls conflicting itself, is told"""
        room = self.room("topdesk-wins")
        uid, second, third = self.at_once(
            lambda: self.people.book("ada", room, day(8, 9)),
            lambda: self.reserve(room, day(8, 9, 30)),
            lambda: self.reserve(room, day(8, 9, 15), requester="karel"))
        self.equal()
        self.assertEqual(self.status_of(second), "planned")
        self.assertEqual(self.status_of(third), "cancelled")
        self.assertNotIn(uid, [u for _, u in self.in_room(room)])
        self.mails(invitation=1, response=2)

    def series(self, policy):
        room = self.room(policy)
        start = day(10, 9)
        uid, lost = self.at_once(
            lambda: self.people.book("ada", room, start, 60,
                                     recurrence=daily(start, 4)),
            lambda: self.reserve(room, day(12, 9, 30)))
        return room, uid, lost

    def test_series_keeps(self):
        """one occurrence of a series conflicts: the reservation loses"""
        room, _, lost = self.series("exchange-wins")
        self.equal()
        self.assertEqual(self.status_of(lost), "cancelled")
        self.assertEqual(len(self.people.planned(room)), 4)
        self.mails(invitation=1, response=1)

    def test_series_loses_one(self):
        """one occurrence of a series conflicts and loses: the others stay"""
        room, _, kept = self.series("topdesk-wins")
        self.equal()
        self.assertEqual(self.status_of(kept), "planned")
        self.assertEqual(len(self.people.planned(room)), 4)
        self.assertEqual(len(self.in_room(room)), 4)
        row, = self.settled(room)
        self.assertEqual(row["start"], iso(day(12, 9)))
        self.mails(response=2)

    def test_killed_while_settling(self):
        """mapd dies again and again while a conflict ends: one notice"""
        for n in range(4):
            room = self.room("exchange-wins")
            self.sim.mails_reset()
            self.sim.set(key="latency_ms", value=60)
            self.orb.stop_units(["mapd"])
            uid = self.people.book("ada", room, day(9, 9))
            lost = self.reserve(room, day(9, 9, 30))
            for _ in range(4):
                self.orb.start(["mapd"])
                orbtest.time.sleep(0.15 + 0.11 * n)
                self.orb.kill("mapd")
            self.sim.set(key="latency_ms", value=0)
            self.orb.wait_ready(["mapd"])
            self.exchange_kept(room, lost)
            self.assertEqual([u for _, u in self.in_room(room)], [uid])
            self.mails(invitation=1, response=1)

    def test_nobody_to_tell(self):
        """the loser has no address: a person is asked to tell them"""
        room = self.room("exchange-wins")
        nobody = self.sim.add_person(name="Nobody's mail")["id"]

        def take():
            return self.sim.reservation_create(
                location=self.orb.rooms[room]["location"],
                start=iso(day(1, 9, 30)), end=iso(day(1, 10, 30)),
                requester=nobody, briefDescription="Zonder adres")["id"]
        _, lost = self.at_once(
            lambda: self.people.book("ada", room, day(1, 9)), take)
        self.equal()
        self.assertEqual(self.status_of(lost), "cancelled")
        self.mails(response=1)
        said, = self.problems(room)
        self.assertIn("nobody was told", said["text"])
        self.settled(room)

    def test_orbctl(self):
        """orbctl conflicts and conflicts show, as text and as JSON"""
        room, _, lost = self.clash("exchange-wins", True)
        self.exchange_kept(room, lost)
        row, = self.settled(room)
        self.assertEqual(row["number"], self.shown(lost)["number"])
        table = self.orb.orbctl("conflicts", json_out=False)
        line = [x for x in table.splitlines() if self.name(room) in x and
                row["number"] in x]
        self.assertEqual(len(line), 1, table)
        self.assertIn("Exchange", line[0])
        self.assertIn("settled", line[0])
        one = self.orb.orbctl("conflicts", "show", row["booking"])
        self.assertEqual({k: one[k] for k in row}, row)
        self.assertTrue(one["cure"])
        text = self.orb.orbctl("conflicts", "show", row["booking"],
                               json_out=False)
        for word in (self.name(room), row["number"], "exchange-wins",
                     "what to do"):
            self.assertIn(word, text)
        self.orb.orbctl("conflicts", "show", "orb1:zzzz", check=False)
        self.assertEqual(self.orb.last_ctl.returncode, 1)

    def test_same_times_two_people(self):
        """the same times, entered by two people: one booking"""
        room = self.room("first-wins")
        _, kept = self.at_once(
            lambda: self.people.book("ada", room, day(11, 9)),
            lambda: self.reserve(room, day(11, 9), requester="ada"))
        self.equal()
        self.assertEqual(self.status_of(kept), "planned")
        self.mails(response=1)


class AsService(Base):
    """The loser is told in the same way by a service mailbox."""
    book_as = "service"
    room_count = 9

    def test_notice(self):
        """a reservation that loses: one notice from the service mailbox"""
        room = self.room("exchange-wins")
        _, lost = self.at_once(
            lambda: self.people.book("ada", room, day(1, 9)),
            lambda: self.reserve(room, day(1, 9, 30)))
        self.exchange_kept(room, lost)
        self.mails(invitation=1, response=1)
        row, = self.settled(room)
        self.assertEqual(row["keeper"], "exchange")

    def test_meeting_loses(self):
        """a meeting that loses: declined, and the reservation's meeting made
        with the room invited"""
        room = self.room("topdesk-wins")
        uid, kept = self.at_once(
            lambda: self.people.book("ada", room, day(1, 9)),
            lambda: self.reserve(room, day(1, 9, 30)))
        self.topdesk_kept(room, kept)
        self.assertNotIn(uid, [u for _, u in self.in_room(room)])
        declined = [m for m in self.sim.mails()["list"]
                    if m["to"] == "ada@sim.test"]
        self.assertEqual([m["kind"] for m in declined],
                         ["response", "response"])

    def test_room_declines_what_orb_made(self):
        """the room has something ORB cannot see and declines: the requester
        is told, the reservation is cancelled"""
        room = self.room("exchange-wins")
        self.sim.add_room(mailbox=self.mailbox(room), settings={
            "maximum_duration_minutes": 30})
        lost = self.reserve(room, day(2, 9))
        self.equal()
        self.assertEqual(self.status_of(lost), "cancelled")
        self.assertEqual(self.in_room(room), [])
        to_rita = [m["kind"] for m in self.sim.mails()["list"]
                   if m["to"] == "rita@sim.test"]
        self.assertEqual(to_rita, ["invitation", "cancellation"])


class AsOrganiser(AsService):
    """The same with the organiser's own calendar."""
    book_as = "organiser"

    def test_room_declines_what_orb_made(self):
        """the room declines what ORB made in the requester's calendar: its
        own answer tells, the reservation is cancelled"""
        room = self.room("exchange-wins")
        self.sim.add_room(mailbox=self.mailbox(room), settings={
            "maximum_duration_minutes": 30})
        lost = self.reserve(room, day(2, 9))
        self.equal()
        self.assertEqual(self.status_of(lost), "cancelled")
        self.assertEqual(self.in_room(room), [])
        self.mails(response=1)


class AsRoomEws(Base):
    """Exchange Web Services: who loses is told in the same way."""
    kind = "ews"
    room_count = 9

    def test_notice(self):
        """EWS: a reservation that loses, while mapd dies: one notice"""
        room = self.room("exchange-wins")
        _, lost = self.at_once(
            lambda: self.people.book("ada", room, day(1, 9)),
            lambda: self.reserve(room, day(1, 9, 30)))
        self.orb.kill("mapd")
        self.orb.wait_ready(["mapd"])
        self.exchange_kept(room, lost)
        self.mails(invitation=1, response=1)
        self.settled(room)

    def test_meeting_loses(self):
        """EWS: a meeting that loses is declined by the room, once"""
        room = self.room("topdesk-wins")
        uid, kept = self.at_once(
            lambda: self.people.book("ada", room, day(1, 9)),
            lambda: self.reserve(room, day(1, 9, 30)))
        orbtest.time.sleep(0.4)
        self.orb.kill("mapd")
        self.orb.wait_ready(["mapd"])
        self.topdesk_kept(room, kept)
        self.assertNotIn(uid, [u for _, u in self.in_room(room)])
        self.mails(response=2)

    def test_series_loses_one(self):
        """EWS: one occurrence of a series loses: the others stay"""
        room = self.room("topdesk-wins")
        start = day(10, 9)
        _, kept = self.at_once(
            lambda: self.people.book("ada", room, start, 60,
                                     recurrence=daily(start, 4)),
            lambda: self.reserve(room, day(12, 9, 30)))
        self.equal()
        self.assertEqual(self.status_of(kept), "planned")
        self.assertEqual(len(self.people.planned(room)), 4)
        self.mails(response=2)


if __name__ == "__main__":
    tap.main()
