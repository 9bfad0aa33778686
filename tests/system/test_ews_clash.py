#!/usr/bin/env python3
"""Conflicts and lost state over Exchange Web Services: the policies of
test_conflicts.py and test_rebuild.py once more, with exchange.kind = "ews".

Not here: what goes wrong with EWS alone (test_ews_faults.py,
test_ews_lost.py).
"""
import orbtest
import tap
import test_conflicts
import test_rebuild

orbtest.KIND = "ews"


class EwsRebuild(test_rebuild.Rebuild):
    pass


class EwsRebuildService(test_rebuild.RebuildService):
    pass


class EwsRebuildOrganiser(test_rebuild.RebuildOrganiser):
    pass


class EwsWhileAway(test_rebuild.WhileAway):
    pass


class EwsPolicies(test_conflicts.Policies):
    makes = "POST /EWS/Exchange.asmx/CreateItem"


if __name__ == "__main__":
    tap.main()
