# SPDX-License-Identifier: Apache-2.0
"""Images of servers: snapshots from every state, backups, and what is left when they fail."""
import json
import os
import re
import time

from lab import INSTANCES, LAB, READY, HttpError, run, until, virsh


def snapshot(lab, server, name):
    answer = lab.cloud.post("compute", f"/servers/{server.id}/action", {"createImage": {"name": name, "metadata": {"why": "test"}}},
                            microversion="2.45")
    image = answer["image_id"]
    lab.delete_later("image", f"/v2/images/{image}")
    return image


def wait_image(lab, image, status="active", seconds=120):
    def there():
        found = lab.cloud.get("image", f"/v2/images/{image}")
        if found["status"] in ("killed", "deleted"):
            raise AssertionError(f"the image is {found['status']}")
        return found["status"] == status and found
    return until(f"image {status}", seconds, there, 0.25)


def settled(server):
    until("no task", 60, lambda: server.show()["OS-EXT-STS:task_state"] is None, 0.25)
    return server.show()


def no_files():
    """Nothing is left of the work: no folder, no block job, no saved memory."""
    folder = os.path.join(INSTANCES, "snapshots")
    assert not os.path.isdir(folder) or not os.listdir(folder), os.listdir(folder)


def image_file(image):
    return os.path.join(LAB, "glance", "images", image)


def info(path):
    return json.loads(run("qemu-img", "info", "--force-share", "--output=json", path))


def check_image(lab, image, server, disk_format="qcow2"):
    """The image is whole and says what upstream's says."""
    known = wait_image(lab, image)
    assert known["disk_format"] == disk_format and known["container_format"] == "bare", known
    for key, value in (("image_type", "snapshot"), ("instance_uuid", server.id), ("image_location", "snapshot"), ("image_state", "available"),
                       ("owner_id", known["owner"]), ("why", "test"), ("base_image_ref", server.show()["image"]["id"])):
        assert known.get(key) == value, (key, known)
    assert known["size"] > 0 and known["min_disk"] == 1, known
    assert "kernel_id" not in known and "ramdisk_id" not in known, known
    said = info(image_file(image))
    assert said["format"] == disk_format and "backing-filename" not in said, said
    assert said["virtual-size"] == 1 << 30, said
    return known


def boots(lab, image):
    server = lab.server("fromsnap", image=image, network="none").wait()
    server.wait_console(READY)
    server.delete()


def test_running(lab):
    server = lab.server("snap", network="none").wait()
    server.wait_console(READY)
    before = virsh("domid", server.domain)
    image = snapshot(lab, server, "snap-running")
    check_image(lab, image, server)
    state = settled(server)
    assert state["status"] == "ACTIVE" and virsh("domid", server.domain) == before
    assert server.domain in virsh("list", "--persistent", "--name").split(), "the definition is gone"
    assert "mirror" not in virsh("dumpxml", server.domain)
    no_files()
    events = server.event_list()
    assert ["createImage", None, [["compute_snapshot_instance", "Success"]]] in events, events
    boots(lab, image)
    server.delete()
    lab.nothing_left()


def test_paused_stopped_suspended(lab):
    server = lab.server("snapstates", network="none").wait()
    server.wait_console(READY)
    for action, status, power, back in (("pause", "PAUSED", 3, "unpause"), ("suspend", "SUSPENDED", 4, "resume"), ("os-stop", "SHUTOFF", 4, "os-start")):
        server.action(action).wait(status)
        image = snapshot(lab, server, "snap-" + action)
        check_image(lab, image, server)
        state = settled(server)
        assert state["status"] == status and state["OS-EXT-STS:power_state"] == power, state
        no_files()
        server.action(back).wait("ACTIVE")


def test_image_deleted_meanwhile(lab):
    """Somebody deletes the image while it is made: the server is free again, with no fault."""
    server = lab.server("snapgone", network="none").wait()
    image = snapshot(lab, server, "snap-gone")
    lab.cloud.delete("image", f"/v2/images/{image}")
    server.wait_action("createImage")
    state = settled(server)
    assert state["status"] == "ACTIVE", state
    no_files()


def test_failure_deletes_the_image(lab):
    """A disk that cannot be read: the image does not stay behind, the server does, with a fault in its action."""
    server = lab.server("snapfail", network="none").wait()
    server.action("os-stop").wait("SHUTOFF")
    disk = os.path.join(INSTANCES, server.id, "disk")
    os.rename(disk, disk + ".away")
    try:
        image = snapshot(lab, server, "snap-fail")
        server.wait_action("createImage")
        until("end of the image", 30, lambda: not exists(lab, image), 0.25)
    finally:
        os.rename(disk + ".away", disk)
    state = settled(server)
    assert state["status"] == "SHUTOFF", state
    assert ["createImage", "Error", [["compute_snapshot_instance", "Error"]]] in server.event_list(), server.event_list()
    no_files()


def exists(lab, image):
    try:
        lab.cloud.get("image", f"/v2/images/{image}")
        return True
    except HttpError as error:
        if error.status != 404:
            raise
        return False


def test_delete_meanwhile(lab):
    """A server that is deleted while its image is made goes, and no half-made image stays."""
    server = lab.server("snapdel", network="none").wait()
    server.wait_console(READY)
    for pause in (0, 0.7, 1.5):
        victim = lab.server("snapdel2", network="none").wait()
        image = snapshot(lab, victim, "snap-del")
        time.sleep(pause)  # into different parts of the work
        victim.delete()
        until("end of the image", 60, lambda: not exists(lab, image) or wait_image(lab, image), 0.25)  # pylint: disable=cell-var-from-loop
        no_files()
    server.delete()
    lab.nothing_left()


def test_quiesce_demanded(lab):
    """os_require_quiesce without an agent in the image's words: refused, as upstream."""
    with open(lab.image_file("sim"), "rb") as file:
        source = lab.image("needsquiet", file.read(), os_require_quiesce="true")
    server = lab.server("needsquiet", image=source, network="none").wait()
    image = snapshot(lab, server, "snap-quiet")
    server.wait_action("createImage")
    until("end of the image", 30, lambda: not exists(lab, image), 0.25)
    assert settled(server)["status"] == "ACTIVE"
    event = [a for a in server.actions() if a["action"] == "createImage"][0]
    assert "agent" in (event["events"][0].get("traceback") or "") + (event["events"][0].get("details") or ""), event


def test_quiesced_by_the_agent(lab):
    with open(lab.image_file("sim"), "rb") as file:
        source = lab.image("agent", file.read(), os_require_quiesce="true", hw_qemu_guest_agent="true")
    server = lab.server("agent", image=source, network="none").wait()
    server.wait_console(READY)
    until("agent", 60, lambda: '{"return"' in virsh("qemu-agent-command", server.domain, '{"execute":"guest-ping"}', check=False), 0.5)
    mark = len(lab.agent_log())
    image = snapshot(lab, server, "snap-agent")
    wait_image(lab, image)
    assert settled(server)["status"] == "ACTIVE"
    state = virsh("qemu-agent-command", server.domain, '{"execute":"guest-fsfreeze-status"}')
    assert "thawed" in state, state
    assert "Skipping quiescing" not in lab.agent_log(mark)


def backup(lab, server, name, rotation):
    before = {i["id"] for i in backups(lab, server)}
    lab.cloud.post("compute", f"/servers/{server.id}/action", {"createBackup": {"name": name, "backup_type": "daily", "rotation": rotation}})
    return before


def backups(lab, server):
    return lab.cloud.get("image", f"/v2/images?instance_uuid={server.id}&image_type=backup&sort_key=created_at&sort_dir=desc")["images"]


def test_backups_rotate(lab):
    server = lab.server("backup", network="none").wait()
    names = []
    try:
        for index in range(3):
            backup(lab, server, f"backup-{index}", 2)
            until("backup", 60, lambda i=index: any(b["name"] == f"backup-{i}" and b["status"] == "active" for b in backups(lab, server)), 0.25)
            settled(server)
            until("end of the events", 30, lambda: all(e["finish_time"] for a in server.actions() for e in a["events"]), 0.25)
            names = [b["name"] for b in backups(lab, server)]
        assert names == ["backup-2", "backup-1"], names
        assert all(b["backup_type"] == "daily" and b["disk_format"] == "qcow2" for b in backups(lab, server))
        actions = [e for e in server.event_list() if e[0] == "createBackup"]
        assert actions == [["createBackup", None, [["compute_backup_instance", "Success"]]]] * 3, actions
        assert not re.search("snapshots", " ".join(lab.leftovers()))
        # rotation 0: the new one goes as well
        backup(lab, server, "backup-3", 0)
        until("no backup", 60, lambda: not backups(lab, server), 0.25)
    finally:
        settled(server)
        for left in backups(lab, server):
            lab.cloud.delete("image", f"/v2/images/{left['id']}")
    no_files()
