#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Talks to rpc-peer (novad's rpc/) with Debian's oslo.messaging through a real broker, both ways.

usage: rpc_peer.py RPC-PEER [TRANSPORT_URL]     prints TAP; a skipped plan when there is no broker or no oslo.messaging
"""
import json
import os
import queue
import socket
import subprocess
import sys
import threading
import time
import uuid

try:
    import oslo_messaging
    from oslo_config import cfg
    from oslo_messaging import conffixture  # noqa: F401
except ImportError as missing:
    print("1..0 # SKIP", missing)
    sys.exit(0)
try:
    import nova.exception
    ALLOWED = ["nova.exception"]
except ImportError:
    nova = None
    ALLOWED = []

PEER = sys.argv[1]
URL = sys.argv[2] if len(sys.argv) > 2 else os.environ.get("NOVAD_TEST_BROKER", "rabbit://openstack:labpw@127.0.0.1:5672/")
try:
    socket.create_connection(("127.0.0.1", 5672), 2).close()
except OSError as refused:
    print("1..0 # SKIP no broker:", refused)
    sys.exit(0)

TOPIC = "novadtest-" + uuid.uuid4().hex[:8]
PYTOPIC = "novadpy-" + uuid.uuid4().hex[:8]
count = 0
failed = 0


def check(name, good, detail=""):
    global count, failed
    count += 1
    failed += not good
    print("%sok %d - %s%s" % ("" if good else "not ", count, name, "" if good else "  # %s" % (detail,)), flush=True)


class Server(subprocess.Popen):
    """rpc-peer serving a topic; its lines come through a queue."""

    def __init__(self, url, topic, host):
        super().__init__([PEER, url, "serve", topic, host], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.lines = queue.Queue()
        threading.Thread(target=self.read_lines, daemon=True).start()
        assert "ready" in self.lines.get(timeout=40)

    def read_lines(self):
        for line in self.stdout:
            self.lines.put(json.loads(line))

    def finish(self):
        self.stdin.close()
        return self.wait(20)


def ours(*arguments, url=URL):
    out = subprocess.run([PEER, url] + list(arguments), stdout=subprocess.PIPE, text=True, timeout=90).stdout
    return json.loads(out.splitlines()[-1]) if out.strip() else None


conf = cfg.CONF
conf([], default_config_files=[])
transport = oslo_messaging.get_rpc_transport(conf, url=URL, allowed_remote_exmods=ALLOWED)
conf.set_override("control_exchange", "nova")


class Context(dict):
    def to_dict(self):
        return {"user_id": "alice", "roles": ["member"], "request_id": "req-1", "is_admin": False}


class Serializer(oslo_messaging.NoOpSerializer):
    def serialize_context(self, context):
        return context.to_dict()

    def deserialize_context(self, context):
        return context


def client_of(topic, version="6.0", **target):
    return oslo_messaging.RPCClient(transport, oslo_messaging.Target(topic=topic, version=version, exchange="nova", **target), serializer=Serializer())


def raised(call):
    try:
        call()
    except Exception as error:
        return error
    return None


def python_calls_us():
    client = client_of(TOPIC)
    context = Context()
    one = client.prepare(server="host-1", timeout=10)
    check("echo", one.call(context, "echo", arg={"a": [1, None, "\u00e9", 2.5]}) == {"a": [1, None, "\u00e9", 2.5]})
    check("any server of the topic", client.prepare(timeout=10).call(context, "echo", arg=1) == 1)
    got = one.call(context, "context", extra=1)
    check("context", got == {"user_id": "alice", "request_id": "req-1", "roles": ["member"]}, got)
    error = raised(lambda: one.call(context, "fail", kind="InstanceNotFound"))
    if nova:
        check("failure is rebuilt as nova's class", isinstance(error, nova.exception.InstanceNotFound) and error.kwargs["instance_id"] == "U-1"
              and error.kwargs["code"] == 404 and "U-1" in str(error), repr(error))
    error = raised(lambda: one.call(context, "fail", kind="NotImplementedError"))
    check("builtin failure", isinstance(error, NotImplementedError), repr(error))
    error = raised(lambda: one.call(context, "fail", kind="utf8"))
    check("broken UTF-8 in a failure", error is not None and "broken" in str(error), repr(error))
    error = raised(lambda: one.call(context, "fail", kind="other"))
    check("internal failure", "internal thing" in str(error), repr(error))
    error = raised(lambda: one.call(context, "no_such"))
    check("unknown method", isinstance(error, oslo_messaging.RemoteError) and error.exc_type == "NoSuchMethod", repr(error))
    error = raised(lambda: one.call(context, "echo", arg=1, wrong=2))
    check("unknown argument", isinstance(error, TypeError), repr(error))
    error = raised(lambda: one.call(context, "echo"))
    check("missing argument", isinstance(error, TypeError), repr(error))
    error = raised(lambda: one.prepare(version="6.9").call(context, "echo", arg=1))
    check("too new version", isinstance(error, oslo_messaging.RemoteError) and error.exc_type == "UnsupportedVersion", repr(error))
    error = raised(lambda: one.call(context, "forget", instance_id="x"))
    check("request dropped without answer gives an error", error is not None and not isinstance(error, oslo_messaging.MessagingTimeout), repr(error))
    base = client_of(TOPIC, namespace="baseapi", version="1.0").prepare(server="host-1", timeout=10, version="1.0")
    check("baseapi ping", base.call(context, "ping", arg="x") == {"service": "compute", "arg": "x"})
    check("backdoor port", base.prepare(version="1.1").call(context, "get_backdoor_port") is None)
    check("oslo ping", client.prepare(server="host-1", version="1.0", timeout=10).call(context, "oslo_rpc_server_ping") == "pong")
    big = "x" * (4 << 20)
    check("4 MiB both ways", one.prepare(timeout=30).call(context, "echo", arg=big) == big)
    error = raised(lambda: one.prepare(timeout=30).call(context, "echo", arg="x" * (50 << 20)))
    check("50 MiB is refused with an answer", error is not None and "limit" in str(error) and not isinstance(error, oslo_messaging.MessagingTimeout),
          repr(error)[:300])
    deep = []
    for _ in range(200):
        deep = [deep]
    error = raised(lambda: one.call(context, "echo", arg=deep))
    check("deep nesting is refused with an answer", error is not None and not isinstance(error, oslo_messaging.MessagingTimeout), repr(error)[:300])
    check("it still works", one.call(context, "echo", arg=2) == 2)
    started = time.time()
    monitored = client_of(TOPIC, server="host-1").prepare(server="host-1", timeout=30, call_monitor_timeout=2)
    check("call monitor: heartbeats keep a slow call alive", monitored.call(context, "slow", seconds=5) == "slept" and time.time() - started < 8)


def casts(servers):
    context = Context()
    client_of(TOPIC).prepare(server="host-1").cast(context, "note", text="one")
    line = servers[0].lines.get(timeout=10)
    check("cast to a server", line == {"note": "one"}, line)
    client_of(TOPIC).prepare(fanout=True).cast(context, "note", text="all")
    lines = [server.lines.get(timeout=10) for server in servers]
    check("fanout reaches every server", lines == [{"note": "all"}] * len(servers), lines)


class Endpoint:
    target = oslo_messaging.Target(version="6.0")
    notes = queue.Queue()

    def echo(self, ctxt, arg):
        return arg

    def fail_nova(self, ctxt):
        raise nova.exception.InstanceNotFound(instance_id="U-2")

    def fail_key(self, ctxt):
        raise KeyError("k")

    def fail_other(self, ctxt):
        raise oslo_messaging.ExpectedException

    def slow(self, ctxt, seconds):
        time.sleep(seconds)
        return "slept"

    def note(self, ctxt, text):
        self.notes.put(text)

    def big(self, ctxt, size):
        return "y" * size


def we_call_python():
    server = oslo_messaging.get_rpc_server(transport, oslo_messaging.Target(topic=PYTOPIC, server="py", exchange="nova"), [Endpoint()],
                                           executor="threading", access_policy=oslo_messaging.DefaultRPCAccessPolicy)
    server.start()
    time.sleep(1)
    call = lambda method, arguments="{}", timeout="10", monitor="0": ours("call", PYTOPIC, method, arguments, timeout, monitor)  # noqa: E731
    check("our call", call("echo", '{"arg": {"x": [1, "\u00e9"]}}') == {"result": {"x": [1, "\u00e9"]}})
    if nova:
        got = call("fail_nova")
        check("remote nova exception", got["error"]["class"] == "InstanceNotFound" and got["error"]["instance_id"] == "U-2", got)
    got = call("fail_key")
    check("remote builtin exception", got["error"]["class"] == "KeyError" and got["error"]["module"] == "builtins", got)
    got = call("nothing")
    check("remote dispatcher error", got["error"]["class"] == "NoSuchMethod", got)
    got = call("slow", '{"seconds": 30}', "2")
    check("our timeout", got["error"]["timeout"], got)
    got = call("slow", '{"seconds": 6}', "30", "2")
    check("our call monitor is kept alive by heartbeats", got == {"result": "slept"}, got)
    got = ours("call", "nobody-" + uuid.uuid4().hex, "echo", "{}", "1", "0")
    check("call to nobody times out", got["error"]["timeout"], got)
    check("large reply", len(call("big", '{"size": 8388608}', "30")["result"]) == 8388608)
    ours("cast", PYTOPIC, "note", '{"text": "cast"}')
    check("our cast", Endpoint.notes.get(timeout=10) == "cast")
    ours("fanout", PYTOPIC, "note", '{"text": "fan"}')
    check("our fanout", Endpoint.notes.get(timeout=10) == "fan")
    got = ours("flood", PYTOPIC, "400", "8")
    check("400 calls from 8 threads", got["result"]["failed"] == 0, got)
    print("# 400 calls took %.2f s" % got["result"]["seconds"])
    server.stop()


class Listener:
    def __init__(self):
        self.seen = queue.Queue()

    def info(self, ctxt, publisher_id, event_type, payload, metadata):
        self.seen.put((publisher_id, event_type, payload))

    error = info


def notifications():
    event = "novad.test." + uuid.uuid4().hex[:8]
    endpoint = Listener()
    endpoint.filter_rule = oslo_messaging.NotificationFilter(event_type=event)
    notify_transport = oslo_messaging.get_notification_transport(conf, url=URL)
    targets = [oslo_messaging.Target(topic="notifications", exchange="nova"), oslo_messaging.Target(topic="versioned_notifications", exchange="nova")]
    listener = oslo_messaging.get_notification_listener(notify_transport, targets, [endpoint], executor="threading", pool="novad-test")
    listener.start()
    time.sleep(1)
    ours("notify", event, '{"a": 1}')
    got = sorted(endpoint.seen.get(timeout=10) for _ in range(2))
    check("notifications, unversioned and versioned", got == [("compute.h", event, {"a": 1}), ("nova-compute:h", event, {"a": 1})], got)
    listener.stop()


def variant(name, query):
    """The same server with other queue options."""
    topic = TOPIC + "-" + name
    server = Server(URL + "?" + query, topic, "host-1")
    check("%s queues: a call" % name, client_of(topic).prepare(server="host-1", timeout=10).call(Context(), "echo", arg=name) == name)
    return server.finish()


def real_conductor():
    """Reads through nova's own conductor if one runs on this broker."""
    base = oslo_messaging.RPCClient(transport, oslo_messaging.Target(topic="conductor", version="1.0", namespace="baseapi", exchange="nova"),
                                    timeout=5, serializer=Serializer())
    if raised(lambda: base.call(Context(), "ping", arg="x")) is not None:
        check("conductor # SKIP none answers", True)
        return
    got = ours("conductor", socket.gethostname())["result"]
    check("conductor answers", got["ping"] == "ok", got)
    check("its release is found", got["release"] in ("Zed", "2023.1", "2024.1", "2025.1", "2025.2", "2026.1"), got)
    check("records are read", got["instances"] == "list" and got["minimum"] == "number", got)
    check("missing ones have nova's class", got["missing"] == "InstanceNotFound" and got["event"] == "InstanceActionNotFound", got)


servers = [Server(URL, TOPIC, "host-1"), Server(URL, TOPIC, "host-2")]
python_calls_us()
casts(servers)
for each in servers:
    check("server ends cleanly", each.finish() == 0)
we_call_python()
notifications()
real_conductor()
# Python's publisher declares the exchange `nova` as not durable here, so the durable ones use the fallback or an exchange of their own.
variant("autodelete-ttl", "rabbit_transient_queues_ttl=0")
variant("managed", "use_queue_manager=1&hostname=h&processname=p")
variant("gzip", "kombu_compression=gzip")
variant("plain-login", "rabbit_login_method=PLAIN")
variant("quorum", "rabbit_quorum_queue=1&rabbit_quorum_delivery_limit=5")
variant("transient-quorum", "rabbit_transient_quorum_queue=1")
variant("stream", "rabbit_transient_quorum_queue=1&rabbit_stream_fanout=1&rabbit_qos_prefetch_count=10")


def clean_up():
    """Topic queues and exchanges stay on the broker by design: take ours away."""
    import amqp
    url = transport._driver._url.hosts[0]
    connection = amqp.Connection("%s:%d" % (url.hostname, url.port or 5672), userid=url.username, password=url.password)
    connection.connect()
    variants = ["", "-autodelete-ttl", "-managed", "-gzip", "-plain-login", "-quorum", "-transient-quorum", "-stream"]
    for topic in [TOPIC + name for name in variants] + [PYTOPIC]:
        for name in (topic, topic + ".host-1", topic + ".host-2", topic + ".py", topic + "_fanout"):
            connection.channel().queue_delete(name)
        connection.channel().exchange_delete(topic + "_fanout")
    connection.channel().queue_delete("novad-test")
    connection.close()


clean_up()
print("1..%d" % count)
sys.exit(failed != 0)
