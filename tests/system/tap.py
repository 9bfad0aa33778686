"""tap: unittest with its results in TAP, for tests/run.

Here: the output.  Not here: starting ORB (orbtest.py).
"""
import sys
import time
import traceback
import unittest


def text(line):
    return str(line).replace("#", "No.").split("\n")[0]


class Result(unittest.TestResult):
    def __init__(self):
        super().__init__()
        self.number = 0

    def startTest(self, test):
        super().startTest(test)
        self.begin = time.monotonic()

    def say(self, word, test, tail=""):
        self.number += 1
        title = test.shortDescription() or test.id().split(".")[-1]
        print("%s %d - %s%s" % (word, self.number, text(title), tail),
              flush=True)
        print("# %.1f s" % (time.monotonic() - self.begin), flush=True)

    def fail(self, test, err):
        self.say("not ok", test)
        lines = "".join(traceback.format_exception(*err)).splitlines()
        for line in lines:
            print("# " + line, flush=True)

    def addSuccess(self, test):
        super().addSuccess(test)
        self.say("ok", test)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.fail(test, err)

    def addError(self, test, err):
        super().addError(test, err)
        if isinstance(test, unittest.TestCase):
            self.fail(test, err)
        else:  # setUpClass and the like
            self.number += 1
            print("not ok %d - %s" % (self.number, text(test)))
            for line in traceback.format_exception(*err):
                print("# " + line.replace("\n", "\n# "), flush=True)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        if isinstance(test, unittest.TestCase):
            self.say("ok", test, " # SKIP %s" % reason)
        else:
            self.number += 1
            print("ok %d - %s # SKIP %s" % (self.number, text(test), reason))

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err:
            print("# subtest %s" % subtest)
            for line in traceback.format_exception(*err):
                print("# " + line.rstrip().replace("\n", "\n# "), flush=True)


def main(module="__main__"):
    loader = unittest.TestLoader()
    loader.sortTestMethodsUsing = None
    names = sys.argv[1:]
    suite = loader.loadTestsFromModule(sys.modules[module])
    if names:
        suite = unittest.TestSuite(t for t in flatten(suite)
                                   if any(n in t.id() for n in names))
    result = Result()
    suite.run(result)
    # Last, since a class that cannot be set up counts as one.
    print("1..%d" % result.number)
    sys.exit(0 if result.wasSuccessful() else 1)


def flatten(suite):
    for t in suite:
        if isinstance(t, unittest.TestSuite):
            yield from flatten(t)
        else:
            yield t
