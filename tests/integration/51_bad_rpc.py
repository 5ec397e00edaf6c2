# SPDX-License-Identifier: Apache-2.0
"""Messages that no healthy control plane sends, put on the agent's own queue. It must answer or log, and go on."""
import json
import socket
import time
import uuid

import amqp

from lab import HOST, Skip, golden, until

URL = {"host": "127.0.0.1:5672", "userid": "openstack", "password": "labpw"}


class Caller:
    """Speaks oslo.messaging's envelope by hand, so that it can be wrong on purpose."""

    def __init__(self, topic=f"compute.{HOST}"):
        self.connection = amqp.Connection(**URL)
        self.connection.connect()
        self.channel = self.connection.channel()
        self.queue = self.channel.queue_declare("reply_" + uuid.uuid4().hex, exclusive=True).queue
        self.replies = []
        self.channel.basic_consume(self.queue, callback=self.replies.append, no_ack=True)
        self.topic = topic

    def put(self, body, **properties):
        properties.setdefault("content_type", "application/json")
        properties.setdefault("content_encoding", "utf-8")
        self.channel.basic_publish(amqp.Message(body, **properties), exchange="nova", routing_key=self.topic)

    def call(self, method, args, version="6.0", seconds=30, **extra):
        """The reply as a dictionary: result, or failure."""
        unique = uuid.uuid4().hex
        message = {"method": method, "args": args, "version": version, "_msg_id": unique, "_reply_q": self.queue,
                   "_timeout": None, "_unique_id": uuid.uuid4().hex, "_context_request_id": "req-" + str(uuid.uuid4()),
                   "_context_is_admin": True, "_context_user_id": None, "_context_project_id": None}
        message.update(extra)
        self.put(json.dumps({"oslo.version": "2.0", "oslo.message": json.dumps(message)}))
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                self.connection.drain_events(timeout=1)
            except socket.timeout:
                continue
            for reply in self.replies:
                inner = json.loads(json.loads(reply.body)["oslo.message"])
                if inner.get("_msg_id") == unique and ("failure" in inner or inner.get("ending")):
                    return inner
        raise TimeoutError(f"no reply to {method}")

    def close(self):
        self.connection.close()


def failure_of(reply):
    """Class and module of the failure, or None when the call succeeded."""
    if not reply.get("failure"):
        return None
    failure = json.loads(reply["failure"])
    return [failure["class"], failure["module"]]


def alive(lab):
    """The agent still answers calls and reports itself."""
    caller = Caller()
    try:
        uptime = caller.call("get_host_uptime", {})
        assert not uptime.get("failure") and uptime["result"], uptime
    finally:
        caller.close()
    assert lab.service_up()


def refused(method, args, **kw):
    caller = Caller()
    try:
        return failure_of(caller.call(method, args, **kw))
    finally:
        caller.close()


def test_ping(lab):  # pylint: disable=unused-argument
    caller = Caller()
    try:
        reply = caller.call("ping", {"arg": "hello"}, version="1.1", namespace="baseapi")
        assert reply["result"] == {"service": "compute", "arg": "hello"}, reply
    finally:
        caller.close()


def test_unknown_method(lab):
    golden("rpc-unknown-method", refused("make_coffee", {}))
    alive(lab)


def test_unknown_namespace(lab):
    golden("rpc-unknown-namespace", refused("ping", {}, namespace="kitchen"))
    alive(lab)


def test_version_that_is_not_spoken(lab):
    golden("rpc-version", [refused("get_host_uptime", {}, version=v) for v in ("4.0", "6.99", "7.0")])
    alive(lab)


def test_missing_argument(lab):
    golden("rpc-missing-argument", refused("set_host_enabled", {}))
    alive(lab)


def test_unknown_argument(lab):
    golden("rpc-unknown-argument", refused("get_host_uptime", {"sugar": 2}))
    alive(lab)


def test_argument_of_a_wrong_type(lab):
    # upstream fails somewhere inside with whatever exception comes; what counts is that there is an error and life after it
    assert refused("get_console_output", {"instance": "not an object", "tail_length": None})
    alive(lab)


def test_object_that_is_too_new(lab):
    if lab.agent != "novad":
        raise Skip("upstream asks the conductor for an older one, and stands still for a minute")
    new = {"nova_object.name": "Instance", "nova_object.namespace": "nova", "nova_object.version": "99.0", "nova_object.data": {}}
    assert refused("get_console_output", {"instance": new, "tail_length": None})
    alive(lab)


def test_object_of_a_foreign_kind(lab):
    foreign = {"nova_object.name": "Teapot", "nova_object.namespace": "nova", "nova_object.version": "1.0", "nova_object.data": {}}
    assert refused("get_console_output", {"instance": foreign, "tail_length": None})
    alive(lab)


def test_broken_messages(lab):
    caller = Caller()
    good = {"method": "get_host_uptime", "args": {}, "version": "6.0", "_unique_id": uuid.uuid4().hex}
    try:
        caller.put("")
        caller.put("{")
        caller.put("[]")
        caller.put("null")
        caller.put(b"\xff\xfe\x00garbage", content_encoding="binary")
        caller.put(json.dumps({"oslo.version": "2.0", "oslo.message": "{"}))
        caller.put(json.dumps({"oslo.version": "2.0", "oslo.message": "[1, 2]"}))
        caller.put(json.dumps({"oslo.version": "9.0", "oslo.message": json.dumps(good)}))
        caller.put(json.dumps({"oslo.version": "2.0"}))
        caller.put(json.dumps({"oslo.version": "2.0", "oslo.message": json.dumps(dict(good, args=[1]))}))
        caller.put(json.dumps({"oslo.version": "2.0", "oslo.message": json.dumps(dict(good, method=7))}))
        caller.put(b'{"oslo.version": "2.0", "oslo.message": "{\\"method\\": \\"\xc3\x28\\"}"}')
        caller.put(json.dumps({"oslo.version": "2.0", "oslo.message": json.dumps(good)}), content_type="text/plain")
    finally:
        caller.close()
    alive(lab)


def test_deep_nesting(lab):
    caller = Caller()
    try:
        deep = "[" * 100000 + "]" * 100000
        inner = '{"method": "get_host_uptime", "version": "6.0", "_unique_id": "%s", "args": {"x": %s}}' % (uuid.uuid4().hex, deep)
        caller.put(json.dumps({"oslo.version": "2.0", "oslo.message": inner}))
    finally:
        caller.close()
    alive(lab)


def test_fifty_megabytes(lab):
    caller = Caller()
    try:
        inner = json.dumps({"method": "get_host_uptime", "version": "6.0", "_unique_id": uuid.uuid4().hex, "args": {"x": "y" * (50 << 20)}})
        caller.put(json.dumps({"oslo.version": "2.0", "oslo.message": inner}))
    finally:
        caller.close()
    until("an agent that goes on", 60, lambda: alive(lab) is None)


def test_what_libvirt_lacks(lab):
    """Refused as upstream's libvirt driver refuses them."""
    not_there = ["NotImplementedError", "builtins"]
    assert refused("host_maintenance_mode", {"host": HOST, "mode": True}) == not_there
    assert refused("host_power_action", {"action": "reboot"}) == not_there
    instance = {"nova_object.name": "Instance", "nova_object.namespace": "nova", "nova_object.version": "2.7",
                "nova_object.data": {"uuid": str(uuid.uuid4()), "id": 1}}
    assert refused("get_rdp_console", {"instance": instance, "console_type": "rdp-html5"}) == ["ConsoleTypeUnavailable", "nova.exception"]
    alive(lab)


def test_same_message_twice(lab):
    caller = Caller()
    try:
        same = uuid.uuid4().hex
        first = caller.call("get_host_uptime", {}, _unique_id=same)
        assert first["result"]
        try:
            caller.call("get_host_uptime", {}, _unique_id=same, seconds=3)
        except TimeoutError:
            return
        raise AssertionError("a message with the same _unique_id ran twice")
    finally:
        caller.close()
        alive(lab)
