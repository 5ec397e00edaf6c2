# SPDX-License-Identifier: Apache-2.0
"""Snapshots of other disks and with other options: flat disks, other formats, guests that are saved to disk for the time."""
import importlib

from lab import READY, agent_with, until, virsh

snapshots = importlib.import_module("21_snapshots")


def domain_starts(server):
    return virsh("domid", server.domain)


def test_flat_disk_as_raw_image(lab):
    with agent_with(lab, "\n[libvirt]\nimages_type = flat\n"):
        server = lab.server("flat", network="none").wait()
        server.wait_console(READY)
        before = domain_starts(server)
        image = snapshots.snapshot(lab, server, "snap-flat")
        snapshots.check_image(lab, image, server, "raw")
        assert snapshots.settled(server)["status"] == "ACTIVE" and domain_starts(server) == before
        snapshots.no_files()
        server.action("os-stop").wait("SHUTOFF")
        snapshots.check_image(lab, snapshots.snapshot(lab, server, "snap-flat-cold"), server, "raw")
        snapshots.boots(lab, image)


def test_other_format_compressed(lab):
    with agent_with(lab, "\n[libvirt]\nsnapshot_compression = true\n"):
        server = lab.server("compressed", network="none").wait()
        server.wait_console(READY)
        image = snapshots.snapshot(lab, server, "snap-compressed")
        snapshots.check_image(lab, image, server)
        snapshots.boots(lab, image)


def test_vmdk(lab):
    with agent_with(lab, "\n[libvirt]\nsnapshot_image_format = vmdk\n"):
        server = lab.server("vmdk", network="none").wait()
        snapshots.check_image(lab, snapshots.snapshot(lab, server, "snap-vmdk"), server, "vmdk")


def test_cold_while_it_runs(lab):
    """disable_libvirt_livesnapshot: the guest is saved to disk, and goes on where it was; a paused one stays paused."""
    with agent_with(lab, "\n[workarounds]\ndisable_libvirt_livesnapshot = true\n"):
        server = lab.server("cold", network="none").wait()
        server.wait_console(READY)
        before = domain_starts(server)
        image = snapshots.snapshot(lab, server, "snap-cold")
        snapshots.check_image(lab, image, server)
        assert snapshots.settled(server)["status"] == "ACTIVE"
        assert domain_starts(server) != before, "it was not saved to disk"
        assert "running" in virsh("domstate", server.domain)
        count = server.console().count("SIMGUEST alive")
        server.wait_console("SIMGUEST alive", count=count + 1)
        assert READY not in server.console(), "it was booted anew"  # the log begins anew, the guest does not
        server.action("pause").wait("PAUSED")
        snapshots.check_image(lab, snapshots.snapshot(lab, server, "snap-cold-paused"), server)
        state = snapshots.settled(server)
        assert state["status"] == "PAUSED" and "paused" in virsh("domstate", server.domain), state
        server.action("unpause").wait()
        snapshots.no_files()
        until("console goes on", 60, lambda: server.console().count("SIMGUEST alive") > count + 1)
