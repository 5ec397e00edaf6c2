# SPDX-License-Identifier: Apache-2.0
"""Tempest's configuration for the lab's cloud, and the two images it wants.

What a node with libvirt can do is on; what the lab has not (Cinder, routers and floating addresses, a second host) is off.
"""
import configparser
import os

from cloud import BASE, LAB, PASSWORD

FLAVORS = ("m1.nano", "m1.micro")
IMAGES = ("tempest", "tempest-alt")
PROPERTIES = {"min_ram": 64, "os_shutdown_timeout": "5"}  # tests stop guests that have not booted yet, which would take a minute each
FOLDER = os.path.join(LAB, "tempest")


def image(cloud, name):
    """The id of an image with the bytes of `sim`."""
    sim = cloud.get("image", "/v2/images?name=sim")["images"][0]
    for found in cloud.get("image", f"/v2/images?name={name}")["images"]:
        if found["checksum"] == sim["checksum"] and all(found.get(k) == v for k, v in PROPERTIES.items()):
            return found["id"]
        cloud.delete("image", f"/v2/images/{found['id']}")
    new = cloud.post("image", "/v2/images", dict(PROPERTIES, name=name, disk_format="qcow2", container_format="bare", visibility="public"))
    with open(os.path.join(LAB, "cache", "sim.qcow2"), "rb") as file:
        cloud.put("image", f"/v2/images/{new['id']}/file", data=file.read(), headers={"Content-Type": "application/octet-stream"})
    return new["id"]


def sections(cloud, ssh):
    first, second = (image(cloud, name) for name in IMAGES)
    extensions = sorted(e["alias"] for e in cloud.get("network", "/v2.0/extensions")["extensions"])
    lock = os.path.join(FOLDER, "lock")
    return {
        "DEFAULT": {"debug": "true", "use_stderr": "false", "log_dir": FOLDER, "log_file": "tempest.log"},
        "oslo_concurrency": {"lock_path": lock},
        "identity": {"auth_version": "v3", "uri_v3": BASE["identity"], "v3_endpoint_type": "public", "region": "RegionOne"},
        "auth": {"use_dynamic_credentials": "true", "create_isolated_networks": "false", "admin_username": "admin",
                 "admin_password": PASSWORD, "admin_project_name": "admin", "admin_domain_name": "Default"},
        "service_available": {"nova": "true", "glance": "true", "neutron": "true", "cinder": "false", "swift": "false",
                              "horizon": "false"},
        "compute": {"image_ref": first, "image_ref_alt": second, "flavor_ref": FLAVORS[0], "flavor_ref_alt": FLAVORS[1],
                    "fixed_network_name": "public", "max_microversion": "latest", "hypervisor_type": "QEMU",
                    "build_timeout": "300", "min_compute_nodes": "1"},
        "compute-feature-enabled": {
            "resize": "true", "pause": "true", "suspend": "true", "shelve": "true", "rescue": "true", "stable_rescue": "true",
            "snapshot": "true", "cold_migration": "true", "live_migration": "true",
            "block_migration_for_live_migration": "true",  # those that need a second host look for it themselves
            "console_output": "true", "vnc_console": "true", "vnc_server_header": "WebSockify", "interface_attach": "true",
            "config_drive": "true", "metadata_service": "true", "disk_config": "true", "enable_instance_password": "true",
            "hostname_fqdn_sanitization": "true", "ide_bus": "true",
            "personality": "false" if ssh else "true",  # by SSH it is looked for in the root disk, which libvirt's driver leaves alone
            "change_password": "false",  # the guest's SSH server takes keys only
            "spice_console": "false", "serial_console": "false", "scheduler_enabled_filters": "ComputeFilter,"
            "ComputeCapabilitiesFilter,ImagePropertiesFilter,ServerGroupAntiAffinityFilter,ServerGroupAffinityFilter"},
        "network": {"project_networks_reachable": "false", "shared_physical_network": "true"},
        "network-feature-enabled": {"api_extensions": ",".join(extensions), "floating_ips": "false", "ipv6": "true",
                                    "port_security": str("port-security" in extensions).lower()},
        "image-feature-enabled": {"api_v1": "false", "api_v2": "true"},
        "validation": {"run_validation": str(ssh).lower(), "connect_method": "fixed", "network_for_ssh": "public",
                       "image_ssh_user": "root", "image_alt_ssh_user": "root", "ssh_key_type": "rsa", "ssh_timeout": "300",
                       "ssh_shell_prologue": "set -eu;"},
    }


def write(cloud, ssh):
    """Writes tempest.conf; returns its folder."""
    os.makedirs(os.path.join(FOLDER, "lock"), exist_ok=True)
    parser = configparser.RawConfigParser()
    parser.read_dict(sections(cloud, ssh))
    with open(os.path.join(FOLDER, "tempest.conf"), "w", encoding="utf-8") as file:
        parser.write(file)
    return FOLDER
