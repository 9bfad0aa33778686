#!/usr/bin/env python3
"""test_doc: the manual pages and the completion.

mandoc finds nothing wrong with a page; every command that orbctl lists is in
its page; bash completes what orbctl(8) describes.
"""
import glob
import os
import re
import shutil
import subprocess
import unittest

import tap

SRC = os.path.abspath(os.environ.get("ORB_SRC") or os.path.join(
    os.path.dirname(os.path.abspath(__file__)), "../.."))
BUILD = os.path.abspath(os.environ.get("ORB_BUILD") or
                        os.path.join(SRC, "build"))
BASH = os.path.join(SRC, "doc/completion/%s.bash")


def complete(*words, command="orbctl"):
    """What bash offers for the last word."""
    script = ('. "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); '
              '"_${1//-/_}"; printf "%s\\n" "${COMPREPLY[@]}"')
    out = subprocess.run(["bash", "-c", script, "bash", BASH % command,
                          command, *words],
                         stdout=subprocess.PIPE, check=True)
    return [w for w in out.stdout.decode().splitlines() if w]


class Doc(unittest.TestCase):
    @unittest.skipUnless(shutil.which("mandoc"), "mandoc is not installed")
    def test_pages(self):
        """mandoc has no warning about any page"""
        pages = sorted(glob.glob(os.path.join(SRC, "doc/*.[1-8]")))
        self.assertGreaterEqual(len(pages), 8)
        for page in pages:
            lint = subprocess.run(["mandoc", "-T", "lint", "-W", "warning",
                                   page], stdout=subprocess.PIPE)
            self.assertEqual(lint.stdout.decode(), "", page)

    def test_commands(self):
        """every command of orbctl --help is in orbctl(8) and is completed"""
        text = subprocess.run([os.path.join(BUILD, "orbctl"), "--help"],
                              stdout=subprocess.PIPE, check=True)
        names = re.findall(r"^  ([a-z]+)\b", text.stdout.decode(), re.M)
        self.assertIn("status", names)
        with open(os.path.join(SRC, "doc/orbctl.8")) as f:
            page = f.read()
        for name in names:
            self.assertRegex(page, r"\.(It )?Cm %s\b" % name)
        self.assertEqual(sorted(complete("")), sorted(names))

    def test_verify(self):
        """every option of orb-verify is in its page, its usage and both
        completions"""
        with open(os.path.join(SRC, "doc/orb-verify.1")) as f:
            options = re.findall(r"^\.It Fl (?:h , )?-([a-z-]+)", f.read(),
                                 re.M)
        self.assertGreaterEqual(len(options), 9)
        self.assertEqual(sorted(complete("--", command="orb-verify")),
                         sorted("--" + o for o in options))
        self.assertEqual(complete("--output", "=", "j",
                                  command="orb-verify"), ["json"])
        with open(os.path.join(SRC, "doc/completion/_orb-verify")) as f:
            zsh = f.read()
        usage = subprocess.run([os.path.join(BUILD, "orb-verify"), "--help"],
                               stdout=subprocess.PIPE, check=True)
        for option in options:
            self.assertIn("--" + option, zsh)
            if option not in ("help", "version"):
                self.assertIn("--" + option, usage.stdout.decode())

    def test_audit(self):
        """every option of audit tail and account is in the page, the usage
        and both completions"""
        usage = subprocess.run([os.path.join(BUILD, "orbctl"), "audit"],
                               stderr=subprocess.PIPE)
        options = set(re.findall(r"--([a-z]+)", usage.stderr.decode()))
        self.assertGreaterEqual(len(options), 8)
        with open(os.path.join(SRC, "doc/orbctl.8")) as f:
            page = f.read()
        with open(os.path.join(SRC, "doc/completion/_orbctl")) as f:
            zsh = f.read()
        offered = complete("audit", "tail", "--")
        for option in options:
            self.assertRegex(page, r"\.It Fl -(\w+ Ar \w+ , Fl -)?%s\b" % option)
            self.assertIn("--" + option, offered)
            self.assertIn("--%s=" % option, zsh)

    def test_bash(self):
        """bash completes commands, their arguments and the global options"""
        self.assertEqual(complete("st"), ["status"])
        self.assertEqual(complete("sync", ""), ["now"])
        self.assertEqual(complete("conflicts", ""), ["show"])
        self.assertEqual(complete("status", "--r"), ["--rooms"])
        self.assertEqual(complete("--output", "j"), ["json"])
        self.assertEqual(complete("--output", "=", "t"), ["text"])
        self.assertEqual(complete("--output", "="), ["text", "json"])
        self.assertEqual(complete("--output", "=", "json", "appr"),
                         ["approve"])
        self.assertEqual(complete("--config", "/etc/hosts", "pl"), ["plan"])
        self.assertEqual(complete("--config", SRC + "/SECUR"),
                         [SRC + "/SECURITY.md"])
        self.assertEqual(complete("credential", ""),
                         ["set", "list", "remove"])
        self.assertEqual(complete("credential", "remove", "topdesk-"),
                         ["topdesk-password"])
        self.assertEqual(complete("credential", "set", "topdesk", "--e"),
                         ["--expires"])
        self.assertEqual(complete("audit", "tail", "--ro"), ["--room"])
        self.assertEqual(complete("audit", "a"), ["account"])
        self.assertEqual(complete("audit", "account", "--since", "yest"),
                         ["yesterday"])
        self.assertEqual(complete("audit", "account", "--since", "-1d", "e"),
                         ["exchange"])
        self.assertEqual(complete("audit", "tail", "--upstream", "=", "t"),
                         ["topdesk"])
        self.assertEqual(complete("audit", "tail", "--process",
                                  "http@t"), ["http@topdesk"])
        self.assertEqual(complete("config", "check", SRC + "/SECUR"),
                         [SRC + "/SECURITY.md"])
        self.assertEqual(complete("nonsense", ""), [])

    @unittest.skipUnless(shutil.which("zsh"), "zsh is not installed")
    def test_zsh(self):
        """zsh can read its completion"""
        subprocess.run(["zsh", "-n", os.path.join(
            SRC, "doc/completion/_orbctl")], check=True)


if __name__ == "__main__":
    tap.main()
