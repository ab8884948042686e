"""Rows about the log and the directory: built anew, verified, started with, and held in memory."""

import contextlib
import hashlib
import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import threading
import time

from benchmarks.creating import sizes
from benchmarks.ground import Wire, fill, next_year
from benchmarks.report import check


def rebuild(ground, report):
    """`daybook rebuild` on a log of 1,000,000 entries (schedules created, fired, started and completed, and some
    pending): entries a second of building the second set, by the time that it tells. `command_seconds` also opens the
    directory, and compares the new set with the old one.

    Of three runs, each on a copy, the middle one. Compared with raw LMDB putting the rows of as many creates, 10,000 to
    a commit. The old projections must be the same.
    """
    entries, pending = log_size(ground)
    runs = []
    for _ in range(3):
        directory = ground.copy(ground.mixed(entries, pending))
        begun = time.monotonic()
        output = subprocess.run([ground.binary, "rebuild", "--data-dir", directory], capture_output=True, text=True)
        took = time.monotonic() - begun
        check(output.returncode == 0, f"the rebuild failed: {output.stderr[-500:]}")
        check("the old projections were the same" in output.stderr, f"the rebuild said: {output.stderr[-500:]}")
        found = re.search(r"rebuilt from (\d+) entries in ([0-9.]+) s", output.stderr)
        check(found and int(found[1]) >= entries, f"the rebuild said: {output.stderr[-500:]}")
        row = sizes(ground, directory)
        shutil.rmtree(directory)
        runs.append((float(found[2]), took, int(found[1])))
    building, took, count = sorted(runs)[1]
    raw = ground.raw("project", entries, 10_000, 0, *row)
    report.add("rebuild", count / building, "entries/s", raw["per_second"], 200_000, 1_000_000,
               better="higher", baseline_is="raw LMDB, rows of creates, 10,000 to a commit", entries=count,
               command_seconds=took, all_seconds=[run[0] for run in runs])


def verify(ground, report):
    """The chain over the same log: `daybook check --chain`, which verifies the hash of every entry, on all cores; by
    the time that it tells. The middle of three. `one_core` is the same on one core; `command_seconds` also starts a
    process and reads every row before.

    Compared with one SHA-256 over the same bytes, on one core; the middle of three, too. `stats_seconds` is the time of
    `daybook log stats`, which verifies and decodes every entry, one after the other.
    """
    entries, pending = log_size(ground)
    directory = ground.mixed(entries, pending)
    def checked(cores):
        return json.loads(subprocess.run(
            [ground.binary, "check", "--chain", "--json", "--data-dir", directory], check=True, capture_output=True,
            preexec_fn=lambda: os.sched_setaffinity(0, cores)).stdout)

    cores, times, commands, alone = os.sched_getaffinity(0), [], [], []
    for _ in range(3):
        begun = time.monotonic()
        found = checked(cores)
        commands.append(time.monotonic() - begun)
        times.append(found["chain_seconds"])
        alone.append(checked({min(cores)})["chain_seconds"])
    took = statistics.median(times)
    begun = time.monotonic()
    check(ground.stats(directory)["entries"] == found["entries"] >= entries, "the log has another length")
    decoded = time.monotonic() - begun
    output = subprocess.run([ground.raw_lmdb, "entries", os.path.join(directory, "db")], check=True,
                            capture_output=True).stdout
    all_hashed = []
    for _ in range(3):
        begun = time.monotonic()
        hashlib.sha256(output).digest()
        all_hashed.append(time.monotonic() - begun)
    hashed = statistics.median(all_hashed)
    report.add("verify", found["entries"] / took, "entries/s", found["entries"] / hashed, 0.3, 0.8,
               of="ratio", better="higher", baseline_is="one SHA-256 over the same bytes (OpenSSL)",
               entries=found["entries"], bytes=len(output), stats_seconds=decoded, all_seconds=times,
               baseline_seconds=all_hashed, cores=len(cores), command_seconds=statistics.median(commands),
               one_core=found["entries"] / statistics.median(alone))


def start(ground, report):
    """From starting the process until `/readyz` answers 200, on a directory of 1,000,000 entries of which 100,000
    are pending schedules: after a stop in order, and after kill -9 amid commands of four clients. The middle of
    several, pages in the cache.

    Compared with the same on a directory that a server has made and that holds nothing; making it takes longer
    (`new_ms`).
    """
    entries, pending = log_size(ground)
    rounds = ground.pick(7, 5)
    empty, new = [], []
    for _ in range(rounds):
        directory = ground.path("empty")
        new.append(time_start(ground, directory, signal.SIGTERM))
        empty.append(time_start(ground, directory, signal.SIGTERM))
        shutil.rmtree(directory)
    baseline = statistics.median(empty)
    server = ground.serve_copy(ground.mixed(entries, pending))
    ground.done(server, keep=True)
    directory = server.directory
    for name, ending in (("clean", signal.SIGTERM), ("killed", signal.SIGKILL)):
        # The first one comes after the other kind of stop.
        times = [time_start(ground, directory, ending) for _ in range(rounds + 1)][1:]
        report.add(f"start/{name}", statistics.median(times), "ms", baseline, 200, 20, of="difference",
                   baseline_is="an empty directory", entries=entries, pending=pending, all_ms=times, empty_ms=empty,
                   new_ms=statistics.median(new))
    shutil.rmtree(directory)


def time_start(ground, directory, ending):
    """Milliseconds until it is ready; it writes something and is ended by that signal: amid writing, if it is killed."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    request = b"GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
    command = [ground.binary, "serve", "--data-dir", directory, "--port", str(port), "--disk-reserve-percent", "0",
               "--log-level", "notice"]
    begun = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        status = None
        while status != b"200":
            check(process.poll() is None, "the server ended")
            check(time.perf_counter() - begun < 60, "the server was not ready within a minute")
            try:
                with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
                    connection.sendall(request)
                    status = connection.recv(4096)[9:12]
            except ConnectionRefusedError:
                time.sleep(0.0005)
        took = (time.perf_counter() - begun) * 1e3
        write_something(directory, port)
        writers = [threading.Thread(target=write_on, args=(directory, port)) for _ in range(4)]
        if ending == signal.SIGKILL:
            for writer in writers:
                writer.start()
            time.sleep(0.2)
        process.send_signal(ending)
        code = process.wait(60)
        for writer in writers:
            if writer.ident:
                writer.join(60)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    check(code in (0, -signal.SIGKILL), f"the server ended with {code}")
    return took


def write_on(directory, port):
    """Until nobody answers."""
    with contextlib.suppress(Exception):
        while True:
            write_something(directory, port)


def write_something(directory, port):
    class At:
        pass

    server = At()
    server.port = port
    with open(os.path.join(directory, "admin.key")) as file:
        server.key = file.read().strip()
    wire = Wire(server)
    wire.ask("POST", "/workflows", {"name": f"w{time.monotonic_ns()}", "definition": {"executor": {"type": "echo"}}},
             status=201)
    wire.close()


def memory(ground, report):
    """Anonymous memory (RssAnon) of the server with 100,000 and 1,000,000 schedules pending: the more of what it
    has when it was started, and what it has after work: 2,000 creates one by one, a batch of 10,000, and lists.

    Compared with a server on an empty directory that did the same work. And the bytes that LMDB uses on disk for a
    schedule, and that a run adds.
    """
    small, large = ground.pick((100_000, 1_000_000), (20_000, 100_000))
    empty = with_work(ground, ground.serve())
    figures = []
    for pending in (small, large):
        figures.append(with_work(ground, ground.serve_copy(ground.pending(pending))))
        report.add(f"memory/{pending}", max(figures[-1].values()), "MiB", max(empty.values()), 96, 48,
                   baseline_is="an empty directory, the same work", pending=pending, **figures[-1],
                   while_they_were_made=ground.fixtures[f"pending-{pending}"][1])
    # Flat: many times as many cost less than a tenth of what is allowed.
    report.add("memory/growth", max(figures[1].values()) - max(figures[0].values()), "MiB", None, 9.6, None,
               **{"from": small, "to": large})
    unused = ground.serve()
    ground.done(unused, keep=True)
    nothing = ground.shape(unused.directory)["used_bytes"]
    shutil.rmtree(unused.directory)
    schedule = (ground.shape(ground.pending(large))["used_bytes"] - nothing) / large
    report.add("memory/bytes-per-schedule", schedule, "bytes on disk", None, input_bytes=200)
    entries, pending = log_size(ground)
    runs = (entries - pending) // 4
    whole = ground.shape(ground.mixed(entries, pending))["used_bytes"] - nothing
    report.add("memory/bytes-per-run", (whole - schedule * (runs + pending)) / runs, "bytes on disk", None, runs=runs,
               figure_is="what firing, start and end add to a schedule, with an output of 200 bytes")


def with_work(ground, server):
    time.sleep(1)
    fresh = server.anonymous_mib()
    workflow = server.workflow({"type": "echo"})
    load = ground.drive(server, kind="create", path=f"/workflows/{workflow}/schedules", connections=32, count=2_000,
                        between=next_year())
    check(load["statuses"] == {"201": 2_000}, f"creates were answered {load['statuses']}")
    fill(ground, server, workflow, 10_000)
    for _ in range(20):
        server.wants("GET", "/workflow-schedules?limit=100&order=scheduled_time", 200)
    time.sleep(1)
    after = server.anonymous_mib()
    ground.done(server)
    return {"started_mib": fresh, "after_work_mib": after}


def log_size(ground):
    """Entries of the log, and how many of them are schedules still pending; the rest are a multiple of four."""
    return ground.pick((1_000_000, 100_000), (100_000, 20_000))
