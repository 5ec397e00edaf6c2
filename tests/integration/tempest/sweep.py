# SPDX-License-Identifier: Apache-2.0
"""Removes what tests that were broken off have left in the cloud: everything of projects named tempest-*."""
from cloud import HttpError, until

PREFIX = "tempest-"


def quietly(function, *args, **kw):
    try:
        return function(*args, **kw)
    except HttpError as error:
        if error.status not in (403, 404, 409):
            raise
        return None


def servers(cloud, projects):
    def left():
        found = cloud.get("compute", "/servers/detail?all_tenants=1&limit=1000")["servers"]
        return [s for s in found if s["tenant_id"] in projects]
    for server in left():
        quietly(cloud.post, "compute", f"/servers/{server['id']}/action", {"unlock": None})
        quietly(cloud.delete, "compute", f"/servers/{server['id']}")
    until("end of the servers that were left", 120, lambda: not left(), 0.5)


def sweep(cloud):
    """How many projects were left."""
    found = cloud.get("identity", "/projects")["projects"]
    projects = {p["id"] for p in found if p["name"].startswith(PREFIX)}
    servers(cloud, projects)
    for kind in ("ports", "subnets", "networks", "security-groups"):
        for thing in cloud.get("network", f"/v2.0/{kind}")[kind.replace("-", "_")]:
            if thing["project_id"] in projects and thing.get("device_owner", "") != "network:dhcp":
                quietly(cloud.delete, "network", f"/v2.0/{kind}/{thing['id']}")
    for image in cloud.get("image", "/v2/images?limit=1000")["images"]:
        if image["owner"] in projects:
            quietly(cloud.delete, "image", f"/v2/images/{image['id']}")
    for flavor in cloud.get("compute", "/flavors?is_public=None")["flavors"]:
        if flavor["name"].startswith(PREFIX):
            quietly(cloud.delete, "compute", f"/flavors/{flavor['id']}")
    for user in cloud.get("identity", "/users")["users"]:
        if user["name"].startswith(PREFIX):
            quietly(cloud.delete, "identity", f"/users/{user['id']}")
    for project in projects:
        quietly(cloud.delete, "identity", f"/projects/{project}")
    return len(projects)
