#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""rpctap.py FILE: appends every message that crosses the broker to FILE, one JSON object a line:
time, exchange, routing keys, AMQP properties, and the body with the inner oslo.messaging message already decoded.
Needs the firehose on: rabbitmqctl trace_on."""
import json
import sys
import time

import amqp

URL = {"host": "127.0.0.1:5672", "userid": "openstack", "password": "labpw"}


def decoded(raw):
    try:
        body = json.loads(raw)
        if isinstance(body, dict) and "oslo.message" in body:
            body["oslo.message"] = json.loads(body["oslo.message"])
        return body
    except ValueError:
        return {"raw": raw if isinstance(raw, str) else raw.decode("latin1")}


def main():
    connection = amqp.Connection(**URL)
    connection.connect()
    channel = connection.channel()
    queue = channel.queue_declare(exclusive=True).queue
    channel.queue_bind(queue, "amq.rabbitmq.trace", "publish.#")
    with open(sys.argv[1], "a", buffering=1, encoding="utf-8") as out:

        def on_message(message):
            head = message.headers
            out.write(json.dumps({"t": time.time(), "exchange": head["exchange_name"], "keys": head["routing_keys"],
                                  "properties": head["properties"], "body": decoded(message.body)}, default=str) + "\n")

        channel.basic_consume(queue, callback=on_message, no_ack=True)
        print("recording", flush=True)
        while True:
            connection.drain_events()


if __name__ == "__main__":
    main()
