#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the service users, roles and endpoints of the lab in Keystone; does nothing when they are there."""
from cloud import BASE, PASSWORD, Cloud

SERVICES = (("glance", "image", BASE["image"]), ("placement", "placement", BASE["placement"]),
            ("nova", "compute", BASE["compute"]), ("neutron", "network", BASE["network"]))


def one(cloud, kind, query, **fields):
    """The identity resource that the query finds, else a new one with these fields."""
    found = cloud.get("identity", f"/{kind}s?{query}")[f"{kind}s"]
    return found[0] if found else cloud.post("identity", f"/{kind}s", {kind: fields})[kind]


def main():
    cloud = Cloud()
    project = one(cloud, "project", "name=service", name="service", domain_id="default")
    roles = [one(cloud, "role", f"name={name}", name=name)["id"] for name in ("admin", "service")]
    for name in ("member", "reader"):
        one(cloud, "role", f"name={name}", name=name)
    for name, kind, url in SERVICES:
        user = one(cloud, "user", f"name={name}", name=name, domain_id="default", password=PASSWORD)
        for role in roles:
            cloud.put("identity", f"/projects/{project['id']}/users/{user['id']}/roles/{role}")
        service = one(cloud, "service", f"name={name}&type={kind}", name=name, type=kind)
        for interface in ("public", "internal", "admin"):
            one(cloud, "endpoint", f"service_id={service['id']}&interface={interface}", service_id=service["id"],
                interface=interface, url=url, region_id="RegionOne")


if __name__ == "__main__":
    main()
