# SPDX-License-Identifier: Apache-2.0
"""What the integration tests use: servers, their consoles and events, and the proof that nothing is left behind."""
import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lab"))
# pylint: disable=wrong-import-position
from cloud import HOST, LAB, PATIENCE, Cloud, HttpError, until  # noqa: E402,F401

GOLDEN = os.path.join(HERE, "..", "golden", "integration")
INSTANCES = os.path.join(LAB, "nova", "instances")
UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
READY = "SIMGUEST READY"


class Skip(Exception):
    """Raised by a test that cannot be run here; its text says why."""


class ServerFailed(AssertionError):
    """A server came to ERROR where another status was awaited."""


def run(*argv, check=True, seconds=60):
    """The standard output of a command."""
    done = subprocess.run(argv, check=False, capture_output=True, text=True, timeout=seconds)
    if check and done.returncode:
        raise AssertionError(f"{' '.join(argv)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def virsh(*argv, check=True):
    return run("virsh", "-q", "-c", "qemu:///system", *argv, check=check)


@contextlib.contextmanager
def lifecycle_events(domain):
    """Libvirt's lifecycle events of a domain while the block runs; gives a function that returns their text so far."""
    with tempfile.TemporaryFile("w+") as out:
        with subprocess.Popen(["stdbuf", "-oL", "virsh", "-q", "-c", "qemu:///system", "event", "--event", "lifecycle", "--loop",
                               "--domain", domain], stdout=out, stderr=subprocess.STDOUT) as process:
            time.sleep(0.5)  # virsh does not say when it listens

            def text():
                out.seek(0)
                return out.read()
            try:
                yield text
            finally:
                process.terminate()


class Server:
    """One server of the cloud. Actions return self, so that they can be chained with wait()."""

    def __init__(self, lab, body):
        self.lab, self.cloud, self.id = lab, lab.cloud, body["id"]

    def show(self):
        return self.cloud.get("compute", f"/servers/{self.id}")["server"]

    @property
    def domain(self):
        return self.show()["OS-EXT-SRV-ATTR:instance_name"]

    def action(self, name, value=None, **kw):
        self.cloud.post("compute", f"/servers/{self.id}/action", {name: value}, **kw)
        return self

    def wait(self, status="ACTIVE", seconds=120):
        """Waits for the status with no task under way."""
        def there():
            server = self.show()
            if server["status"] == "ERROR" and status != "ERROR":
                raise ServerFailed(f"server is in ERROR: {server.get('fault', {}).get('message')}")
            return server["status"] == status and server["OS-EXT-STS:task_state"] is None
        try:
            until(f"status {status}", seconds, there, 0.25)
        except TimeoutError as error:
            server = self.show()
            raise TimeoutError(f"{error}: status {server['status']}, task {server['OS-EXT-STS:task_state']}") from None
        return self

    def wait_action(self, action, seconds=60):
        """Waits until the newest event of this action has an end; for actions that leave the status as it is."""
        def there():
            found = [a for a in self.actions() if a["action"] == action]
            return found and found[0]["events"] and all(e["finish_time"] for e in found[0]["events"])
        until(f"end of action {action}", seconds, there, 0.25)
        return self

    def fault(self):
        return self.show().get("fault", {})

    def console(self, length=None):
        body = {"os-getConsoleOutput": {"length": length} if length else {}}
        return self.cloud.post("compute", f"/servers/{self.id}/action", body)["output"]

    def console_file(self):
        """The console log on disk: also there when the domain is not, for which the API gives 404."""
        with open(os.path.join(INSTANCES, self.id, "console.log"), encoding="utf-8", errors="replace") as file:
            return file.read()

    def wait_console(self, text, seconds=90, count=1):
        """Waits until the console has the text at least so many times; returns the whole console."""
        def there():
            console = self.console()
            return console.count(text) >= count and console
        try:
            return until(f"{count} x {text!r} in the console", seconds, there, 0.5)
        except TimeoutError as error:
            raise TimeoutError(f"{error}; it ends {self.console()[-300:]!r}") from None

    def actions(self):
        """The server's actions, newest first, each with its events."""
        listed = self.cloud.get("compute", f"/servers/{self.id}/os-instance-actions")["instanceActions"]
        return [self.cloud.get("compute", f"/servers/{self.id}/os-instance-actions/{a['request_id']}")["instanceAction"]
                for a in listed]

    def event_list(self):
        """The actions in the order they began, once each event has ended: [action, message, [[event, result], ...]].

        The API gives the newest first and times in whole seconds, so that its own order decides within a second.
        """
        def ended():
            actions = self.actions()
            return all(e["result"] for a in actions for e in a["events"]) and actions
        out = []
        for action in sorted(until("the end of every event", 30, ended)[::-1], key=lambda a: a["start_time"]):
            events = sorted(action["events"], key=lambda e: (e["start_time"], e["event"]))
            out.append([action["action"], action["message"], [[e["event"], e["result"]] for e in events]])
        return out

    def interfaces(self):
        return self.cloud.get("compute", f"/servers/{self.id}/os-interface")["interfaceAttachments"]

    def delete(self, wait=True, seconds=120):
        try:
            self.cloud.delete("compute", f"/servers/{self.id}")
        except HttpError as error:
            if error.status != 404:
                raise
        if wait:
            self.wait_gone(seconds)

    def exists(self):
        try:
            self.show()
            return True
        except HttpError as error:
            if error.status != 404:
                raise
            return False

    def wait_gone(self, seconds=120):
        until("end of the deleted server", seconds, lambda: not self.exists(), 0.25)


class Lab:
    """The lab's cloud as admin, with what tests/lab/resources.py made, and the servers a test has made."""

    def __init__(self):
        self.cloud = Cloud()
        self.made = []       # servers
        self.undo = []       # callables, run last to first when a test ends
        self.network = self.cloud.get("network", "/v2.0/networks?name=public")["networks"][0]["id"]
        self.agent = self.running_agent()
        self.before = set()  # what the host had of servers before the tests began
        self.before = set(self.leftovers())

    @staticmethod
    def running_agent():
        for name in ("novad", "nova-compute"):
            try:
                with open(os.path.join(LAB, "pid", name), encoding="ascii") as file:
                    pid, started = file.read().split()
                with open(f"/proc/{pid}/stat", encoding="ascii") as file:
                    if file.read().rsplit(")", 1)[1].split()[19] == started:
                        return name
            except (OSError, ValueError, IndexError):
                continue
        return None

    def agent_pid(self):
        with open(os.path.join(LAB, "pid", self.agent), encoding="ascii") as file:
            return int(file.read().split()[0])

    def agent_log(self, since=0):
        with open(os.path.join(LAB, "log", self.agent + ".log"), encoding="utf-8", errors="replace") as file:
            file.seek(since)
            return file.read()

    def image_id(self, name="sim"):
        return self.cloud.get("image", f"/v2/images?name={name}")["images"][0]["id"]

    @staticmethod
    def image_file(name):
        return os.path.join(LAB, "cache", name + ".qcow2")

    def server(self, name="t", image="sim", flavor="m1.nano", network="public", **fields):
        """Asks for a server and returns at once. network: public, none, or a list for the API."""
        body = {"name": name, "flavorRef": flavor, "imageRef": image if UUID.fullmatch(image) else self.image_id(image)}
        if network == "public":
            body["networks"] = [{"uuid": self.network}]
        else:
            body["networks"] = network
        microversion = fields.pop("microversion", None)
        body.update(fields)
        answer = self.cloud.post("compute", "/servers", {"server": body}, microversion=microversion)["server"]
        server = Server(self, answer)
        self.made.append(server)
        return server

    def servers_named(self, prefix):
        found = self.cloud.get("compute", f"/servers?name=^{prefix}")["servers"]
        known = {s.id for s in self.made}
        self.made += [Server(self, body) for body in found if body["id"] not in known]
        ids = {body["id"] for body in found}
        return [s for s in self.made if s.id in ids]

    def image(self, name, data, disk_format="qcow2", container_format="bare", **properties):
        """An image with these bytes; removed when the test ends."""
        new = self.cloud.post("image", "/v2/images", dict(name=name, disk_format=disk_format, visibility="public",
                                                          container_format=container_format, **properties))
        self.undo.append(lambda: self.cloud.delete("image", f"/v2/images/{new['id']}"))
        self.cloud.put("image", f"/v2/images/{new['id']}/file", data=data,
                       headers={"Content-Type": "application/octet-stream"})
        return new["id"]

    def flavor(self, name, vcpus=1, ram=128, disk=1, **extra_specs):
        body = {"id": name, "name": name, "vcpus": vcpus, "ram": ram, "disk": disk}
        ephemeral = extra_specs.pop("ephemeral", None)
        if ephemeral:
            body["OS-FLV-EXT-DATA:ephemeral"] = ephemeral
        self.cloud.post("compute", "/flavors", {"flavor": body})
        self.undo.append(lambda: self.cloud.delete("compute", f"/flavors/{name}"))
        if extra_specs:
            self.cloud.post("compute", f"/flavors/{name}/os-extra_specs", {"extra_specs": extra_specs})
        return name

    def delete_later(self, service, path):
        """When the test ends, unless it is gone by then."""
        def gone():
            try:
                self.cloud.delete(service, path)
            except HttpError as error:
                if error.status != 404:
                    raise
        self.undo.append(gone)

    def port(self, **fields):
        body = dict({"network_id": self.network}, **fields)
        port = self.cloud.post("network", "/v2.0/ports", {"port": body})["port"]
        self.delete_later("network", f"/v2.0/ports/{port['id']}")
        return port

    def clean(self):
        """Ends what a test made: its servers, then the rest."""
        for server in self.made:
            server.delete(wait=False)
        try:
            for server in self.made:
                server.wait_gone()
        finally:
            self.made = []
            while self.undo:
                self.undo.pop()()

    def hypervisor(self):
        for node in self.cloud.get("compute", "/os-hypervisors/detail")["hypervisors"]:
            if node["service"]["host"] == HOST:
                return node
        raise AssertionError(f"no hypervisor on host {HOST}")

    def usages(self):
        try:
            provider = self.hypervisor()["id"]
        except AssertionError:
            return {}
        return {k: v for k, v in self.cloud.get("placement", f"/resource_providers/{provider}/usages")["usages"].items() if v}

    def leftovers(self):
        """What this host still has of servers, one line each; nothing when all are gone."""
        left = [f"domain {n}" for n in virsh("list", "--all", "--name").split() if n.startswith("instance-")]
        left += [f"folder {n}" for n in sorted(os.listdir(INSTANCES)) if UUID.match(n)]
        ports = self.cloud.get("network", "/v2.0/ports")["ports"]
        left += [f"port {p['id']} of {p['device_id']}" for p in ports if p["device_owner"].startswith("compute:")]
        others = {"tap" + p["id"][:11] for p in ports if not p["device_owner"].startswith("compute:")}
        links = [line.split(": ")[1].split("@")[0] for line in run("ip", "-o", "link").splitlines()]
        left += [f"link {n}" for n in links if n.startswith("tap") and n not in others]
        left += [f"usage {k}={v} in Placement" for k, v in self.usages().items()]
        return [line for line in left if line not in self.before]

    def nothing_left(self, seconds=30):
        try:
            until("host without leftovers", seconds, lambda: not self.leftovers(), 0.5)
        except TimeoutError:
            raise AssertionError("left behind: " + "; ".join(self.leftovers())) from None

    def service_up(self):
        services = self.cloud.get("compute", f"/os-services?binary=nova-compute&host={HOST}")["services"]
        return bool(services) and services[0]["state"] == "up"

    @staticmethod
    def command(*argv, seconds=180):
        """A command of tests/lab/lab."""
        return run(os.path.join(HERE, "..", "lab", "lab"), *argv, seconds=seconds * PATIENCE)


@contextlib.contextmanager
def configured(lab, lines, *services):
    """Lines for [DEFAULT] of Nova's services and of the agent while the block runs; these services and the agent are started again for it."""
    more = [os.path.join(LAB, "etc", name) for name in ("nova.more", "compute.more")]

    def restart():
        for service in services or ("nova-novncproxy",):
            lab.command("restart", service)  # which writes all configuration
        lab.command(lab.agent, "restart")
    try:
        for path in more:
            with open(path, "w", encoding="utf-8") as file:
                file.write("[DEFAULT]\n" + lines + "\n")
        restart()
        yield
    finally:
        for path in more:
            os.unlink(path)
        restart()


@contextlib.contextmanager
def agent_with(lab, options):
    """The agent runs with further lines of nova.conf while the block does; servers made meanwhile are gone before it runs without them."""
    path = os.path.join(LAB, "etc", "nova-compute.conf" if lab.agent == "nova-compute" else "nova-novad.conf")
    with open(path, encoding="utf-8") as file:
        before = file.read()

    def run_with(text):
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        lab.command(lab.agent, "stop")
        lab.command(lab.agent, "start")
    try:
        run_with(before + options)
        yield
    finally:
        lab.clean()
        run_with(before)


def golden(name, data):
    """Compares with what upstream's agent gave; NOVAD_REGENERATE=1 (with nova-compute running) writes it."""
    path = os.path.join(GOLDEN, name + ".json")
    text = json.dumps(data, indent=1, sort_keys=True) + "\n"
    if os.environ.get("NOVAD_REGENERATE"):
        if Lab.running_agent() != "nova-compute":
            raise AssertionError("golden data is made by upstream's nova-compute, which does not run")
        os.makedirs(GOLDEN, exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return
    with open(path, encoding="utf-8") as file:
        want = json.load(file)
    if json.loads(text) != want:
        raise AssertionError(f"differs from {os.path.basename(path)}:\n  got  {json.dumps(data)}\n  want {json.dumps(want)}")


def plain(text):
    """A message without what differs from run to run."""
    text = UUID.sub("UUID", text or "")
    text = re.sub(r"req-UUID", "REQ", text)
    return re.sub(rf"\b{re.escape(HOST)}\b", "HOST", text.replace(LAB, "LAB"))


def clock():
    return time.monotonic()
