"""Where measurements are made: binaries, servers, the load generator, directories that are made once."""

import datetime
import http.client
import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import time

from benchmarks.report import Impossible, check, say
from served import Server

TOOLS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class Ground:
    def __init__(self, binary, work, is_quick):
        self.binary, self.is_quick = binary, is_quick
        os.makedirs(work, exist_ok=True)
        kind = output_of("stat", "-f", "-c", "%T", work).strip()
        check(kind not in ("tmpfs", "ramfs", "overlayfs", "nfs"),
              f"{work} is on {kind}: measure on a real disk, with --work")
        self.file_system = kind
        # A folder of its own in it, so that nothing of anybody's is removed.
        self.work = os.path.join(work, f"run-{os.getpid()}")
        os.mkdir(self.work)
        self.servers, self.loads, self.counter = [], [], 0
        self.loadgen = self.build_loadgen()
        self.raw_lmdb = os.path.join(self.work, "raw-lmdb")
        subprocess.run(["cc", "-O2", "-o", self.raw_lmdb, os.path.join(TOOLS, "raw-lmdb.c"), "-llmdb"], check=True)
        self.fixtures = {}

    def build_loadgen(self):
        package = os.path.join(TOOLS, "loadgen")
        say("building the load generator")
        command = ["swift", "build", "--package-path", package, "-c", "release", "--static-swift-stdlib"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return os.path.join(output_of(*command, "--show-bin-path").strip(), "loadgen")

    def pick(self, full, quick):
        return quick if self.is_quick else full

    def path(self, name):
        self.counter += 1
        return os.path.join(self.work, f"{self.counter}-{name}")

    # Servers

    def serve(self, directory=None, *options):
        """A server on the directory, or on a new one, in its usual settings."""
        server = Measured(self.binary, directory or self.path("data"), "--log-level", "notice", *options)
        self.servers.append(server)
        check(server.start() is not None, f"the server did not start: {server.said()[-500:]}")
        return server

    def done(self, server, keep=False):
        """Stops the server in order; the directory goes, unless it is kept."""
        check(server.stop() == 0, "the server did not stop in order")
        self.servers.remove(server)
        if not keep:
            shutil.rmtree(server.directory)

    def copy(self, directory):
        """A copy of the directory, which a server must be told to resume."""
        path = self.path("copy")
        shutil.copytree(directory, path)
        for name in ("owner.lock", "db/lock.mdb"):
            if os.path.exists(os.path.join(path, name)):
                os.remove(os.path.join(path, name))
        subprocess.run(["sync", "-f", path], check=True)
        return path

    def serve_copy(self, directory, *options):
        server = self.serve(self.copy(directory), *options)
        server.wants("POST", "/resume", 200, {})
        return server

    # Load

    def start_load(self, **specification):
        load = Load(self.loadgen, specification)
        self.loads.append(load)
        return load

    def load(self, **specification):
        """Runs the load generator to its end; `cpu_seconds` is what it used itself."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        result = self.start_load(**specification).result(600)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        result["cpu_seconds"] = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return result

    def drive(self, server, **request):
        """A load of one kind of request; see tools/loadgen."""
        return self.load(**drive_specification(server, **request))

    def start_drive(self, server, **request):
        return self.start_load(**drive_specification(server, **request))

    # Raw LMDB

    def raw(self, mode, *words):
        """The JSON object that raw-lmdb prints; its directory is made for it and removed."""
        directory = self.path("raw")
        output = output_of(self.raw_lmdb, mode, directory, *map(str, words))
        shutil.rmtree(directory)
        return json.loads(output)

    def sync_times(self):
        """How long this disk takes for a page and fdatasync."""
        return json.loads(output_of(self.raw_lmdb, "sync", self.work, str(self.pick(3, 1))))

    def shape(self, directory):
        """Rows and sizes of each table; no server may have the directory."""
        return json.loads(output_of(self.raw_lmdb, "shape", os.path.join(directory, "db")))

    def stats(self, directory):
        """What `daybook log stats` counts, every entry verified."""
        return json.loads(output_of(self.binary, "log", "stats", "--json", "--data-dir", directory))

    # Directories that several rows use; they are made when the first one asks, and never changed.

    def pending(self, count):
        """So many schedules pending in the next year, and nothing else."""
        def make(server):
            fill(self, server, server.workflow({"type": "echo"}), count)

        return self.fixture(f"pending-{count}", make)

    def mixed(self, entries, pending):
        """A log of so many entries: schedules that were created, fired, started and completed, and those that
        are still pending."""
        def make(server):
            runs = (entries - pending) // 4
            workflow = server.workflow({"type": "echo"})
            server.license(1000)
            fill(self, server, workflow, runs, soon=True)
            server.wait_for("complete", runs, 600)
            fill(self, server, workflow, pending)

        return self.fixture(f"mixed-{entries}-{pending}", make)

    def fixture(self, name, make):
        if name not in self.fixtures:
            say(f"making the directory {name}")
            begun = time.monotonic()
            server = self.serve(self.path(name))
            make(server)
            memory = server.anonymous_mib()
            self.done(server, keep=True)
            self.fixtures[name] = (server.directory, memory)
            say(f"  {time.monotonic() - begun:.0f} s")
        return self.fixtures[name][0]

    def end_all(self):
        """Ends whatever still runs, so that a row that failed does not disturb the next one."""
        for load in self.loads:
            load.kill()
        for server in self.servers:
            if server.process and server.process.poll() is None:
                server.kill()
        self.loads, self.servers = [], []

    def clean(self):
        """Ends whatever still runs, and removes everything."""
        self.end_all()
        shutil.rmtree(self.work, ignore_errors=True)


def output_of(*command):
    """What the command prints; it must end well."""
    output = subprocess.run(command, capture_output=True, text=True)
    check(output.returncode == 0, f"{' '.join(command[:3])} ended with {output.returncode}: {output.stderr[-500:]}")
    return output.stdout


def fill(ground, server, workflow, count, soon=False):
    """Makes schedules through the batch route, 10,000 a request, all of them answered 201.

    Where they are to come due soon, a request holds 1,000: it must be served before the first of them does.
    """
    items = min(1_000 if soon else 10_000, count)
    check(count % items == 0, f"{count} is no multiple of {items}")
    # Offsets from the request in the one case, one year in the other.
    between = ground.pick((4_000_000, 8_000_000), (1_500_000, 3_000_000)) if soon else next_year()
    made = ground.drive(server, kind="batch", path=f"/workflows/{workflow}/schedules/batch", connections=2,
                        items=items, count=count // items, between=between)
    check(made["items"] == count, f"{made['items']} of {count} schedules were made")
    return made


def next_year():
    """From a day on, for a year, in microseconds since 1970."""
    day = 86_400_000_000
    start = int(time.time() * 1e6) + day
    return start, start + 365 * day


def drive_specification(server, kind, path=None, paths=None, connections=32, seconds=0, warmup=0, count=0, rate=0,
                        items=1, input_bytes=200, between=(0, 0), measure_from=0):
    return {"mode": "drive", "port": server.port, "key": server.key, "connections": connections, "seconds": seconds,
            "warmup": warmup, "count": count, "rate": rate, "measure_from": measure_from,
            "request": {"kind": kind, "paths": paths or [path], "input_bytes": input_bytes, "items": items,
                        "from": between[0], "to": between[1]}}


class Load:
    """One process of the load generator."""

    def __init__(self, binary, specification):
        self.process = subprocess.Popen([binary, json.dumps(specification)], stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)

    def line(self):
        """The next object that it prints."""
        line = self.process.stdout.readline()
        if not line:
            raise Impossible(f"the load generator ended: {self.process.stderr.read().strip()}")
        return json.loads(line)

    def stop(self):
        """Has it send nothing more and tell what it has."""
        self.process.send_signal(signal.SIGTERM)

    def result(self, seconds):
        try:
            output, errors = self.process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Impossible(f"the load generator did not end within {seconds} s")
        check(self.process.returncode == 0 and output.strip(), f"the load generator: {errors.strip()}")
        return json.loads(output.strip().splitlines()[-1])

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


class Measured(Server):
    """A server that is asked about itself. What it is asked it must answer as expected."""

    def wants(self, method, path, status, body=None):
        answer = self.ask(method, path, body, key=self.key)
        check(answer[0] == status, f"{method} {path} was answered {answer[0]}: {str(answer[1])[:300]}")
        return answer[1]

    def workflow(self, executor, **fields):
        """The id of a new workflow."""
        name = f"bench-{time.monotonic_ns()}"
        return self.wants("POST", "/workflows", 201,
                          {"name": name, "definition": {"executor": executor}, **fields})["id"]

    def give(self, workflow, items):
        """Gives these schedules in one batch; each of them must be answered 201."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        headers = {"Authorization": "Bearer " + self.key, "Content-Type": "application/json"}
        connection.request("POST", f"/workflows/{workflow}/schedules/batch", json.dumps(items), headers)
        answer = connection.getresponse()
        lines = [json.loads(line) for line in answer.read().splitlines()]
        connection.close()
        check(answer.status == 200 and [line["status"] for line in lines] == [201] * len(items),
              f"not all of {len(items)} schedules were made")

    def license(self, runs):
        team = self.wants("GET", "/license", 200)["team_id"]
        self.wants("PATCH", f"/teams/{team}/license", 200, {"max_concurrent_runs": runs})

    def metrics(self):
        """Every sample of /metrics by its name and labels."""
        text = self.wants("GET", "/metrics", 200).decode()
        found = re.findall(r"^(\w+(?:\{[^}]*\})?) (\S+)$", text, re.MULTILINE)
        return {name: float(value) for name, value in found}

    def commands(self, name, metrics=None):
        """How many commands of this name were made durable since the process began."""
        return int((metrics or self.metrics()).get(f'daybook_commands_total{{command="{name}"}}', 0))

    def wait_for(self, name, count, seconds):
        """Until so many commands of this name were made durable."""
        deadline = time.monotonic() + seconds
        while self.commands(name) < count:
            check(time.monotonic() < deadline, f"{self.commands(name)} of {count} {name} within {seconds} s")
            time.sleep(0.1)

    def batches(self):
        """Commands and commits so far: the difference of two looks gives a mean batch."""
        metrics = self.metrics()
        return metrics["daybook_batch_commands_sum"], metrics["daybook_batch_commands_count"]

    def mean_batch(self, before):
        commands, commits = self.batches()
        check(commits > before[1], "no commits were counted")
        return (commands - before[0]) / (commits - before[1])

    def anonymous_mib(self):
        """Memory that is not the mapped file's."""
        with open(f"/proc/{self.process.pid}/status") as file:
            return int(re.search(r"^RssAnon:\s+(\d+) kB", file.read(), re.MULTILINE)[1]) / 1024

    def cpu_seconds(self):
        with open(f"/proc/{self.process.pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Wire:
    """A kept connection with as little around it as Python allows."""

    def __init__(self, server):
        self.key = server.key
        self.socket = socket.create_connection(("127.0.0.1", server.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.settimeout(60)

    def request(self, method, path, body=None):
        """The bytes of a request."""
        data = b"" if body is None else json.dumps(body).encode()
        return (f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {self.key}\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n").encode() + data

    def send(self, request):
        self.socket.sendall(request)

    def receive(self):
        """Status and body."""
        data = b""
        while b"\r\n\r\n" not in data:
            data += self.more()
        head, _, body = data.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: *(\d+)", head)
        check(length is not None, "an answer without a length")
        while len(body) < int(length[1]):
            body += self.more()
        return int(head[9:12]), body

    def more(self):
        data = self.socket.recv(65536)
        check(data, "the server closed a connection")
        return data

    def ask(self, method, path, body=None, status=200):
        self.send(self.request(method, path, body))
        got, answer = self.receive()
        check(got == status, f"{method} {path} was answered {got}: {answer[:300]}")
        return json.loads(answer)

    def close(self):
        self.socket.close()


def instant(seconds):
    """A time as the API takes it."""
    moment = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def instant_of(text):
    """Microseconds since 1970 of a time that the API gave."""
    moment = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return int(moment.timestamp()) * 1_000_000 + moment.microsecond
