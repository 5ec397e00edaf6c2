#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Makes what tests and demos use: flavors, the image `sim`, the network `public`, the keypair `labkey`. Idempotent."""
import hashlib
import os
import subprocess

from cloud import LAB, Cloud, HttpError, until

FLAVORS = (("m1.nano", 1, 128, 1), ("m1.micro", 1, 192, 1), ("m1.tiny", 2, 256, 2), ("m1.diskless", 1, 128, 0))
IMAGES = ("sim", "sim-full")
CIDR, FIRST, LAST, GATEWAY = "198.51.100.0/24", "198.51.100.10", "198.51.100.250", "198.51.100.1"


def flavors(cloud):
    have = {f["name"] for f in cloud.get("compute", "/flavors?is_public=None")["flavors"]}
    for name, vcpus, ram, disk in FLAVORS:
        if name not in have:
            cloud.post("compute", "/flavors", {"flavor": {"id": name, "name": name, "vcpus": vcpus, "ram": ram, "disk": disk}})


def image(cloud, name):
    with open(os.path.join(LAB, "cache", name + ".qcow2"), "rb") as file:
        data = file.read()
    checksum = hashlib.md5(data).hexdigest()
    for found in cloud.get("image", f"/v2/images?name={name}")["images"]:
        if found["checksum"] == checksum and found["status"] == "active":
            return
        cloud.delete("image", f"/v2/images/{found['id']}")
    new = cloud.post("image", "/v2/images", {"name": name, "disk_format": "qcow2", "container_format": "bare",
                                             "visibility": "public", "min_ram": 64})
    cloud.put("image", f"/v2/images/{new['id']}/file", data=data, headers={"Content-Type": "application/octet-stream"})


def network(cloud):
    found = cloud.get("network", "/v2.0/networks?name=public")["networks"]
    net = found[0] if found else cloud.post("network", "/v2.0/networks", {"network": {
        "name": "public", "shared": True, "provider:network_type": "flat", "provider:physical_network": "physnet1"}})["network"]
    if not net["subnets"]:
        cloud.post("network", "/v2.0/subnets", {"subnet": {
            "name": "public", "network_id": net["id"], "ip_version": 4, "cidr": CIDR, "gateway_ip": GATEWAY, "enable_dhcp": True,
            "allocation_pools": [{"start": FIRST, "end": LAST}]}})


def keypair(cloud):
    key = os.path.join(LAB, "etc", "labkey")
    if not os.path.exists(key):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "labkey", "-f", key], check=True)
    with open(key + ".pub", encoding="ascii") as file:
        public = file.read().strip()
    try:
        have = cloud.get("compute", "/os-keypairs/labkey")["keypair"]
        if have["public_key"].strip() == public:
            return
        cloud.delete("compute", "/os-keypairs/labkey")
    except HttpError as error:
        if error.status != 404:
            raise
    cloud.post("compute", "/os-keypairs", {"keypair": {"name": "labkey", "public_key": public, "type": "ssh"}})


def agents_alive(cloud):
    agents = cloud.get("network", "/v2.0/agents")["agents"]
    return len([a for a in agents if a["alive"]]) >= 3


def main():
    cloud = Cloud()
    flavors(cloud)
    for name in IMAGES:
        image(cloud, name)
    network(cloud)
    keypair(cloud)
    until("three live Neutron agents", 90, lambda: agents_alive(cloud))


if __name__ == "__main__":
    main()
