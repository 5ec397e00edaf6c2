# SPDX-License-Identifier: Apache-2.0
"""Ports: add, remove, given at boot, fixed addresses, tags."""
import hashlib
import hmac
import json
import urllib.request

from lab import READY, golden, until, virsh


def domain_links(server):
    return sorted(line.split()[0] for line in virsh("domiflist", server.domain).splitlines())


def test_add_and_remove_a_port(lab):
    server = lab.server("ports").wait()
    server.wait_console(READY)
    port = lab.port()
    lab.cloud.post("compute", f"/servers/{server.id}/os-interface", {"interfaceAttachment": {"port_id": port["id"]}})
    tap = "tap" + port["id"][:11]
    until("the new tap in the domain", 30, lambda: tap in domain_links(server))
    address = port["fixed_ips"][0]["ip_address"]
    server.wait_console(f"SIMGUEST lease {address}")
    assert len(server.interfaces()) == 2
    lab.cloud.delete("compute", f"/servers/{server.id}/os-interface/{port['id']}")
    until("end of the tap", 30, lambda: tap not in domain_links(server))
    until("one interface left", 30, lambda: len(server.interfaces()) == 1)
    shown = lab.cloud.get("network", f"/v2.0/ports/{port['id']}")["port"]
    assert shown["device_id"] == "" and shown["binding:host_id"] == "", shown
    golden("events-ports", server.event_list())


def test_add_a_network_makes_a_port(lab):
    server = lab.server("addnet", network="none").wait()
    server.wait_console(READY)
    new = lab.cloud.post("compute", f"/servers/{server.id}/os-interface",
                         {"interfaceAttachment": {"net_id": lab.network}})["interfaceAttachment"]
    server.wait_console(f"SIMGUEST lease {new['fixed_ips'][0]['ip_address']}")
    server.delete()
    lab.nothing_left()  # the port was Nova's own


def test_boot_with_a_port(lab):
    port = lab.port()
    server = lab.server("given", network=[{"port": port["id"]}]).wait()
    assert domain_links(server) == ["tap" + port["id"][:11]]
    server.wait_console("SIMGUEST lease " + port["fixed_ips"][0]["ip_address"])
    server.delete()
    shown = lab.cloud.get("network", f"/v2.0/ports/{port['id']}")["port"]  # the port was the user's and stays
    assert shown["device_id"] == "" and shown["status"] == "DOWN", shown


def test_two_ports(lab):
    ports = [lab.port(), lab.port()]
    server = lab.server("two", network=[{"port": p["id"]} for p in ports]).wait()
    console = server.wait_console("SIMGUEST lease " + ports[1]["fixed_ips"][0]["ip_address"])
    for port in ports:
        assert port["mac_address"] in console, console


def test_fixed_ip_action(lab):
    server = lab.server("fixed").wait()
    server.action("addFixedIp", {"networkId": lab.network}, microversion="2.1")

    def addresses(count):
        found = server.show()["addresses"].get("public", [])
        return len(found) == count and found
    both = until("two addresses", 30, lambda: addresses(2))
    server.action("removeFixedIp", {"address": both[1]["addr"]}, microversion="2.1")
    until("one address", 30, lambda: addresses(1))


def tagged_devices(lab, server):
    """What the metadata service tells the guest of its tagged devices: (type, tags)."""
    signature = hmac.new(b"labpw", server.id.encode(), hashlib.sha256).hexdigest()
    request = urllib.request.Request("http://127.0.0.1:8775/openstack/latest/meta_data.json", headers={
        "X-Instance-ID": server.id, "X-Instance-ID-Signature": signature, "X-Tenant-ID": server.show()["tenant_id"],
        "X-Forwarded-For": "203.0.113.9"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return sorted((device["type"], device["tags"], device["bus"]) for device in json.load(answer)["devices"])


def test_tags(lab):
    root = {"uuid": lab.image_id(), "source_type": "image", "destination_type": "local", "boot_index": 0, "tag": "the-root"}
    server = lab.server("tags", network=[{"uuid": lab.network, "tag": "first"}], block_device_mapping_v2=[root]).wait()
    server.wait_console(READY)
    found = tagged_devices(lab, server)
    assert found == [("disk", ["the-root"], "pci"), ("nic", ["first"], "pci")], found
    lab.cloud.post("compute", f"/servers/{server.id}/os-interface", {"interfaceAttachment": {"net_id": lab.network, "tag": "second"}})
    want = found + [("nic", ["second"], "pci")]
    until("the second tag", 60, lambda: tagged_devices(lab, server) == want)  # the service caches for 15 s
