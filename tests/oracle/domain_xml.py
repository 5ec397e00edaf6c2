#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Compares novad's domain XML with that of Debian's nova libvirt driver, case by case.

domain_xml.py DOMAIN-XML-TOOL CASES.json...     needs python3-nova, python3-libvirt, python3-lxml and a running libvirtd

A cases file is {"conf": {"section.option": "value"}, "cases": {"name": case, ...}}; docs/domain-xml.md describes a case. Trees are compared:
the order of attributes does not matter, that of elements does only between those of one name. Every XML is also checked against libvirt's schema,
defined on test:///default, and turned into a QEMU command line by the local libvirtd. Prints TAP and a sum.
"""
import copy
import json
import logging
import os
import subprocess
import sys
import tempfile

import eventlet

eventlet.monkey_patch()
# pylint: disable=wrong-import-position
import libvirt  # noqa: E402
import os_vif  # noqa: E402
from lxml import etree  # noqa: E402
import nova.conf  # noqa: E402
from nova import config, context, objects  # noqa: E402
from nova.conf import devices, neutron  # noqa: E402
from nova.network import model as network_model  # noqa: E402
from nova.virt import fake  # noqa: E402
from nova.virt.libvirt import blockinfo, driver  # noqa: E402

UUID = "4e474c8a-97c4-4d7d-a896-e3598b557d17"
IMAGE = "9bdaa272-3733-4b97-9a14-f8eb04e7b31f"
SCHEMA = "/usr/share/libvirt/schemas/domain.rng"
# Domains of upstream's making that QEMU's driver refuses, and ours must be like them: Zed gives a virtio IOMMU the attributes of an Intel one.
REFUSED_LIKE_UPSTREAM = ("iommu model 'virtio' doesn't support additional attributes",)
NOVA = "{http://openstack.org/xmlns/libvirt/nova/1.1}"

FLAVOR = {"id": 1, "name": "f", "memory_mb": 256, "vcpus": 1, "root_gb": 1, "ephemeral_gb": 0, "swap": 0, "flavorid": "1", "extra_specs": {},
          "rxtx_factor": 1.0, "vcpu_weight": 0, "is_public": True, "disabled": False}
INSTANCE = {"id": 7, "uuid": UUID, "display_name": "s1", "hostname": "s1", "project_id": "p1", "user_id": "u1", "image_ref": IMAGE,
            "kernel_id": "", "ramdisk_id": "", "os_type": None, "config_drive": "", "metadata": {}, "root_device_name": None,
            "system_metadata": {"owner_user_name": "admin", "owner_project_name": "admin"}, "numa_topology": None, "vm_state": "building",
            "task_state": "spawning", "host": "h1", "node": "h1", "ephemeral_key_uuid": None, "vcpu_model": None, "trusted_certs": None,
            "resources": None, "new_flavor": None, "old_flavor": None, "architecture": None, "device_metadata": None, "launched_at": None,
            "migration_context": None, "instance_type_id": 1, "vm_mode": None}
IMAGE_DICT = {"id": IMAGE, "name": "sim", "disk_format": "qcow2", "container_format": "bare", "min_ram": 0, "min_disk": 0, "status": "active",
              "size": 1, "properties": {}}
NETWORK = {"id": "3f9114b5-6d21-40ad-8a21-27bd90c38def", "bridge": "brq3f9114b5-6d", "label": "public", "subnets": [], "bridge_interface": None,
           "injected": False, "mtu": 1500}
DEVICES = {"root_device_name": "/dev/vda", "ephemerals": [], "swap": None, "block_device_mapping": [], "image": []}


def make_instance(ctxt, case):
    flavor = objects.Flavor(**{**FLAVOR, **case.get("flavor", {})})
    values = dict(INSTANCE, memory_mb=flavor.memory_mb, vcpus=flavor.vcpus, root_gb=flavor.root_gb, ephemeral_gb=flavor.ephemeral_gb)
    values.update(case.get("instance", {}))
    instance = objects.Instance(ctxt)
    for key, value in values.items():
        setattr(instance, key, value)
    instance.flavor = flavor
    instance.pci_devices = objects.PciDeviceList(objects=[])
    instance.pci_requests = objects.InstancePCIRequests(requests=[])
    return instance


def make_vifs(case):
    vifs = []
    for i, overrides in enumerate(case.get("vifs", [{}])):
        overrides = dict(overrides)
        network = network_model.Network(**{**NETWORK, **overrides.pop("network", {})})
        values = {"id": "87d4bd71-a5a2-4b22-b4e5-9a233f2e53%02d" % (71 + i), "address": "fa:16:3e:73:26:%02x" % (0xeb + i), "type": "bridge",
                  "details": {"port_filter": True}, "devname": "tap87d4bd71-%02d" % (71 + i), "vnic_type": "normal", "active": False,
                  "profile": {}}
        values.update(overrides)
        vifs.append(network_model.VIF(network=network, **values))
    return network_model.NetworkInfo(vifs)


def upstream_xml(drv, case):
    ctxt = context.get_admin_context()
    case = copy.deepcopy(case)
    instance = make_instance(ctxt, case)
    image = objects.ImageMeta.from_dict({**IMAGE_DICT, **case.get("image", {})})
    block_devices = {**DEVICES, **case.get("bdi", {})}
    rescue, rescue_image = case.get("rescue"), None
    if "rescue_image" in case:
        rescue_image = objects.ImageMeta.from_dict({**IMAGE_DICT, **case["rescue_image"]})
        rescue = rescue or {"image_id": IMAGE}
    disks = blockinfo.get_disk_info(nova.conf.CONF.libvirt.virt_type, instance, image, block_device_info=block_devices, rescue=bool(rescue),
                                    rescue_image_meta=rescue_image)
    return drv._get_guest_xml(ctxt, instance, make_vifs(case), disks, image, rescue=rescue or None, block_device_info=block_devices)


def upstream_answers(conf_file, cases):
    """Name -> ["xml", text] or ["error", class name, text], in a process of its own, as nova's configuration is global."""
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(read_end)
        logging.disable(logging.CRITICAL)
        answers = {}
        config.parse_args(["oracle", "--config-file", conf_file], configure_db=False, init_rpc=False)
        neutron.register_dynamic_opts(nova.conf.CONF)
        devices.register_dynamic_opts(nova.conf.CONF)
        objects.register_all()
        os_vif.initialize()
        drv = driver.LibvirtDriver(fake.FakeVirtAPI())
        drv._host.initialize()
        drv._supported_perf_events = drv._get_supported_perf_events()
        for name, case in cases.items():
            try:
                answers[name] = ["xml", upstream_xml(drv, case)]
            except Exception as error:  # pylint: disable=broad-except
                answers[name] = ["error", type(error).__name__, str(error)]
        with os.fdopen(write_end, "w") as out:
            json.dump(answers, out)
        os._exit(0)
    os.close(write_end)
    with os.fdopen(read_end) as source:
        text = source.read()
    os.waitpid(pid, 0)
    if not text:
        raise SystemExit("nova's driver could not be started with %s" % conf_file)
    return json.loads(text)


def our_answer(tool, conf_file, case):
    done = subprocess.run([tool, conf_file], input=json.dumps(case), capture_output=True, text=True, check=False, timeout=60)
    if done.returncode == 0:
        return ["xml", done.stdout]
    name, _, text = done.stderr.strip().partition(": ")
    return ["error", name, text] if done.returncode == 2 else ["broken", str(done.returncode), done.stderr.strip()]


# --- comparison ---

def canonical(element):
    """[tag, attributes, text, children]: children sorted by name only, so that those of one name keep their order."""
    if element.tag == "smm" and len(element) == 1 and element[0].tag == "smm":
        # Upstream nests the element in itself, which libvirt reads as "on" but its schema refuses.
        element = element[0]
    children = [canonical(child) for child in element if isinstance(child.tag, str)]
    children.sort(key=lambda child: child[0])
    text = (element.text or "").strip()
    if element.tag == NOVA + "creationTime":
        text = "(some time)"
    attributes = dict(element.attrib)
    if element.tag == "source" and "service" in attributes:
        attributes["service"] = "(some port)"
    if element.tag == "cpu":
        children.sort(key=lambda child: (child[0], child[1].get("name", "")))
    return [element.tag, attributes, text, children]


def differences(theirs, ours, path=""):
    path = "%s/%s" % (path, theirs[0].replace(NOVA, "nova:"))
    if theirs[1] != ours[1]:
        for key in sorted(set(theirs[1]) | set(ours[1])):
            if theirs[1].get(key) != ours[1].get(key):
                yield "%s/@%s: nova has %r, novad %r" % (path, key, theirs[1].get(key), ours[1].get(key))
    if theirs[2] != ours[2]:
        yield "%s: nova has text %r, novad %r" % (path, theirs[2], ours[2])
    for tag in sorted({child[0] for child in theirs[3] + ours[3]}):
        left = [child for child in theirs[3] if child[0] == tag]
        right = [child for child in ours[3] if child[0] == tag]
        for i in range(max(len(left), len(right))):
            if i >= len(right):
                yield "%s/%s[%d]: only nova has it: %r" % (path, tag, i + 1, left[i])
            elif i >= len(left):
                yield "%s/%s[%d]: only novad has it: %r" % (path, tag, i + 1, right[i])
            else:
                yield from differences(left[i], right[i], path + ("[%d]" % (i + 1) if i else ""))


def compare(theirs, ours):
    if theirs[0] != ours[0]:
        return ["nova gives %s, novad %s" % (" ".join(theirs)[:1500], " ".join(ours)[:1500])]
    if theirs[0] == "error":
        return [] if theirs[1] == ours[1] else ["nova raises %s (%s), novad %s (%s)" % (theirs[1], theirs[2], ours[1], ours[2])]
    return list(differences(canonical(etree.fromstring(theirs[1])), canonical(etree.fromstring(ours[1]))))


# --- libvirt's opinion ---

def check_schema(schema, xml):
    if schema.validate(etree.fromstring(xml)):
        return []
    return ["libvirt's schema refuses it: %s" % schema.error_log]


def check_test_driver(conn, xml):
    """The test driver has one kind of guest; what the domain's own kind adds is left to the QEMU check."""
    root = etree.fromstring(xml)
    root.set("type", "test")
    kind = root.find("os/type")
    kind.set("arch", "i686")
    kind.attrib.pop("machine", None)
    for path in ("cpu", "os/loader", "os/nvram", "devices/tpm", "devices/iommu", "features/smm"):
        for element in root.findall(path):
            element.getparent().remove(element)
    try:
        conn.defineXML(etree.tostring(root).decode()).undefine()
    except libvirt.libvirtError as error:
        return ["test:///default refuses it: %s" % error]
    return []


def check_qemu(conn, xml):
    root = etree.fromstring(xml)
    if root.get("type") == "kvm":
        # This host may have no KVM: what only KVM can do is not asked of emulation.
        root.set("type", "qemu")
        for element in root.findall("cpu[@mode='host-passthrough']"):
            root.remove(element)
    try:
        conn.domainXMLToNative("qemu-argv", etree.tostring(root).decode(), 0)
    except libvirt.libvirtError as error:
        if not any(text in str(error) for text in REFUSED_LIKE_UPSTREAM):
            return ["the QEMU driver refuses it: %s (%d)" % (error, error.get_error_code())]
    return []


def write_conf(folder, index, options):
    """nova.conf of one file of cases; both sides read it, and share the instances' folder."""
    state = os.path.join(folder, "state")
    os.makedirs(os.path.join(state, "instances"), exist_ok=True)
    sections = {"DEFAULT": {"state_path": state, "transport_url": "rabbit://", "host": "h1"}, "libvirt": {"virt_type": "qemu"}}
    for key, value in options.items():
        section, _, option = key.partition(".")
        sections.setdefault(section, {})[option] = value
    path = os.path.join(folder, "nova-%d.conf" % index)
    with open(path, "w", encoding="utf-8") as out:
        for section, values in sections.items():
            out.write("[%s]\n%s\n" % (section, "".join("%s = %s\n" % pair for pair in values.items())))
    return path


def quiet(_context, _error):
    """libvirt's own error printer off."""


def main():
    tool, files = sys.argv[1], sys.argv[2:]
    libvirt.registerErrorHandler(quiet, None)
    schema = etree.RelaxNG(etree.parse(SCHEMA))
    total = failed = 0
    with tempfile.TemporaryDirectory(prefix="domain-xml-") as folder:
        test_conn, qemu_conn = libvirt.open("test:///default"), libvirt.open("qemu:///system")
        for index, file in enumerate(files):
            with open(file, encoding="utf-8") as source:
                group = json.load(source)
            conf = write_conf(folder, index, group.get("conf", {}))
            answers = upstream_answers(conf, group["cases"])
            for name, case in group["cases"].items():
                ours = our_answer(tool, conf, case)
                problems = compare(answers[name], ours)
                if ours[0] == "xml":
                    problems += check_schema(schema, ours[1]) + check_test_driver(test_conn, ours[1]) + check_qemu(qemu_conn, ours[1])
                total += 1
                failed += bool(problems)
                title = "%s: %s" % (os.path.basename(file).replace(".json", ""), name)
                print("%s %d - %s%s" % ("not ok" if problems else "ok", total, title, " (%s)" % ours[1] if ours[0] == "error" else ""))
                for problem in problems:
                    print("# " + problem.replace("\n", "\n# "))
                sys.stdout.flush()
    print("1..%d" % total)
    print("# %d passed, %d failed, 0 skipped" % (total - failed, failed))
    return 1 if failed else 0


sys.exit(main())
