# SPDX-License-Identifier: Apache-2.0
"""The life of a server as rows: what compare-agents and 37_lifecycle drive against each agent.

A row is one action of a user, timed from its request until the API shows its end. What it needs first (a guest that
listens to its power button) is done before the clock starts. After each row a recorder takes the fixed point.
"""
import collections
import contextlib
import os
import time

from lab import HttpError, configured, until

# name; before(life): not timed; act(life): timed; node: the compute node's record is part of this fixed point
Row = collections.namedtuple("Row", "name before act node", defaults=(None, None, False))

AUDIT_SECONDS = 4  # update_resources_interval of the run, so that the compute node's record settles soon
# A guest that is off its kernel's legs does not hear its power button, and is not waited for longer than this.
SETTINGS = f"update_resources_interval = {AUDIT_SECONDS}\nshutdown_timeout = 5"
# For the second server: what waits before it is done
LATER_SETTINGS = SETTINGS + "\nreclaim_instance_interval = 3600\nshelved_offload_time = -1"
PAUSE = 0.1
SECONDS = 60
FAILURES_MOST = 3


class Life:
    """What the rows act on."""

    def __init__(self, lab):
        self.lab, self.cloud = lab, lab.cloud
        self.server = self.port = None
        self.images = []
        self.answer = None  # HTTP status of a refusal in the row
        self.began = 0.0
        self.named = {}     # what stands for an id of this run in the recording

    def name(self, what, identity):
        self.named[identity] = what

    def boot(self, name, **fields):
        self.server = self.lab.server(name, key_name="labkey", metadata={"a": "b"}, **fields)
        self.name("SERVER", self.server.id)

    def wait(self, status):
        def there():
            server = self.server.show()
            if server["OS-EXT-STS:task_state"] is not None:  # the way out of ERROR shows ERROR, too
                return False
            if server["status"] == "ERROR" and status != "ERROR":
                raise AssertionError(f"server is in ERROR: {server.get('fault', {}).get('message')}")
            return server["status"] == status
        until(f"status {status}", SECONDS, there, PAUSE)

    def post(self, action, value=None, microversion=None):
        """An action; a refusal is part of the recording."""
        self.answer = 202
        try:
            return self.cloud.post("compute", f"/servers/{self.server.id}/action", {action: value}, microversion=microversion)
        except HttpError as error:
            self.answer = error.status
            return None

    def listening(self):
        """The guest is up, so that it hears its power button."""
        self.server.wait_console("SIMGUEST alive", 120)


def settled(life, action=None):
    """No task under way, and if an action is named, the end of its newest events."""
    if action:
        life.server.wait_action(action, SECONDS)
    until("a server at rest", SECONDS, lambda: life.server.show()["OS-EXT-STS:task_state"] is None, PAUSE)


def does(action, status, value=None):
    def act(life):
        life.post(action, value)
        life.wait(status)
    return act


def boot(name, **fields):
    def act(life):
        life.boot(name, **fields)
        life.wait("ACTIVE")
    return act


def console_log(life):
    life.server.console(10)


def console_url(life):
    life.cloud.post("compute", f"/servers/{life.server.id}/remote-consoles", {"remote_console": {"protocol": "vnc", "type": "novnc"}})


def diagnostics(life):
    life.cloud.get("compute", f"/servers/{life.server.id}/diagnostics")


def make_port(life):
    life.port = life.lab.port()["id"]
    life.name("PORT", life.port)


def attach(life):
    life.cloud.post("compute", f"/servers/{life.server.id}/os-interface", {"interfaceAttachment": {"port_id": life.port}})
    until("two interfaces", SECONDS, lambda: len(life.server.interfaces()) == 2, PAUSE)


def detach(life):
    life.cloud.delete("compute", f"/servers/{life.server.id}/os-interface/{life.port}")
    until("one interface", SECONDS, lambda: len(life.server.interfaces()) == 1, PAUSE)
    life.server.wait_action("detach_interface")


def password(life):
    life.post("changePassword", {"adminPass": "secret77"})
    settled(life, "changePassword")


def crash_dump(life):
    life.post("trigger_crash_dump")
    settled(life, "trigger_crash_dump")


def image_active(life, image):
    until("active image", SECONDS, lambda: life.cloud.get("image", f"/v2/images/{image}")["status"] == "active", PAUSE)


def snapshot(life):
    image = life.post("createImage", {"name": "life-snapshot", "metadata": {}}, microversion="2.45")["image_id"]
    life.name("SNAPSHOT", image)
    life.lab.delete_later("image", f"/v2/images/{image}")
    image_active(life, image)
    settled(life, "createImage")


def backup(life):
    life.post("createBackup", {"name": "life-backup", "backup_type": "daily", "rotation": 1})
    image = until("backup image", SECONDS, lambda: life.cloud.get("image", "/v2/images?name=life-backup")["images"], PAUSE)[0]["id"]
    life.name("BACKUP", image)
    life.lab.delete_later("image", f"/v2/images/{image}")
    image_active(life, image)
    settled(life, "createBackup")


def rebuild(life):
    life.post("rebuild", {"imageRef": life.lab.image_id(), "metadata": {"e": "f"}})
    life.wait("ACTIVE")


def bad_image(life):
    image = life.lab.image("life-bad", b"this is no image\n" * 4096)
    life.name("BADIMAGE", image)
    life.images.append(image)


def rescue_fails(life):
    life.post("rescue", {"rescue_image_ref": life.images[-1]})
    life.wait("ERROR")
    settled(life, "rescue")


def rebuild_fails(life):
    life.post("rebuild", {"imageRef": life.images[-1]})
    life.wait("ERROR")
    settled(life, "rebuild")


def boot_fails(life):
    life.boot("life-fails", image=life.images[-1])
    life.wait("ERROR")
    settled(life, "create")


def resize(flavor):
    return does("resize", "VERIFY_RESIZE", {"flavorRef": flavor})


def confirm(life):
    life.post("confirmResize")
    life.wait("ACTIVE")
    settled(life, "confirmResize")


def revert(life):
    life.post("revertResize")
    life.wait("ACTIVE")
    settled(life, "revertResize")


def resize_refused(life):
    """To a smaller disk, which only the agent can see."""
    life.post("resize", {"flavorRef": "m1.nano"})
    settled(life, "resize")


def shelve(status):
    def act(life):
        life.post("shelve")
        life.wait(status)
        settled(life, "shelve")
    return act


def delete(life):
    life.cloud.delete("compute", f"/servers/{life.server.id}")
    until("end of the server", SECONDS, lambda: not life.server.exists(), PAUSE)


def soft_delete(life):
    life.cloud.delete("compute", f"/servers/{life.server.id}")
    life.wait("SOFT_DELETED")


def force_delete(life):
    life.post("forceDelete")
    until("end of the server", SECONDS, lambda: not life.server.exists(), PAUSE)


ROWS = (
    Row("create", act=boot("life"), node=True),
    Row("console log", act=console_log),
    Row("console url", act=console_url),
    Row("diagnostics", act=diagnostics),
    Row("attach interface", make_port, attach),
    Row("detach interface", act=detach),
    Row("stop", Life.listening, does("os-stop", "SHUTOFF")),
    Row("start", act=does("os-start", "ACTIVE")),
    Row("soft reboot", Life.listening, does("reboot", "ACTIVE", {"type": "SOFT"})),
    Row("hard reboot", act=does("reboot", "ACTIVE", {"type": "HARD"})),
    Row("pause", act=does("pause", "PAUSED")),
    Row("unpause", act=does("unpause", "ACTIVE")),
    Row("suspend", act=does("suspend", "SUSPENDED")),
    Row("resume", act=does("resume", "ACTIVE")),
    Row("set password", act=password),
    Row("crash dump", act=crash_dump),
    Row("snapshot", act=snapshot),
    Row("backup", act=backup),
    Row("rescue", act=does("rescue", "RESCUE")),
    Row("unrescue", act=does("unrescue", "ACTIVE")),
    Row("rebuild", act=rebuild),
    Row("resize", act=resize("m1.micro"), node=True),
    Row("revert", act=revert, node=True),
    Row("resize again", act=resize("m1.tiny")),
    Row("confirm", act=confirm, node=True),
    Row("resize refused", act=resize_refused),
    Row("shelve", act=shelve("SHELVED_OFFLOADED"), node=True),
    Row("unshelve", act=does("unshelve", "ACTIVE"), node=True),
    Row("failed rescue", bad_image, rescue_fails),
    Row("reboot of the failed", act=does("reboot", "ACTIVE", {"type": "HARD"})),
    Row("failed rebuild", act=rebuild_fails),
    Row("delete", act=delete, node=True),
    Row("failed create", act=boot_fails, node=True),
    Row("delete of the failed", act=delete),
)

LATER_ROWS = (
    Row("create 2", act=boot("later")),
    Row("shelve, stay", act=shelve("SHELVED")),
    Row("unshelve here", act=does("unshelve", "ACTIVE")),
    Row("stop 2", act=does("os-stop", "SHUTOFF")),
    Row("shelve stopped", act=shelve("SHELVED")),
    Row("offload", act=does("shelveOffload", "SHELVED_OFFLOADED")),
    Row("unshelve 2", act=does("unshelve", "ACTIVE")),
    Row("soft delete", act=soft_delete),
    Row("restore", act=does("restore", "ACTIVE")),
    Row("soft delete again", act=soft_delete),
    Row("force delete", act=force_delete, node=True),
)


@contextlib.contextmanager
def notifying(lab, lines, *services):
    """The agent and these of Nova's services send both kinds of notifications while the block runs."""
    before = os.environ.get("NOTIFY")
    os.environ["NOTIFY"] = "both"
    try:
        with configured(lab, lines, *services):
            try:
                yield
            finally:
                put_back(before)  # before `configured` writes the files again
    finally:
        put_back(before)


def put_back(value):
    if value is None:
        os.environ.pop("NOTIFY", None)
    else:
        os.environ["NOTIFY"] = value


def failure_of(row, life, recorder):
    """Does the row; what went wrong with it, or nothing."""
    try:
        if row.before:
            row.before(life)
        recorder.begin()
        life.began = time.monotonic()
        row.act(life)
    except (AssertionError, TimeoutError, HttpError, TypeError) as error:
        return f"{type(error).__name__}: {error}"
    return None


def play(life, rows, recorder, points, say):
    """Drives the rows; their fixed points are added to the list. A row that fails is a difference; after a few of them it ends."""
    failures = 0
    for row in rows:
        life.answer, life.began = None, time.monotonic()
        failure = failure_of(row, life, recorder)
        seconds = time.monotonic() - life.began
        point = {"row": row.name, "seconds": round(seconds, 2), "answer": life.answer, "failure": failure}
        if life.server is None:
            raise AssertionError(failure)
        point.update(recorder.fixed_point(life, row.node, AUDIT_SECONDS))
        points.append(point)
        say(f"{seconds:7.1f}s  {row.name}{'  -- ' + failure if failure else ''}")
        failures += failure is not None
        if failures > FAILURES_MOST:
            break


def record(lab, recorder_class, say, recording):
    """Fills the recording of the running agent: its rows in order, and what it says of the host. One that is broken off is as far as it came."""
    life = Life(lab)
    recording.update(agent=lab.agent, host={}, rows=[])
    with notifying(lab, SETTINGS, "nova-conductor"):
        lab.server("warm-up").wait()  # so that the image is in the host's cache
        lab.clean()
        with recorder_class(lab) as recorder:
            recording["host"] = recorder.host()
            play(life, ROWS, recorder, recording["rows"], say)
        lab.clean()
    with notifying(lab, LATER_SETTINGS, "nova-conductor", "nova-api"):
        with recorder_class(lab) as recorder:
            play(life, LATER_ROWS, recorder, recording["rows"], say)
        lab.clean()
