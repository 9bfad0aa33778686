#!/usr/bin/env python3
"""One meeting's whole life, through every process, and the stop."""
import unittest

import orbtest
import tap
from people import Outlook, day


class Smoke(unittest.TestCase):
    def test_life_of_a_meeting(self):
        """booked, moved, another room, cancelled; all processes stop well"""
        with orbtest.Orb(rooms=3) as orb:
            orb.run()
            people = Outlook(orb.sim, orb.rooms)
            uid = people.book("ada", 0, day(0, 9), 60)
            orb.wait_until_equal()
            first = people.at(0, day(0, 9))
            self.assertIsNotNone(first)
            self.assertEqual(first["requester_email"], "ada@sim.test")
            self.assertTrue(first["external_link"]["id"].startswith("orb1:"))

            people.move(uid, day(1, 13), 90)
            orb.wait_until_equal()
            moved = people.at(0, day(1, 13))
            self.assertEqual(moved["id"], first["id"])

            people.rooms_of(uid, 1)
            orb.wait_until_equal()
            self.assertEqual(len(people.planned()), 1)
            self.assertIsNotNone(people.at(1, day(1, 13)))

            people.cancel(uid)
            orb.wait_until_equal()
            self.assertEqual(people.planned(), [])
            self.assertGreaterEqual(len(people.reservations(
                status="cancelled")), 1)

            self.assertEqual(orb.sim.violations()["violations"], [])
            self.restarts_none(orb)
            orb.stop_units()
            for name, unit in orb.units.items():
                self.assertEqual(unit.exits, [0], "%s: %s" % (
                    name, orb.log_text(name)[-1000:]))

    def restarts_none(self, orb):
        for name, unit in orb.units.items():
            self.assertEqual(unit.exits, [], "%s ended while it ran: %s" % (
                name, orb.log_text(name)[-1000:]))


if __name__ == "__main__":
    tap.main()
