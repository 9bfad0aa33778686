#!/usr/bin/env python3
"""Rooms that change hands, over Exchange Web Services: test_rooms.py and
test_rooms_organiser.py once more, with exchange.kind = "ews".

Not here: conflicts and lost state (test_ews_clash.py), test_both.py
(test_ews.py has it).
"""
import orbtest
import tap
import test_rooms
import test_rooms_organiser

orbtest.KIND = "ews"


class Counted:
    def writes(self, upstream):
        """Everything is a POST: those that write are told by their names."""
        if upstream != "graph":
            return super().writes(upstream)
        return sum(orbtest.requests(self.sim, "/" + operation) for operation
                   in ("CreateItem", "UpdateItem", "DeleteItem"))


class EwsInRoom(Counted, test_rooms.InRoom):
    pass


class EwsByService(Counted, test_rooms.ByService):
    pass


class EwsByOrganiser(Counted, test_rooms_organiser.ByOrganiser):
    pass


if __name__ == "__main__":
    tap.main()
