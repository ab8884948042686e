"""Faults of the disk under the data directory."""

import os
import shutil
import subprocess
import threading
import time

from .disks import Disk, Skipped
from .load import GivenUp


def on_disk(stage, mebibytes=512, options="loop", **load):
    stage.disk = Disk(stage.top, mebibytes, options)
    stage.begin(os.path.join(stage.disk.path, "data"), **load)


def wait_for(seconds, holds):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.05)
    return False


def power(stage):
    """the power is cut while the directory is made, and under load (EXT4_IOC_SHUTDOWN, nothing flushed)"""
    stage.disk = Disk(stage.top)
    for attempt in range(8):
        directory = os.path.join(stage.disk.path, f"data-{attempt}")
        if not cut_at_start(stage, directory, 0.5 / 2 ** attempt):
            break
    stage.begin(directory)
    for _ in range(3):
        stage.run_for(0.5, 2)
        # Without it a cut that cuts nothing off would pass.
        unsynced = os.path.join(stage.disk.path, "unsynced")
        with open(unsynced, "wb") as file:
            file.write(b"x" * 8192)
        stage.down()
        stage.disk.cut()
        stage.died({70})
        stage.disk.unmount()
        stage.disk.mount()
        stage.expect(not os.path.exists(unsynced) or os.path.getsize(unsynced) == 0,
                     "the cut lost nothing of what was not synced")
        stage.met["unsynced files lost"] += 1
        stage.start()
        stage.met["power cuts"] += 1
    stage.run_for(1)
    stage.finish()
    stage.by_chance("confirmed again after a loss")
    return ["power cuts while it was made", "power cuts", "unsynced files lost"]


def cut_at_start(stage, directory, longest):
    """Cuts the power within so many seconds after a start; returns whether it served by then."""
    stage.prepare(directory)
    cut = threading.Timer(stage.chance.uniform(0, longest), stage.disk.cut)
    cut.start()
    served = stage.try_start()
    cut.join()
    if served and stage.server.process.poll() is None:
        # It had nothing more to write.
        stage.server.kill()
    else:
        stage.died({70, 73})
    stage.disk.unmount()
    stage.disk.mount()
    stage.met["power cuts after it was made" if served else "power cuts while it was made"] += 1
    return served


def full(stage):
    """the disk fills up below the reserve and then entirely; space is freed, and it goes on"""
    on_disk(stage, 700, horizon=6)
    refused = stage.load.ledger.turned_away
    stage.run_for(1)
    # Below the reserve: new work is refused, what ends something passes, and promises are kept.
    stage.disk.fill(100 << 20)
    if stage.expect(wait_for(15, lambda: refused["disk_full"] > 3), "new work is not refused"):
        stage.met["refused below the reserve"] += refused["disk_full"]
    mine = [id for client in stage.load.promisers for id in client.mine]
    aside = stage.load.asker("aside", patience=8)
    # What has fired meanwhile cannot be cancelled any more.
    for id in mine[:-6:-1]:
        try:
            if aside.command("schedule_cancelled", "DELETE", f"/workflow-schedules/{id}", None, id, but=(409,)):
                stage.load.ledger.cancelled.add(id)
                stage.met["cancelled below the reserve"] += 1
                break
        except GivenUp:
            stage.expect(False, "a cancel is not taken below the reserve")
            break
    status = stage.server.ask("GET", "/license", key=stage.server.key)[0]
    stage.expect(status == 200, f"a read below the reserve: {status}")
    stage.run_for(1)
    stage.disk.empty()
    confirmed = len(stage.load.ledger.told)
    stage.expect(wait_for(15, lambda: len(stage.load.ledger.told) > confirmed + 3),
                 "it does not go on with space freed")
    stage.met["went on with space freed"] += 1
    # Entirely: somebody else takes the rest while it works.
    stage.run_for(2)
    stage.down()
    stage.disk.fill(0)
    if wait_for(20, lambda: stage.server.process.poll() is not None):
        stage.died({70})
        stage.met["ended on a disk without a block"] += 1
        if not stage.try_start():
            code = stage.server.process.returncode
            stage.expect(code in (70, 73),
                         f"a start on a full disk ended with {code}: {stage.server.said()[-500:]}")
            stage.met["starts refused on a full disk"] += 1
            looked = stage.run_daybook("log", "stats", "--data-dir", stage.server.directory)
            stage.expect(looked.returncode == 0, f"daybook log on a full disk: {looked.stderr[-300:]}")
    else:
        stage.met["lived on a disk without a block"] += 1
    if stage.server.process.poll() is None:
        stage.disk.empty()
        # It may still end by what it began before.
        time.sleep(2)
    stage.disk.empty()
    if stage.server.process.poll() is not None:
        stage.start()
    stage.up()
    stage.run_for(1)
    stage.finish()
    stage.met["disk filled to the last block"] += 1
    stage.by_chance("cancelled below the reserve")
    return ["refused below the reserve", "went on with space freed", "disk filled to the last block"]


def read_only(stage):
    """the file system finds an error and goes read-only under the server; repaired, it goes on"""
    on_disk(stage, options="loop,errors=remount-ro")
    stage.run_for(1, 2)
    stage.down()
    stage.disk.fail()
    stage.died({70})
    stage.met["made read-only"] += 1
    if not stage.try_start():
        code = stage.server.process.returncode
        stage.expect(code in (70, 73), f"a start on it ended with {code}: {stage.server.said()[-500:]}")
        stage.met["starts refused"] += 1
    else:
        stage.expect(False, "it serves from a file system that cannot be written")
        stage.server.kill()
    looked = stage.run_daybook("log", "stats", "--data-dir", stage.server.directory)
    stage.expect(looked.returncode == 0,
                 f"daybook log on a read-only file system: {looked.returncode} {looked.stderr[-300:]}")
    checked = stage.run_daybook(
        "check", "--data-dir", stage.server.directory, "--scratch", stage.top)
    stage.expect(checked.returncode == 0,
                 f"daybook check on a read-only file system: {checked.returncode} {checked.stderr[-300:]}")
    stage.disk.repair()
    stage.start()
    stage.run_for(1)
    stage.finish()
    return ["made read-only", "starts refused"]


def stall(stage):
    """the disk stalls: every sync takes seconds, then a whole file system that is frozen (fsfreeze)"""
    on_disk(stage)
    stage.run_for(1, 2)
    slow_syncs(stage)
    stage.run_for(1)
    # Frozen, also those wait who only read: LMDB notes its readers in a file.
    stage.down()
    stage.disk.freeze()
    time.sleep(0.5)
    before = len(stage.load.ledger.told)
    time.sleep(stage.options.stall_seconds)
    stage.expect(len(stage.load.ledger.told) == before, "a command was confirmed on a frozen file system")
    stage.disk.thaw()
    stage.met["freezes"] += 1
    goes_on(stage)
    stage.run_for(0.5)
    stage.finish()
    return ["slow syncs", "freezes", "reads answered meanwhile", "firings late by an outage"]


def slow_syncs(stage):
    """Each sync takes as long as a whole stall. Reads go on meanwhile, and callers are not held for ever."""
    if shutil.which("strace") is None:
        raise Skipped("strace is not installed")
    stage.down()
    seconds = stage.options.stall_seconds
    strace = subprocess.Popen(
        ["strace", "-f", "-qq", "-o", os.path.join(stage.top, "strace.txt"), "-p", str(stage.server.process.pid),
         "-e", "trace=fdatasync", "-e", f"inject=fdatasync:delay_enter={seconds * 1_000_000}"])
    try:
        time.sleep(1)
        if strace.poll() is not None:
            raise Skipped("this machine does not let processes be traced")
        asker = stage.load.asker("aside", wait=60, patience=90)
        aside = threading.Thread(
            target=asker.command, args=("run_queued", "POST", f"/workflows/{stage.load.workflows[0]}/execute",
                                        {"run_input": 1}))
        aside.start()
        ends = time.monotonic() + seconds * 1.5
        while time.monotonic() < ends:
            began = time.monotonic()
            status = stage.server.ask("GET", "/license", key=stage.server.key)[0]
            stage.expect(status == 200 and time.monotonic() - began < 5,
                         f"a read took {time.monotonic() - began:.1f} s while the disk stalled: {status}")
            stage.met["reads answered meanwhile"] += 1
            time.sleep(0.3)
    finally:
        strace.terminate()
        strace.wait()
    stage.met["slow syncs"] += 1
    goes_on(stage)
    aside.join(90)
    waited, status = asker.tries[0]
    stage.met["callers told 503 meanwhile"] += status == 503
    # Behind a commit that does not end, a command waits for 10 s (commandSeconds) and is then refused.
    stage.expect(waited < 13, f"on a stalled disk a caller waited {waited:.1f} s for its {status}")


def goes_on(stage):
    stage.up()
    before = len(stage.load.ledger.told)
    stage.expect(wait_for(30, lambda: len(stage.load.ledger.told) > before + 3), "it does not go on")
