#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Compares the config drive with upstream's: the same files with the same content, read back from the image. config_drive.py PATH-TO-config-drive"""
import base64
import copy
import json
import os
import shutil
import subprocess
import sys
import tempfile
from unittest import mock

# pylint: disable=wrong-import-position
import nova.conf
from nova import config, context, objects
from nova.api.metadata import base, vendordata_dynamic
from nova.network import model
from nova.virt import configdrive

CONF = nova.conf.CONF
UUID = "4e474c8a-97c4-4d7d-a896-e3598b557d17"


def subnet(cidr, version=4, ips=(), dhcp=None, dns=(), gateway=None, routes=(), **meta):
    data = {"cidr": cidr, "version": version, "dns": [model.IP(address=a, type="dns") for a in dns],
            "gateway": model.IP(address=gateway, type="gateway") if gateway else model.IP(type="gateway"),
            "ips": [model.FixedIP(address=a, floating_ips=[model.IP(address=f, type="floating") for f in fl]) for a, fl in ips],
            "routes": [model.Route(cidr=c, gateway=model.IP(address=g, type="gateway")) for c, g in routes]}
    if dhcp:
        meta["dhcp_server"] = dhcp
    return model.Subnet(**dict(data, **meta))


def vif(number, subnets, **kwargs):
    net = dict(id="net-%d" % number, bridge="br", label="l", subnets=subnets)
    net.update(kwargs.pop("network", {}))
    data = dict(id="port-%d" % number, address="fa:16:3e:00:00:%02x" % number, type="bridge", devname="tap%d" % number, network=model.Network(**net))
    data.update(kwargs)
    return model.VIF(**data)


DHCP4 = dict(cidr="192.168.1.0/24", ips=[("192.168.1.5", [])], dhcp="192.168.1.2", dns=["8.8.8.8"], gateway="192.168.1.1")
STATIC4 = dict(cidr="10.0.0.0/20", ips=[("10.0.3.4", ["203.0.113.7"])], dns=["10.0.0.2", "10.0.0.3"], gateway="10.0.0.1",
               routes=[("172.16.5.9/12", "10.0.0.254")])
V6 = dict(cidr="2001:db8::/64", version=6, ips=[("2001:db8::5", [])], dns=["2001:db8::53"], gateway="2001:db8::1")
# (name, values of the instance and the case, network info, nova.conf overrides)
CASES = [
    ("plain", {}, [], []),
    ("dhcp", {}, [vif(1, [subnet(**DHCP4)], network={"mtu": 1450})], []),
    ("static v4 with routes and floating ip", {}, [vif(1, [subnet(**STATIC4)], network={"mtu": 1450})], []),
    ("v4 and v6, two nics", {}, [vif(1, [subnet(**STATIC4), subnet(**V6)]), vif(2, [subnet(**DHCP4)], type="weird", devname=None), vif(3, [])], []),
    ("slaac, no gateway", {}, [vif(1, [subnet(**dict(V6, gateway=None, ipv6_address_mode="slaac"))])], []),
    ("subnet without address", {}, [vif(1, [subnet(**dict(STATIC4, ips=[]))])], []),
    ("injected", {}, [vif(1, [subnet(**STATIC4), subnet(**V6)], network={"injected": True}), vif(2, [subnet(**DHCP4)], network={"injected": True})], []),
    ("key, metadata, user data, password",
     {"key_name": "k", "key_data": "ssh-rsa AAAA", "key_type": "ssh", "metadata": {"a": "1", "b": "\u00fc\""}, "admin_pass": "secret/\\",
      "user_data": base64.b64encode(bytes(range(256))).decode()}, [vif(1, [subnet(**DHCP4)])], []),
    ("files", {"injected_files": [["/etc/motd", base64.b64encode(b"hello").decode()], ["/x", base64.b64encode(b"").decode()]]}, [], []),
    ("nothing optional", {"availability_zone": None, "ec2_kernel_id": "aki-1", "ec2_ramdisk_id": "ari-1", "security_groups": [], "launch_index": 3},
     [], [("dhcp_domain", "", "api")]),
    ("all versions", {"skip_versions": ""}, [vif(1, [subnet(**STATIC4)])], [("config_drive_skip_versions", "", "api")]),
    ("devices", {"devices": [
        {"type": "nic", "bus": "pci", "address": "0000:00:03.0", "mac": "fa:16:3e:00:00:01", "vlan": 5, "vf_trusted": True, "tags": ["nic1"]},
        {"type": "nic", "bus": "pci", "address": "0000:00:04.0", "mac": "fa:16:3e:00:00:02"},
        {"type": "disk", "bus": "scsi", "address": "0:0:0:1", "serial": "vol1", "path": "/dev/sda", "tags": ["a", "b"]},
        {"type": "disk", "bus": "ide", "address": "0:1"}]}, [], []),
    ("vendor data", {"vendor_data": {"x": [1, {"y": None}]}}, [], []),
    ("vendor data of services", {"vendor_data": {"x": 1}, "vendor_data2": {"static": {"x": 1}, "one": {"k": ["v"]}}}, [],
     [("vendordata_providers", ["StaticJSON", "DynamicJSON"], "api"), ("vendordata_dynamic_targets", ["one@http://a", "static@http://b", "c"], "api")]),
    ("versions left out", {"skip_versions": "2008-02-01 latest 2009-04-04"}, [], [("config_drive_skip_versions", "2008-02-01 latest 2009-04-04", "api")]),
]
DEFAULTS = {"uuid": UUID, "display_name": "s\u00e9rver", "hostname": "host", "project_id": "p1", "availability_zone": "nova", "launch_index": 0,
            "reservation_id": "r-1", "flavor_name": "m1.tiny", "ec2_instance_id": "i-00000007", "ec2_image_id": "ami-00000001",
            "ec2_kernel_id": None, "ec2_ramdisk_id": None, "security_groups": ["default"], "dhcp_domain": "novalocal", "key_name": None, "key_data": None,
            "metadata": {}, "user_data": None}
BUSES = {"pci": objects.PCIDeviceBus, "scsi": objects.SCSIDeviceBus, "ide": objects.IDEDeviceBus}


def device(data):
    bus = BUSES[data["bus"]](address=data["address"])
    kwargs = {k: data[k] for k in ("tags", "mac", "vlan", "vf_trusted", "serial", "path") if k in data}
    cls = objects.NetworkInterfaceMetadata if data["type"] == "nic" else objects.DiskMetadata
    return cls(bus=bus, **kwargs)


def instance(case):
    inst = objects.Instance(context.get_admin_context())
    values = {k: case[k] for k in ("uuid", "display_name", "hostname", "project_id", "availability_zone", "launch_index", "reservation_id", "key_name",
                                   "key_data", "metadata", "user_data")}
    for key, value in dict(values, id=7, system_metadata={}, root_device_name=None, image_ref="i", kernel_id="", ramdisk_id="", numa_topology=None,
                           device_metadata=None).items():
        setattr(inst, key, value)
    inst.flavor = objects.Flavor(name=case["flavor_name"])
    inst.ec2_ids = objects.EC2Ids(instance_id=case["ec2_instance_id"], ami_id=case["ec2_image_id"], kernel_id=case["ec2_kernel_id"],
                                  ramdisk_id=case["ec2_ramdisk_id"])
    keys = [objects.KeyPair(name=case["key_name"], type=case["key_type"], public_key=case["key_data"])] if case["key_name"] else []
    inst.keypairs = objects.KeyPairList(objects=keys)
    if case.get("devices"):
        inst.device_metadata = objects.InstanceDeviceMetadata(devices=[device(d) for d in case["devices"]])
    return inst


def upstream(case, network_info, overrides, folder):
    for name, value, group in overrides:
        CONF.set_override(name, value, group)
    if "vendor_data" in case:
        path = os.path.join(folder, "vendor.json")
        with open(path, "w", encoding="utf-8") as out:
            json.dump(case["vendor_data"], out)
        CONF.set_override("vendordata_jsonfile_path", path, "api")
    groups = [{"name": n} for n in case["security_groups"]]
    extra = {"admin_pass": case["admin_pass"]} if case.get("admin_pass") else {}
    content = [(p, base64.b64decode(c)) for p, c in case.get("injected_files", [])]
    with mock.patch.object(base.security_group_api, "get_instance_security_groups", return_value=groups), \
            mock.patch.object(vendordata_dynamic.DynamicVendorData, "_do_request", return_value={"k": ["v"]}), \
            mock.patch.object(objects.Instance, "get_bdms", return_value=[]):
        metadata = base.InstanceMetadata(instance(case), content=content, extra_md=extra, network_info=model.NetworkInfo(network_info))
        builder = configdrive.ConfigDriveBuilder(instance_md=metadata)
    files = {p: d.encode() if isinstance(d, str) else d for p, d in builder.mdfiles}
    CONF.clear_override("vendordata_jsonfile_path", "api")
    for name, _value, group in overrides:
        CONF.clear_override(name, group)
    return files


def read_tree(root):
    found = {}
    for folder, _folders, names in os.walk(root):
        for name in names:
            path = os.path.join(folder, name)
            with open(path, "rb") as data:
                found[os.path.relpath(path, root)] = data.read()
    return found


def read_image(kind, image, folder):
    root = os.path.join(folder, "tree")
    os.mkdir(root)
    if kind == "vfat":
        subprocess.check_call(["mcopy", "-s", "-n", "-Q", "-i", image, "::*", root], env=dict(os.environ, MTOOLS_SKIP_CHECK="1"))
    else:
        names = subprocess.check_output(["isoinfo", "-R", "-f", "-i", image], text=True).splitlines()
        folders = {os.path.dirname(n) for n in names}
        for name in names:
            if name in folders:
                os.makedirs(root + name, exist_ok=True)
        for name in names:
            if os.path.isdir(root + name):
                continue
            os.makedirs(os.path.dirname(root + name), exist_ok=True)
            with open(root + name, "wb") as out:
                subprocess.check_call(["isoinfo", "-R", "-x", name, "-i", image], stdout=out)
    found = read_tree(root)
    shutil.rmtree(root)
    return found


def normal(path, data):
    if not path.endswith(".json"):
        return data
    value = json.loads(data)
    if isinstance(value, dict) and "random_seed" in value:
        assert len(base64.b64decode(value["random_seed"])) == 512
        value["random_seed"] = "512 bytes"
    return value


def differences(mine, theirs):
    found = ["only %s: %s" % (who, sorted(rest)) for who, rest in (("here", set(mine) - set(theirs)), ("upstream", set(theirs) - set(mine))) if rest]
    for path in sorted(set(mine) & set(theirs)):
        if normal(path, mine[path]) != normal(path, theirs[path]):
            found.append("%s: %r, upstream %r" % (path, mine[path], theirs[path]))
    return found


def run(tool, kind, name, values, network_info, overrides):
    folder = tempfile.mkdtemp(prefix="novad-oracle-")
    case = dict(copy.deepcopy(DEFAULTS), **values)
    case["dhcp_domain"] = next((v for n, v, _g in overrides if n == "dhcp_domain"), case["dhcp_domain"])
    case["network_info"] = json.loads(model.NetworkInfo(network_info).json())
    image = os.path.join(folder, "disk.config")
    try:
        subprocess.run([tool, kind, image], input=json.dumps(case).encode(), check=True)
        found = differences(read_image(kind, image, folder), upstream(case, network_info, overrides, folder))
        label = subprocess.check_output(["blkid", "-p", "-s", "LABEL", "-s", "TYPE", "-o", "value", image], text=True).split()
        if sorted(label) != sorted(["config-2", kind]):
            found.append("blkid says %r" % label)
        if set(os.listdir(folder)) - {"disk.config", "vendor.json"}:
            found.append("left behind: %r" % os.listdir(folder))
    finally:
        shutil.rmtree(folder)
    for line in found:
        print("# " + line[:2000])
    return not found


def main():
    config.parse_args(["oracle"], default_config_files=[], configure_db=False, init_rpc=False)
    objects.register_all()
    cases = [("iso9660",) + c for c in CASES] + [("vfat",) + c for c in CASES if c[0] in ("static v4 with routes and floating ip", "files")]
    print("1..%d" % len(cases))
    failed = 0
    for number, (kind, name, *rest) in enumerate(cases, 1):
        good = run(sys.argv[1], kind, name, *rest)
        print("%s %d - %s, %s" % ("ok" if good else "not ok", number, kind, name), flush=True)
        failed += not good
    return 1 if failed else 0


sys.exit(main())
