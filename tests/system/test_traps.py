#!/usr/bin/env python3
"""What the two systems are known to do to those who read and write them, by the
name of each trap: tokens that are thrown away, errors in the middle of a list,
errors that look like another, rights that come and go, reservations that are
none yet.  Where a trap lives with others of its kind it has its test there;
test_trap_list.py has the whole list and sees to it that each has one.
"""
import json
import unittest

import orbtest
import tap
from people import Outlook, daily, day, iso, minutes
from test_state import rounds, writes


def graph_error(code, message="The simulator says so."):
    return json.dumps({"error": {"code": code, "message": message,
                                 "innerError": {"request-id": "sim"}}})


class Exchange(unittest.TestCase):
    """Rooms that have bookings on both sides when the trap shuts."""

    @classmethod
    def setUpClass(cls):
        cls.orb = orbtest.Orb(rooms=4)
        cls.addClassCleanup(cls.orb.stop)
        cls.sim = cls.orb.sim
        cls.sim.set(key="page_size", value=2)  # so that links are there
        cls.people = Outlook(cls.sim, cls.orb.rooms)
        for room in range(4):
            for n in range(3):
                cls.people.book("ada", room, day(n, 8), 30)
        cls.orb.run()
        cls.orb.wait_until_equal(40)
        cls.used = 0

    def setUp(self):
        type(self).used += 1
        self.slot = day(3 + self.used, 10)
        self.kept = {r["id"] for r in self.people.planned()}
        self.sim.counters_reset()

    def tearDown(self):
        self.sim.faults_clear()

    def fault(self, status, body, **more):
        self.sim.fault(kind="answer", listener="graph", status=status,
                       body=body, **more)

    def hits(self):
        return sum(f["hits"] for f in self.sim.counters()["faults"])

    def met(self, n=1):
        orbtest.wait_for("the trap shut", lambda: self.hits() >= n, 30, 0.1)

    def booked(self, room):
        orbtest.wait_for("the new one is there",
                         lambda: self.people.at(room, self.slot), 30)
        self.orb.wait_until_equal(40)

    def check(self):
        """Nothing that was there is gone, what is new has come, once."""
        self.orb.wait_until_equal(60)
        now = {r["id"] for r in self.people.planned()}
        self.assertEqual(self.kept - now, set())
        self.assertEqual(self.sim.violations()["violations"], [])
        self.assertEqual(self.orb.compare()["duplicates_count"], 0)

    def test_token_lost_on_the_first_link_too(self):
        """410 for the token, and again for the links of the new reading"""
        self.sim.fault(kind="410", listener="graph", count=6)
        self.met(6)
        self.people.book("bob", 0, self.slot)
        self.check()
        self.assertEqual(writes(self.orb), 1)

    def test_malformed_token(self):
        """400 ErrorInvalidIdMalformed is a lost token, not a lost calendar"""
        self.fault(400, graph_error("ErrorInvalidIdMalformed"),
                   endpoint="*delta*")
        self.met()
        self.people.book("bob", 1, self.slot)
        self.check()
        self.assertEqual(writes(self.orb), 1)

    def test_error_in_the_middle_of_paging(self):
        """a list cut by 404, 401 or 429 is no list of what is left"""
        for status, code in ((404, "ErrorItemNotFound"),
                             (404, ""), (429, "ApplicationThrottled")):
            self.sim.faults_clear()
            self.sim.fault(kind="410", listener="graph", count=4)
            self.fault(status, graph_error(code), skip=6, count=3,
                       endpoint="*delta*")
            orbtest.wait_for("the list was cut", lambda: self.hits() >= 7, 30)
            rounds(self.orb, 2)
            self.assertEqual(writes(self.orb), 0)
        self.check()

    def test_room_out_of_scope(self):
        """403 for one room: the others go on, it is named, it comes back"""
        mailbox = self.orb.rooms[2]["mailbox"]
        self.sim.set(key="out_of_scope", value=[mailbox])
        self.people.book("bob", 2, self.slot)
        self.people.book("bob", 3, self.slot)
        orbtest.wait_for("the other room goes on",
                         lambda: self.people.at(3, self.slot), 30)
        self.said("403")
        self.assertIsNone(self.people.at(2, self.slot))
        self.sim.set(key="out_of_scope", value=[])
        self.check()

    def said(self, what, room=2):
        """orbctl says so of the room, and the status is not well."""
        def row():
            rows = self.orb.orbctl("status", "--rooms", check=False)
            return [r for r in rows["rooms"] if what in json.dumps(r)]
        rows = orbtest.wait_for("orbctl says %s" % what, row, 30)
        self.assertEqual([r["name"] for r in rows],
                         [self.orb.rooms[room]["name"]])

    def test_mailbox_is_not_there(self):
        """404 MailboxNotEnabledForRESTAPI: no booking of it is gone"""
        self.fault(404, graph_error("MailboxNotEnabledForRESTAPI"), count=-1,
                   endpoint="*room3@*")
        self.met()
        self.people.book("bob", 3, self.slot)
        orbtest.wait_for("the other room goes on",
                         lambda: self.people.at(3, self.slot), 30)
        self.said("MailboxNotEnabledForRESTAPI")
        self.assertEqual(writes(self.orb), 1)
        self.sim.faults_clear()
        self.check()

    def test_access_to_odata_is_disabled(self):
        """403 for everything, as when a policy changes, and back again"""
        self.fault(403, graph_error("ErrorAccessDenied",
                                    "Access to OData is disabled."), count=2)
        self.people.book("bob", 0, self.slot)
        self.met(2)
        self.check()

    def test_gateway_times_out(self):
        """504 from before Exchange, in HTML"""
        self.fault(504, "<html><body>Gateway Timeout</body></html>", count=5,
                   endpoint="*delta*")
        self.people.book("bob", 1, self.slot)
        self.met(5)
        self.check()

    def test_master_cannot_be_read(self):
        """a series is asked for its dates until it answers"""
        uid = self.people.book("bob", 0, self.slot, 30,
                               recurrence=daily(self.slot, 3))
        self.booked(0)
        self.fault(500, graph_error("UnknownError"), count=4,
                   endpoint="GET *events/*")
        self.people.delete_one(uid, self.slot + minutes(24 * 60))
        self.met(4)
        self.orb.wait_until_equal(40)
        self.assertIsNone(self.people.at(0, self.slot + minutes(24 * 60)))
        self.assertIsNotNone(self.people.at(0, self.slot))

    def test_empty_pages_and_replays(self):
        """pages with a link and nothing else, and lines that come twice"""
        self.sim.set(key="empty_pages", value=2)
        self.sim.set(key="replay", value=2)
        try:
            self.sim.fault(kind="410", listener="graph", count=4)
            uids = [self.people.book("bob", r, self.slot) for r in range(3)]
            self.orb.wait_until_equal(60)
            self.people.cancel(uids[0])
            self.check()
            self.assertEqual(writes(self.orb), 4)
        finally:
            self.sim.set(key="empty_pages", value=0)
            self.sim.set(key="replay", value=0)

    def test_released_room(self):
        """a booking that the room itself gives back (auto-release)"""
        uid = self.people.book("bob", 0, self.slot)
        self.booked(0)
        self.sim.meeting_delete(uid=uid, room=self.orb.rooms[0]["mailbox"])
        self.check()
        self.assertIsNone(self.people.at(0, self.slot))


class Login(unittest.TestCase):
    """What the token service says, and what an operator reads of it."""

    def status_says(self, body, *words):
        with orbtest.Orb(rooms=1) as orb:
            orb.sim.fault(kind="answer", listener="login", status=401,
                          body=json.dumps(body), count=-1)
            orb.run()
            text = orbtest.wait_for("the status says it", lambda: (
                lambda t: all(w in t for w in words) and t)(
                    json.dumps(orb.status().get("exchange", {}))), 30)
            self.assertEqual(orb.sim.counters()["listeners"]["graph"][
                "requests"], 0)
            return text

    def test_secret_expired(self):
        """AADSTS7000222: the number stands where an operator looks"""
        self.status_says(
            {"error": "invalid_client", "error_codes": [7000222],
             "error_description": "AADSTS7000222: The provided client secret "
             "keys for app are expired."}, "7000222")

    def test_not_in_this_tenant(self):
        """AADSTS700016"""
        self.status_says(
            {"error": "unauthorized_client", "error_codes": [700016],
             "error_description": "AADSTS700016: Application was not found "
             "in the directory."}, "700016")


class Topdesk(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.orb = orbtest.Orb(rooms=8, settings={
            "policy": {"subject": "keep"}, "topdesk": {"list_top": 10}})
        cls.addClassCleanup(cls.orb.stop)
        cls.sim = cls.orb.sim
        cls.people = Outlook(cls.sim, cls.orb.rooms)
        for n in range(3):  # 24 rows of which eight have one start each
            for room in range(8):
                cls.people.book("ada", room, day(n, 8), 30)
        cls.orb.run()
        cls.orb.wait_until_equal(40)
        cls.used = 0

    def setUp(self):
        type(self).used += 1
        self.slot = day(3 + self.used, 10)
        self.sim.counters_reset()

    def tearDown(self):
        self.sim.faults_clear()

    def check(self):
        self.orb.wait_until_equal(60)
        self.assertEqual(self.sim.violations()["violations"], [])
        self.assertEqual(self.orb.compare()["duplicates_count"], 0)

    def again(self):
        """What an operator does who has mended the cause; once more when the
        action was still on its way to being set aside."""
        def tried():
            self.orb.orbctl("sync", "now", check=False)
            return self.orb.equal()
        orbtest.wait_for("both sides are equal", tried, 60, 1)
        self.check()

    def lists(self):
        return sum(e["count"] for e in self.sim.counters()["endpoints"]
                   if e["endpoint"] == "GET /reservations")

    def test_more_rows_than_one_answer(self):
        """206, and several rows with one start on both sides of the seam"""
        rounds(self.orb, 3)
        self.assertGreater(self.lists(), 3 * 2)
        self.assertEqual(writes(self.orb), 0)
        self.check()

    def test_refusals_in_all_shapes(self):
        """errors as a list, as one message, as TOPdesk's own, as a page"""
        shapes = (
            json.dumps([{"message": "Shape one"}]),
            json.dumps({"message": "Shape two"}),
            json.dumps({"errors": [{"errorCode": "X-3", "appliesTo": ["y"],
                                    "errorMessage": "Shape three"}]}),
            "<html><body>Shape four</body></html>")
        for n, shape in enumerate(shapes):
            self.sim.fault(kind="answer", listener="topdesk", status=400,
                           body=shape, count=1, endpoint="POST *")
            self.people.book("bob", n, self.slot)
            orbtest.wait_for("it was refused", lambda: sum(
                f["hits"] for f in self.sim.counters()["faults"]) > n, 30)
            orbtest.wait_for("it is said", lambda: self.orb.orbctl(
                "problems", check=False), 30)
            self.again()

    def test_refusal_is_said(self):
        """what TOPdesk gives as the reason stands in orbctl problems"""
        self.sim.fault(
            kind="answer", listener="topdesk", status=400, count=-1,
            endpoint="POST *", body=json.dumps({"errors": [{
                "errorCode": "F-17", "appliesTo": ["plannedEndDate"],
                "errorMessage": "Outside the service window"}]}))
        self.people.book("bob", 0, self.slot)
        orbtest.wait_for("the reason is said", lambda: "service window" in
                         str(self.orb.orbctl("problems", check=False)), 30)
        self.sim.faults_clear()
        self.again()
        orbtest.wait_for("and gone", lambda: "service window" not in
                         str(self.orb.orbctl("problems", check=False)), 30)

    def requester(self, room):
        r = self.people.at(room, self.slot)
        return self.sim.reservation_get(id=r["id"])["requester"]["email"]

    def test_two_persons_with_one_address(self):
        """nobody is guessed: the fallback person books"""
        self.sim.add_person(email="twin@sim.test", name="Twin A")
        self.sim.add_person(name="Twin B")
        twin = self.sim.add_person(email="twin@sim.test", name="Twin C",
                                   archived=True)
        self.assertTrue(twin["id"])
        self.people.book("twin", 0, self.slot)
        self.check()
        self.assertIsNotNone(self.people.at(0, self.slot))

    def test_archived_person(self):
        """somebody who has left books no more in TOPdesk"""
        self.sim.add_person(email="left@sim.test", name="Left",
                            archived=True)
        self.people.book("left", 1, self.slot, person=False)
        self.orb.wait_until_equal(40)
        self.assertEqual(self.requester(1), orbtest.FALLBACK)

    def test_right_to_read_is_lost(self):
        """403 for the list: nothing is believed to be cancelled"""
        self.sim.set(key="permissions", value={"read": 0})
        self.people.book("bob", 2, self.slot)
        orbtest.wait_for("TOPdesk refuses", lambda: self.orb.status().get(
            "topdesk", {}).get("text"), 30)
        self.sim.set(key="permissions", value={"read": 1})
        self.check()
        self.assertEqual(writes(self.orb), 1)

    def test_right_to_create_is_lost(self):
        """403 for the POST: set aside, said, and made when it may"""
        self.sim.set(key="permissions", value={"create": 0})
        self.people.book("bob", 3, self.slot)
        orbtest.wait_for("the right is named", lambda: "create" in
                         str(self.orb.orbctl("problems", check=False)).lower(),
                         30)
        self.sim.set(key="permissions", value={"create": 1})
        self.again()

    def test_letters_that_take_many_bytes(self):
        """a text is cut between letters, whatever they are"""
        subject = "Overleg " + "é漢🙂" * 60
        self.sim.add_room(mailbox=self.orb.rooms[4]["mailbox"], settings={
            "add_organizer_to_subject": False, "delete_subject": False})
        self.people.book("bob", 4, self.slot, subject=subject)
        self.check()
        shown = self.people.at(4, self.slot)["briefDescription"]
        self.assertTrue(shown.startswith("Overleg é漢🙂é漢🙂"), shown)
        self.assertLessEqual(len(shown), 100)
        self.assertGreater(len(shown), 90)


class Requests(unittest.TestCase):
    """Reservations that are none yet, or more than one, both ways on."""
    exchange = {"book_as": "room"}

    @classmethod
    def setUpClass(cls):
        cls.orb = orbtest.Orb(rooms=5)
        cls.addClassCleanup(cls.orb.stop)
        cls.sim = cls.orb.sim
        cls.orb.configure(policy={"direction": "both"},
                          exchange=cls.exchange)
        cls.sim.add_person(email="orb@sim.test", name="Room service")
        cls.sim.set(key="service_mailbox", value="orb@sim.test")
        cls.people = Outlook(cls.sim, cls.orb.rooms)
        cls.sim.add_person(email="rita@sim.test", name="Rita")
        cls.orb.run()

    def reserve(self, room, start, **more):
        return self.sim.reservation_create(
            location=self.orb.rooms[room]["location"], start=iso(start),
            end=iso(start + minutes(60)), requester="rita@sim.test",
            briefDescription="Overleg", **more)["id"]

    def meetings(self, room):
        mailbox = self.orb.rooms[room]["mailbox"]
        return [r for r in self.sim.dump(side="exchange")["rows"]
                if r["room"] == mailbox and r["state"] != "cancelled"]

    def test_a_request_is_not_a_booking(self):
        """it gets a meeting when it is approved, none when it is rejected"""
        yes = self.reserve(0, day(0, 9), status="request")
        no = self.reserve(0, day(1, 9), status="request")
        rounds(self.orb, 3)
        self.assertEqual(self.meetings(0), [])
        self.sim.reservation_status(id=yes, status="approved")
        self.sim.reservation_status(id=no, status="rejected")
        self.orb.wait_until_equal(40)
        rounds(self.orb, 2)
        self.assertEqual(len(self.meetings(0)), 1)

    def test_rejected_afterwards(self):
        """a booking that is taken back takes its meeting with it"""
        one = self.reserve(1, day(0, 9))
        self.orb.wait_until_equal(40)
        self.assertEqual(len(self.meetings(1)), 1)
        self.sim.reservation_cancel(id=one)
        self.orb.wait_until_equal(40)
        self.assertEqual(self.meetings(1), [])

    def test_several_rooms_in_one_reservation(self):
        """one reservation of two rooms shows in both calendars"""
        start = day(3, 9)
        self.sim.reservation_create(
            locations=[self.orb.rooms[r]["location"] for r in (3, 4)],
            start=iso(start), end=iso(start + minutes(60)),
            requester="rita@sim.test", briefDescription="Groot overleg")
        self.orb.wait_until_equal(40)
        rounds(self.orb, 2)
        self.assertEqual(len(self.meetings(3)), 1)
        self.assertEqual(len(self.meetings(4)), 1)

    def test_occurrence_of_a_series_of_topdesk(self):
        """each date of TOPdesk's own series is a booking of its own"""
        dates = [self.reserve(2, day(n, 14), series="S-1") for n in (5, 6, 7)]
        self.orb.wait_until_equal(40)
        self.assertEqual(len(self.meetings(2)), 3)
        self.sim.reservation_move(id=dates[1], start=iso(day(6, 15)),
                                  end=iso(day(6, 16)))
        self.sim.reservation_cancel(id=dates[2])
        self.orb.wait_until_equal(40)
        self.assertEqual(len(self.meetings(2)), 2)
        self.assertEqual(self.sim.violations()["violations"], [])


class RequestsByService(Requests):
    """The same with meetings of a service mailbox."""
    exchange = {"book_as": "service", "service_mailbox": "orb@sim.test"}


if __name__ == "__main__":
    tap.main()
