"""Decides from the log alone whether every word was kept: nothing here asks the service."""

import collections
import json
import subprocess

from .load import digest, instant

# The entries of clients: each must be known to who asked for it.
OF_CLIENTS = {"create_workflow", "create_schedule", "modify_schedule", "cancel_schedule", "execute",
              "cancel_run", "complete", "fail", "release"}


def read_log(binary, directory):
    output = subprocess.run(
        [binary, "log", "show", "--json", "--payloads", "--data-dir", directory],
        check=True, capture_output=True).stdout
    return [json.loads(line) for line in output.splitlines()]


class Judge:
    """One walk over the log, then a comparison with the ledger."""

    def __init__(self, entries, ledger, outages, epsilon, is_one_clock=True):
        """`is_one_clock`: whether clients and server go by the same wall clock."""
        self.entries, self.ledger, self.epsilon, self.is_one_clock = entries, ledger, epsilon, is_one_clock
        self.outages = sorted(outages)
        self.problems, self.counts = [], collections.Counter()
        self.lateness, self.served = [], []
        self.due, self.since, self.fired, self.cancelled, self.expired = {}, {}, {}, set(), set()
        self.status, self.attempt, self.workflow_of, self.of_schedule = {}, {}, {}, {}
        self.cap, self.busy = {}, collections.Counter()
        # By run and attempt: the worker that it was given to, and how it ended.
        self.given, self.ended = {}, {}

    def verdict(self):
        self.walk()
        self.compare()
        return self.ledger.problems + self.problems

    def wrong(self, what):
        self.problems.append(what)

    def walk(self):
        last = 0
        for number, entry in enumerate(self.entries, 1):
            if entry["position"] != number:
                self.wrong(f"position {entry['position']} where {number} should be")
                return
            now = instant(entry["recorded_at"])
            if now < last:
                self.wrong(f"the recorded time goes back at {number}")
            last = now
            for event in entry["events"]:
                self.counts[event["event"]] += 1
                take = getattr(self, event["event"], None)
                if take:
                    take(event, number, now)

    # Schedules

    def schedule_created(self, event, position, now):
        id = event["schedule_id"]
        if id in self.due:
            self.wrong(f"{id} was made twice, at {position} again")
        self.due[id], self.since[id] = instant(event["scheduled_time"]), now

    def schedule_modified(self, event, position, now):
        self.expect_pending(event["schedule_id"], position, "changed")
        if "scheduled_time" in event:
            self.due[event["schedule_id"]] = instant(event["scheduled_time"])
        self.since[event["schedule_id"]] = now

    def schedule_cancelled(self, event, position, now):
        self.expect_pending(event["schedule_id"], position, "cancelled")
        self.cancelled.add(event["schedule_id"])

    def schedule_expired(self, event, position, now):
        self.expect_pending(event["schedule_id"], position, "expired")
        self.expired.add(event["schedule_id"])

    def schedule_fired(self, event, position, now):
        id = event["schedule_id"]
        self.expect_pending(id, position, "fired")
        due = self.due.get(id, 0)
        if now < due:
            self.wrong(f"{id} fired {due - now} µs early at {position}")
        if event["run_id"] in self.of_schedule:
            self.wrong(f"run {event['run_id']} is the run of two schedules")
        self.fired[id], self.of_schedule[event["run_id"]] = position, id
        since = max(due, self.since.get(id, 0))
        late, limit = now - since, self.latest(since)
        self.lateness.append(late)
        # What came due while the server was away, or coming up, says nothing of its timer.
        if not any(begin - 0.5 <= since / 1e6 <= end + 1 for begin, end in self.outages):
            self.served.append(late)
        if now > limit:
            self.wrong(f"{id} was due {due} and fired {late / 1e6:.3f} s later at {position}, "
                       f"{(now - limit) / 1e6:.3f} s later than the outages account for")

    def latest(self, due):
        """The last moment for a firing: a little after it was due, or after the outages that came between."""
        epsilon = int(self.epsilon * 1e6)
        limit = due + epsilon
        for begin, end in self.outages:
            if begin * 1e6 <= limit:
                limit = max(limit, int(end * 1e6) + epsilon)
        return limit

    def expect_pending(self, id, position, what):
        if id not in self.due:
            self.wrong(f"{id} was {what} at {position} and never made")
        elif id in self.fired or id in self.cancelled or id in self.expired:
            self.wrong(f"{id} was {what} at {position}, when it was no longer pending")

    # Runs

    def workflow_created(self, event, position, now):
        self.cap[event["workflow_id"]] = event["max_concurrent_runs"]

    def run_queued(self, event, position, now):
        run = event["run_id"]
        if run in self.status:
            self.wrong(f"run {run} was queued twice, at {position} again")
        self.status[run], self.attempt[run] = "queued", 0
        self.workflow_of[run] = event["workflow_id"]

    def run_started(self, event, position, now):
        run = event["run_id"]
        self.move(run, position, "started", {"queued", "waiting"}, "in_progress")
        if event["attempt"] != self.attempt.get(run, 0) + 1:
            self.wrong(f"attempt {event['attempt']} of {run} at {position} follows {self.attempt.get(run)}")
        self.attempt[run] = event["attempt"]
        if event.get("worker"):
            self.given[run, event["attempt"]] = event["worker"]
        workflow = self.workflow_of.get(run)
        self.busy[workflow] += 1
        if 0 < self.cap.get(workflow, 0) < self.busy[workflow]:
            self.wrong(f"{self.busy[workflow]} runs of {workflow} at once at {position}")

    def run_completed(self, event, position, now):
        self.end(event, position, "completed", {"in_progress"})

    def run_failed(self, event, position, now):
        self.end(event, position, "failed", {"in_progress", "queued", "waiting"})

    def run_cancelled(self, event, position, now):
        self.end(event, position, "cancelled", {"in_progress", "queued", "waiting"})

    def run_retry_scheduled(self, event, position, now):
        self.end(event, position, "waiting", {"in_progress"})

    def run_requeued(self, event, position, now):
        self.move(event["run_id"], position, "requeued", {"waiting"}, "queued")

    def run_released(self, event, position, now):
        self.end(event, position, "queued", {"in_progress"})

    def end(self, event, position, status, legal):
        run = event["run_id"]
        self.ended[run, self.attempt.get(run)] = status
        if self.status.get(run) == "in_progress":
            self.busy[self.workflow_of.get(run)] -= 1
            if event.get("attempt", self.attempt[run]) != self.attempt[run]:
                self.wrong(f"{status} of {run} at {position} with attempt {event['attempt']}, "
                           f"not {self.attempt[run]}")
        self.move(run, position, status, legal, status)

    def move(self, run, position, what, legal, status):
        if self.status.get(run) not in legal:
            self.wrong(f"run {run} was {what} at {position}, when it was {self.status.get(run)}")
        self.status[run] = status

    # What clients know

    def compare(self):
        told_at = collections.Counter()
        for told in self.ledger.told:
            told_at[told.position] += 1
            self.compare_told(told)
        for position, times in told_at.items():
            if times > 1:
                self.wrong(f"{times} commands were answered with position {position}")
        for entry in self.entries:
            if not entry["actor"].startswith("key:") \
                    and any(event["event"] == "schedule_cancelled" for event in entry["events"]):
                self.wrong(f"entry {entry['position']} cancels a promise, and nobody asked for it")
            # What came of no command that anybody knows of, or of one that had its effect twice.
            if entry["actor"].startswith("key:") and entry["command"] in OF_CLIENTS \
                    and entry["position"] not in told_at:
                self.wrong(f"entry {entry['position']} ({entry['command']}) was told to nobody")
        self.compare_claims()
        for id in self.ledger.promised:
            if id not in self.due:
                self.wrong(f"{id} was promised and is not in the log")
            elif id in self.ledger.cancelled:
                if id not in self.cancelled:
                    self.wrong(f"{id} was said to be cancelled and was not")
            elif id in self.expired:
                self.wrong(f"{id} expired, and nobody gave it an end")
            elif id not in self.fired and id not in self.cancelled:
                self.wrong(f"{id} never fired")
        for run, schedule in self.of_schedule.items():
            if run not in self.status:
                self.wrong(f"{schedule} fired run {run}, which was never queued")
        for run, status in self.status.items():
            if status not in ("completed", "failed", "cancelled"):
                self.wrong(f"run {run} is {status} in the end")

    def compare_claims(self):
        """What workers were given is in the log, to one worker each, and only they complete it."""
        told = {}
        for run, attempt, worker, heard in self.ledger.claimed:
            if told.setdefault((run, attempt), worker) != worker:
                self.wrong(f"attempt {attempt} of {run} was given to {worker} and to {told[run, attempt]}")
            if self.given.get((run, attempt)) != worker:
                self.wrong(f"attempt {attempt} of {run} was given to {worker}, and the log says "
                           f"{self.given.get((run, attempt))}")
            due = self.due.get(self.of_schedule.get(run), 0)
            if self.is_one_clock and heard < due:
                self.wrong(f"{worker} had {run} {due - heard} µs before it was due")
        for (run, attempt), worker in self.given.items():
            if (run, attempt) not in told and self.ended.get((run, attempt)) == "completed":
                self.wrong(f"attempt {attempt} of {run} was completed, and {worker} was never given it")

    def compare_told(self, told):
        """The entry that was named is there, of that request, and says what was asked for."""
        if told.position > len(self.entries):
            self.wrong(f"{told.event} of {told.object} was confirmed at {told.position}, "
                       f"and the log ends at {len(self.entries)}")
            return
        entry = self.entries[told.position - 1]
        if told.request and entry["request_id"] != told.request:
            self.wrong(f"request {told.request} was answered with {told.position}, the entry of "
                       f"{entry['request_id']}")
            return
        recorded = instant(entry["recorded_at"])
        if self.is_one_clock and not told.asked <= recorded <= told.heard:
            self.wrong(f"{told.event} at {told.position} was recorded {recorded - told.asked} µs after it was asked "
                       f"for, and {told.heard - recorded} µs before it was confirmed")
        for index, event in enumerate(entry["events"]):
            if told.object not in (event.get("schedule_id"), event.get("run_id"), event.get("workflow_id")):
                continue
            if told.event not in (None, event["event"]):
                continue
            for name, value in told.expected.items():
                if not self.says(entry, index, event, name, value):
                    self.wrong(f"{told.event} at {told.position} does not say {name} {str(value)[:200]}")
            return
        self.wrong(f"{told.event} of {told.object} was confirmed at {told.position}, which is "
                   f"{[event['event'] for event in entry['events']]}")

    @staticmethod
    def says(entry, index, event, name, value):
        if name == "scheduled_time":
            return instant(event[name]) == value
        if name not in ("run_input", "output"):
            return event[name] == value
        for payload in entry["payloads"]:
            if payload["event_index"] == index:
                sha256, data = digest(payload)
                # As the clients wrote it, byte for byte.
                return sha256 == event[name]["sha256"] and data == json.dumps(value).encode()
        return False


def percentile(values, part):
    values = sorted(values)
    return values[min(len(values) - 1, len(values) * part // 100)] if values else 0


def shown(lateness):
    if not lateness:
        return "nothing fired"
    return (f"p50 {percentile(lateness, 50) / 1000:.1f}, p99 {percentile(lateness, 99) / 1000:.1f}, "
            f"max {max(lateness) / 1000:.1f} ms")


