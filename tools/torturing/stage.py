"""One round: a directory, a server, mixed load, and at the end the verdict."""

import collections
import json
import os
import random
import signal
import stat
import subprocess
import threading
import time

from served import Server

from . import judge
from .load import Load, instant


class Stage:
    """What a fault is given: it breaks something, says what it met, and calls `finish`."""

    def __init__(self, top, binary, seed, options):
        self.top, self.binary, self.options = top, binary, options
        self.chance = random.Random(seed)
        self.met, self.problems, self.outages = collections.Counter(), [], []
        # What each round must meet, and what may be met by chance alone: see by_chance.
        self.wanted, self.hoped = set(), set()
        self.lateness, self.served, self.entries, self.last_recorded = [], [], 0, 0
        self.server, self.load, self.disk, self.outage_began = None, None, None, None
        self.cleaners = []
        # Whether the server goes by the same wall clock as the clients.
        self.is_one_clock = True

    # The server

    def prepare(self, directory=None, wrapper=None, *more):
        """`wrapper`: lines of a shell script that starts the server in its own way, as "$@"."""
        binary = self.binary
        if wrapper:
            binary = os.path.join(self.top, "serve.sh")
            with open(binary, "w") as file:
                file.write(f"#!/bin/sh\nset -- {self.binary} \"$@\"\n{wrapper}\n")
            os.chmod(binary, stat.S_IRWXU)
        directory = directory or os.path.join(self.top, "data")
        self.server = Server(binary, directory, "--log-level", "notice", *more)
        self.server.log = os.path.join(self.top, "server.txt")

    def try_start(self):
        """Whether it serves; False where it ended by itself, also when it had begun to listen."""
        try:
            return self.server.start() is not None
        except OSError:
            self.server.process.wait(30)
            return False

    def start(self):
        """Starts it, or says why it is not there."""
        if not self.try_start():
            raise AssertionError(
                f"the server did not start: exit code {self.server.process.returncode}: "
                f"{self.server.said()[-1500:]}")
        self.up()

    def begin(self, directory=None, wrapper=None, more=(), **load):
        self.prepare(directory, wrapper, *more)
        self.start()
        self.load = Load(self.server, self.chance, **load)
        self.load.start()

    def run_for(self, shortest, longest=None):
        time.sleep(self.chance.uniform(shortest, longest or shortest) * self.options.stretch)

    def down(self):
        """From now on nothing can be expected of the server."""
        if self.outage_began is None:
            self.outage_began = time.time()

    def up(self):
        if self.outage_began is not None:
            self.outages.append((self.outage_began, time.time()))
            self.outage_began = None

    def expect(self, holds, what):
        if not holds:
            self.problems.append(what)
        return holds

    def died(self, codes, seconds=60):
        """Waits for the server's end, which must be one of `codes`; returns the code."""
        try:
            code = self.server.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.expect(False, f"the server did not end within {seconds} s")
            self.server.kill()
            return None
        self.expect(code in codes, f"the server ended with {code}, not {codes}: {self.server.said()[-700:]}")
        return code

    def try_second(self):
        """Exit code and text of a second server on the same directory; None where it serves."""
        process = subprocess.Popen(
            [self.binary, "serve", "--data-dir", self.server.directory, "--port", "0",
             "--disk-reserve-percent", "0"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        timer = threading.Timer(15, process.send_signal, [signal.SIGKILL])
        timer.start()
        lines = []
        for line in process.stdout:
            lines.append(line)
            if "listens on" in line:
                break
        else:
            timer.cancel()
            return process.wait(), "".join(lines), None
        timer.cancel()
        return None, "".join(lines), process

    def run_daybook(self, *arguments, seconds=300):
        return subprocess.run([self.binary, *arguments], capture_output=True, text=True, timeout=seconds)

    # The end

    def finish(self, drains=True):
        """Lets everything come to its end, stops the server, checks the directory and judges the log."""
        self.load.stop_promising()
        if drains:
            self.load.drain()
        self.load.stop_working()
        code = self.server.stop()
        self.expect(code == 0, f"a stop that was asked for ended with {code}: {self.server.said()[-700:]}")
        self.check()
        self.judge()

    def check(self):
        found = self.found_by_check()
        self.expect(found is None, found)

    def found_by_check(self):
        """What `daybook check` finds in the directory; None where all is well."""
        checked = self.run_daybook(
            "check", "--json", "--data-dir", self.server.directory, "--scratch", self.top)
        try:
            is_well = checked.returncode == 0 and json.loads(checked.stdout)["ok"]
        except ValueError:
            is_well = False
        return None if is_well else \
            f"daybook check: {checked.returncode} {checked.stdout[-700:]} {checked.stderr[-700:]}"

    def judge(self):
        entries = judge.read_log(self.binary, self.server.directory)
        verdict = judge.Judge(entries, self.load.ledger, self.outages, self.options.epsilon, self.is_one_clock)
        self.problems += verdict.verdict()
        self.lateness, self.served, self.entries = verdict.lateness, verdict.served, len(entries)
        self.last_recorded = instant(entries[-1]["recorded_at"]) / 1e6 if entries else 0
        ledger = self.load.ledger
        self.met["commands confirmed"] += len(ledger.told)
        self.met["confirmed again after a loss"] += ledger.given_again
        self.met["promises"] += len(ledger.promised)
        self.met["runs given to workers"] += len(ledger.claimed)
        self.met["firings judged"] += verdict.counts["schedule_fired"]
        self.met["firings late by an outage"] += len(verdict.lateness) - len(verdict.served)
        self.wanted |= {"commands confirmed", "promises", "firings judged", "runs given to workers"}

    def by_chance(self, *met):
        """What a single round may miss, and all rounds of a long campaign together must not."""
        if self.options.minutes >= 20:
            self.hoped.update(met)

    def clean(self):
        """Leaves no process and no mount behind."""
        if self.load:
            self.load.abandon()
        if self.disk and self.disk.is_frozen:
            # Whoever waits for it cannot even be killed.
            self.disk.thaw()
        if self.server and self.server.process and self.server.process.poll() is None:
            self.server.kill()
        for cleaner in self.cleaners:
            cleaner()
        if self.disk:
            self.disk.unmount()
