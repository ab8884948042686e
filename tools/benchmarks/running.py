"""Rows about runs: claimed and completed by workers, and whose turn it is behind a backlog."""

import json
import shutil
import statistics
import time

from benchmarks.ground import Wire, fill
from benchmarks.report import check

WORKERS, CLAIM, COMPLETIONS, LIMIT = 8, 100, 8, 400


def dispatch(ground, report):
    """Queued runs of one workflow, claimed and completed by 8 workers: each holds up to 100, claims
    what is missing when half of them are done, and completes 8 at a time, each over a connection of its own.

    With no limit in force (team and workflow may run more than the workers can hold), with the team's, and with
    the team's and the workflow's: half of what the workers could hold, so that claims wait for slots. Every run
    must be handed out once, every completion answered 200, and the log hold as many starts and ends.
    """
    runs, rounds = ground.pick(33_000, 12_000), ground.pick(3, 1)
    # By turns, so that whatever else the machine does slows all of them.
    turns = [[work_off(ground, limits, runs) for limits in (0, 1, 2)] for _ in range(rounds)]
    for limits, works in enumerate(zip(*turns)):
        rate = statistics.mean(work["per_second"] for work in works)
        more = {"runs": runs * rounds, "workers": WORKERS, "held_by_one": CLAIM, "completions_at_once": COMPLETIONS,
                "slices": [work["per_second"] for work in works],
                "mean_batch": statistics.mean(work["mean_batch"] for work in works),
                "claims": sum(work["claims"] for work in works),
                "most_in_progress": max(work["most_in_progress"] for work in works),
                "claim_p99_ms": statistics.median(work["claim"]["p99_ms"] for work in works),
                "completion_p50_ms": statistics.median(work["completion"]["p50_ms"] for work in works),
                "completion_p99_ms": statistics.median(work["completion"]["p99_ms"] for work in works),
                "server_cpu_microseconds_each": sum(work["cpu"] for work in works) / runs / rounds * 1e6}
        if limits == 0:
            unlimited = rate
            report.add("dispatch/0-limits", rate, "runs/s", None, 5_000, 15_000, better="higher", **more)
        else:
            report.add(f"dispatch/{limits}-limits", rate, "runs/s", unlimited, 0.8, None, of="ratio",
                       better="higher", limit=LIMIT, baseline_is="without limits", **more)


def work_off(ground, limits, runs):
    """So many runs on a server of their own, with so many limits in force: what the workers saw."""
    server = ground.serve()
    workflow = server.workflow({"type": "worker", "queue": "bench"})
    queue_runs(ground, server, workflow, runs)
    server.license(LIMIT if limits > 0 else 1_000_000)
    if limits == 2:
        server.wants("PATCH", f"/workflows/{workflow}/concurrency", 200, {"max_concurrent_runs": LIMIT})
    before, cpu = server.batches(), server.cpu_seconds()
    work = ground.load(mode="work", port=server.port, key=server.key, queue="bench", workers=WORKERS, claim=CLAIM,
                       completions=COMPLETIONS, expect=runs, seconds=300)
    work["cpu"] = server.cpu_seconds() - cpu
    work["mean_batch"] = server.mean_batch(before)
    ground.done(server, keep=True)
    commands = ground.stats(server.directory)["commands"]
    shutil.rmtree(server.directory)
    check(commands["claim"] == runs and commands["complete"] == runs,
          f"{commands['claim']} starts and {commands['complete']} ends of {runs} runs")
    check(limits == 0 or work["most_in_progress"] <= LIMIT,
          f"{work['most_in_progress']} runs at once under a limit of {LIMIT}")
    return work


def backlog(ground, report):
    """100,000 queued runs of one workflow, once held by its own cap, once by the team's limit alone; a run of
    another workflow waits too, and a claim of a worker: from sending the completion that frees a slot until the
    claim is answered with the other workflow's run. The middle of many such turns.

    Compared with the same, on the same machine, with an empty queue.
    """
    count = ground.pick(100_000, 10_000)
    turns = ground.pick(400, 100)
    for name, held in (("capped", capped), ("team-limit", held_by_team)):
        # Turn by turn on two servers, so that whatever else the machine does slows both.
        servers = ground.serve(), ground.serve()
        sides = [held(ground, server, queued) for server, queued in zip(servers, (0, count))]
        for side in sides:
            check(next(side) is None, "a turn was taken before both sides were ready")
        times = [[next(side) for side in sides] for _ in range(turns)]
        for server in servers:
            ground.done(server)
        empty, full = zip(*times)
        report.add(f"backlog/{name}", statistics.median(full), "ms", statistics.median(empty), 2, 1.1, of="ratio",
                   baseline_is="the same with an empty queue", queued=count, turns=turns, p99_ms=percentile(full, 99),
                   baseline_p99_ms=percentile(empty, 99))


# Both give nothing when all is prepared, and then the milliseconds of turn after turn.


def capped(ground, server, count):
    """The long workflow runs as much as its cap lets it; the team has one more slot, which the other one uses."""
    long, other = workflows(server)
    server.wants("PATCH", f"/workflows/{long}/concurrency", 200, {"max_concurrent_runs": 1})
    server.license(2)
    queue_runs(ground, server, long, count)
    yield None
    line = Line(server)
    line.execute(long)
    line.claim(long)
    line.execute(other)
    current = line.claim(other)
    while True:
        line.execute(other)
        took, current = line.next_after(current, other)
        yield took


def held_by_team(ground, server, count):
    """The team has one slot, which a run of the long workflow holds."""
    long, other = workflows(server)
    server.license(1)
    queue_runs(ground, server, long, count)
    yield None
    line = Line(server)
    while True:
        if count == 0:
            line.execute(long)
        current = line.claim(long)
        line.execute(other)
        took, started = line.next_after(current, other)
        line.complete(started)
        yield took


class Line:
    """One worker's view of a queue that both workflows use."""

    def __init__(self, server):
        self.claims, self.asks = Wire(server), Wire(server)
        self.request = self.claims.request("POST", "/queues/line/claim",
                                           {"worker": "w", "max": 1, "wait_seconds": 20})

    def execute(self, workflow):
        self.asks.ask("POST", f"/workflows/{workflow}/execute", {"run_input": 1}, status=202)

    def claim(self, workflow):
        self.claims.send(self.request)
        return self.claimed(workflow)

    def claimed(self, workflow):
        status, body = self.claims.receive()
        check(status == 200, f"a claim was answered {status}")
        run = only_run(body)
        check(run["workflow_id"] == workflow, "a run of the wrong workflow was started")
        return run

    def complete(self, run):
        self.asks.ask("POST", f"/workflow-runs/{run['run_id']}/complete", {"attempt": run["attempt"], "output": 1})

    def next_after(self, run, workflow):
        """Milliseconds from the end of this run to the start of the next one, and that."""
        self.claims.send(self.request)
        # Until the claim stands in line: nothing tells.
        time.sleep(0.01)
        request = self.asks.request("POST", f"/workflow-runs/{run['run_id']}/complete",
                                    {"attempt": run["attempt"], "output": 1})
        begun = time.perf_counter()
        self.asks.send(request)
        started = self.claimed(workflow)
        took = (time.perf_counter() - begun) * 1e3
        status, _ = self.asks.receive()
        check(status == 200, f"a completion was answered {status}")
        return took, started


def workflows(server):
    return [server.workflow({"type": "worker", "queue": "line"}) for _ in range(2)]


def queue_runs(ground, server, workflow, count):
    """So many runs that wait: schedules that come due in a moment."""
    if count == 0:
        return
    before = server.commands("fire")
    fill(ground, server, workflow, count, soon=True)
    server.wait_for("fire", before + count, 300)


def only_run(body):
    runs = json.loads(body)["runs"]
    check(len(runs) == 1, f"{len(runs)} runs were claimed instead of one")
    return runs[0]


def percentile(values, percent):
    return sorted(values)[min(len(values) - 1, len(values) * percent // 100)]
