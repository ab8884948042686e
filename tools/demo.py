"""The part of tools/demo that talks to the server. Only Python's own library."""

import argparse
import datetime
import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request


def main():
    options = argparse.ArgumentParser(prog="tools/demo")
    options.add_argument("root")
    options.add_argument("--port", type=int, default=8080)
    options.add_argument("--stop", action="store_true")
    options = options.parse_args()
    binary = os.path.join(options.root, ".build/release/daybook")
    directory = os.path.join(options.root, "daybook-data/demo")
    os.makedirs(directory, exist_ok=True)
    output = os.path.join(directory, "server.txt")
    server, url = start(binary, directory, output, options.port)
    try:
        show(binary, directory, url)
    except BaseException:
        server.terminate()
        raise
    if options.stop:
        server.terminate()
        code = server.wait(timeout=30)
        print(f"\nThe server has stopped (exit code {code}).")
        sys.exit(code)
    print_hints(url, directory, server.pid)


def start(binary, directory, output, port):
    with open(output, "wb") as file:
        server = subprocess.Popen(
            [binary, "serve", "--data-dir", directory, "--port", str(port)],
            stdout=file, stderr=subprocess.STDOUT, start_new_session=True)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with open(output) as file:
            text = file.read()
        found = re.search(r"Daybook listens on (http://\S+)", text)
        # The socket opens before the log has been replayed and the first key is made.
        if found and is_ready(found[1]):
            return server, found[1]
        if server.poll() is not None:
            sys.exit(f"The server did not start:\n{text}")
        time.sleep(0.05)
    server.kill()
    sys.exit("The server did not start within a minute.")


def is_ready(url):
    try:
        with urllib.request.urlopen(url + "/readyz", timeout=10) as answer:
            return answer.status == 200
    except OSError:
        return False


class Client:
    def __init__(self, url, key):
        self.url, self.key = url, key

    def call(self, method, path, body=None):
        request = urllib.request.Request(
            self.url + path, method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=70) as answer:
                return json.load(answer), answer.headers
        except urllib.error.HTTPError as error:
            sys.exit(f"{method} {path}: {error.code} {error.read().decode()}")


def show(binary, directory, url):
    with open(os.path.join(directory, "admin.key")) as file:
        client = Client(url, file.read().strip())
    workflow, _ = client.call(
        "POST", "/workflows",
        {"name": "reminder call", "definition": {"executor": {"type": "echo", "delay_ms": 20}}})
    print(f"\nA workflow: {workflow['id']} ({workflow['name']})\n")
    now = datetime.datetime.now(datetime.timezone.utc)
    positions, waiting = [], {}
    for seconds in (2, 4, 6):
        due = (now + datetime.timedelta(seconds=seconds)).isoformat()
        schedule, headers = client.call(
            "POST", f"/workflows/{workflow['id']}/schedules",
            {"scheduled_time": due, "run_input": {"call": f"patient {seconds // 2}"}})
        positions.append(int(headers["Daybook-Position"]))
        waiting[schedule["id"]] = seconds
        print(f"{clock(schedule['created_at'])}  promised   {schedule['id']}  "
              f"for {clock(schedule['scheduled_time'])}, in {seconds} s")
    print()
    fired = set()
    deadline = time.monotonic() + 30
    while waiting and time.monotonic() < deadline:
        for id in list(waiting):
            schedule, _ = client.call("GET", f"/workflow-schedules/{id}")
            if schedule["fired_at"] and id not in fired:
                fired.add(id)
                late = milliseconds(schedule["scheduled_time"], schedule["fired_at"])
                print(f"{clock(schedule['fired_at'])}  fired      {id}  {late:.1f} ms late")
            if schedule["status"] in ("completed", "failed", "cancelled"):
                run, _ = client.call("GET", f"/workflow-runs/{schedule['run_id']}")
                print(f"{clock(run['finished_at'])}  {schedule['status']}  {id}  "
                      f"output {json.dumps(run['output'])}")
                if schedule["status"] != "completed":
                    sys.exit("A promise was not kept.")
                del waiting[id]
        time.sleep(0.02)
    if waiting:
        sys.exit("A promise was not kept within 30 s.")
    print(f"\nThe log from position {positions[0]} on, which proves it "
          f"(daybook log show --from {positions[0]}):\n", flush=True)
    subprocess.run(
        [binary, "log", "show", "--data-dir", directory, "--from", str(positions[0])], check=True)


def clock(text):
    return text.split("T")[1].rstrip("Z").ljust(15, "0") if "." in text \
        else text.split("T")[1].rstrip("Z") + ".000000"


def milliseconds(start, end):
    parse = datetime.datetime.fromisoformat
    return (parse(end) - parse(start)).total_seconds() * 1000


def print_hints(url, directory, pid):
    print(f"""
The server goes on running (process {pid}; `kill {pid}` stops it). To paste:

  KEY=$(cat {directory}/admin.key)
  curl -H "Authorization: Bearer $KEY" {url}/workflows
  curl -H "Authorization: Bearer $KEY" "{url}/workflow-schedules?status=completed"
  curl -H "Authorization: Bearer $KEY" {url}/workflow-runs
  curl {url}/readyz""")


main()
