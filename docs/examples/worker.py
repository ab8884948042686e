#!/usr/bin/env python3
"""A worker: takes runs from a queue, does them, and says how it went. Only Python's own library.

    DAYBOOK_KEY=dbk_... python3 worker.py --server http://localhost:8080 --queue calls --name w1

Put your own work into `work`. The rules that the rest keeps:

- A claimed run is this worker's while it sends heartbeats. When they stop for `--lease-seconds`,
  the server takes the run for lost, and it starts again elsewhere as its next attempt.
- Every word about a run carries its attempt. Once the server has given the run away, cancelled
  it or seen its deadline pass, the answer is 409: this attempt no longer counts, its work stops.
- So a run is done at least once, not exactly once: a worker can die after its work and before its
  answer. What `work` does to the world must be harmless the second time; use `run.id`, which stays
  the same over all attempts, as the key that tells the world so.
- Answers can be sent again safely. No answer, or 503, means: wait and say it again.
- At SIGTERM or SIGINT the worker gives its runs back, which costs them no try, and exits with 0.
"""

import argparse
import http.client
import json
import os
import random
import signal
import sys
import threading
import time
import urllib.parse


def work(run):
    """Does one run and returns its output, any JSON. Replace this.

    Raising an exception fails the attempt, to be tried again as the workflow's `retry` allows;
    raising `Hopeless` fails the run for good. Work that takes long looks at `run.stop`: once that
    is set, the result is not wanted, and `work` should end soon, by raising anything.
    """
    wishes = run.input if isinstance(run.input, dict) else {}
    if run.stop.wait(wishes.get("seconds", 0)):
        raise RuntimeError("stopped")
    if wishes.get("fail") is True:
        raise RuntimeError("this run was asked to fail")
    return {"echo": run.input}


class Hopeless(Exception):
    """Raised by `work` where trying again would not help."""


class Run:
    """One attempt of one run."""

    def __init__(self, claimed):
        self.id, self.attempt = claimed["run_id"], claimed["attempt"]
        self.input, self.claimed = claimed["run_input"], claimed
        self.heartbeat_every = float(claimed["heartbeat_every_seconds"])
        self.stop = threading.Event()
        self.is_lost = False  # the server has said that this attempt no longer counts
        self.ended = threading.Event()

    def __str__(self):
        return f"run {self.id}, attempt {self.attempt}"


class Worker:
    WAIT_SECONDS = 20
    GRACE_SECONDS = 5

    def __init__(self, options):
        self.options, self.key = options, os.environ["DAYBOOK_KEY"]
        self.server = urllib.parse.urlsplit(options.server)
        self.stopping, self.is_refused = threading.Event(), False
        self.lock, self.runs = threading.Lock(), set()

    def say(self, text):
        now = time.strftime("%H:%M:%SZ", time.gmtime())
        sys.stderr.write(f"{now} {self.options.name}: {text}\n")

    def post(self, path, body, timeout=10):
        """The answer's status, its body, and how long to wait before asking again.

        Without an answer it is that of a server that cannot just now: 503.
        """
        secure = self.server.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = kind(self.server.netloc, timeout=timeout)
        headers = {"Authorization": "Bearer " + self.key, "Content-Type": "application/json"}
        try:
            connection.request(
                "POST", self.server.path.rstrip("/") + path, json.dumps(body), headers)
            answer = connection.getresponse()
            text, wait = answer.read(), answer.getheader("Retry-After", "")
            wait = int(wait) if wait.isdecimal() else random.uniform(0.5, 1.5)
            return answer.status, json.loads(text), wait
        except (OSError, http.client.HTTPException, ValueError) as error:
            return 503, {"detail": f"no answer: {error!r}"}, random.uniform(0.5, 1.5)
        finally:
            connection.close()

    def slot(self):
        """One of `--concurrency` threads: claims a run and serves it, again and again."""
        path = f"/queues/{urllib.parse.quote(self.options.queue, safe='')}/claim"
        claim = {"worker": self.options.name, "max": 1, "wait_seconds": self.WAIT_SECONDS,
                 "lease_seconds": self.options.lease_seconds}
        while not self.stopping.is_set():
            status, answer, wait = self.post(path, claim, timeout=self.WAIT_SECONDS + 10)
            if status == 200:
                for claimed in answer["runs"]:
                    self.serve(Run(claimed))
            elif status >= 500 or status == 429:
                self.say(f"claims again in {wait:.1f} s: {answer.get('detail')}")
                self.stopping.wait(wait)
            else:
                self.say(f"the claim was refused with {status}: {answer.get('detail')}")
                self.is_refused = True
                return

    def serve(self, run):
        with self.lock:
            self.runs.add(run)
            if self.stopping.is_set():
                run.stop.set()
        self.say(f"{run}: started")
        # The heartbeats go on until the server has the answer, not only until the work is done.
        threading.Thread(target=self.heartbeats, args=(run,), daemon=True).start()
        try:
            answer = "complete", {"output": work(run)}
            json.dumps(answer, allow_nan=False)
        except (Exception, SystemExit) as error:
            if run.stop.is_set():
                answer = "release", {}
            else:
                answer = "fail", {"reason": "error", "message": f"{error!r}"[:4000],
                                  "retryable": not isinstance(error, Hopeless)}
        status = self.answer(run, *answer)
        if answer[0] == "complete" and 400 <= status < 500 and status != 409:
            self.answer(run, "fail", {"reason": "error", "retryable": False,
                                      "message": f"the output was refused with {status}"})
        run.ended.set()
        with self.lock:
            self.runs.discard(run)

    def heartbeats(self, run):
        wait = run.heartbeat_every
        while not run.ended.wait(wait):
            status, answer, again = self.post(
                f"/workflow-runs/{run.id}/heartbeat", {"attempt": run.attempt})
            wait = min(again, run.heartbeat_every) if status >= 500 else run.heartbeat_every
            if 400 <= status < 500 and not run.ended.is_set():
                self.say(f"{run}: no longer ours ({answer.get('detail')}), its work stops")
                run.is_lost = True
                run.stop.set()
                return

    def answer(self, run, word, body):
        """Tells the server until it has heard, and gives its status; 409 where nobody asks."""
        while not run.is_lost:
            status, answer, wait = self.post(
                f"/workflow-runs/{run.id}/{word}", {"attempt": run.attempt, **body})
            if status < 500:
                self.say(f"{run}: {word}" + (
                    "" if status == 200 else f" came to {status}: {answer.get('detail')}"))
                return status
            self.say(f"{run}: {word} again in {wait:.1f} s: {answer.get('detail')}")
            time.sleep(wait)
        return 409

    def stop(self):
        """Lets work end by itself for a moment, then gives back what is left.

        Claims under way are dropped; what they were given in that moment comes back by its lease.
        """
        self.say("stops")
        with self.lock:
            self.stopping.set()
            for run in self.runs:
                run.stop.set()
        end = time.monotonic() + self.GRACE_SECONDS
        while self.runs and time.monotonic() < end:
            time.sleep(0.02)
        for run in list(self.runs):
            status, _, _ = self.post(
                f"/workflow-runs/{run.id}/release", {"attempt": run.attempt}, timeout=2)
            self.say(f"{run}: release, {status}")


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--server", default="http://localhost:8080")
    options.add_argument("--queue", required=True)
    options.add_argument("--name", required=True)
    options.add_argument("--lease-seconds", type=int, default=60)
    options.add_argument("--concurrency", type=int, default=1)
    options = options.parse_args()
    if "DAYBOOK_KEY" not in os.environ:
        sys.exit("DAYBOOK_KEY must hold a key with the role work")
    worker = Worker(options)
    slots = [threading.Thread(target=worker.slot, daemon=True) for _ in range(options.concurrency)]
    try:
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, signal.default_int_handler)
        for slot in slots:
            slot.start()
        while any(slot.is_alive() for slot in slots):
            time.sleep(0.2)
    except KeyboardInterrupt:
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, signal.SIG_IGN)
        worker.stop()
    sys.stderr.flush()
    # Without waiting for threads: a claim may still be waiting in one.
    os._exit(1 if worker.is_refused else 0)


main()
