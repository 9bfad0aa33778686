#!/usr/bin/env python3
"""The series of test_series.py over Exchange Web Services, whose feed names
nothing but masters, and with both directions on: what people do to series in
Outlook is not answered by a write to Exchange."""
import tap
import test_series


BOTH = {"direction": "both"}


class EwsPatterns(test_series.Patterns):
    kind = "ews"
    policy = dict(test_series.Patterns.policy, **BOTH)


class EwsChanges(test_series.Changes):
    kind = "ews"
    policy = dict(test_series.Changes.policy, **BOTH)


if __name__ == "__main__":
    tap.main()
