"""Faults of the process: killed, stopped, short of descriptors, its clock moved, another one beside it."""

import os
import shutil
import signal
import socket
import subprocess
import threading
import time

from .disks import Skipped

FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"


def kill(stage):
    """kill -9 under mixed load, also while it starts"""
    stage.begin()
    for _ in range(4):
        stage.run_for(0.4, 2.5)
        stage.down()
        stage.server.kill()
        stage.met["kills"] += 1
        for _ in range(stage.chance.choice((0, 1, 1, 2))):
            # A release is there after some 50 ms.
            after = stage.chance.uniform(0, stage.chance.choice((0.04, 0.6)))
            timer = threading.Timer(after, lambda: stage.server.process.kill())
            timer.start()
            started = stage.try_start()
            timer.cancel()
            if started and stage.server.process.poll() is None:
                stage.server.kill()
            code = stage.server.process.wait(30)
            stage.expect(code == -signal.SIGKILL,
                         f"a start before the kill ended with {code}: {stage.server.said()[-700:]}")
            stage.met["kills after it started" if started else "kills while it started"] += 1
        stage.start()
    stage.run_for(1)
    stage.finish()
    stage.by_chance("kills while it started", "confirmed again after a loss")
    return ["kills", "firings late by an outage"]


def pause(stage):
    """SIGSTOP for longer than leases and clients wait, then SIGCONT"""
    # With a wait that ends meanwhile, the same key comes in twice, and both are taken at SIGCONT.
    stage.begin(wait=4)
    stage.run_for(1, 2)
    for _ in range(stage.options.pauses):
        stage.down()
        os.kill(stage.server.process.pid, signal.SIGSTOP)
        time.sleep(stage.options.pause_seconds)
        os.kill(stage.server.process.pid, signal.SIGCONT)
        stage.up()
        stage.met["standstills"] += 1
        stage.run_for(1.5, 2)
    stage.run_for(1, 2)
    stage.met["standstills noticed"] += stage.server.said().count("the process stood still")
    stage.finish()
    return ["standstills", "standstills noticed", "firings late by an outage"]


def clock(stage):
    """the wall clock jumps: an hour ahead, an hour back, and by less than the tolerance"""
    offset = os.path.join(stage.top, "offset")
    shared = hold_faketime(stage)

    def set_clock(seconds):
        with open(offset + ".new", "w") as file:
            file.write(f"{seconds:+d}\n")
        os.rename(offset + ".new", offset)

    def readiness():
        status, answer = stage.server.ask("GET", "/readyz", key=stage.server.key)
        return status, str(answer)

    def wait_until(status, seconds=30):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if readiness()[0] == status:
                return True
            time.sleep(0.2)
        return False

    set_clock(0)
    stage.is_one_clock = False
    stage.begin(wrapper=(
        f"exec env LD_PRELOAD={FAKETIME} FAKETIME_SHARED='{shared}' FAKETIME_TIMESTAMP_FILE={offset} "
        'FAKETIME_NO_CACHE=1 FAKETIME_DONT_FAKE_MONOTONIC=1 DONT_FAKE_MONOTONIC=1 NO_FAKE_STAT=1 "$@"'))
    stage.run_for(1, 2)
    for jump, name in ((3600, "ahead"), (-3600, "behind")):
        stage.down()
        set_clock(jump)
        if not stage.expect(wait_until(503), f"a clock an hour {name} is not suspected"):
            return []
        stage.expect(name in readiness()[1], f"readyz does not say {name}: {readiness()[1]}")
        stage.run_for(2, 3)
        set_clock(0)
        stage.expect(wait_until(200), "the suspicion does not end when the clocks agree again")
        stage.up()
        stage.met[f"an hour {name}"] += 1
        stage.run_for(1)
    for jump in (20, -20):
        # Within the tolerance, so that nothing is suspect; time stands while the clock is behind the log.
        stage.down()
        set_clock(jump)
        stage.run_for(1.5, 2.5)
        set_clock(0)
        time.sleep(abs(jump) + 1 if jump > 0 else 1)
        stage.up()
        stage.met["small jumps"] += 1
    stage.run_for(1)
    stage.finish()
    end = time.time()
    recorded = stage.last_recorded
    stage.expect(recorded <= end + 1, f"an entry was recorded {recorded - end:.0f} s ahead of the true time")
    stage.met["refused as suspect"] += stage.load.ledger.turned_away["clock_suspect"]
    return ["an hour ahead", "an hour behind", "small jumps", "refused as suspect"]


def hold_faketime(stage):
    """The name of the memory that libfaketime shares, held by a process that does nothing else. Without it
    the library sets a variable before `main`, and Swift no longer finds the arguments."""
    if shutil.which("faketime") is None or not os.path.exists(FAKETIME):
        raise Skipped("libfaketime is not installed")
    holder = subprocess.Popen(
        ["faketime", "-f", "+0", "sh", "-c", "echo $FAKETIME_SHARED; exec cat"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def end():
        holder.stdin.close()
        holder.stdout.close()
        holder.wait(10)

    stage.cleaners.append(end)
    return holder.stdout.readline().strip()


def descriptors(stage):
    """file descriptors: more connections than the process may have open, then fewer again"""
    limit = stage.options.descriptors
    stage.begin(wrapper=f'ulimit -n {limit} && exec "$@"')
    stage.run_for(1)
    process = stage.server.process.pid
    for _ in range(2):
        began = time.time()
        idle = flood(stage.server.port, limit + 60)
        time.sleep(0.5)
        if stage.server.process.poll() is None:
            opened = len(os.listdir(f"/proc/{process}/fd"))
            stage.met["turned away"] += opened < len(idle)
            stage.expect(opened < limit, f"{opened} of {limit} descriptors are open")
        confirmed = len(stage.load.ledger.told)
        stage.run_for(2, 3)
        # Who is connected is served: the writer needs no new descriptor.
        stage.met["confirmed meanwhile"] += len(stage.load.ledger.told) - confirmed
        for connection in idle:
            connection.close()
        time.sleep(1)
        code = stage.server.process.poll()
        if not stage.expect(code is None, f"the server ended with {code} after {len(idle)} connections with "
                                          f"{limit} descriptors: {stage.server.said()[-300:]}"):
            # What it had confirmed must be there all the same.
            stage.outage_began = began
            stage.start()
            break
        status = stage.server.ask("GET", "/healthz")[0]
        stage.expect(status == 200, f"after that, /healthz answers {status}")
        stage.met["accepted again"] += status == 200
    stage.finish()
    return ["confirmed meanwhile", "accepted again", "turned away"]


def flood(port, count):
    """So many connections, from several addresses, as far as they are taken: where the queue of the listening socket
    overflows, the kernel drops an attempt, and a later one succeeds."""
    idle, dropped = [], 0
    for number in range(count):
        try:
            idle.append(socket.create_connection(
                ("127.0.0.1", port), timeout=2, source_address=(f"127.0.0.{2 + number % 20}", 0)))
            dropped = 0
        except OSError:
            dropped += 1
            if dropped == 3:
                break
    return idle


def second(stage):
    """a second server on the same directory, again and again"""
    stage.begin()
    for _ in range(4):
        stage.run_for(0.2, 0.6)
        code, text, process = stage.try_second()
        if process:
            process.kill()
            process.wait()
        stage.expect(code == 73 and str(stage.server.process.pid) in text,
                     f"a second server was not refused: {code} {text[-500:]}")
        stage.met["second servers refused"] += code == 73
    stage.finish()
    return ["second servers refused"]


def lock(stage):
    """the lock files removed while it runs: then a look from beside, and a second server"""
    stage.begin()
    files = {"lock.mdb": os.path.join(stage.server.directory, "db", "lock.mdb"),
             "owner.lock": os.path.join(stage.server.directory, "owner.lock")}
    for names in (("lock.mdb",), ("owner.lock",), ("lock.mdb", "owner.lock")):
        what = " and ".join(names) + " removed"
        stage.run_for(0.5, 1)
        stage.down()
        for name in names:
            os.remove(files[name])
        looked = stage.run_daybook(
            "check", "--json", "--data-dir", stage.server.directory, "--scratch", stage.top)
        stage.expect(looked.returncode in (0, 73),
                     f"{what}: check beside it: {looked.returncode} {looked.stdout[-300:]} {looked.stderr[-300:]}")
        code, text, process = stage.try_second()
        if process is None:
            stage.expect(code == 73, f"{what}: a second server ended with {code}: {text[-500:]}")
            stage.met["second servers refused"] += code == 73
        else:
            # Then the first must have noticed and stopped: two would write over each other's pages.
            time.sleep(3)
            stage.expect(stage.server.process.poll() is not None, f"{what}: two servers serve one directory")
            process.kill()
            process.wait()
        if stage.server.process.poll() is None:
            # Stopped and started, it has its files again.
            code = stage.server.stop()
            stage.expect(code == 0, f"{what}: a stop ended with {code}: {stage.server.said()[-300:]}")
        else:
            code = stage.server.process.returncode
            stage.expect(code in (70, 73), f"{what}: it ended with {code}: {stage.server.said()[-300:]}")
            stage.met["noticed"] += 1
        stage.start()
        stage.met[what] += 1
        if stage.problems:
            stage.check()
    # What two servers left is checked above; what became of single commands is another's to judge.
    if stage.problems:
        return []
    stage.finish()
    return ["lock.mdb removed", "owner.lock removed", "lock.mdb and owner.lock removed"]
