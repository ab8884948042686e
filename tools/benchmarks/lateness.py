"""Rows about promises that come due: how late, also under load, and many at once."""

import json
import subprocess
import time

from benchmarks.creating import sizes
from benchmarks.ground import Wire, instant, instant_of, next_year
from benchmarks.report import check, say

RATE = 200


def lateness(ground, report):
    """200 schedules a second come due while 100,000 or 1,000,000 others are pending far ahead: from the scheduled
    time until `fired_at`, until the commit is told on the feed (`GET /log/stream`, read by a process of its own),
    and until the executor, an HTTP server in another process, has the run.

    Compared with pwrite and fdatasync of a page on the same disk. Each must fire once, never early, and reach the
    executor once.
    """
    for pending in ground.pick((100_000, 1_000_000), (20_000, 100_000)):
        server = ground.serve_copy(ground.pending(pending), "--egress-allow", "127.0.0.0/8")
        measured = come_due(ground, server, ground.pick(30, 5))
        ground.done(server)
        disk = ground.sync_times()
        report.add(f"lateness/{pending}", measured["committed"]["p99_ms"], "ms p99", disk["p99_ms"], 10, 2,
                   baseline_is="pwrite and fdatasync of a page, p99", pending=pending, a_second=RATE, **measured,
                   fdatasync=disk)


def lateness_loaded(ground, report):
    """The same while single creates come in at half the rate that the same server takes over 32 connections,
    measured just before, once it is warm: with a million pending, a server that was just started takes half of what it
    takes after half a minute. Open loop."""
    for pending in ground.pick((100_000, 1_000_000), (20_000,)):
        server = ground.serve_copy(ground.pending(pending), "--egress-allow", "127.0.0.0/8")
        path = f"/workflows/{server.workflow({'type': 'echo'})}/schedules"
        seconds = ground.pick(30, 5)
        full = ground.drive(server, kind="create", path=path, seconds=ground.pick(5, 2), warmup=ground.pick(30, 1),
                            between=next_year())
        check(full["statuses"] == {"201": full["answers"]}, f"creates were answered {full['statuses']}")
        loads = []

        def load(begin, end):
            loads.append(ground.start_drive(
                server, kind="create", path=path, rate=full["per_second"] / 2, measure_from=int(begin * 1e6),
                seconds=end - begin, between=next_year()))

        measured = come_due(ground, server, seconds, load)
        half = loads[0].result(120)
        check(half["statuses"] == {"201": half["answers"]}, f"creates were answered {half['statuses']}")
        # A load that fell behind would be another one than was asked for.
        check(half["answered_per_second"] > 0.95 * full["per_second"] / 2,
              f"{half['answered_per_second']:.0f} creates a second were answered of {full['per_second'] / 2:.0f}")
        ground.done(server)
        report.add(f"lateness-loaded/{pending}", measured["committed"]["p99_ms"], "ms p99", None, 50, 15,
                   pending=pending, a_second=RATE, creates_a_second=half["answered_per_second"], creates_alone_a_second=full["per_second"],
                   create_p99_ms=half["latency"]["p99_ms"], **measured)


def come_due(ground, server, seconds, load=None):
    """Makes schedules due evenly over so many seconds and gives what follower and executor saw."""
    server.license(10_000)
    count = RATE * seconds
    sink = ground.start_load(mode="sink", expect=count, seconds=seconds + 60)
    workflow = server.workflow({"type": "http", "url": f"http://127.0.0.1:{sink.line()['port']}/"})
    follower = ground.start_load(mode="follow", port=server.port, key=server.key, expect=count, seconds=seconds + 60)
    check(follower.line().get("ready"), "the stream did not begin")
    begin = time.time() + ground.pick(6, 4)
    items = [{"scheduled_time": instant(begin + number / RATE), "run_input": {"number": number}}
             for number in range(count)]
    server.give(workflow, items)
    check(time.time() < begin - 1, "the schedules were not made before the first came due")
    if load:
        load(begin, begin + seconds)
    fired, received = follower.result(seconds + 90), sink.result(seconds + 90)
    check(fired["fired"] == count and fired["repeats"] == 0,
          f"{fired['fired']} of {count} fired, {fired['repeats']} again")
    check(received["runs"] == count and received["repeats"] == 0,
          f"the executor got {received['runs']} of {count} runs, {received['repeats']} again")
    check(fired["early"] == 0 and received["early"] == 0, f"{fired['early']} fired early")
    return {"recorded": fired["recorded"], "committed": fired["committed"], "received": received["received"],
            "firings": count}


def burst(ground, report):
    """100,000 schedules due at one instant, of a workflow whose runs wait for workers: until the last firing is
    durable, by the server's own count of durable commands, asked every 10 ms. Meanwhile single schedules are read
    (100 a second) and created (50 a second), both open loop.

    Compared with raw LMDB doing the same firings with the same mean batch. The log must hold each firing once,
    none before its time.
    """
    count = ground.pick(100_000, 30_000)
    server = ground.serve()
    workflow = server.workflow({"type": "worker", "queue": "burst"})
    other = server.workflow({"type": "echo"})
    single = server.wants("POST", f"/workflows/{other}/schedules", 201,
                          {"scheduled_time": instant(time.time() + 86_400), "run_input": 1})["id"]
    due = int(time.time()) + ground.pick(25, 8)
    moment = due * 1_000_000
    made = ground.drive(server, kind="batch", path=f"/workflows/{workflow}/schedules/batch", connections=2,
                        items=10_000, count=count // 10_000, between=(moment, moment))
    check(made["items"] == count, f"{made['items']} of {count} schedules were made")
    check(time.time() < due - 2, f"making {count} schedules took too long")
    reads = ground.start_drive(server, kind="get", path=f"/workflow-schedules/{single}", connections=8, rate=100,
                               measure_from=moment, seconds=600)
    creates = ground.start_drive(server, kind="create", path=f"/workflows/{other}/schedules", connections=8, rate=50,
                                 measure_from=moment, seconds=600, between=next_year())
    wanted, found = b'daybook_commands_total{command="fire"} ', 0
    time.sleep(max(0, due - time.time()))
    wire = Wire(server)
    request = wire.request("GET", "/metrics")
    before = server.batches()
    while found < count:
        wire.send(request)
        status, text = wire.receive()
        ended = time.time()
        check(status == 200, f"/metrics was answered {status}")
        place = text.find(wanted)
        found = int(float(text[place + len(wanted):].split(b"\n", 1)[0])) if place >= 0 else 0
        check(ended < due + 120, f"{found} of {count} fired within two minutes")
        time.sleep(0.01)
    took = ended - due
    reads.stop(), creates.stop()
    read, created = reads.result(60), creates.result(60)
    batch = server.mean_batch(before)
    wire.close()
    check(read["statuses"] == {"200": read["answers"]}, f"reads were answered {read['statuses']}")
    check(created["statuses"] == {"201": created["answers"]}, f"creates were answered {created['statuses']}")
    ground.done(server, keep=True)
    judge_firings(ground, server.directory, workflow, moment, count)
    row = sizes(ground, server.directory)
    run = round(ground.shape(server.directory)["tables"]["runs"]["value"])
    raw = ground.raw("fire", count, max(1, round(batch)), 0, *row, run)
    report.add("burst", took, "s", raw["seconds"], 3, 0.8, baseline_is="raw LMDB, the same firings and mean batch",
               count=count, mean_batch=batch, firings_a_second=count / took)
    for name, load in (("read", read), ("create", created)):
        latency = load["latency"]
        report.add(f"burst/{name}", latency["p99_ms"], "ms p99", None, 250, 50, p50_ms=latency["p50_ms"],
                   max_ms=latency["max_ms"], requests=load["measured"])


def judge_firings(ground, directory, workflow, moment, count):
    """Each schedule fired once, by the log, and none early."""
    say("  reading the firings from the log")
    output = subprocess.Popen([ground.binary, "log", "show", "--json", "--event", "schedule_fired", "--workflow",
                               workflow, "--data-dir", directory], stdout=subprocess.PIPE)
    fired, lines = set(), 0
    for line in output.stdout:
        for event in json.loads(line)["events"]:
            if event["event"] == "schedule_fired":
                check(instant_of(event["fired_at"]) >= moment, f"{event['schedule_id']} fired early")
                fired.add(event["schedule_id"])
                lines += 1
    check(output.wait() == 0, "the log does not verify")
    check(lines == count and len(fired) == count, f"{lines} firings of {len(fired)} schedules, not of {count}")
