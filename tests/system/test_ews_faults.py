#!/usr/bin/env python3
"""What Exchange Web Services does to its clients, each trap by its name, with
all of ORB and people at work.

Here: reading, and a room whose mailbox is in trouble.  Not here: answers to
writes, the login, another kind of Exchange (test_ews_lost.py).

What must hold whatever it is: in the end both sides are equal, nothing twice,
nothing cancelled or mailed that nobody wanted, no request against the rules;
and every room but the one that is in trouble goes on.
"""
import time
import unittest

import orbtest
import tap
from people import Outlook, day, weekly
from test_state import rounds, writes

SERVICE = "orb@sim.test"
BOMB = ('<!DOCTYPE s [<!ENTITY a "aaaaaaaaaa">' + "".join(
    '<!ENTITY %s "%s">' % (chr(98 + i), ("&%s;" % chr(97 + i)) * 10)
    for i in range(9)) + ']><s:Envelope xmlns:s="http://schemas.xmlsoap.org/'
    'soap/envelope/"><s:Body>&j;</s:Body></s:Envelope>')
DOCTYPE = '<!DOCTYPE x SYSTEM "%s/x.dtd"><x/>'


# What a sanitizer keeps of what was freed says nothing about ORB.
PLAIN = b"__asan_init" not in orbtest.read(
    orbtest.BUILD + "/orb-adapter", "rb")


class Base(unittest.TestCase):
    """Four rooms with something on both sides, and people who go on."""
    maxDiff = None
    direction = "to-topdesk"
    exchange = {}
    rooms = 4

    @classmethod
    def setUpClass(cls):
        sim = cls.sim = orbtest.start_sim()
        cls.addClassCleanup(sim.stop_all)
        sim.add_person(email=SERVICE, name="Room service")
        sim.set(key="service_mailbox", value=SERVICE)
        rooms = [sim.add_room(mailbox="room%d@sim.test" % i,
                              name="Room %d" % i)
                 for i in range(cls.rooms)]
        cls.orb = orbtest.Orb(rooms=rooms, sim=sim, kind="ews")
        cls.addClassCleanup(cls.orb.stop)
        cls.orb.configure(policy={"direction": cls.direction},
                          exchange=cls.exchange)
        cls.people = Outlook(sim, cls.orb.rooms)
        for room in range(cls.rooms):
            cls.people.book("ada", room, day(room, 8), 30)
        start = day(1, 17)
        cls.series = cls.people.book("grace", 0, start, 30,
                                     recurrence=weekly(start, 4))
        cls.orb.run()
        cls.orb.wait_until_equal(40)
        cls.used = 0

    def setUp(self):
        type(self).used += 1
        self.slot = day(self.used % 40, 9 + self.used // 40)
        self.sim.counters_reset()
        self.sim.mails_reset()
        self.kept = {r["id"] for r in self.people.planned()}

    def tearDown(self):
        self.sim.faults_clear()

    def fault(self, kind, **more):
        self.sim.fault(kind=kind, listener="ews", **more)

    def hits(self):
        return sum(f["hits"] for f in self.sim.counters()["faults"])

    def met(self, n=1, timeout=30):
        orbtest.wait_for("the fault was met", lambda: self.hits() >= n,
                         timeout, 0.05)

    def asked(self):
        """Requests that Exchange has seen so far."""
        return self.sim.counters()["listeners"]["ews"]["requests"]

    def quiet_for(self, seconds):
        """Nothing of any room is asked meanwhile."""
        time.sleep(0.3)  # what was under way
        before = self.asked()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(0.25)
            self.assertEqual(self.asked(), before, "asked too early, %.1f s "
                             "before the time" % (end - time.monotonic()))

    def equal(self, timeout=60):
        self.orb.wait_until_equal(timeout)
        now = {r["id"] for r in self.people.planned()}
        self.assertEqual(self.kept - now, set(), "something was cancelled")
        self.assertEqual(self.orb.compare()["duplicates_count"], 0)
        self.assertEqual(self.sim.violations()["violations"], [])
        self.assertEqual(self.sim.counters()["listeners"]["trap"][
            "requests"], 0, "a request went to a host nobody configured")

    def book_all(self):
        """A meeting in each room; the test's slot is its own."""
        return [self.people.book("person%d" % r, r, self.slot, 30)
                for r in range(self.rooms)]

    def problems(self):
        return self.orb.orbctl("problems", check=False) or []


class Faults(Base):
    """Reading, while it is made hard."""

    def hit(self, kind, n=1, **more):
        """So many of the fault while there is a meeting for every room."""
        self.fault(kind, count=n, **more)
        uids = self.book_all()
        self.met(n)
        self.equal()
        self.assertEqual(len(self.people.planned()),
                         len(self.kept) + self.rooms)
        self.people.cancel(uids[0])
        self.orb.wait_until_equal(30)
        self.assertEqual(writes(self.orb), self.rooms + 1)

    def test_server_busy_holds_every_room(self):
        """ErrorServerBusy: its back-off holds for all rooms"""
        self.fault("429", ms=4000)
        self.met()
        self.book_all()
        self.quiet_for(12.5)  # four seconds, and ten to be sure
        self.equal()

    def test_server_busy_in_a_message(self):
        """ErrorServerBusy inside of an answer that is well: the same"""
        self.fault("ews_error", location="ErrorServerBusy")
        self.met()
        self.book_all()
        self.quiet_for(9.5)
        self.equal()

    def test_retry_after_503(self):
        """503 with Retry-After: nothing is asked before"""
        self.fault("503", retry_after=5)
        self.met()
        self.book_all()
        self.quiet_for(4)
        self.equal()

    def test_retry_after_429(self):
        """429 of a load balancer with Retry-After: nothing is asked before"""
        self.fault("429", location="http", retry_after=5)
        self.met()
        self.book_all()
        self.quiet_for(4)
        self.equal()

    def test_soap_fault(self):
        """a SOAP fault: tried again, nothing else"""
        self.hit("ews_fault", 3,
                 location="ErrorInternalServerTransientError")

    def test_error_in_a_message(self):
        """a ResponseCode inside of a 200: the same"""
        self.hit("ews_error", 3, location="ErrorTimeoutExpired")

    def test_mailbox_moved(self):
        """ErrorMailboxMoveInProgress, then the mailbox is there again"""
        self.hit("ews_fault", 3, location="ErrorMailboxMoveInProgress",
                 mailbox="room1@sim.test")

    def test_html_500(self):
        """Server Error in '/EWS' Application"""
        self.hit("500_html", 2)

    def test_forbidden_403(self):
        """403, as where EWS is switched off for a while: nothing is lost"""
        self.hit("answer", 3, status=403, body="<html>Forbidden</html>")

    def test_redirect_to_the_error_page(self):
        """302 to genericerrorpage.htm is not followed"""
        self.hit("redirect", 2)

    def test_cut_before(self):
        """the connection is cut before the answer"""
        self.hit("cut_before", 2)

    def test_cut_after(self):
        """the connection is cut instead of the answer"""
        self.hit("cut_after", 2)

    def test_truncated_xml(self):
        """the answer ends in the middle of the XML"""
        self.hit("truncate", 3)

    def test_half_the_xml_with_a_good_end(self):
        """half of an answer that claims to be whole"""
        self.hit("answer", 3, status=200, body="<s:Envelope xmlns:s=\"http://"
                 "schemas.xmlsoap.org/soap/envelope/\"><s:Body>")

    def test_not_xml(self):
        """a byte that no XML has"""
        self.hit("bad_json", 3)

    def test_empty_answer(self):
        """an answer that says nothing is not an empty calendar"""
        self.hit("answer", 3, status=200, body="<s:Envelope xmlns:s=\"http://"
                 "schemas.xmlsoap.org/soap/envelope/\"><s:Body/></s:Envelope>")

    def test_entity_bomb(self):
        """a document type is refused before an entity grows"""
        before = self.orb.memory_of()["adapter@exchange"][1]
        self.hit("answer", 2, status=200, body=BOMB)
        after = self.orb.memory_of()["adapter@exchange"][1]
        if PLAIN:
            self.assertLess(after - before, 4096, "KiB more")

    def test_doctype(self):
        """a document type of another host is not fetched"""
        self.hit("answer", 2, status=200,
                 body=DOCTYPE % self.sim.facts["trap_url"])

    def test_huge(self):
        """an answer of 66 MiB is cut off, and costs no memory"""
        self.hit("huge", 1)
        for name in ("adapter@exchange", "http@exchange"):
            kib = self.orb.memory_of()[name][1]
            if PLAIN:
                self.assertLess(kib, 64 * 1024, name)

    def test_slow(self):
        """an answer that drips"""
        self.hit("slow", 2, ms=2)

    def test_invalid_sync_state(self):
        """ErrorInvalidSyncStateData: read anew and compared, nothing more"""
        self.lose_states()
        self.met(self.rooms)
        rounds(self.orb, 2)
        self.equal()
        self.assertEqual(writes(self.orb), 0)
        self.assertEqual(self.sim.mails()["total"], 0)
        self.assertGreaterEqual(self.count("FindItem"), self.rooms)
        # The state of the new reading is in use: no view is asked again.
        self.sim.counters_reset()
        rounds(self.orb, 2)
        self.assertEqual(self.count("FindItem"), 0)

    def lose_states(self):
        """Of each room once: what is asked without a state is answered."""
        for room in range(self.rooms):
            self.fault("410", mailbox="room%d@sim.test" % room)

    def count(self, operation):
        return sum(e["count"] for e in self.sim.counters()["endpoints"]
                   if e["endpoint"].endswith("/" + operation))

    def test_sync_folder_not_found(self):
        """ErrorSyncFolderNotFound is a lost state, not a lost calendar"""
        self.fault("ews_error", location="ErrorSyncFolderNotFound",
                   endpoint="*/SyncFolderItems", count=2)
        self.met(2)
        rounds(self.orb, 2)
        self.equal()
        self.assertEqual(writes(self.orb), 0)

    def test_view_that_fails_after_a_lost_state(self):
        """the state is lost and the view fails: no absence is believed"""
        self.lose_states()
        self.fault("ews_error", location="ErrorInternalServerTransientError",
                   endpoint="*/FindItem", count=self.rooms)
        self.met(2 * self.rooms)
        self.equal()
        self.assertEqual(writes(self.orb), 0)


# What one room's mailbox may say for long, by either layer.
ROOM_TROUBLE = (
    ("ErrorItemNotFound", "ews_error"),
    ("ErrorAccessDenied", "ews_error"),
    ("ErrorFolderNotFound", "ews_error"),
    ("ErrorImpersonateUserDenied", "ews_fault"),
    ("ErrorImpersonationFailed", "ews_fault"),
    ("ErrorNonExistentMailbox", "ews_fault"),
    ("ErrorMailboxMoveInProgress", "ews_fault"),
    ("ErrorMailboxStoreUnavailable", "ews_error"),
)


class OneRoom(Base):
    """One room's mailbox is in trouble for as long as the test goes on."""

    def trouble(self, code, kind):
        self.fault(kind, location=code, count=-1, mailbox="room1@sim.test")
        self.met()
        self.book_all()
        for room in (0, 2, 3):
            orbtest.wait_for("room %d goes on" % room, lambda: self.people.at(
                room, self.slot), 30)
        said = orbtest.wait_for("orbctl problems names the room", lambda: [
            p for p in self.problems() if p["room"] == "Room 1"], 20)
        self.assertIn(code, str(said))
        self.assertEqual({p["room"] for p in self.problems()}, {"Room 1"})
        rounds(self.orb, 1)
        self.assertIsNone(self.people.at(1, self.slot))
        self.assertEqual(writes(self.orb), 3)
        self.assertEqual(self.sim.mails()["people_by_kind"].get(
            "cancellation", 0), 0)
        self.sim.faults_clear()
        self.equal()
        orbtest.wait_for("the problem is over", lambda: not self.problems(),
                         20)
        self.assertEqual(writes(self.orb), 4)


def add(code, kind):
    def test(self):
        self.trouble(code, kind)
    test.__doc__ = "%s in one room: the others go on" % code
    setattr(OneRoom, "test_" + code, test)


for _trouble in ROOM_TROUBLE:
    add(*_trouble)


if __name__ == "__main__":
    tap.main()
