# SPDX-License-Identifier: Apache-2.0
"""Deletes that can be taken back, and their end when nobody does."""
from lab import READY, configured, golden, virsh


def test_restore_and_reclaim(lab):
    with configured(lab, "reclaim_instance_interval = 20", "nova-api"):
        server = lab.server("softly").wait()
        server.wait_console(READY)
        pid = virsh("domid", server.domain)
        server.delete(wait=False)
        server.wait("SOFT_DELETED")
        assert virsh("domstate", server.domain).strip() == "shut off"
        assert set(lab.usages()) == {"VCPU", "MEMORY_MB", "DISK_GB"}, lab.usages()
        server.action("restore").wait("ACTIVE")
        assert virsh("domstate", server.domain).strip() == "running" and virsh("domid", server.domain) != pid
        server.wait_console(READY)
        golden("events-soft-delete", server.event_list())
        server.delete(wait=False)
        server.wait("SOFT_DELETED")
        server.wait_gone(150)  # the periodic task comes once a minute
        lab.nothing_left()
        # one that is to be gone at once
        server = lab.server("forced").wait()
        server.delete(wait=False)
        server.wait("SOFT_DELETED").action("forceDelete").wait_gone()
        lab.nothing_left()
