"""Calls to the system that fail: the Nth once, and from the Nth on, for N = 1, 2, … until nothing is met."""

import os
import re
import shutil
import threading
import time

from .disks import need_tracing
from .load import GivenUp, Load, in_seconds, instant
from .stage import Stage

# LMDB writes with pwrite64 and writev and syncs with fdatasync; what it asks of other files is not failed.
ERRORS = {"fdatasync": "EIO", "pwrite64": "EIO", "writev": "ENOSPC", "openat": "EMFILE"}
# strace counts for each thread by itself; no scenario has more calls in one thread.
MOST = 400


def fault(name):
    def sweep(stage):
        return sweep_of(stage, name)
    sweep.__doc__ = f"{name} fails ({ERRORS[name]}): the Nth time once, and from then on"
    return sweep


def sweep_of(stage, name):
    need_tracing()
    options = stage.options
    for kind in ("once", "from then on"):
        if options.nth:
            numbers = [options.nth]
        else:
            # Each sweep of a series begins elsewhere, so that a few of them meet every N.
            numbers = range(1 + stage.chance.randrange(options.step), MOST, options.step)
        for number in numbers:
            met = one(stage, name, kind, number)
            if met == 0:
                stage.met[f"sweeps to the end ({kind})"] += 1
                break
            stage.met[f"calls failed ({kind})"] += met
    met = ["calls failed"] if options.nth else ["calls failed", "sweeps to the end"]
    return [f"{what} ({kind})" for what in met for kind in ("once", "from then on")]


def one(outer, name, kind, number):
    """The whole scenario with one fault; returns how many calls failed."""
    top = os.path.join(outer.top, f"{name}-{kind[0]}-{number}")
    os.mkdir(top)
    stage = Stage(top, outer.binary, outer.chance.getrandbits(64), outer.options)
    trace = os.path.join(top, "trace.txt")
    when = f"{number}" if kind == "once" else f"{number}+"
    try:
        directory = os.path.join(top, "data")
        paths = " ".join(f"-P {path}" for path in files_of(directory, name))
        stage.prepare(directory, (
            f"exec strace -D -f -qq -A -o {trace} {paths} -e trace={name} "
            f'-e inject={name}:error={ERRORS[name]}:when={when} "$@"'))
        play(stage, lasts=kind != "once")
        injected = injected_in(trace)
        # Whatever of the database could not be written or synced: the server must not go on as if it had been.
        stage.expect(not injected or any(what.startswith("ended with") for what in stage.met),
                     f"{injected} calls failed, and the server went on")
    except Exception as error:
        stage.problems.append(f"broken off: {error!r}")
        injected = injected_in(trace) or 1
    finally:
        stage.clean()
    outer.problems += [f"{name} {kind}, N = {number}: {problem}" for problem in stage.problems]
    outer.met += stage.met
    outer.lateness += stage.lateness
    outer.served += stage.served
    if not stage.problems:
        shutil.rmtree(top)
    return injected


def injected_in(trace):
    try:
        with open(trace) as file:
            return sum("(INJECTED)" in line for line in file)
    except FileNotFoundError:
        return 0


def files_of(directory, name):
    """The files whose calls may fail, while the directory is made and afterwards."""
    for database in (directory + "/db", directory + "/db.tmp"):
        yield database + "/data.mdb"
        yield database + "/lock.mdb"
        if name == "openat":
            yield database
    if name == "openat":
        yield directory
        for file in ("owner.lock", "admin.key", "secrets.keys", "checkpoint.key"):
            yield f"{directory}/{file}"
            yield f"{directory}/{file}.tmp"


def play(stage, lasts):
    """A few commands, one after the other, while a watcher starts the server again when it ends: without the fault, but
    where it lasts only after a start that must fail, too."""
    if not stage.try_start():
        ended(stage, lasts, starting=True)
    story = Story(stage)
    thread = threading.Thread(target=story.tell)
    thread.start()
    deadline = time.monotonic() + 120
    while thread.is_alive() and time.monotonic() < deadline:
        if stage.server.process.poll() is not None:
            ended(stage, lasts)
        time.sleep(0.02)
    if not stage.expect(not thread.is_alive(), "the scenario did not come to its end"):
        return
    code = stage.server.stop()
    if code != 0:
        # The stop itself is an entry, and may be what fails.
        stage.expect(code == 70, f"the stop ended with {code}: {stage.server.said()[-500:]}")
        stage.met["ended with 70 at the stop"] += 1
        plain(stage)
        stage.start()
        if story.load:
            story.load.drain()
        stage.expect(stage.server.stop() == 0, "the stop after that did not end with 0")
    stage.problems += story.problems
    stage.check()
    if story.load:
        stage.judge()


def plain(stage):
    stage.server.binary = stage.binary


def ended(stage, lasts, starting=False):
    code = stage.server.process.returncode
    wanted = (70, 73) if starting else (70,)
    stage.expect(code in wanted, f"the server ended with {code}: {stage.server.said()[-700:]}")
    stage.met[f"ended with {code}"] += 1
    stage.down()
    if lasts and stage.server.binary != stage.binary:
        # Now from the first call on.
        with open(stage.server.binary) as file:
            script = file.read()
        with open(stage.server.binary, "w") as file:
            file.write(re.sub(r":when=\d+\+", ":when=1+", script))
        stage.expect(not stage.try_start() or stage.died({70, 73}) is not None, "it serves from what cannot be written")
        code = stage.server.process.poll()
        stage.expect(code in (70, 73), f"a start on it ended with {code}: {stage.server.said()[-700:]}")
        stage.met["starts refused while it lasts"] += 1
    plain(stage)
    stage.start()


class Story:
    """What a few clients do, in one order."""

    def __init__(self, stage):
        self.stage, self.problems, self.load = stage, [], None
        self.began = time.monotonic()

    def tell(self):
        try:
            self.steps()
        except GivenUp as error:
            self.problems.append(str(error))
        except Exception as error:
            self.problems.append(f"broken off: {error!r}")

    def steps(self):
        while self.load is None:
            try:
                load = Load(self.stage.server, self.stage.chance, promisers=0, workers=1)
            except (AssertionError, OSError):
                # The first start may die before the key in its file is in the log; the next one makes another.
                if time.monotonic() > self.began + 20:
                    raise
                time.sleep(0.2)
            else:
                self.load = self.stage.load = load
        admin, workflows, ledger = self.load.admin, self.load.workflows, self.load.ledger
        made = []
        for number in range(4):
            due, new = in_seconds(1.0 + number / 10), "y" * 3000 * number
            answer = admin.command(
                "schedule_created", "POST", f"/workflows/{workflows[number % 3]}/schedules",
                {"scheduled_time": due, "run_input": new},
                expected={"scheduled_time": instant(due), "run_input": new}, but=(422,))
            if answer:
                made.append(answer["id"])
                ledger.promised.add(answer["id"])
        if len(made) > 1:
            admin.command("schedule_modified", "PATCH", f"/workflow-schedules/{made[0]}",
                          {"run_input": "moved"}, made[0], {"run_input": "moved"}, but=(409,))
            if admin.command("schedule_cancelled", "DELETE", f"/workflow-schedules/{made[1]}", None,
                             made[1], but=(409,)):
                ledger.cancelled.add(made[1])
        admin.command("run_queued", "POST", f"/workflows/{workflows[2]}/execute", {"run_input": 7},
                      expected={"run_input": 7})
        for worker in self.load.workers:
            worker.start()
        self.load.drain(60)
        self.load.stop_working()
