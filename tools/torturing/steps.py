"""Every command that makes or changes a data directory, and a server's first start, killed as it enters each of the
calls by which it changes a file. What is there then must be nothing, or be whole, and the command must do it again."""

import collections
import json
import os
import re
import shutil
import subprocess
import time

from served import Server

from .disks import need_tracing
from .torn import ended

CALLS = ("mkdir", "rename", "unlink", "unlinkat", "rmdir", "fsync", "fdatasync", "msync", "ftruncate", "pwrite64", "pwritev",
         "write", "writev", "copy_file_range", "sendfile")


def steps(stage):
    """backup, restore, import, rebuild, check and a first start killed at each call that changes a file"""
    need_tracing()
    original = Original(stage)
    acts = (Backup, Restore, RestoreUpTo, Import, Rebuild, Check, FirstStart)
    for act in acts:
        act(stage, original).sweep()
    return [f"{act.__name__} killed" for act in acts]


class Original:
    """A directory with a small life behind it, and what can be made of it."""

    def __init__(self, stage):
        stage.prepare()
        stage.start()
        server, self.directory = stage.server, stage.server.directory
        workflow = server.ask("POST", "/workflows", {
            "name": "call", "definition": {"executor": {"type": "echo"}}}, server.key)[1]["id"]
        for number in range(30):
            server.ask("POST", f"/workflows/{workflow}/schedules", {
                "scheduled_time": "2999-01-01T00:00:00Z", "run_input": {"patient": number}}, server.key)
        run = server.ask("POST", f"/workflows/{workflow}/execute?wait=20", {"run_input": "gone"}, server.key)[1]
        server.ask("POST", f"/workflow-runs/{run['id']}/erase", {}, server.key)
        stage.expect(server.stop() == 0, "the first stop did not end with 0")
        self.backup, self.export = os.path.join(stage.top, "backup"), os.path.join(stage.top, "export")
        stage.run_daybook("backup", self.backup, "--data-dir", self.directory).check_returncode()
        with open(self.export, "wb") as output:
            subprocess.run([stage.binary, "log", "export", "--data-dir", self.directory], stdout=output, check=True)
        self.log, self.record = log_of(stage, self.directory), record_of(stage, self.directory)


def log_of(stage, directory):
    return stage.run_daybook("log", "show", "--json", "--payloads", "--data-dir", directory).stdout.splitlines()


def record_of(stage, directory):
    """The log without what other entries and the projections add: payloads that are erased later, and names of keys."""
    lines = stage.run_daybook("log", "show", "--json", "--data-dir", directory).stdout.splitlines()
    return [{**json.loads(line), "actor_name": None} for line in lines]


class Act:
    """One command, and what must hold once it was killed and done again."""

    def __init__(self, stage, original):
        self.stage, self.original = stage, original
        self.name = type(self).__name__
        self.top = os.path.join(stage.top, self.name)
        self.place = os.path.join(self.top, "place")

    def sweep(self):
        problems = len(self.stage.problems)
        for call, number in self.steps():
            self.reset()
            self.what = f"{self.name} killed as it enters {call} for the {number}. time"
            self.run(f"-e trace={call} -e inject={call}:signal=KILL:when={number}")
            if self.was_killed():
                self.stage.met[f"{self.name} killed"] += 1
            self.look()
            if len(self.stage.problems) > problems:
                # The directory stays as it is, for who keeps it.
                return
        shutil.rmtree(self.top)

    def steps(self):
        """The calls of a run that nothing befalls, by name and number; strace counts for each thread by itself."""
        self.reset()
        self.what = f"{self.name} untouched"
        trace = os.path.join(self.top, "trace.txt")
        process = self.run(f"-o {trace} -e trace={','.join(CALLS)}")
        self.look()
        found = (re.match(r"(\d+) +(\w+)\(", line) for line in ended(trace, process))
        of_thread = collections.Counter(line.groups() for line in found if line)
        most = collections.Counter()
        for (_, call), count in of_thread.items():
            most[call] = max(most[call], count)
        for call in CALLS:
            for number in range(1, most[call] + 1):
                yield call, number

    def reset(self):
        shutil.rmtree(self.top, ignore_errors=True)
        os.makedirs(self.top)

    def run(self, tracing):
        """Runs the command in its own way under strace; returns its process id."""
        arguments = ["strace", "-D", "-f", "-q", *tracing.split(), "-e", "signal=none", self.stage.binary,
                     *self.arguments(), "--data-dir", self.data]
        if "-o" not in arguments:
            arguments[1:1] = ["-o", "/dev/null"]
        self.process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.said = self.process.communicate(timeout=120)[1]
        self.expect(self.process.returncode in (0, -9, 137), f"ended with {self.process.returncode} {self.said}")
        return self.process.pid

    def was_killed(self):
        return self.process.returncode != 0

    data = property(lambda self: self.place)

    def expect(self, holds, what):
        return self.stage.expect(holds, f"{self.what}: {what}")

    def daybook(self, *arguments, codes=(0,)):
        done = self.stage.run_daybook(*arguments)
        self.expect(done.returncode in codes,
                    f"{' '.join(arguments)} ended with {done.returncode} {done.stdout[-300:]} {done.stderr[-300:]}")
        return done

    def expect_original(self, directory, entries=None):
        self.daybook("check", "--data-dir", directory)
        self.expect(log_of(self.stage, directory) == self.original.log[:entries], "the log is another one")


class Backup(Act):
    data = property(lambda self: self.original.directory)

    def arguments(self):
        return "backup", self.place

    def look(self):
        verified = self.daybook("backup", self.place, "--verify", codes=(0, 73))
        if verified.returncode == 73:
            self.expect(self.was_killed(), "it is no backup")
            self.daybook(*self.arguments(), "--data-dir", self.data)
            self.daybook("backup", self.place, "--verify")
        self.expect(sorted(os.listdir(self.place)) == ["db", "manifest.json"], f"there is {os.listdir(self.place)}")
        self.expect_original(self.place)


class Restore(Act):
    entries = None

    def arguments(self):
        return "restore", self.original.backup

    def look(self):
        if os.path.exists(os.path.join(self.place, "db")):
            self.expect_original(self.place, self.entries)
        if self.was_killed():
            self.daybook(*self.arguments(), "--data-dir", self.data, codes=(0, 73))
        self.expect_original(self.place, self.entries)


class RestoreUpTo(Restore):
    entries = 20

    def arguments(self):
        return *super().arguments(), "--to", str(self.entries)


class Import(Act):
    def arguments(self):
        return "log", "import", self.original.export

    def look(self):
        if os.path.exists(os.path.join(self.place, "db")):
            self.daybook("check", "--chain", "--data-dir", self.place)
            lines, whole = record_of(self.stage, self.place), self.original.record
            self.expect(lines == whole[:len(lines)], "what it took is not how the log begins")
        if self.was_killed():
            self.daybook(*self.arguments(), "--data-dir", self.data)
        self.expect_original(self.place)


class Rebuild(Act):
    def reset(self):
        super().reset()
        shutil.copytree(self.original.directory, self.place)

    def arguments(self):
        return ("rebuild",)

    def look(self):
        self.expect_original(self.place)
        if self.was_killed():
            self.daybook("rebuild", "--data-dir", self.place)
            self.expect_original(self.place)


class Check(Act):
    data = property(lambda self: self.original.directory)

    def arguments(self):
        return "check", "--json", "--scratch", self.top

    def look(self):
        # Who makes the copy is a child of the command; where that alone was killed, it goes on to its end.
        deadline = time.monotonic() + 60
        while any(is_alive(name.split("-")[2]) for name in self.copies()) and time.monotonic() < deadline:
            time.sleep(0.02)
        self.daybook(*self.arguments(), "--data-dir", self.data)
        self.expect(not self.copies(), f"it leaves {self.copies()}")

    def copies(self):
        return [name for name in os.listdir(self.top) if name.startswith("daybook-check-")]


def is_alive(process):
    try:
        with open(f"/proc/{process}/stat") as file:
            # Behind the name, which may hold anything: the state.
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


class FirstStart(Act):
    """A server that makes its directory: the keys, the database, the first entries, the administrator's key."""

    def run(self, tracing):
        stem = os.path.join(self.top, "serve.sh")
        with open(stem, "w") as file:
            output = "" if "-o " in tracing else "-o /dev/null"
            file.write(f"#!/bin/sh\nexec strace -D -f -q {output} {tracing} -e signal=none {self.stage.binary} \"$@\"\n")
        os.chmod(stem, 0o700)
        server = Server(stem, self.place)
        try:
            is_served = server.start() is not None
        except OSError:
            is_served = False
        self.process = server.process
        if is_served:
            server.stop()
        else:
            server.process.wait(60)
        self.expect(self.process.returncode in (0, -9), f"ended with {self.process.returncode} {server.said()[-500:]}")
        return self.process.pid

    def look(self):
        server = Server(self.stage.binary, self.place)
        if not self.expect(server.start() is not None, f"the next start: {server.said()[-500:]}"):
            return
        try:
            for path in ("/teams", "/readyz"):
                status, answer = server.ask("GET", path, key=server.key)
                self.expect(status == 200, f"GET {path} by the administrator: {status} {answer}")
        except (OSError, ValueError) as error:
            self.expect(False, f"the administrator's key: {error!r}")
        finally:
            self.expect(server.stop() == 0, f"the stop: {server.said()[-500:]}")
        self.daybook("check", "--data-dir", self.place)
