#!/usr/bin/env python3
"""The traps of the two systems, and where each is tested with all of ORB.

What Exchange and TOPdesk do that a reader of their documentation does not expect,
and what people were bitten by elsewhere.  A trap that gets a test is added here;
this sees to it that every test named still is there.  FILE CLASS.TEST; a class
alone stands for all its tests.
"""
import importlib
import os
import unittest

import orbtest
import tap

EXCHANGE_ONLINE = """
delta gives occurrences as bare stubs: test_bookings Bookings.test_series_keeps_wall_time
a master cannot be read, and is asked again: test_traps Exchange.test_master_cannot_be_read
deleted occurrences are reported by nothing: test_series Changes.test_one_deleted
a new pattern removes occurrences without a word: test_series Changes.test_vanish_without_a_word
@removed for what only left the window: test_window Window.test_removed_outside
a token that is gone (410): test_faults Faults.test_410_graph
gone again on the first link of the new reading: test_traps Exchange.test_token_lost_on_the_first_link_too
a token that is malformed (400): test_traps Exchange.test_malformed_token
a token lost in the middle of a change: test_window Window.test_cursor_lost_within
an error in the middle of paging is no short list: test_traps Exchange.test_error_in_the_middle_of_paging
pages that are empty but for a link: test_window Window.test_empty_pages
lines that come twice: test_window Window.test_lines_twice
the window is baked into the token: test_window Window.test_rolls_forward
a window begun anew cancels nothing: test_window Window.test_base_anew
a link to another host: test_faults Faults.test_foreign_nextlink_graph
a redirect, which could carry the token away: test_faults Faults.test_redirect_graph
429 with and without Retry-After: test_faults Faults.test_429_no_retry_graph
429 inside a batch that is 200 outside: test_faults Faults.test_inner_429_graph
errors in HTML: test_faults Faults.test_500_html_graph
a gateway that gives up (504): test_traps Exchange.test_gateway_times_out
one mailbox out of scope (403): test_traps Exchange.test_room_out_of_scope
one mailbox not there (404), its bookings not gone: test_traps Exchange.test_mailbox_is_not_there
access switched off for all (403): test_traps Exchange.test_access_to_odata_is_disabled
a token that has expired meanwhile: test_faults Faults.test_expired_token_graph
what the login says, by its number: test_traps Login.test_secret_expired
a write whose answer was lost: test_faults Faults.test_cut_after_graph
an item that nobody can read holds up no other: test_window Window.test_unreadable
"""

ROOMS = """
the subject is the organiser's name: test_state Policy.test_organiser
a private meeting whose mark was taken away: test_state Policy.test_private
a cancelled meeting stays in the calendar: test_bookings Bookings.test_cancelled_stays
tentative first, accepted later: test_bookings Bookings.test_tentative
the room gives itself back: test_traps Exchange.test_released_room
a meeting deleted without a trace: test_bookings Bookings.test_deleted_without_trace
a series accepted but for some dates: test_series Changes.test_all_but_some
another room is a cancellation and a new item: test_rooms InRoom.test_swap_in_outlook
two rooms, one leaves: test_rooms InRoom.test_two_one_removed
a room added to a meeting: test_rooms InRoom.test_room_added_to_meeting
one date of a series in another room: test_series Changes.test_one_in_another_room
the room declines what lies beyond its window: test_answers Answers.test_declined_beyond_window
the room declines since it is busy: test_answers Answers.test_declined_since_busy
the room declines the new time: test_answers Answers.test_declined_move
the room does not answer: test_answers Answers.test_no_answer
the room accepts late: test_answers Answers.test_accepted_later
booked and cancelled at once: test_bookings Bookings.test_booked_and_cancelled_at_once
a room that declines a change only removes its copy: test_answers Answers.test_declined_move
a room that says nothing, and one that waits for a person: test_answers Answers.test_no_answer
a reservation in a room that no list shows: test_answers Vanished
meetings back to back are no conflict: test_rooms InRoom.test_back_to_back
nobody is mailed more than needed, from TOPdesk: test_rooms ByService.test_mails_from_topdesk
nobody is mailed for what changes in Outlook: test_rooms InRoom.test_mails_from_outlook
a requester without a mailbox: test_rooms_organiser ByOrganiser.test_requester_without_mailbox
a requester out of the account's scope: test_rooms_organiser ByOrganiser.test_requester_out_of_scope
a room added to the configuration: test_answers Comings.test_room_added
a room taken out of it: test_answers Comings.test_room_taken_out
a room retired: test_answers Comings.test_room_retired
"""

CLOCKS = """
a series keeps wall time over both changes: test_zones Clocks
02:30 in the night that skips it: test_zones Clocks.test_time_that_is_skipped
02:30 in the night that has it twice: test_zones Clocks.test_time_that_comes_twice
zones that change on other dates: test_zones Clocks.test_new_york
the other half of the world: test_zones Clocks.test_southern
zones of half hours: test_zones Clocks.test_half_hours
custom, localized and unknown names of zones: test_zones Names.test_every_name
all-day is dates in the room's zone: test_zones AllDay.test_organisers_east_and_west
all-day over the change of clocks: test_zones AllDay.test_day_of_the_change
series without an end: test_series Patterns.test_endless
every second week, by the week's first day: test_series Patterns.test_biweekly_week_from_sunday
the 31st of each month: test_series Patterns.test_monthly_31st
the last Friday: test_series Patterns.test_monthly_last_friday
a series begun long before: test_series Patterns.test_begun_long_before
the end moved forward: test_series Changes.test_end_date_cut
an exception past its neighbour: test_series Changes.test_one_past_its_neighbour
an exception out of the window and in: test_series Changes.test_exception_out_of_the_window
"""

EXCHANGE_SERVER = """
the same bookings over EWS: test_ews EwsBookings
the same both ways: test_ews EwsBothOrganiser
the same series and clocks: test_series_ews EwsChanges
SyncFolderItems names masters only: test_ews EwsCalendar.test_only_what_changed_is_read
a view that was cut is halved: test_ews EwsCalendar.test_more_than_a_view_shows
a sync state that is invalid: test_ews_faults Faults.test_invalid_sync_state
a sync state of tens of kilobytes: test_ews EwsBookings.test_long_sync_state
ErrorServerBusy holds every room: test_ews_faults Faults.test_server_busy_holds_every_room
both layers of errors: test_ews_faults Faults.test_soap_fault
an error inside a good answer: test_ews_faults Faults.test_error_in_a_message
a mailbox on the move: test_ews_faults Faults.test_mailbox_moved
302 to an error page: test_ews_faults Faults.test_redirect_to_the_error_page
one room denied, the others go on: test_ews_faults OneRoom
401 locks accounts: test_ews_login Login.test_wrong_from_the_start
401 in between, which is throttling: test_ews_login Login.test_401_in_between
entities that grow: test_ews_faults Faults.test_entity_bomb
there is no transaction id: test_ews_lost Writes.test_answer_lost
the change key is old: test_ews_lost Writes.test_stale
organisers by their old address: test_ews EwsCalendar.test_organiser_of_before
mailboxes that move to the cloud: test_ews_lost FromEwsToGraph
"""

TOPDESK = """
206, and ties where it was cut: test_traps Topdesk.test_more_rows_than_one_answer
errors in every shape: test_traps Topdesk.test_refusals_in_all_shapes
the link can be set only once: test_both Both.test_link_is_written_once
another product has the link: test_services Services.test_foreign_link
stored as conflicting, or refused: test_conflicts Policies.test_refused
conflicting still, though its rival is gone: test_conflicts Policies.test_own_reservation_conflicting
a branch that is hidden is not deleted: test_state State.test_hidden_branch
a list that shrinks is no mass cancellation: test_state State.test_mass_cancellation_waits
the right to read is lost: test_traps Topdesk.test_right_to_read_is_lost
the right to create is lost: test_traps Topdesk.test_right_to_create_is_lost
two persons with one address: test_traps Topdesk.test_two_persons_with_one_address
a person who is archived: test_traps Topdesk.test_archived_person
a text of 100 characters: test_traps Topdesk.test_letters_that_take_many_bytes
whole minutes: test_bookings Bookings.test_seconds
block time, which Exchange does not know: test_answers Blocks
lead times of services: test_services Services.test_lead_time_passed
services outside their window: test_services Services.test_outside_window
issued facilities: test_services Services.test_issued
archived reservations: test_services Services.test_archived
edited by hand: test_services Services.test_edited_by_hand
a request is not a booking: test_traps Requests.test_a_request_is_not_a_booking
a date of TOPdesk's own series: test_traps Requests.test_occurrence_of_a_series_of_topdesk
several rooms in one reservation: test_traps Requests.test_several_rooms_in_one_reservation
"""

BOTH = """
both sides booked, the first wins: test_conflicts Policies.test_first_wins_meeting_first
Exchange wins: test_conflicts Policies.test_exchange_wins_reservation_first
TOPdesk wins: test_conflicts Policies.test_topdesk_wins_meeting_first
made in the same second: test_conflicts Policies.test_a_race
the loser is told once, whatever dies: test_conflicts Policies.test_killed_while_settling
three in one slot: test_conflicts Policies.test_three_in_one_slot
one date of a series loses: test_conflicts Policies.test_series_loses_one
entered by hand on both sides: test_both Both.test_the_same_by_hand_on_both_sides
the state is lost, with pairs of both origins: test_rebuild RebuildService
the first start on two full systems: test_rebuild First.test_plan_then_approve
killed between approval and the end: test_rebuild First.test_killed_after_approve
the direction is switched: test_rebuild Direction.test_switched
an echo of what ORB wrote: test_crash Crash
"""

GROUPS = (EXCHANGE_ONLINE, ROOMS, CLOCKS, EXCHANGE_SERVER, TOPDESK, BOTH)


def traps():
    for group in GROUPS:
        for line in group.strip().splitlines():
            words, where = line.rsplit(": ", 1)
            file, name = where.split()
            yield words, file, name


class TrapList(unittest.TestCase):
    def has(self, file, name):
        kind, _, test = name.partition(".")
        found = getattr(importlib.import_module(file), kind, None)
        return found is not None and (not test or hasattr(found, test))

    def test_every_trap_has_its_test(self):
        """the tests that the list names are there, and are run"""
        missing = [(w, f, n) for w, f, n in traps() if not self.has(f, n)]
        self.assertEqual(missing, [])
        with open(os.path.join(orbtest.SRC, "tests/tests.am")) as f:
            run = f.read()
        for _, file, _ in traps():
            self.assertIn("tests/system/%s.py" % file, run)

    def test_named_once(self):
        """no trap stands twice"""
        words = [w for w, _, _ in traps()]
        self.assertEqual(sorted(set(words)), sorted(words))
        self.assertGreater(len(words), 100)


if __name__ == "__main__":
    tap.main()
