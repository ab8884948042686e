"""Rows about commands of clients: single creates, and batches of them."""

import re
import shutil
import subprocess
from statistics import mean, median

from benchmarks.ground import next_year
from benchmarks.report import check

INPUT_BYTES = 200
# So often server and baseline take turns.
SLICES = 3


def create(ground, report):
    """Single creates, each durable before its answer, over 32 and over 256 kept connections, closed loop; every
    one must be answered 201 and stand in the log.

    32 is compared with raw LMDB: the same tables, bytes and commands to a commit. 256 is compared with `GET
    /healthz` of the same server, asked by the same client over as many connections. Server and baseline take
    turns, so that whatever else the machine does slows both.
    """
    seconds = ground.pick(4, 1)
    for connections, must, aim in ((32, 0.5, 0.7), (256, 0.3, 0.4)):
        server = ground.serve()
        workflow = server.workflow({"type": "echo"})
        loads, baselines, batches, cpu = [], [], [], 0
        for _ in range(SLICES):
            before, used = server.batches(), server.cpu_seconds()
            loads.append(ground.drive(
                server, kind="create", path=f"/workflows/{workflow}/schedules", connections=connections,
                seconds=seconds, warmup=0.5, input_bytes=INPUT_BYTES, between=next_year()))
            cpu += server.cpu_seconds() - used
            batches.append(server.mean_batch(before))
            if connections == 32:
                baselines.append(raw_creates(ground, round(batches[-1]), seconds))
            else:
                baselines.append(healthz(ground, server, connections, seconds))
        answers = sum(load["answers"] for load in loads)
        statuses = [load["statuses"] for load in loads]
        check(all(set(one) == {"201"} for one in statuses), f"not every create was answered 201: {statuses}")
        more = {} if connections == 32 else {"healthz_by_wrk": healthz_by_wrk(server, connections)}
        ground.done(server, keep=True)
        check_creates(ground, server.directory, answers)
        shutil.rmtree(server.directory)
        latencies = [load["latency"] for load in loads]
        report.add(f"create/{connections}", mean(load["per_second"] for load in loads), "creates/s", mean(baselines),
                   must, aim, of="ratio", better="higher", baseline_is=(
                       "raw LMDB, same tables, bytes and mean batch" if connections == 32
                       else "GET /healthz, same server, same client"),
                   mean_batch=mean(batches), p50_ms=median(one["p50_ms"] for one in latencies),
                   p99_ms=median(one["p99_ms"] for one in latencies), max_ms=max(one["max_ms"] for one in latencies),
                   server_cpu_microseconds_each=cpu / answers * 1e6,
                   client_cpu_microseconds_each=sum(load["cpu_seconds"] for load in loads) / answers * 1e6,
                   creates=answers, input_bytes=INPUT_BYTES,
                   slices=[load["per_second"] for load in loads], baseline_slices=baselines, seconds=seconds, **more)


def create_batch(ground, report):
    """Batches of 1,000 creates over HTTP, as many at once as a team may have, closed loop; every item answered 201 and
    in the log.

    Compared with raw LMDB: the same tables and bytes, 1,000 to a commit; the server's own commits may be smaller
    (`mean_batch`). Both take turns.
    """
    seconds, connections, items = ground.pick(4, 2), 2, 1_000
    server = ground.serve()
    workflow = server.workflow({"type": "echo"})
    loads, baselines, batches, cpu = [], [], [], 0
    for _ in range(SLICES):
        before, used = server.batches(), server.cpu_seconds()
        loads.append(ground.drive(
            server, kind="batch", path=f"/workflows/{workflow}/schedules/batch", connections=connections,
            seconds=seconds, warmup=0.5, items=items, input_bytes=INPUT_BYTES, between=next_year()))
        cpu += server.cpu_seconds() - used
        batches.append(server.mean_batch(before))
        baselines.append(raw_creates(ground, items, seconds))
    made, answers = (sum(load[what] for load in loads) for what in ("items", "answers"))
    statuses = [load["statuses"] for load in loads]
    check(all(set(one) == {"200"} for one in statuses), f"batches were answered {statuses}")
    check(made == answers * items, f"{made} of {answers * items} items were answered 201")
    ground.done(server, keep=True)
    check_creates(ground, server.directory, made)
    shutil.rmtree(server.directory)
    report.add("create-batch", mean(load["items_per_second"] for load in loads), "creates/s", mean(baselines), 0.4, 0.8,
               of="ratio", better="higher", baseline_is="raw LMDB, same tables and bytes, 1,000 to a commit",
               mean_batch=mean(batches), p50_ms=median(load["latency"]["p50_ms"] for load in loads),
               p99_ms=median(load["latency"]["p99_ms"] for load in loads),
               server_cpu_microseconds_each=cpu / made * 1e6,
               client_cpu_microseconds_each=sum(load["cpu_seconds"] for load in loads) / made * 1e6,
               creates=made, connections=connections, items=items,
               slices=[load["items_per_second"] for load in loads], baseline_slices=baselines, seconds=seconds)


def healthz(ground, server, connections, seconds):
    """What the same client gets of a route that does nothing."""
    load = ground.drive(server, kind="get", path="/healthz", connections=connections, seconds=seconds, warmup=0.5)
    check(set(load["statuses"]) == {"200"}, f"/healthz was answered {load['statuses']}")
    return load["per_second"]


def healthz_by_wrk(server, connections):
    """The same by wrk, where it is installed."""
    if not shutil.which("wrk"):
        return None
    said = subprocess.run(["wrk", "-t1", f"-c{connections}", "-d3", f"http://127.0.0.1:{server.port}/healthz"],
                          check=True, capture_output=True, text=True).stdout
    found = re.search(r"Requests/sec: *([0-9.]+)", said)
    check(found and "Non-2xx" not in said, f"wrk said: {said}")
    return float(found[1])


def check_creates(ground, directory, count):
    """The log, verified entry by entry, holds as many creates as were answered 201."""
    found = ground.stats(directory)["commands"].get("create_schedule", 0)
    check(found == count, f"{count} creates were answered 201, {found} stand in the log")


def sizes(ground, directory):
    """Mean bytes of the values that one create writes, as the server has written them."""
    tables = ground.shape(directory)["tables"]
    return [round(tables[name]["value"]) for name in ("log", "payloads", "schedules", "usage")]


def raw_creates(ground, batch, seconds):
    """Creates a second of raw LMDB, with values as long as the server's."""
    return ground.raw("create", 0, max(1, batch), seconds, *sizes(ground, ground.pending(10_000)))["per_second"]
