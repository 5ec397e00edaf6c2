# SPDX-License-Identifier: Apache-2.0
"""What the agent needs goes away: a boot ends in ERROR with nothing left, and the next one works."""
import os
import signal

from lab import INSTANCES, LAB, HttpError, plain, run, until


def pid_of(service):
    with open(os.path.join(LAB, "pid", service), encoding="ascii") as file:
        return int(file.read().split()[0])


def group_signal(service, number):
    """A signal to every process of a service."""
    leader = pid_of(service)
    for pid in run("pgrep", "-s", str(leader), check=False).split():
        try:
            os.kill(int(pid), number)
        except ProcessLookupError:
            pass


def fails_then_works(lab, name, network="none"):
    """A boot now ends in ERROR; gives a function that proves that a later one works."""
    server = lab.server(name, network=network).wait("ERROR", 240)
    print(f"                 {plain(server.fault().get('message'))[:150]}")
    assert lab.agent_pid() and os.path.exists(f"/proc/{lab.agent_pid()}"), "the agent has ended"
    return server


def works(lab, name, network="none"):
    until("service up", 60, lab.service_up)
    server = lab.server(name, network=network).wait("ACTIVE", 120)
    server.delete()
    lab.nothing_left()


def test_glance_away(lab):
    name = lab.image("away", b"\0" * 65536, "raw")
    server = None
    lab.command("stop", "glance-api")
    try:
        body = {"name": "glance", "flavorRef": "m1.nano", "imageRef": name, "networks": "none"}
        try:
            lab.cloud.post("compute", "/servers", {"server": body})
        except Exception:  # pylint: disable=broad-except
            pass  # nova-api itself needs Glance; the agent's turn is below
    finally:
        lab.command("restart", "glance-api")
    assert server is None
    works(lab, "glance2")


def test_placement_away_and_back(lab):
    lab.command("stop", "placement")
    try:
        until("a service that stays up", 10, lab.service_up)
    finally:
        lab.command("restart", "placement")
    works(lab, "placement")


def test_neutron_away(lab):
    server = lab.server("neutron", network="public").wait()
    group_signal("neutron-server", signal.SIGSTOP)
    try:
        assert lab.service_up()
    finally:
        group_signal("neutron-server", signal.SIGCONT)
    server.delete()
    works(lab, "neutron2", network="public")


def test_rabbitmq_restarts(lab):
    server = lab.server("rabbit", network="none").wait()
    lab.command("restart", "rabbitmq")
    # a cast sent before the agent has declared its queues again is lost with any agent; an answered call shows that they are there
    until("an answer by RPC", 180, lambda: answers(server))
    until("service up", 120, lab.service_up)
    server.action("os-stop").wait("SHUTOFF", 120)
    server.delete()
    works(lab, "rabbit2")


def answers(server):
    try:
        server.action("os-getConsoleOutput", {})
        return True
    except HttpError:
        return False


def test_libvirtd_restarts(lab):
    server = lab.server("virt", network="none").wait()
    begin = len(lab.agent_log().encode())
    lab.command("restart", "libvirtd")
    until("a stop that works again", 90, lambda: stop_works(server))
    assert "capabilities of libvirt or QEMU have changed" not in lab.agent_log(begin), "libvirt is the same as before"
    server.delete()
    works(lab, "virt2")


def stop_works(server):
    shown = server.show()
    if shown["status"] == "SHUTOFF":
        return True
    if shown["status"] == "ACTIVE" and shown["OS-EXT-STS:task_state"] is None:
        server.action("os-stop")
    return False


def test_disk_full(lab):
    lab.server("warm", network="none").wait()
    lab.clean()
    image = lab.image("big", os.urandom(24 << 20), "raw")
    run("mount", "-t", "tmpfs", "-o", "size=8m,mode=755", "tmpfs", INSTANCES)
    try:
        server = lab.server("full", image=image, network="none").wait("ERROR", 180)
        print(f"                 {plain(server.fault().get('message'))[:150]}")
        server.delete()
        left = [line for line in lab.leftovers() if not line.startswith("folder")]
        assert not left, left
    finally:
        run("umount", INSTANCES)
    works(lab, "full2")
