#!/usr/bin/env python3
"""The whole of ORB against Exchange Web Services.

Here: the kinds of meetings of test_bookings.py and the ways of booking of
test_both.py, with exchange.kind = "ews", and what only EWS has.  Not here: its
faults and its wire (test_ews_wire.py).
"""
import tap
import test_bookings
import test_both


class EwsBookings(test_bookings.Bookings):
    kind = "ews"


class EwsBothRoom(test_both.Both):
    kind = "ews"


class EwsBothService(test_both.Service):
    kind = "ews"


class EwsBothOrganiser(test_both.Organiser):
    kind = "ews"


if __name__ == "__main__":
    tap.main()
