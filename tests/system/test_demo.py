#!/usr/bin/env python3
"""The demonstration shows what it says it shows, and bootstrap refuses what it
does not know before it installs or builds anything.

Here: ./bootstrap demo from outside.  Not here: what the acts prove one by one
(test_bookings.py, test_both.py).
"""
import os
import re
import subprocess
import sys
import unittest

import orbtest
import tap

HERE = os.path.dirname(os.path.abspath(__file__))


def run(*command):
    done = subprocess.run(command, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=120)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


class Demo(unittest.TestCase):
    def show(self, kind):
        status, out, err = run(
            sys.executable, os.path.join(HERE, "demo.py"), "--pace=0",
            "--exchange=" + kind, "--build", orbtest.BUILD)
        self.assertEqual(status, 0, out[-3000:] + err)
        self.assertIn("The demonstration worked.", out)
        for side in ("in Outlook", "in TOPdesk"):
            self.assertRegex(out, r"(?m)^ +%s +room" % side)
        self.assertRegex(out, r"R \d{4} \d{5} planned")
        self.assertIn("meeting, room accepted", out)
        self.assertRegex(out, r"\$ orbctl conflicts\n +ROOM .*\n +Aquarium ")
        self.assertIn("kill -9", out)
        for what in ("missing", "extra", "different", "duplicates",
                     "against the APIs' rules"):
            self.assertRegex(out, r"(?m)^  %s +0$" % what)
        mails = re.findall(r"(?m)^  .* to people +(\d+) +(\d+)$", out)
        self.assertEqual(len(mails), 4)
        for expected, sent in mails:
            self.assertEqual(expected, sent)
        return out

    def test_graph(self):
        """both directions with Exchange Online"""
        out = self.show("graph")
        self.assertRegex(out, r"(?m)^  to Microsoft Graph +[1-9]")

    def test_ews(self):
        """both directions with Exchange Server"""
        out = self.show("ews")
        self.assertRegex(out, r"(?m)^  to Exchange Web Services +[1-9]")

    def test_wrong_words(self):
        """wrong options and commands: what is wrong, the usage, status 2"""
        for words, said in (
                (["demo", "--exchange=imap"], "--exchange=graph or"),
                (["demo", "--exchange"], "--exchange=graph or"),
                (["demo", "--pace=fast"], "a number of seconds"),
                (["demo", "ews"], "no option ews"),
                (["demo", "--all"], "no option --all"),
                (["check", "--some"], "no option --some"),
                (["show"], "no command show"),
                ([], "a COMMAND is needed")):
            status, out, err = run(os.path.join(orbtest.SRC, "bootstrap"),
                                   *words)
            self.assertEqual((status, out), (2, ""), words)
            self.assertIn(said, err.splitlines()[0], words)
            self.assertIn("usage: ./bootstrap", err)
            self.assertIn("--exchange=ews", err)

    def test_usage(self):
        """./bootstrap --help names the options, with status 0"""
        status, out, _ = run(os.path.join(orbtest.SRC, "bootstrap"), "--help")
        self.assertEqual(status, 0)
        self.assertIn("--exchange=ews", out)


if __name__ == "__main__":
    tap.main()
