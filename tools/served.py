"""A real server for the tools that test one, and how to ask it."""

import http.client
import json
import os
import re
import signal
import ssl
import subprocess
import time


class Server:
    """`daybook serve` on a data directory; its port changes with each start."""

    def __init__(self, binary, directory, *options):
        self.binary, self.directory, self.options = binary, directory, options
        self.process, self.port, self.is_secure = None, None, False
        self.log = directory.rstrip("/") + ".txt"

    def start(self, *options):
        with open(self.log, "ab") as output:
            before = output.tell()
            self.process = subprocess.Popen(
                [self.binary, "serve", "--data-dir", self.directory, "--port", "0",
                 "--disk-reserve-percent", "0", *self.options, *options],
                stdout=output, stderr=output)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            found = re.search(r"listens on (https?)://\S+:(\d+)", self.said(before))
            if found:
                self.is_secure, self.port = found[1] == "https", int(found[2])
                # It listens before the log has been replayed and the first key is made.
                if self.ask("GET", "/license")[0] == 401:
                    return self
            if self.process.poll() is not None:
                return None
            time.sleep(0.01)
        raise RuntimeError("the server did not start within a minute")

    def said(self, since=0):
        with open(self.log, "rb") as file:
            file.seek(since)
            return file.read().decode("utf-8", "replace")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    @property
    def key(self):
        with open(os.path.join(self.directory, "admin.key")) as file:
            return file.read().strip()

    def ask(self, method, path, body=None, key=None, accept=None):
        """Status and body: read as JSON where it is that, otherwise as bytes."""
        headers = {"Content-Type": "application/json"}
        if key:
            headers["Authorization"] = "Bearer " + key
        if accept:
            headers["Accept"] = accept
        if self.is_secure:
            # Who tests the certificate looks at it.
            connection = http.client.HTTPSConnection(
                "127.0.0.1", self.port, timeout=60, context=ssl._create_unverified_context())
        else:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(
                method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            data = answer.read()
        finally:
            connection.close()
        is_json = "json" in (answer.headers["Content-Type"] or "")
        return answer.status, json.loads(data) if is_json else data
