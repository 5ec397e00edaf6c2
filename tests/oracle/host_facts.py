#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Compares virt/host.h's facts and traits with upstream's libvirt driver on this host. host_facts.py PATH-TO-host-facts"""
import json
import os
import subprocess
import sys
import tempfile

import eventlet

eventlet.monkey_patch()
# pylint: disable=wrong-import-position
import nova.conf  # noqa: E402
from nova import config, objects  # noqa: E402
from nova.conf import devices, neutron  # noqa: E402
from nova.virt import driver as base_driver  # noqa: E402
from nova.virt import fake  # noqa: E402
from nova.virt.libvirt import driver  # noqa: E402
from nova.virt.libvirt import host as libvirt_host  # noqa: E402,F401

CONF = nova.conf.CONF
PATH = tempfile.mkdtemp(prefix="novad-oracle-")
# (name, the tool's options, nova.conf options)
CASES = [
    ("default", {}, []),
    ("host-passthrough with flags", {"cpu_mode": "host-passthrough", "cpu_model_extra_flags": ["+vmx", "-pcid"]},
     [("cpu_mode", "host-passthrough", "libvirt"), ("cpu_model_extra_flags", ["+vmx", "-pcid"], "libvirt")]),
    ("cpu mode none", {"cpu_mode": "none"}, [("cpu_mode", "none", "libvirt")]),
    ("custom", {"cpu_mode": "custom", "cpu_models": ["nehalem", "Penryn"], "cpu_model_extra_flags": ["AES"]},
     [("cpu_mode", "custom", "libvirt"), ("cpu_models", ["nehalem", "Penryn"], "libvirt"), ("cpu_model_extra_flags", ["AES"], "libvirt")]),
    ("dedicated", {"cpu_dedicated_set": "0"}, [("cpu_dedicated_set", "0", "compute")]),
    ("both sets", {"cpu_dedicated_set": "0", "cpu_shared_set": "1"}, [("cpu_dedicated_set", "0", "compute"), ("cpu_shared_set", "1", "compute")]),
    ("image types", {"image_type_exclude_list": ["iso", "vmdk"]}, [("image_type_exclude_list", ["iso", "vmdk"], "compute")]),
    ("file backed memory, vTPM", {"file_backed_memory": 4096, "swtpm_enabled": True},
     [("file_backed_memory", 4096, "libvirt"), ("swtpm_enabled", True, "libvirt")]),
]


def upstream(overrides):
    for name, value, group in overrides:
        CONF.set_override(name, value, group)
    drv = driver.LibvirtDriver(fake.FakeVirtAPI())
    drv._host._conn_event_handler = None  # would look for the service record
    drv._host.initialize()
    drv._update_host_specific_capabilities()
    # Needs the conductor, for instances that this test does not make.
    drv._get_disk_over_committed_size_total = lambda: 0
    facts = drv.get_available_resource("node")
    facts["pcpus"] = len(drv._get_pcpu_available())
    traits = dict(drv.static_traits)
    traits.update(drv.capabilities_as_traits())
    traits["COMPUTE_REMOTE_MANAGED_PORTS"] = False  # the resource tracker takes it off where no PCI device is remote managed
    for name, _value, group in overrides:
        CONF.clear_override(name, group)
    return facts, traits


def numa(text):
    if not text:
        return None
    cells = objects.NUMATopology.obj_from_primitive(json.loads(text)).cells
    return [{"id": c.id, "memory": int(c.memory), "socket": -1 if c.socket is None else c.socket, "cpuset": sorted(c.cpuset),
             "pcpuset": sorted(c.pcpuset), "siblings": sorted(sorted(s) for s in c.siblings),
             "mempages": [[p.size_kb, p.total] for p in c.mempages]} for c in cells]


def differences(mine, facts, traits):
    found = []
    for key in ("vcpus", "pcpus", "memory_mb", "local_gb", "hypervisor_type", "hypervisor_version", "hypervisor_hostname", "vcpus_used"):
        wanted = int(facts[key]) if isinstance(facts[key], float) else facts[key]
        if mine["facts"][key] != wanted:
            found.append("%s: %r, upstream %r" % (key, mine["facts"][key], wanted))
    # These move while the test runs.
    for key, slack in (("memory_mb_used", 400), ("local_gb_used", 1), ("disk_available_least", 1)):
        if abs(mine["facts"][key] - max(int(facts[key]), 0)) > slack:
            found.append("%s: %r, upstream %r" % (key, mine["facts"][key], facts[key]))
    ours, theirs = json.loads(mine["facts"]["cpu_info"]), json.loads(facts["cpu_info"])
    ours["features"], theirs["features"] = sorted(ours["features"]), sorted(theirs["features"])
    if ours != theirs:
        found.append("cpu_info: %r, upstream %r" % (ours, theirs))
    if mine["facts"]["supported_instances"] != [list(i) for i in facts["supported_instances"]]:
        found.append("supported_instances: %r, upstream %r" % (mine["facts"]["supported_instances"], facts["supported_instances"]))
    if mine["facts"]["numa"] != numa(facts["numa_topology"]):
        found.append("numa: %r, upstream %r" % (mine["facts"]["numa"], numa(facts["numa_topology"])))
    for name in sorted(set(traits) | set(mine["traits"])):
        if bool(traits.get(name)) != bool(mine["traits"].get(name)):
            found.append("%s: %r, upstream %r" % (name, mine["traits"].get(name), traits.get(name)))
    return found


def main():
    config.parse_args(["oracle"], default_config_files=[], configure_db=False, init_rpc=False)
    neutron.register_dynamic_opts(CONF)
    devices.register_dynamic_opts(CONF)
    objects.register_all()
    CONF.set_override("virt_type", "qemu", "libvirt")
    CONF.set_override("instances_path", PATH)
    assert base_driver
    failed = 0
    print("1..%d" % len(CASES))
    for number, (name, options, overrides) in enumerate(CASES, 1):
        options = dict(options, virt_type="qemu", instances_path=PATH)
        mine = json.loads(subprocess.check_output([sys.argv[1], "qemu:///system", json.dumps(options)]))
        found = differences(mine, *upstream(overrides))
        for line in found:
            print("# " + line)
        print("%s %d - %s" % ("not ok" if found else "ok", number, name))
        failed += bool(found)
        sys.stdout.flush()
    os.rmdir(PATH)
    return failed


sys.exit(1 if main() else 0)
