#!/usr/bin/env python3
"""The series of test_series.py over Exchange Web Services, whose feed names
nothing but masters.  A file of its own, since both take their time."""
import tap
import test_series


class EwsPatterns(test_series.Patterns):
    kind = "ews"


class EwsChanges(test_series.Changes):
    kind = "ews"


if __name__ == "__main__":
    tap.main()
