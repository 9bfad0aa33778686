#!/usr/bin/env python3
"""orb-sim's EWS, held to a client that nobody here wrote: exchangelib.

Here: what a room's calendar shows to that client and what it can change there.
Not here: ORB, and what exchangelib cannot ask (tests/sim/selftest.py).
"""
import datetime
import os
import shutil
import sys
import tempfile
import unittest

try:
    import exchangelib
except ImportError:
    # Debian's module is Debian's python3's; another may come first in PATH.
    if os.path.realpath(sys.executable) != os.path.realpath(
            "/usr/bin/python3") and os.path.exists("/usr/bin/python3"):
        os.execv("/usr/bin/python3", ["/usr/bin/python3"] + sys.argv)
    print("1..0 # SKIP python3-exchangelib is not installed")
    sys.exit(77)

from exchangelib import (BASIC, IMPERSONATION, Account, CalendarItem,
                         Configuration, Credentials, EWSDateTime, EWSDate,
                         EWSTimeZone, ExtendedProperty, Version)
from exchangelib.errors import (ErrorImpersonateUserDenied,
                                ErrorIrresolvableConflict, ErrorItemNotFound,
                                ErrorNonExistentMailbox,
                                UnauthorizedError)
from exchangelib.properties import Attendee, Mailbox
from exchangelib.recurrence import DailyPattern, Recurrence, WeeklyPattern
from exchangelib.version import EXCHANGE_2019

import orbtest
import tap

ROOM, OTHER = "room1@sim.test", "room2@sim.test"
ANNA = "anna@sim.test"
UTC = EWSTimeZone("UTC")
BERLIN = EWSTimeZone("Europe/Berlin")
NONE, ALL = "SendToNone", "SendToAllAndSaveCopy"


class Correlation(ExtendedProperty):
    property_set_id = "9f5c1b50-7a35-4c0e-8a5e-2d1c3e4f5a6b"
    property_name = "Correlation"
    property_type = "String"


CalendarItem.register("correlation", Correlation)


def days_on(n, hour, zone=BERLIN):
    """An hour on the wall, n days from now, never on a weekend's change."""
    d = datetime.date.today() + datetime.timedelta(days=n)
    return EWSDateTime(d.year, d.month, d.day, hour, tzinfo=zone)


def resource(address):
    return [Attendee(mailbox=Mailbox(email_address=address))]


class Exchangelib(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.mkdtemp(prefix="orb-exchangelib-")
        cls.addClassCleanup(shutil.rmtree, cls.dir)
        cls.sim = orbtest.Sim(os.path.join(cls.dir, "sim"))
        cls.addClassCleanup(cls.sim.stop)
        facts = cls.sim.facts
        os.environ["REQUESTS_CA_BUNDLE"] = facts["ca_file"]
        cls.password = orbtest.read(facts["ews_password"])
        cls.config = cls.configuration(facts["ews_login"], cls.password)
        for n, room in enumerate((ROOM, OTHER), 1):
            cls.sim.add_room(mailbox=room, name="Room %d" % n,
                             zone="W. Europe Standard Time")
        cls.sim.add_person(email=ANNA, name="Anna Adam")
        cls.room = cls.account(ROOM)
        cls.anna = cls.account(ANNA)
        cls.day = 3

    def setUp(self):
        """Days of its own for each test, so that rooms are free."""
        type(self).day += 3
        self.start = days_on(self.day, 10)
        self.end = days_on(self.day, 11)

    @classmethod
    def configuration(cls, login, password):
        return Configuration(
            service_endpoint=cls.sim.facts["ews_url"],
            credentials=Credentials(login, password), auth_type=BASIC,
            version=Version(build=EXCHANGE_2019))

    @classmethod
    def account(cls, address, config=None):
        return Account(address, config=config or cls.config,
                       autodiscover=False, access_type=IMPERSONATION,
                       default_timezone=UTC)

    def view(self, account, n=1):
        start = days_on(self.day, 0)
        return list(account.calendar.view(
            start, start + datetime.timedelta(days=n)))

    def create(self, send=ALL, account=None, room=ROOM, **more):
        fields = {"start": self.start, "end": self.end, "subject": "Planning"}
        fields.update(more)
        account = account or self.anna
        item = CalendarItem(account=account, folder=account.calendar,
                            resources=resource(room) if room else None,
                            **fields)
        item.save(send_meeting_invitations=send)
        return item

    def get(self, account, item):
        return account.calendar.get(id=item.id)

    def in_room(self, uid, account=None):
        found = [i for i in (account or self.room).calendar.all()
                 if i.uid == uid]
        return found[0] if found else None

    def test_create_with_room(self):
        """A meeting with a room as resource: accepted, subject replaced"""
        item = self.create()
        mine = self.get(self.anna, item)
        self.assertEqual(mine.subject, "Planning")
        self.assertEqual(mine.my_response_type, "Organizer")
        self.assertEqual(mine.resources[0].response_type, "Accept")
        self.assertEqual(mine.type, "Single")
        copy = self.in_room(mine.uid)
        self.assertEqual(copy.subject, "Anna Adam")
        self.assertEqual(copy.organizer.email_address, ANNA)
        self.assertEqual(copy.my_response_type, "Accept")
        self.assertEqual(copy.appointment_state, ("Meeting", "Received"))
        self.assertEqual((copy.start, copy.end), (self.start, self.end))
        self.assertNotEqual(copy.id, mine.id)

    def test_sync(self):
        """SyncFolderItems: create, update, delete, nothing, in pages"""
        folder = self.account(OTHER).calendar
        list(folder.sync_items(only_fields=["uid"]))
        items = []
        for hour in range(8, 13):
            items.append(self.create(room=OTHER, start=days_on(self.day, hour),
                                     end=days_on(self.day, hour + 1)))
        seen = list(folder.sync_items(only_fields=["uid", "start"],
                                      sync_state=folder.item_sync_state,
                                      max_changes_returned=2))
        self.assertEqual([c for c, _ in seen], ["create"] * 5)
        # the newest comes first
        self.assertEqual(seen[0][1].start, days_on(self.day, 12))
        mine = self.get(self.anna, items[0])
        mine.end = days_on(self.day, 8) + datetime.timedelta(minutes=30)
        mine.save(update_fields=["end"], send_meeting_invitations=ALL)
        self.assertEqual([c for c, _ in self.sync(folder)], ["update"])
        copy = self.in_room(mine.uid, folder.account)
        gone = copy.id
        copy.delete(send_meeting_cancellations=NONE)
        changes = self.sync(folder)
        self.assertEqual([c for c, _ in changes], ["delete"])
        self.assertEqual(changes[0][1].id, gone)
        self.assertEqual(self.sync(folder), [])

    def sync(self, folder):
        return list(folder.sync_items(only_fields=["uid"],
                                      sync_state=folder.item_sync_state))

    def test_update(self):
        """A move reaches the room; the item keeps its id, not its key"""
        item = self.create()
        mine = self.get(self.anna, item)
        uid, first, key = mine.uid, mine.id, mine.changekey
        mine.start = days_on(self.day, 14)
        mine.end = days_on(self.day, 15)
        mine.save(update_fields=["start", "end"],
                  send_meeting_invitations=ALL)
        again = self.get(self.anna, item)
        self.assertEqual((again.id, again.uid), (first, uid))
        self.assertNotEqual(again.changekey, key)
        self.assertEqual(self.in_room(uid).start, days_on(self.day, 14))

    def test_update_silent(self):
        """SendToNone: the organiser's copy moves, the room's does not"""
        mine = self.get(self.anna, self.create())
        self.sim.mails_reset()
        mine.start = days_on(self.day, 14)
        mine.end = days_on(self.day, 15)
        mine.save(update_fields=["start", "end"],
                  send_meeting_invitations=NONE)
        self.assertEqual(self.get(self.anna, mine).start,
                         days_on(self.day, 14))
        self.assertEqual(self.in_room(mine.uid).start, self.start)
        mails = self.sim.mails()
        self.assertEqual(mails.get("total", 0), 0, mails)

    def test_conflict(self):
        """NeverOverwrite with an old change key is refused"""
        mine = self.get(self.anna, self.create())
        old = mine.changekey
        mine.subject = "Planning, again"
        mine.save(update_fields=["subject"], send_meeting_invitations=ALL)
        mine.changekey = old
        mine.subject = "Planning, late"
        with self.assertRaises(ErrorIrresolvableConflict):
            mine.save(update_fields=["subject"],
                      conflict_resolution="NeverOverwrite",
                      send_meeting_invitations=ALL)
        self.assertEqual(self.get(self.anna, mine).subject, "Planning, again")

    def test_create_silent(self):
        """SendToNone delivers nothing; a later update invites the room"""
        mine = self.get(self.anna, self.create(send=NONE))
        self.assertIsNone(self.in_room(mine.uid))
        mine.subject = "Planning, told"
        mine.save(update_fields=["subject"], send_meeting_invitations=ALL)
        self.assertIsNotNone(self.in_room(mine.uid))

    def test_cancel(self):
        """CancelCalendarItem: the room keeps it as cancelled, state 7"""
        mine = self.get(self.anna, self.create())
        mine.cancel()
        with self.assertRaises(ErrorItemNotFound):
            mine.refresh()
        copy = self.in_room(mine.uid)
        self.assertTrue(copy.is_cancelled)
        self.assertEqual(copy.appointment_state, ("Meeting", "Received", "Canceled"))
        self.assertEqual(copy.legacy_free_busy_status, "Free")
        self.assertTrue(copy.subject.startswith("Canceled: "))

    def test_delete(self):
        """DeleteItem with cancellations; without, the room is not told"""
        one = self.get(self.anna, self.create())
        two = self.get(self.anna, self.create(start=days_on(self.day, 15),
                                              end=days_on(self.day, 16)))
        one.delete(send_meeting_cancellations=ALL)
        two.delete(send_meeting_cancellations=NONE)
        self.assertTrue(self.in_room(one.uid).is_cancelled)
        self.assertFalse(self.in_room(two.uid).is_cancelled)

    def test_answer(self):
        """A room without auto-accept is answered for by hand"""
        self.sim.add_room(mailbox="hand@sim.test", name="By hand",
                          settings={"silent": True})
        hand = self.account("hand@sim.test")
        mine = self.get(self.anna, self.create(room="hand@sim.test"))
        copy = self.in_room(mine.uid, hand)
        self.assertEqual(copy.my_response_type, "NoResponseReceived")
        copy.accept()
        self.assertEqual(self.get(self.anna, mine).resources[0].response_type,
                         "Accept")
        copy = self.in_room(mine.uid, hand)
        self.assertEqual(copy.my_response_type, "Accept")
        copy.decline()
        self.assertEqual(self.get(self.anna, mine).resources[0].response_type,
                         "Decline")
        self.assertIsNone(self.in_room(mine.uid, hand))

    def test_series(self):
        """A series: master in the folder, occurrences in the view,
        exceptions and deleted dates in both mailboxes"""
        day = days_on(self.day, 0)
        names = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday",
                 "Saturday", "Sunday"]
        room = "series@sim.test"
        self.sim.add_room(mailbox=room, name="Series")
        item = self.create(room=room, recurrence=Recurrence(
            pattern=WeeklyPattern(interval=1,
                                  weekdays=[names[day.weekday()]],
                                  first_day_of_week="Monday"),
            start=EWSDate(day.year, day.month, day.day), number=5))
        mine = self.get(self.anna, item)
        self.assertEqual(mine.type, "RecurringMaster")
        self.assertEqual(mine.recurrence.boundary.number, 5)
        account = self.account(room)
        folder = account.calendar
        changes = self.sync(folder)
        self.assertEqual([c for c, _ in changes], ["create"])
        self.assertEqual(len(self.view(account, 60)), 5)
        second = mine.occurrence(2)
        second.refresh()
        self.assertEqual(second.type, "Occurrence")
        self.assertEqual(second.uid, mine.uid)
        second.start += datetime.timedelta(hours=3)
        second.end += datetime.timedelta(hours=3)
        second.save(update_fields=["start", "end"],
                    send_meeting_invitations=ALL)
        mine.occurrence(4).delete(send_meeting_cancellations=ALL)
        changes = self.sync(folder)
        self.assertEqual([c for c, _ in changes], ["update"])
        seen = self.view(account, 60)
        kinds = [(i.type, i.is_cancelled) for i in seen]
        self.assertEqual(kinds, [
            ("Occurrence", False), ("Exception", False),
            ("Occurrence", False), ("Exception", True),
            ("Occurrence", False)])
        moved = seen[1]
        self.assertEqual(moved.start - moved.original_start,
                         datetime.timedelta(hours=3))
        self.assertEqual(moved.recurrence_id, moved.original_start)
        master = self.get(self.anna, item)
        self.assertEqual(len(master.modified_occurrences), 1)
        self.assertEqual(len(master.deleted_occurrences), 1)
        back = moved.recurring_master()
        back.refresh()
        self.assertEqual(back.type, "RecurringMaster")

    def test_one_declined(self):
        """A room that is taken on one date declines that date alone"""
        day = days_on(self.day, 0)
        room = "taken@sim.test"
        self.sim.add_room(mailbox=room, name="Taken")
        self.create(room=room, start=days_on(self.day + 1, 14),
                    end=days_on(self.day + 1, 15))
        series = self.get(self.anna, self.create(
            room=room, recurrence=Recurrence(
                pattern=DailyPattern(interval=1), number=3,
                start=EWSDate(day.year, day.month, day.day))))
        second = series.occurrence(2)
        second.refresh()
        second.start += datetime.timedelta(hours=4)
        second.end += datetime.timedelta(hours=4)
        second.save(update_fields=["start", "end"],
                    send_meeting_invitations=ALL)
        said = []
        for n in (1, 2, 3):
            occurrence = series.occurrence(n)
            occurrence.refresh()
            said.append(occurrence.resources[0].response_type)
        self.assertEqual(said, ["Accept", "Decline", "Accept"])
        self.assertEqual(len(self.view(self.account(room), 5)), 3)

    def test_property(self):
        """An extended property round trip, and the search for it"""
        value = "topdesk:%d" % self.day
        item = self.create(correlation=value)
        self.assertEqual(self.get(self.anna, item).correlation, value)
        found = list(self.anna.calendar.filter(correlation=value))
        self.assertEqual([i.id for i in found], [item.id])
        self.assertEqual(
            list(self.anna.calendar.filter(correlation=value + "0")), [])

    def test_uid(self):
        """A UID that the client chose is the room's, too"""
        uid = "orb1-%d@sim.test" % self.day
        self.create(uid=uid)
        self.assertIsNotNone(self.in_room(uid))

    def test_all_day(self):
        """All-day: midnight to midnight of the zone it was made in"""
        d = days_on(self.day, 0).date()
        day = EWSDate(d.year, d.month, d.day)
        item = CalendarItem(account=self.anna, folder=self.anna.calendar,
                            subject="Away", start=day, end=day,
                            is_all_day=True, resources=resource(ROOM))
        item._start_timezone = item._end_timezone = BERLIN
        item.save(send_meeting_invitations=ALL)
        mine = self.get(self.anna, item)
        self.assertEqual((mine.start, mine.end), (day, day))
        self.assertEqual(str(mine._start_timezone), "Europe/Berlin")
        copy = [i for i in self.view(self.room) if i.uid == mine.uid][0]
        self.assertTrue(copy.is_all_day)
        self.assertEqual(copy.start, day)

    def test_identity(self):
        """Graph and EWS call a meeting the same: iCalUId is the UID"""
        made = self.sim.meeting_create(
            organiser=ANNA, start=self.start.isoformat(),
            end=self.end.isoformat(), subject="Both", rooms=[ROOM])
        self.assertIsNotNone(self.in_room(made["uid"]))

    def test_scope(self):
        """Impersonation out of scope is denied; of nobody, too"""
        self.sim.set(key="out_of_scope", value=["boss@sim.test"])
        with self.assertRaises(ErrorImpersonateUserDenied):
            self.view(self.account("boss@sim.test"))
        with self.assertRaises(ErrorNonExistentMailbox):
            self.view(self.account("nobody@sim.test"))

    def test_zz_login(self):
        """A wrong password is refused, counted, and locks the account"""
        login = self.sim.facts["ews_login"]
        for n in range(5):
            self.assertFalse(self.sim.ews()["locked"])
            with self.assertRaises(UnauthorizedError):
                self.view(self.account(ROOM, self.configuration(
                    login, "wrong%d" % n)))
        seen = self.sim.ews()
        self.assertEqual((seen["failed_logins"], seen["locked"]), (5, True))
        with self.assertRaises(UnauthorizedError):
            self.view(self.account(ROOM, self.configuration(
                login, self.password)))
        self.sim.set(key="ews_unlock", value=True)
        self.view(self.account(ROOM, self.configuration(
            login, self.password)))
        self.assertEqual(seen["without_anchor"] + seen["other_anchor"], 0)

    def test_zz_violations(self):
        """exchangelib sends nothing that the simulator finds wrong"""
        self.assertEqual(self.sim.violations()["violations"], [])


if __name__ == "__main__":
    tap.main()
