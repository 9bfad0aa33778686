#!/usr/bin/env python3
"""What ORB remembers, what it does when that is lost, and what it refuses to do
without being asked."""
import os
import shutil
import sqlite3
import time
import unittest

import orbtest
import tap
from people import Outlook, day, minutes, iso


def posts(orb):
    """Reservations made, as the simulator counted."""
    return sum(e["count"] for e in orb.sim.counters()["endpoints"]
               if e["endpoint"] == "POST /reservations")


def writes(orb):
    return sum(e["count"] for e in orb.sim.counters()["endpoints"]
               if e["listener"] == "topdesk" and
               not e["endpoint"].startswith("GET"))


def rounds(orb, n=2, timeout=30):
    """Waits until so many rounds have ended after now."""
    first = orb.status().get("rounds", 0) + 1
    orbtest.wait_for("%d rounds" % n, lambda: orb.status().get(
        "rounds", 0) >= first + n, timeout)


class Setup(unittest.TestCase):
    def test_not_configured_yet(self):
        """without credentials all serve and say what to do"""
        with orbtest.Orb(rooms=1) as orb:
            people = Outlook(orb.sim, orb.rooms)
            people.book("ada", 0, day(0, 9))
            orb.start()
            status = orbtest.wait_for("the status names the cure", lambda: (
                lambda s: "credential" in str(s) and s)(
                    orb.status()), 20)
            self.assertIn("credential", str(status))
            self.assertEqual(people.planned(), [])
            orb.credentials(["exchange"])
            orb.credentials(["topdesk"])
            orb.wait_until_equal(60)
            self.assertEqual(len(people.planned()), 1)

    def test_wrong_password(self):
        """a wrong password is said, and the right one is enough"""
        with orbtest.Orb(rooms=1) as orb:
            people = Outlook(orb.sim, orb.rooms)
            people.book("ada", 0, day(0, 9))
            orb.start()
            orb.orbctl("credential", "set", "topdesk", data=b"not-this-one")
            orb.credentials(["exchange"])
            orbtest.wait_for("the status says so", lambda: orb.status().get(
                "topdesk", {}).get("text"), 20)
            time.sleep(1)
            self.assertEqual(people.planned(), [])
            orb.credentials(["topdesk"])
            orb.wait_until_equal(90)

    def test_no_rooms(self):
        """no rooms is a state, not a failure"""
        with orbtest.Orb(rooms=1) as orb:
            orb.configure(rooms=[])
            orb.run()
            time.sleep(1)
            self.assertIn("room", orb.units["mapd"].status)
            for unit in orb.units.values():
                self.assertEqual(unit.exits, [], unit.name)


class State(unittest.TestCase):
    def setUp(self):
        self.orb = orbtest.Orb(rooms=3)
        self.addCleanup(self.orb.stop)
        self.people = Outlook(self.orb.sim, self.orb.rooms)

    def book_some(self):
        uids = []
        for n in range(4):
            for room in range(3):
                uids.append(self.people.book("person%d" % n, room,
                                             day(n, 9 + room)))
        return uids

    def test_state_lost(self):
        """the database deleted: all is recognised, nothing is written"""
        orb = self.orb.run()
        self.book_some()
        start = day(0, 16)
        self.people.book("grace", 0, start, 60, recurrence={
            "pattern": {"type": "daily", "interval": 1},
            "range": {"type": "numbered", "numberOfOccurrences": 4,
                      "startDate": start.strftime("%Y-%m-%d")}})
        orb.wait_until_equal()
        before = self.people.reservations()
        orb.stop_units(["mapd"])
        directory = os.path.join(orb.dir, "state/mapd")
        for name in os.listdir(directory):
            path = os.path.join(directory, name)
            shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)
        orb.sim.counters_reset()
        orb.start(["mapd"])
        rounds(orb, 2, 60)
        orb.wait_until_equal()
        self.assertEqual(self.people.reservations(), before)
        self.assertEqual(writes(orb), 0)
        self.people.book("ada", 2, day(4, 15))
        orb.wait_until_equal()
        self.assertEqual(posts(orb), 1)

    def test_everything_lost(self):
        """all state deleted: credentials are entered again, nothing else"""
        orb = self.orb.run()
        self.book_some()
        orb.wait_until_equal()
        before = self.people.reservations()
        orb.stop_units()
        for name in ("keyd", "mapd", "ledgerd"):
            directory = os.path.join(orb.dir, "state", name)
            shutil.rmtree(directory)
        orb.state_make()
        orb.sim.counters_reset()
        orb.start()
        orb.credentials()
        rounds(orb, 2, 60)
        self.assertEqual(self.people.reservations(), before)
        self.assertEqual(writes(orb), 0)

    def test_mass_cancellation_waits(self):
        """more cancellations than the limit wait for orbctl approve"""
        orb = self.orb
        orb.configure(policy={"mass_cancel_limit": 3})
        orb.run()
        uids = self.book_some()
        orb.wait_until_equal()
        orb.stop_units(["mapd"])  # so that they come in one round
        for uid in uids[:8]:
            self.people.cancel(uid)
        orb.start(["mapd"])
        held = orbtest.wait_for("cancellations are held", lambda: orb.status(
            ).get("held_cancellations"), 30)
        self.assertEqual(held, 8)
        rounds(orb, 2)
        self.assertEqual(len(self.people.planned()), 12)
        # What is not a cancellation goes on meanwhile.
        self.people.book("late", 0, day(6, 9))
        orbtest.wait_for("a new meeting is reserved", lambda: len(
            self.people.planned()) == 13, 20)
        orb.orbctl("approve", check=False)
        orb.wait_until_equal()
        self.assertEqual(len(self.people.planned()), 5)

    def test_conflicts(self):
        """conflicts are listed; those of rooms that left have ended"""
        orb = self.orb.run()
        self.assertEqual(orb.orbctl("conflicts"), [])
        rounds(orb, 1)  # or the first look would be begun anew
        orb.stop_units(["mapd"])
        old = int(time.time()) - 91 * 86400
        base = sqlite3.connect(os.path.join(orb.dir, "state/mapd/state.db"))
        with base:
            base.executemany(
                "INSERT INTO conflict VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [(room, bytes([room % 256]) * 32, old, old, old + 3600, "R 7",
                  "R 8", 0, loser, 0, settled) for room, loser, settled in (
                      (999, 1, 0),            # its room is not configured
                      (1000, 2, old + 7200),  # long over
                      (1001, 2, old + 2 * 86400))])
        base.close()
        orb.start(["mapd"])
        rows = orbtest.wait_for("the conflicts are there", lambda: (
            lambda found: len(found) == 2 and all(
                row["state"] == "settled" for row in found) and found)(
                    orb.orbctl("conflicts")), 20)
        self.assertEqual([(row["keeper"], row["policy"], row["rival"])
                          for row in rows],
                         [("topdesk", "first-wins", "R 8"),
                          ("exchange", "first-wins", "R 8")])
        self.assertEqual(orb.status()["conflicts"], 0)
        one = orb.orbctl("conflicts", "show", rows[1]["booking"][:12])
        self.assertEqual(one["booking"], rows[1]["booking"])
        self.assertIn("nothing", one["cure"])

    def test_hidden_branch(self):
        """hidden reservations are not made again, nor believed cancelled"""
        orb = self.orb.run()
        self.book_some()
        orb.wait_until_equal()
        before = self.people.reservations()
        orb.sim.counters_reset()
        orb.sim.location_set(location=orb.rooms[1]["location"], hidden=True)
        rounds(orb, 3)
        orb.sim.location_set(location=orb.rooms[1]["location"], hidden=False)
        rounds(orb, 2)
        self.assertEqual(self.people.reservations(), before)
        self.assertEqual(writes(orb), 0)

    def test_taken_in_topdesk(self):
        """a room that TOPdesk has given away is said, not overwritten"""
        orb = self.orb
        orb.sim.set(key="conflict", value="refused")
        orb.sim.add_person(email="desk@sim.test", name="Desk")
        theirs = orb.sim.reservation_create(
            location=orb.rooms[0]["location"], start=iso(day(0, 9)),
            end=iso(day(0, 9) + minutes(60)), requester="desk@sim.test")
        orb.run()
        self.people.book("ada", 0, day(0, 9))
        self.people.book("ada", 1, day(0, 9))
        orbtest.wait_for("the other room is reserved",
                         lambda: self.people.at(1, day(0, 9)), 30)
        rounds(orb, 2)
        self.assertEqual([r["id"] for r in self.people.planned(0)],
                         [theirs["id"]])
        said = str(orb.orbctl("problems", check=False))
        self.assertIn(orb.rooms[0]["name"], said)


class Policy(unittest.TestCase):
    def called(self, policy, **more):
        """What a reservation is called under a policy."""
        with orbtest.Orb(rooms=1, settings={"policy": policy}) as orb:
            # A room as its administrator may set it: Exchange's default takes
            # the subject and the privacy away before ORB can see them.
            orb.sim.add_room(mailbox=orb.rooms[0]["mailbox"], settings={
                "add_organizer_to_subject": False, "delete_subject": False,
                "remove_private": False})
            people = Outlook(orb.sim, orb.rooms)
            people.book("ada", 0, day(0, 9), 60, **more)
            orb.run()
            orb.wait_until_equal()
            return people.planned(0)[0]["briefDescription"]

    def test_keep(self):
        """subject = keep, cut to what TOPdesk takes, never within a letter"""
        self.assertEqual(self.called({"subject": "keep"}, subject="Budget"),
                         "Budget")
        long = self.called({"subject": "keep"}, subject="é" * 150)
        self.assertTrue(long.startswith("é" * 90), long)
        self.assertLessEqual(len(long), 100)

    def test_organiser(self):
        """subject = organiser names the organiser, not the subject"""
        text = self.called({"subject": "organiser"}, subject="Secret plan")
        self.assertNotIn("Secret", text)
        self.assertIn("ada", text.lower())

    def test_placeholder(self):
        """subject = placeholder"""
        self.assertEqual(self.called({"subject": "placeholder",
                                      "placeholder": "Bezet"},
                                     subject="Secret plan"), "Bezet")

    def test_private(self):
        """a private meeting's subject never leaves"""
        self.assertEqual(self.called(
            {"subject": "keep", "private_placeholder": "Besloten"},
            subject="Secret plan", private=True), "Besloten")


if __name__ == "__main__":
    tap.main()
