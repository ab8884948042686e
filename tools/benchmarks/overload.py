"""Rows about more work than the service can do."""

import os
import resource
import select
import shutil
import statistics
import subprocess
import time

from benchmarks.ground import Wire, next_year
from benchmarks.report import Impossible, check
from benchmarks.running import percentile

# So many commands of one team may wait: a quarter of the mailbox.
ROOM = 2_500
# More than that.
MANY = 4_000
OPTIONS = ("--max-connections-per-address", "8000")


def overload(ground, report):
    """Single creates over sixteen times the connections that already fill the service, closed loop, and what is refused
    while the disk stands still and a team's part of the mailbox is full.

    The first figure counts what was answered 201 and may be refused 503; it is compared with 256 connections on the same
    server, in turns. For the second one the writer's
    thread is held in its `fdatasync` by strace; one request after the other is sent over a kept connection.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8_192), hard))
    try:
        goodput(ground, report)
        refusals(ground, report)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def goodput(ground, report):
    seconds = ground.pick(4, 1)
    server = ground.serve(None, *OPTIONS)
    workflow = server.workflow({"type": "echo"})
    rates = {256: [], MANY: []}
    p99, refused = {}, 0
    for _ in range(3):
        for connections, found in rates.items():
            load = ground.drive(
                server, kind="create", path=f"/workflows/{workflow}/schedules", connections=connections,
                seconds=seconds, warmup=0.5, between=next_year())
            check(set(load["statuses"]) <= {"201", "503"}, f"creates were answered {load['statuses']}")
            found.append(load["per_second"] * load["statuses"]["201"] / load["answers"])
            refused += load["statuses"].get("503", 0)
            p99[connections] = load["latency"]["p99_ms"]
    ground.done(server)
    report.add("overload/goodput", statistics.mean(rates[MANY]), "creates/s", statistics.mean(rates[256]), 0.9, None,
               of="ratio", better="higher", baseline_is="256 connections, same server", connections=MANY,
               refused=refused, p99_ms=p99[MANY], baseline_p99_ms=p99[256])


def refusals(ground, report):
    if shutil.which("strace") is None:
        raise Impossible("strace is not installed")
    server = ground.serve(None, *OPTIONS)
    workflow = server.workflow({"type": "echo"})
    asker = Wire(server)
    request = asker.request("POST", f"/workflows/{workflow}/schedules",
                            {"scheduled_time": "2999-01-01T00:00:00Z", "run_input": "x" * 200})
    crowd = []
    strace = subprocess.Popen(
        ["strace", "-qq", "-o", "/dev/null", "-p", str(writer(server.process.pid)), "-e", "trace=fdatasync",
         "-e", "inject=fdatasync:delay_enter=60000000"])
    try:
        time.sleep(1)
        check(strace.poll() is None, "this machine does not let processes be traced")
        # One of them is in the writer's hands, and some are more than there is room for.
        for _ in range(ROOM + 100):
            crowd.append(Wire(server))
            crowd[-1].send(request)
        # Full once some of them were refused.
        answered = select.poll()
        for one in crowd:
            answered.register(one.socket, select.POLLIN)
        check(answered.poll(5_000), "the mailbox has room for all of them")
        deadline = time.monotonic() + 4
        times = []
        # Commands that wait are given up after 10 s: all is measured before.
        while len(times) < 1_000 and time.monotonic() < deadline:
            begun = time.perf_counter()
            asker.send(request)
            status, _ = asker.receive()
            took = (time.perf_counter() - begun) * 1e3
            check(status == 503, f"with a full mailbox a create was answered {status}")
            times.append(took)
        check(len(times) >= 100, f"only {len(times)} requests were answered within 4 s")
    finally:
        strace.terminate()
        strace.wait()
        for one in crowd:
            one.close()
    ground.done(server)
    report.add("overload/refusal", percentile(times, 99), "ms p99", None, 1, None, requests=len(times), waiting=ROOM,
               p50_ms=statistics.median(times), max_ms=max(times))


def writer(process):
    """The number of the thread that writes."""
    folder = f"/proc/{process}/task"
    for thread in os.listdir(folder):
        with open(f"{folder}/{thread}/comm") as file:
            if file.read().strip() == "daybook-writer":
                return int(thread)
    raise Impossible("the writer's thread has no name")
