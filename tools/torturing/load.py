"""Clients under whom the server is tortured, and the ledger of what they were told."""

import base64
import collections
import datetime
import hashlib
import http.client
import json
import threading
import time

# What a client was told, and what the entry at `position` must therefore say. `request` is None where the
# answer was given again: it then names its own request, not the one that had the effect. `asked` and `heard` are
# when, in microseconds since 1970: the first time it asked, and when the answer was there.
Told = collections.namedtuple("Told", "position event object request expected asked heard")
# A run that a worker was given.
Claimed = collections.namedtuple("Claimed", "run attempt worker heard")


class GivenUp(Exception):
    """Nobody answered for too long, or the round is over."""


def instant(text):
    """Microseconds since 1970; floating point would lose some."""
    time = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return int(time.replace(microsecond=0).timestamp()) * 1_000_000 + time.microsecond


def wall():
    return time.time_ns() // 1000


def in_seconds(seconds):
    moment = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    return moment.isoformat().replace("+00:00", "Z")


class Ledger:
    """What all clients of a round were told."""

    def __init__(self):
        self.lock = threading.Lock()
        self.told, self.claimed, self.problems = [], [], []
        # Codes of answers that said "not now", and how often nobody answered at all.
        self.turned_away = collections.Counter()
        self.given_again = 0
        # Schedules by what clients know: the id, and whether a cancel was confirmed.
        self.promised, self.cancelled = set(), set()

    def note(self, told, again):
        with self.lock:
            self.told.append(told)
            self.given_again += again

    def complain(self, what):
        with self.lock:
            self.problems.append(what)

    def count(self, code):
        with self.lock:
            self.turned_away[code] += 1


class Asker:
    """Asks until it is answered, over restarts, always with the same key."""

    def __init__(self, server, key, ledger, name, patience=150, wait=8):
        self.server, self.key, self.ledger, self.name = server, key, ledger, name
        self.patience, self.wait, self.count = patience, wait, 0
        self.connection, self.port = None, None
        self.is_over = threading.Event()
        # Seconds that each try took, and what came of it.
        self.tries = []
        # Of the last request: when it was asked first, and whether a try of it may have had an effect unheard of.
        self.asked, self.may_have_happened = 0, False

    def ask(self, method, path, body=None, keyed=True):
        """Status, body and headers of the answer that is one."""
        self.count += 1
        headers = {"Authorization": "Bearer " + self.key, "Content-Type": "application/json"}
        if keyed:
            headers["Idempotency-Key"] = f"{self.name}-{self.count}"
        data = None if body is None else json.dumps(body)
        deadline = time.monotonic() + self.patience
        self.asked, self.may_have_happened = wall(), False
        while time.monotonic() < deadline and not self.is_over.is_set():
            began = time.monotonic()
            try:
                if self.connection is None or self.port != self.server.port:
                    self.port = self.server.port
                    self.connection = http.client.HTTPConnection(
                        "127.0.0.1", self.port, timeout=self.wait)
                self.connection.request(method, path, data, headers)
                answer = self.connection.getresponse()
                text = answer.read()
                self.tries.append((time.monotonic() - began, answer.status))
            except (OSError, http.client.HTTPException) as error:
                is_late = isinstance(error, TimeoutError)
                self.tries.append((time.monotonic() - began, None))
                self.ledger.count("no answer in time" if is_late else "no answer")
                self.may_have_happened = True
                self.connection.close()
                self.connection = None
                time.sleep(0.02)
                continue
            if answer.status == 503:
                code = json.loads(text)["code"]
                self.ledger.count(code)
                self.may_have_happened |= code == "outcome_unknown"
                time.sleep(0.05)
                continue
            return answer.status, json.loads(text), answer.headers
        raise GivenUp(f"{method} {path}: no answer")

    def command(self, event, method, path, body=None, object=None, expected=None, but=()):
        """Asks for something that is one entry; what was told goes into the ledger. None where it was
        refused with one of the statuses `but`."""
        status, answer, headers = self.ask(method, path, body)
        if status in but:
            return None
        if status >= 300:
            self.ledger.complain(f"{method} {path} {str(body)[:100]}: {status} {answer}")
            return None
        again = headers["Idempotent-Replayed"] == "true"
        if again and not self.may_have_happened:
            self.ledger.complain(f"{method} {path} was taken, though each try before had heard a clear no")
        self.ledger.note(
            Told(int(headers["Daybook-Position"]), event, object or answer["id"],
                 None if again else headers["Daybook-Request-Id"], expected or {}, self.asked, wall()), again)
        return answer


class Client(threading.Thread):
    """Does one thing after the other until it is told to stop."""

    def __init__(self, asker, chance, pause):
        super().__init__(daemon=True)
        self.asker, self.ledger, self.chance, self.pause = asker, asker.ledger, chance, pause
        self.stopping = threading.Event()

    def run(self):
        try:
            while not self.stopping.is_set():
                self.step()
                time.sleep(self.chance.uniform(0, self.pause))
        except GivenUp as error:
            if not self.asker.is_over.is_set():
                self.ledger.complain(str(error))
        except Exception as error:
            self.ledger.complain(f"{self.asker.name}: {error!r}")


class Promiser(Client):
    """Promises, moves, cancels, and starts runs by hand."""

    def __init__(self, asker, chance, pause, workflows, horizon):
        super().__init__(asker, chance, pause)
        self.workflows, self.horizon = workflows, horizon
        self.mine, self.runs = [], []

    def new_input(self):
        # Up to some pages: payloads are kept in pieces.
        return {"by": self.asker.name, "n": self.asker.count, "x": "x" * self.chance.choice((0, 9, 900, 6000)),
                # What a parser might write otherwise: the order, escapes, and a number's form.
                "é/": ["\u2028</", 1.0, -0.0, 1e-7, 12345678901234567890]}

    def step(self):
        choice = self.chance.random()
        workflow = self.chance.choice(self.workflows)
        due, new = in_seconds(self.chance.uniform(0.3, self.horizon)), self.new_input()
        if choice < 0.55 or not self.mine:
            # Asked again after a restart, its time may have come: then nothing was promised.
            answer = self.asker.command(
                "schedule_created", "POST", f"/workflows/{workflow}/schedules",
                {"scheduled_time": due, "run_input": new},
                expected={"scheduled_time": instant(due), "run_input": new}, but=(422,))
            if answer:
                self.mine.append(answer["id"])
                with self.ledger.lock:
                    self.ledger.promised.add(answer["id"])
        elif choice < 0.68:
            answer = self.asker.command(
                "run_queued", "POST", f"/workflows/{workflow}/execute", {"run_input": new},
                expected={"run_input": new})
            if answer:
                self.runs.append(answer["id"])
        elif choice < 0.82:
            id = self.chance.choice(self.mine[-20:])
            self.asker.command(
                "schedule_modified", "PATCH", f"/workflow-schedules/{id}",
                {"scheduled_time": due, "run_input": new}, id,
                {"scheduled_time": instant(due), "run_input": new}, but=(409, 422))
        elif choice < 0.94 or not self.runs:
            id = self.chance.choice(self.mine[-20:])
            if self.asker.command(
                    "schedule_cancelled", "DELETE", f"/workflow-schedules/{id}", None, id, but=(409,)):
                with self.ledger.lock:
                    self.ledger.cancelled.add(id)
        else:
            id = self.chance.choice(self.runs[-5:])
            self.asker.command(
                "run_cancelled", "POST", f"/workflow-runs/{id}/cancel", {}, id, but=(409,))


class Worker(Client):
    """Claims runs of the queue `desk` and says what became of them."""

    def step(self):
        status, answer, _ = self.asker.ask(
            "POST", "/queues/desk/claim",
            {"worker": self.asker.name, "max": self.chance.randint(1, 3), "wait_seconds": 1})
        if status != 200:
            self.ledger.complain(f"claim: {status} {answer}")
            return
        heard = wall()
        with self.ledger.lock:
            self.ledger.claimed += [Claimed(run["run_id"], run["attempt"], self.asker.name, heard)
                                    for run in answer["runs"]]
        for run in answer["runs"]:
            id, attempt = run["run_id"], run["attempt"]
            path, choice = f"/workflow-runs/{id}", self.chance.random()
            if choice < 0.8:
                output = {"by": self.asker.name, "of": id}
                self.asker.command(
                    "run_completed", "POST", path + "/complete", {"attempt": attempt, "output": output}, id,
                    {"attempt": attempt, "output": output}, but=(409,))
            elif choice < 0.9:
                self.asker.command(
                    None, "POST", path + "/fail",
                    {"attempt": attempt, "reason": "error", "message": "on purpose"}, id, but=(409,))
            else:
                self.asker.command(
                    "run_released", "POST", path + "/release", {"attempt": attempt}, id,
                    {"attempt": attempt}, but=(409,))


class Load:
    """Mixed clients over some workflows: executors inside the process, and workers outside."""

    def __init__(self, server, chance, promisers=3, workers=2, pause=0.03, horizon=3, wait=8):
        self.server, self.chance, self.ledger = server, chance, Ledger()
        self.key, self.wait = server.key, wait
        self.admin = self.asker("admin")
        self.workflows = [
            self.make_workflow(body) for body in (
                {"name": "echo", "definition": {"executor": {"type": "echo", "delay_ms": 5}}},
                {"name": "capped", "max_concurrent_runs": 2,
                 "definition": {"executor": {"type": "echo", "delay_ms": 20}}},
                {"name": "desk", "definition": {"executor": {"type": "worker", "queue": "desk"}},
                 "max_concurrent_runs": 4, "run_timeout_seconds": 60,
                 "retry": {"max_attempts": 3, "initial_backoff_seconds": 1}})]
        self.promisers = [
            Promiser(self.asker(f"client-{number}"), self.part(), pause, self.workflows, horizon)
            for number in range(promisers)]
        self.workers = [Worker(self.asker(f"worker-{number}"), self.part(), pause)
                        for number in range(workers)]

    def make_workflow(self, body):
        answer = self.admin.command("workflow_created", "POST", "/workflows", body)
        if answer is None:
            raise AssertionError(f"no workflow was made: {self.ledger.problems}")
        return answer["id"]

    def asker(self, name, **options):
        return Asker(self.server, self.key, self.ledger, name, **{"wait": self.wait, **options})

    def part(self):
        """Numbers of its own for each client, so that their order does not depend on the threads'."""
        return type(self.chance)(self.chance.getrandbits(64))

    def start(self):
        for client in self.promisers + self.workers:
            client.start()

    def stop_promising(self):
        for client in self.promisers:
            client.stopping.set()
        for client in self.promisers:
            client.join(200)

    def stop_working(self):
        for client in self.workers:
            client.stopping.set()
        for client in self.workers:
            client.join(200)

    def abandon(self):
        for client in self.promisers + self.workers:
            client.stopping.set()
            client.asker.is_over.set()
        self.admin.is_over.set()

    def drain(self, seconds=150):
        """Waits until what was promised has come to its end."""
        deadline = time.monotonic() + seconds
        pending, license = {}, {}
        while time.monotonic() < deadline:
            pending = self.look("/workflow-schedules?status=pending&limit=1")
            # Both counts from one moment, after the promises: what fired is in one of them.
            license = self.look("/license")
            if not pending or not license:
                continue
            if not pending["items"] and not license["queued"] + license["in_progress"]:
                return
            time.sleep(0.1)
        self.ledger.complain(f"not all had come to its end after {seconds} s: "
                             f"{len(pending.get('items', ()))} pending, {license}")

    def look(self, path):
        status, answer, _ = self.admin.ask("GET", path, keyed=False)
        if status == 200:
            return answer
        self.ledger.complain(f"GET {path}: {status} {answer}")
        time.sleep(0.1)
        return None


def digest(payload):
    """What the log must say of a payload that it brought, and the payload itself."""
    data = base64.b64decode(payload["base64"])
    return hashlib.sha256(base64.b64decode(payload["salt"]) + data).hexdigest(), data
