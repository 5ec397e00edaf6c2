#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""hosts.py wait HOST SINCE SECONDS [PID]: waits until the compute service of HOST has reported after SINCE (seconds of the
epoch), its hypervisor is in a cell, and Placement has its inventory. Ends early when process PID has ended."""
import datetime
import os
import sys

from cloud import Cloud, until


def in_service(cloud, host, since, pid):
    if pid and not os.path.exists(f"/proc/{pid}"):
        sys.exit(f"process {pid} has ended")
    services = cloud.get("compute", f"/os-services?binary=nova-compute&host={host}")["services"]
    if not services or services[0]["state"] != "up" or not services[0]["updated_at"]:
        return False
    seen = datetime.datetime.fromisoformat(services[0]["updated_at"]).replace(tzinfo=datetime.timezone.utc).timestamp()
    if seen < since:
        return False
    nodes = cloud.get("compute", "/os-hypervisors/detail")["hypervisors"]
    nodes = [n for n in nodes if n["service"]["host"] == host]
    if not nodes:
        return False
    providers = cloud.get("placement", f"/resource_providers?uuid={nodes[0]['id']}")["resource_providers"]
    if not providers:
        return False
    inventory = cloud.get("placement", f"/resource_providers/{nodes[0]['id']}/inventories")["inventories"]
    return {"VCPU", "MEMORY_MB"} <= set(inventory)


def main():
    if len(sys.argv) < 5 or sys.argv[1] != "wait":
        sys.exit(__doc__)
    host, since, seconds = sys.argv[2], float(sys.argv[3]), float(sys.argv[4])
    pid = sys.argv[5] if len(sys.argv) > 5 else None
    cloud = Cloud()
    try:
        until(f"compute service in service on {host}", seconds, lambda: in_service(cloud, host, since, pid), 0.5)
    except TimeoutError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
