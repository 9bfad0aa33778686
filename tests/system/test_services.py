#!/usr/bin/env python3
"""Reservations that TOPdesk does not let ORB change: services that were ordered,
rooms that are issued, what is archived, what people edit by hand, and what
another product has linked.
"""
import orbtest
import tap
from bothways import rounds, writes
from people import day, iso
from test_conflicts import Base


class Services(Base):
    """What TOPdesk does not let ORB change is set aside, said, tried again, and
    no problem any more once it worked."""
    room_count = 48
    book_as = "service"
    LATE = 60 * 24 * 60  # minutes: a lead time that has passed for all

    def paired(self, start, room=None, **more):
        """A reservation of TOPdesk's own with its meeting: (room, id, uid)."""
        room = self.room("exchange-wins") if room is None else room
        reservation = self.reserve(room, start, **more)
        orbtest.wait_for("the meeting is made", lambda: self.in_room(room),
                         15)
        self.equal()
        self.sim.counters_reset()
        return room, reservation, self.in_room(room)[0][1]

    def said(self, room, word):
        """The room's one problem, which speaks of word."""
        found = orbtest.wait_for(
            "a problem that says %r" % word, lambda: [
                p for p in self.problems(room) if word in p["text"]], 20)
        rounds(self.orb, 1)
        self.assertEqual(len(self.problems(room)), 1, self.problems(room))
        return found[0]

    def starts_at(self, reservation, start):
        self.assertEqual(self.shown(reservation)["plannedStartDate"][:16],
                         iso(start)[:16])

    def cleared(self, room):
        self.equal()
        self.assertEqual(self.problems(room), [])

    def test_inside_lead_time(self):
        """services whose lead time has not passed: moved and cancelled"""
        room, r, uid = self.paired(day(1, 9), services=[
            {"name": "Koffie", "lead_minutes": 10}])
        self.people.move(uid, day(1, 14))
        self.equal()
        self.starts_at(r, day(1, 14))
        self.people.cancel(uid)
        self.equal()
        self.assertEqual(self.status_of(r), "cancelled")
        self.assertEqual(self.problems(room), [])

    def test_lead_time_passed(self):
        """services whose lead time has passed: not moved, said, and moved when
        the meeting goes back"""
        room, r, uid = self.paired(day(1, 9), services=[
            {"name": "Lunch", "lead_minutes": self.LATE}])
        self.people.move(uid, day(1, 14))
        problem = self.said(room, "lead time")
        self.assertGreaterEqual(problem["tries"], 1)
        self.assertTrue(problem["next_try"])
        self.starts_at(r, day(1, 9))
        self.people.move(uid, day(1, 9))
        self.cleared(room)
        self.starts_at(r, day(1, 9))

    def test_lead_time_passed_cancelled(self):
        """the same cancelled: stays, said; cancelled by hand it is over"""
        room, r, uid = self.paired(day(2, 9), services=[
            {"name": "Lunch", "lead_minutes": self.LATE}])
        self.people.cancel(uid)
        self.said(room, "lead time")
        self.assertEqual(self.status_of(r), "planned")
        self.sim.reservation_cancel(id=r)
        self.cleared(room)

    def test_outside_window(self):
        """a service that is not given at the new time"""
        room, r, uid = self.paired(day(3, 9), services=[
            {"name": "Lunch", "from_hour": 6, "to_hour": 14}])
        self.people.move(uid, day(3, 18))
        self.said(room, "service")
        self.starts_at(r, day(3, 9))
        self.people.move(uid, day(3, 10))
        self.cleared(room)
        self.starts_at(r, day(3, 10))

    def test_issued(self):
        """an issued room: not touched, and followed when it is returned"""
        room, r, uid = self.paired(day(4, 9))
        self.sim.reservation_change(id=r, issued=True)
        self.people.move(uid, day(4, 14))
        self.said(room, "issued")
        self.assertEqual(writes(self.sim), {})
        self.sim.reservation_change(id=r, issued=False)
        self.cleared(room)
        self.starts_at(r, day(4, 14))

    def test_archived(self):
        """an archived reservation: not touched, and followed when it is back"""
        room, r, uid = self.paired(day(5, 9))
        self.sim.reservation_change(id=r, archived=True)
        self.people.cancel(uid)
        self.said(room, "archived")
        self.assertEqual(writes(self.sim), {})
        self.sim.reservation_change(id=r, archived=False)
        self.cleared(room)
        self.assertEqual(self.status_of(r), "cancelled")

    def test_archived_location(self):
        """an archived location: the meeting is set aside, and reserved when
        the location is back"""
        room = self.room("exchange-wins")
        location = self.orb.rooms[room]["location"]
        self.sim.location_set(location=location, archived=True)
        self.people.book("ada", room, day(6, 9))
        self.said(room, "reserv")
        self.assertEqual(self.people.planned(room), [])
        self.sim.location_set(location=location, archived=False)
        # The pause is five minutes; whoever mended it does not wait.
        self.orb.orbctl("sync", "now", check=False)
        self.cleared(room)
        self.assertEqual(len(self.people.planned(room)), 1)

    def test_edited_by_hand(self):
        """text, time and requester of a meeting's reservation changed by hand:
        the text stays, the time is said, the requester is not ORB's"""
        room = self.room("exchange-wins")
        self.people.book("ada", room, day(7, 9))
        self.equal()
        r = self.people.planned(room)[0]["id"]
        orbtest.wait_for("linked", lambda: self.shown(r)["externalLinks"], 10)
        self.sim.counters_reset()
        self.sim.reservation_change(id=r, briefDescription="Met koffie")
        rounds(self.orb, 2)
        self.assertEqual(self.problems(room), [])
        self.person("karel@sim.test", "Karel")
        self.sim.reservation_change(id=r, requester="karel@sim.test")
        rounds(self.orb, 2)
        self.assertEqual(writes(self.sim), {})
        self.assertEqual(self.shown(r)["briefDescription"], "Met koffie")
        # Another's meeting: with a service mailbox ORB may not move it.
        self.sim.reservation_move(id=r, start=iso(day(7, 13)),
                                  end=iso(day(7, 14)))
        self.said(room, "changed in TOPdesk only")
        self.assertEqual(writes(self.sim), {})
        self.sim.reservation_move(id=r, start=iso(day(7, 9)),
                                  end=iso(day(7, 10)))
        orbtest.wait_for("no problem", lambda: not self.problems(room), 15)
        self.assertEqual(self.shown(r)["briefDescription"], "Met koffie")
        self.assertEqual(self.shown(r)["requester"]["name"], "Karel")

    def test_foreign_link(self):
        """another product's link: never touched, the booking is carried all
        the same, also when the state is lost"""
        room, r, uid = self.paired(day(8, 9), link_id="catering-77",
                                   link_type="42")
        rounds(self.orb, 2)
        self.people.move(uid, day(8, 14))
        self.equal()
        self.starts_at(r, day(8, 14))
        self.sim.reservation_move(id=r, start=iso(day(8, 10)),
                                  end=iso(day(8, 11)))
        self.equal()
        self.assertEqual(self.in_room(room), [(iso(day(8, 10)), uid)])
        self.sim.counters_reset()
        self.sim.mails_reset()
        self.forget()
        self.orb.start(["mapd"])
        rounds(self.orb, 2, 40)
        self.equal()
        self.assertEqual(writes(self.sim), {})
        self.mails()
        self.assertEqual(self.in_room(room), [(iso(day(8, 10)), uid)])
        # The meeting is known to be ORB's own: its requester is told.
        self.sim.reservation_cancel(id=r)
        self.equal()
        self.assertEqual(self.in_room(room), [])
        self.mails(cancellation=1)
        link, = self.shown(r)["externalLinks"]
        self.assertEqual((link["id"], link["type"]), ("catering-77", "42"))
        self.assertEqual(self.problems(room), [])

    def test_loser_cannot_be_cancelled(self):
        """a reservation that lost, but may not be cancelled: told once, also
        when the state is lost; both stand until a person helps"""
        room = self.room("exchange-wins")
        _, lost = self.at_once(
            lambda: self.people.book("ada", room, day(9, 9)),
            lambda: self.reserve(room, day(9, 9, 30), services=[
                {"name": "Lunch", "lead_minutes": self.LATE}]))
        orbtest.wait_for("it is said", lambda: [
            p for p in self.problems(room) if "lead time" in p["text"]], 20)
        rounds(self.orb, 2)
        self.assertEqual(self.status_of(lost), "planned")
        self.mails(invitation=1, response=1)
        self.forget()
        self.orb.start(["mapd"])
        rounds(self.orb, 3, 40)
        orbtest.wait_for("it is said again", lambda: [
            p for p in self.problems(room) if "lead time" in p["text"]], 20)
        self.mails(invitation=1, response=1)
        self.sim.reservation_cancel(id=lost)
        self.cleared(room)
        self.assertEqual(len(self.people.planned(room)), 1)
        self.settled(room)
        self.mails(invitation=1, response=1)


class ServicesAllowed(Services):
    """The same rules with the flags that orb.conf can set."""
    more = {"topdesk": {"allow_passed_lead_times": True,
                        "allow_services_outside_window": True}}
    room_count = 24

    def test_lead_time_passed(self):
        """allow_passed_lead_times: moved all the same"""
        room, r, uid = self.paired(day(1, 9), services=[
            {"name": "Lunch", "lead_minutes": self.LATE}])
        self.people.move(uid, day(1, 14))
        self.cleared(room)
        self.starts_at(r, day(1, 14))

    def test_lead_time_passed_cancelled(self):
        """allow_passed_lead_times: cancelled all the same"""
        room, r, uid = self.paired(day(2, 9), services=[
            {"name": "Lunch", "lead_minutes": self.LATE}])
        self.people.cancel(uid)
        self.cleared(room)
        self.assertEqual(self.status_of(r), "cancelled")

    def test_outside_window(self):
        """allow_services_outside_window: moved all the same"""
        room, r, uid = self.paired(day(3, 9), services=[
            {"name": "Lunch", "from_hour": 6, "to_hour": 14}])
        self.people.move(uid, day(3, 18))
        self.cleared(room)
        self.starts_at(r, day(3, 18))

    test_inside_lead_time = test_issued = test_archived = None
    test_archived_location = test_edited_by_hand = test_foreign_link = None
    test_loser_cannot_be_cancelled = None


if __name__ == "__main__":
    tap.main()
