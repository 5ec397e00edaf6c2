# SPDX-License-Identifier: Apache-2.0
"""What a fixed point of the lifecycle consists of: action events, notifications, faults and database rows, with the values
that differ from run to run replaced by what they are."""
import json
import os
import re
import time

import amqp
import pymysql

from lab import HOST, LAB  # which also finds tests/lab
from cloud import PASSWORD

GONE = "(gone)"

# Text that differs from run to run, and what stands for it. Digits of a time become 0, so that its form is compared.
TIME = re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,6})?")
REPLACED = (
    (re.compile(r"req-[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"), "REQUEST"),
    (re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"), "UUID"),
    (re.compile(r"\b[0-9a-f]{2}(?::[0-9a-f]{2}){15}\b"), "FINGERPRINT"),
    (re.compile(r"\b[0-9a-f]{2}(?::[0-9a-f]{2}){5}\b"), "MAC"),
    (re.compile(r"\b198\.51\.100\.\d+\b"), "ADDRESS"),
    (re.compile(r"\btap[0-9a-f]{8}-[0-9a-f]{2}"), "TAP"),
    (re.compile(r"\bbrq[0-9a-f]{8}-[0-9a-f]{2}"), "BRIDGE"),
    (re.compile(r"(?<![0-9a-zA-Z])[0-9a-f]{32}(?![0-9a-zA-Z])"), "HEX"),  # also at the end of num_proj_
    (re.compile(r"\br-[0-9a-z]{8}\b"), "RESERVATION"),
    (re.compile(r"\binstance-[0-9a-f]{8}\b"), "DOMAIN"),
    (re.compile(r"ssh-ed25519 [\w+/=]+( \S+)?"), "KEY"),
)
# Members whose numbers are keys of this database.
IDENTITIES = {"id", "internal_id", "instance_type_id", "old_instance_type_id", "new_instance_type_id", "action_id", "service_id",
              "network_id", "migration_id", "server_id", "flavor_id"}
JSON_COLUMNS = {"numa_topology", "pci_requests", "flavor", "vcpu_model", "migration_context", "keypairs", "device_metadata", "trusted_certs",
                "vpmems", "resources", "network_info", "stats", "connection_info", "cpu_info", "supported_instances", "pci_stats",
                "extra_resources", "metrics"}
# What of a compute node's record changes with its servers; the rest is the host's.
NODE_USE = ("vcpus_used", "memory_mb_used", "local_gb_used", "free_ram_mb", "free_disk_gb", "running_vms", "current_workload", "stats", "deleted")
NODE_BASE = ("memory_mb_used", "local_gb_used", "free_ram_mb", "free_disk_gb", "vcpus_used")  # compared as changes since the first server
NODE_LEFT_OUT = ("disk_available_least", "updated_at", "created_at", "id", "uuid")
# Whether a port is active is as old as the last look at Neutron, whose own agents work meanwhile.
UNSETTLED = re.compile(r"instance_info_caches\[\d+\]\.network_info\[\d+\]\.active")
IMAGE_LEFT_OUT = ("size", "checksum", "os_hash_value", "file", "self", "schema", "virtual_size")

QUERIES = (
    ("instances", "select * from instances where uuid=%s"),
    ("instance_extra", "select * from instance_extra where instance_uuid=%s"),
    ("migrations", "select * from migrations where instance_uuid=%s order by id"),
    ("block_device_mapping", "select * from block_device_mapping where instance_uuid=%s order by id"),
    ("instance_actions", "select * from instance_actions where instance_uuid=%s order by id"),
    ("instance_actions_events", "select e.*, a.action as of_action from instance_actions_events e join instance_actions a on a.id = e.action_id "
                                "where a.instance_uuid=%s order by a.id, e.event, e.id"),
    ("instance_faults", "select * from instance_faults where instance_uuid=%s order by id"),
    ("instance_info_caches", "select * from instance_info_caches where instance_uuid=%s"),
    ("virtual_interfaces", "select * from virtual_interfaces where instance_uuid=%s order by id"),
)
BY_KEY = (("instance_system_metadata", "select `key`, value, deleted from instance_system_metadata where instance_uuid=%s order by id"),
          ("instance_metadata", "select `key`, value, deleted from instance_metadata where instance_uuid=%s order by id"))


class Plain:
    """Replaces what differs from run to run. `named` are ids with names of their own."""

    def __init__(self, named):
        self.named = named

    def text(self, text):
        for identity, name in self.named.items():
            text = text.replace(identity, name)
        text = TIME.sub(lambda match: re.sub(r"\d", "0", match.group()), text)
        for pattern, name in REPLACED:
            text = pattern.sub(name, text)
        return re.sub(rf"\b{re.escape(HOST)}\b", "HOST", text.replace(LAB, "LAB"))

    def value(self, value, key=None):
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, bytes):
            return self.text(value.decode("latin1"))
        if isinstance(value, bool) or value is None:
            return value
        if key in IDENTITIES and isinstance(value, int):
            return "ID"
        if isinstance(value, (int, float)):
            return value
        if isinstance(value, dict):
            return self.object(value)
        if isinstance(value, (list, tuple)):
            return [self.value(v) for v in value]
        return self.text(str(value))

    def object(self, value):
        """A dict; a versioned object becomes its data, with its class as a member."""
        name = next((k for k in value if k.endswith("_object.name")), None)
        if name:
            prefix = name[:-len("name")]
            data = value.get(prefix + "data") or {}
            out = {"(class)": f"{value[name]} {value.get(prefix + 'version')}"}
            changes = value.get(prefix + "changes")
            if changes is not None:
                out["(changes)"] = " ".join(sorted(changes))
        else:
            data, out = value, {}
        for key, member in data.items():
            out[self.text(str(key))] = self.value(member, key)
        return out


def flat(value, path=""):
    """{path: leaf} of nested dicts and lists; an empty one is a leaf."""
    if isinstance(value, dict) and value:
        out = {}
        for key, member in value.items():
            out.update(flat(member, f"{path}.{key}" if path else str(key)))
        return out
    if isinstance(value, list) and value:
        out = {}
        for index, member in enumerate(value):
            out.update(flat(member, f"{path}[{index}]"))
        return out
    return {path: value}


def change(before, after):
    """{path: new value} of what differs, GONE for what is not there any more."""
    out = {path: value for path, value in after.items() if path not in before or before[path] != value}
    out.update({path: GONE for path in before if path not in after})
    return out


class Notifications:
    """A queue of its own on Nova's notifications."""

    def __init__(self):
        self.connection = amqp.Connection(host="127.0.0.1:5672", userid="openstack", password=PASSWORD)
        self.connection.connect()
        self.channel = self.connection.channel()
        self.queue = self.channel.queue_declare(exclusive=True).queue
        for topic in ("notifications", "versioned_notifications"):
            for priority in ("info", "error", "warn", "audit", "critical", "debug"):
                self.channel.queue_bind(self.queue, "nova", f"{topic}.{priority}")

    def close(self):
        self.connection.close()

    def take(self):
        """What has come since the last time: [(versioned, message), ...]."""
        out = []
        while True:
            got = self.channel.basic_get(self.queue, no_ack=True)
            if got is None:
                return out
            body = json.loads(got.body)
            message = json.loads(body["oslo.message"]) if "oslo.message" in body else body
            out.append((got.delivery_info["routing_key"].startswith("versioned_"), message))


def stream(versioned, message):
    """Which ordered list a notification belongs to; None: it is not about an action of the agent."""
    if not message["publisher_id"].startswith(("compute.", "nova-compute:")) or message["event_type"].startswith("service."):
        return None
    kind = "versioned" if versioned else "unversioned"
    return kind + " updates" if message["event_type"] in ("compute.instance.update", "instance.update") else kind


class Recorder:
    """Takes the fixed points of one run."""

    def __init__(self, lab):
        self.lab = lab
        self.database = pymysql.connect(unix_socket=os.path.join(LAB, "mysql", "mysql.sock"), user="root", db="nova_cell1", autocommit=True,
                                        charset="utf8mb4", cursorclass=pymysql.cursors.DictCursor)
        self.notifications = Notifications()
        self.server = None  # the one of the last fixed point
        self.previous = {}
        self.actions = {}
        self.base = self.node_row()
        self.plain = Plain({})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.database.close()
        self.notifications.close()

    def select(self, query, *values):
        with self.database.cursor() as cursor:
            cursor.execute(query, values)
            return list(cursor.fetchall())

    def node_row(self):
        return self.select("select * from compute_nodes where host=%s and deleted=0", HOST)[0]

    def column(self, key, value):
        if key == "deleted":
            return bool(value)
        if key in ("traceback", "details") and value:
            return "(text)"
        if key in JSON_COLUMNS and isinstance(value, str):
            try:
                value = json.loads(value)
            except ValueError:
                pass
        return self.plain.value(value, key)

    def row(self, values):
        return {key: self.column(key, value) for key, value in values.items()}

    def host(self):
        """What the agent says of the host itself, in the terms of its compute node's record."""
        out = {k: self.column(k, v) for k, v in self.node_row().items() if k not in NODE_USE + NODE_LEFT_OUT}
        if isinstance(out.get("cpu_info"), dict):
            out["cpu_info"]["features"] = sorted(out["cpu_info"].get("features") or [])  # a set, in no order
        return flat(out)

    def rows(self, server, node):
        """{path: value} of everything that the database has of the server."""
        out = {}
        for table, query in QUERIES:
            for index, values in enumerate(self.select(query, server)):
                out[f"{table}[{index}]"] = self.row(values)
        for table, query in BY_KEY:
            for values in self.select(query, server):
                key = values["key"] + (" (deleted)" if values["deleted"] else "")
                out[f"{table} {key}"] = self.plain.value(values["value"])
        if node:
            now = self.node_row()
            used = {key: now[key] - self.base[key] if key in NODE_BASE else self.column(key, now[key]) for key in NODE_USE}
            out["compute_nodes"] = used
        return {path: value for path, value in flat(out).items() if not UNSETTLED.fullmatch(path)}

    def images(self, server):
        """What Glance has of the server, without what is of the bytes."""
        found = sorted(server.cloud.get("image", f"/v2/images?instance_uuid={server.id}")["images"], key=lambda i: i["created_at"])
        return {f"images[{n}]": self.plain.value({k: v for k, v in image.items() if k not in IMAGE_LEFT_OUT}) for n, image in enumerate(found)}

    def begin(self):
        """The row begins: what came before it is not its own."""
        self.notifications.take()

    def at_rest(self, server, node, audit_seconds):
        """The rows once they stand still: half a second, or longer than an audit when the node's record is wanted."""
        wanted, end = (audit_seconds + 2.0 if node else 0.5), time.monotonic() + 60
        rows, since = self.rows(server, node), time.monotonic()
        while time.monotonic() - since < wanted and time.monotonic() < end:
            time.sleep(0.25)
            now = self.rows(server, node)
            if now != rows:
                rows, since = now, time.monotonic()
        return rows

    def new_actions(self, server):
        """[[action, message, [[event, result, host, details], ...]], ...] of actions that are new, or not as they were."""
        out = []
        for listed in reversed(server.cloud.get("compute", f"/servers/{server.id}/os-instance-actions")["instanceActions"]):
            request = listed["request_id"]
            if self.actions.get(request) == listed["updated_at"]:
                continue
            self.actions[request] = listed["updated_at"]
            shown = server.cloud.get("compute", f"/servers/{server.id}/os-instance-actions/{request}")["instanceAction"]
            events = sorted([e["event"], e["result"], self.plain.value(e.get("host")), self.plain.value(e.get("details")),
                             bool(e.get("traceback"))] for e in shown["events"])
            out.append([shown["action"], shown["message"], events])
        return out

    def heard(self):
        out = {}
        for versioned, message in self.notifications.take():
            where = stream(versioned, message)
            if where:
                out.setdefault(where, []).append({
                    "type": message["event_type"], "priority": message["priority"], "publisher": self.plain.value(message["publisher_id"]),
                    "payload": flat(self.plain.value(message["payload"]))})
        return out

    def fixed_point(self, life, node, audit_seconds):
        self.plain = Plain(life.named)
        server = life.server
        if server.id != self.server:
            self.server = server.id
            self.previous = {path: value for path, value in self.previous.items() if path.startswith("compute_nodes")}
        rows = self.at_rest(server.id, node, audit_seconds)
        rows.update(flat(self.images(server)))
        if not node:  # its last known state is still the one to compare with
            rows.update({path: value for path, value in self.previous.items() if path.startswith("compute_nodes")})
        point = {"actions": self.new_actions(server), "notifications": self.heard(), "database": change(self.previous, rows)}
        self.previous = rows
        return point
