#!/usr/bin/env python3
"""Events start runs, and finished runs tell.

Sends a signed webhook and an SQS message to a running Daybook, sees both runs complete, and is the receiver
that verifies the signatures of what Daybook tells it about them.

    DAYBOOK_KEY=dbk_… python3 docs/examples/edges.py --server http://127.0.0.1:8080 --sqs http://127.0.0.1:5000

`--sqs` is a server that speaks SQS, such as `moto_server`; Daybook must be allowed to reach it and this program
(`--egress-allow 127.0.0.0/8`), and both find AWS credentials in their environment. Needs the packages boto3 and
standardwebhooks.
"""

import argparse
import datetime
import http.server
import json
import os
import queue
import threading
import urllib.request

import boto3
from standardwebhooks import Webhook


class Daybook:
    def __init__(self, server, key):
        self.server, self.key = server, key

    def ask(self, method, path, body=None):
        request = urllib.request.Request(
            self.server + path, method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": "Bearer " + self.key, "Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)


class Receiver:
    """Takes completion webhooks: believes only what is signed."""

    def __init__(self):
        self.secret, self.told = None, queue.Queue()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                try:
                    # Over the bytes as they came: a body that was parsed and written again is another one.
                    Webhook(receiver.secret).verify(body, dict(self.headers.items()))
                except Exception as error:
                    receiver.told.put(error)
                    self.send_response(401)
                else:
                    receiver.told.put(json.loads(body))
                    self.send_response(204)
                self.end_headers()

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/daybook"


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--server", default=os.environ.get("DAYBOOK_SERVER", "http://127.0.0.1:8080"))
    options.add_argument("--sqs", required=True, help="where SQS is spoken")
    options = options.parse_args()
    daybook = Daybook(options.server, os.environ["DAYBOOK_KEY"])

    workflow = daybook.ask("POST", "/workflows", {
        "name": "intake", "definition": {"executor": {"type": "echo"}}})["id"]

    # Who wants to be told when a run has ended.
    receiver = Receiver()
    receiver.secret = daybook.ask("POST", "/workflow-webhooks", {
        "name": "example", "url": receiver.url, "actions": ["workflow_run_completed"],
        "workflow_ids": [workflow]})["secret"]

    # A webhook, signed as Standard Webhooks has it.
    hook = daybook.ask("POST", "/workflow-triggers", {
        "kind": "webhook", "workflow_id": workflow, "name": "hook",
        "verification": {"type": "standard"}})
    body, now = '{"patient": 7, "weight": 71.50}', datetime.datetime.now(datetime.timezone.utc)
    signature = Webhook(hook["secret"]).sign("message-1", now, body)
    request = urllib.request.Request(
        options.server + hook["path"], data=body.encode(), method="POST",
        headers={"Content-Type": "application/json", "webhook-id": "message-1",
                 "webhook-timestamp": str(int(now.timestamp())), "webhook-signature": signature})
    with urllib.request.urlopen(request, timeout=30) as answer:
        by_hook = json.load(answer)["run_id"]
    print(f"webhook  → run {by_hook}")

    # A message of a queue. The trigger is an administrator's to make.
    sqs = boto3.client("sqs", endpoint_url=options.sqs, region_name="eu-central-1")
    queue_url = sqs.create_queue(QueueName="daybook-example")["QueueUrl"]
    daybook.ask("POST", "/workflow-triggers", {
        "kind": "sqs", "workflow_id": workflow, "name": "queue", "queue_url": queue_url,
        "region": "eu-central-1", "endpoint": options.sqs})
    message = sqs.send_message(QueueUrl=queue_url, MessageBody='{"patient": 8}')["MessageId"]
    print(f"message  → {message}")

    told = {}
    while len(told) < 2:
        event = receiver.told.get(timeout=60)
        if isinstance(event, Exception):
            raise event
        told[event["run"]["id"]] = event
        print(f"told     ← {event['event']}: run {event['run']['id']} {event['run']['status']}, "
              f"output {json.dumps(event['run']['output'])}")
    outputs = [event["run"]["output"] for event in told.values()]
    assert told[by_hook]["run"]["output"] == {"patient": 7, "weight": 71.5}, outputs
    assert {"patient": 8} in outputs, outputs
    assert all(event["run"]["mode"] == "triggered" for event in told.values())
    left = sqs.get_queue_attributes(
        QueueUrl=queue_url,
        AttributeNames=["ApproximateNumberOfMessages"])["Attributes"]["ApproximateNumberOfMessages"]
    assert left == "0", left
    print("both runs completed, and both signatures verify")


if __name__ == "__main__":
    main()
