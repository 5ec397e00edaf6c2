# SPDX-License-Identifier: Apache-2.0
"""Takeover on the same state_path, in both directions: servers that one agent made are taken on by the other.

The agent that goes is killed in the middle of a delete. The one that comes must finish that delete and leave everything else as it is: the same
QEMU processes, domains, files, records, ports and resources. Then it works on each server. One more server goes through a stop in order as well.
"""
import concurrent.futures
import contextlib
import hashlib
import os
import re
import signal
import socket
import tempfile
import time

from lab import HOST, INSTANCES, LAB, READY, Skip, configured, run, until, virsh

# Nothing is offloaded or reclaimed by the clock; what the clock does to servers at rest is done soon.
OPTIONS = """debug = true
shelved_offload_time = -1
reclaim_instance_interval = 3600
sync_power_state_interval = 5
update_resources_interval = 5
heal_instance_info_cache_interval = 5
"""
PERIODIC = ("update_available_resource", "_sync_power_states", "_heal_instance_info_cache")
JOURNAL = os.path.join(LAB, "nova", "novad", "journal")
WORKERS = 6


# --- what is there of a server, and of the host ---

def qemu(domain):
    """The pid of its QEMU; None: it does not run."""
    try:
        with open(f"/run/libvirt/qemu/{domain}.pid", encoding="ascii") as file:
            pid = int(file.read())
    except FileNotFoundError:
        return None
    return pid if os.path.exists(f"/proc/{pid}") else None


def folder(server):
    return os.path.join(INSTANCES, server.id)


def files(path):
    """{name: inode, mode, owner, and the digest of what no guest writes}."""
    found = {}
    for name in os.listdir(path) if os.path.isdir(path) else ():
        file = os.path.join(path, name)
        stat = os.stat(file)
        found[name] = [stat.st_ino, oct(stat.st_mode), stat.st_uid, stat.st_gid]
        if name.endswith((".xml", ".info", ".config", ".config.rescue")):
            with open(file, "rb") as data:
                found[name].append(hashlib.sha256(data.read()).hexdigest())
    return found


def domain_facts(domain):
    if domain not in virsh("list", "--all", "--name").split():
        return None
    return {"pid": qemu(domain), "id": virsh("domid", domain), "state": virsh("domstate", domain), "live XML": virsh("dumpxml", domain).splitlines(),
            "XML": virsh("dumpxml", "--inactive", domain).splitlines(), "saved": re.findall(r"Managed save:.*", virsh("dominfo", domain))}


def ports(lab, server):
    keys = ("id", "status", "device_id", "device_owner", "binding:host_id", "binding:vif_type", "binding:profile", "fixed_ips")
    return {p["id"]: {k: p[k] for k in keys} for p in lab.cloud.get("network", f"/v2.0/ports?device_id={server.id}")["ports"]}


def server_facts(lab, server):
    """What a takeover must not change."""
    shown = server.show()
    return {"record": shown, "actions": server.actions(), "domain": domain_facts(shown["OS-EXT-SRV-ATTR:instance_name"]),
            "files": files(folder(server)), "ports": ports(lab, server),
            "allocations": lab.cloud.get("placement", f"/allocations/{server.id}")}


def without_generation(answer):
    """Placement's generation of the provider moves with the allocations of others."""
    for allocation in answer.get("allocations", {}).values():
        allocation.pop("generation", None)
    return {k: v for k, v in answer.items() if k != "resource_provider_generation"}


USED = {"vcpus_used": 1, "memory_mb_used": 128, "local_gb_used": 1}  # by the server that is deleted meanwhile


def host_facts(lab, gone):
    """The same of the host, without the links that go."""
    rows = lab.cloud.get("compute", "/os-hypervisors/detail", microversion="2.52")["hypervisors"]  # with the id of the row
    row = [r for r in rows if r["service"]["host"] == HOST][0]
    row["cpu_info"]["features"].sort()
    node = lab.hypervisor()
    provider = "/resource_providers/" + node["id"]
    services = lab.cloud.get("compute", f"/os-services?binary=nova-compute&host={HOST}", microversion="2.52")["services"]
    unlike = ("free_disk_gb", "free_ram_mb", "disk_available_least", "running_vms", "current_workload")
    links = [re.sub(r" state \w+| qlen \d+", "", line.split(": ", 1)[1]).split("\\")[0] for line in run("ip", "-o", "link").splitlines()]
    return {"compute node": {k: v for k, v in row.items() if k not in unlike}, "uuid": node["id"],
            "service": [[s["id"], s["host"], s["zone"], s["status"], s["forced_down"]] for s in services],
            "provider": {k: v for k, v in lab.cloud.get("placement", provider).items() if k != "generation"},
            "inventories": without_generation(lab.cloud.get("placement", provider + "/inventories")),
            "traits": sorted(lab.cloud.get("placement", provider + "/traits")["traits"]),
            "aggregates": without_generation(lab.cloud.get("placement", provider + "/aggregates")),
            "cached images": files(os.path.join(INSTANCES, "_base")), "links": sorted(x for x in links if not x.startswith(gone))}


def differences(before, after, path):
    """One line for each place in which two trees differ."""
    if before == after:
        return []
    if isinstance(before, dict) and isinstance(after, dict):
        return [line for key in sorted(set(before) | set(after)) for line in differences(before.get(key), after.get(key), f"{path} > {key}")]
    if isinstance(before, list) and isinstance(after, list) and all(isinstance(x, str) for x in before + after):
        return [f"{path}: - {[x for x in before if x not in after]} + {[x for x in after if x not in before]}"]
    return [f"{path}: {before} -> {after}"]


def all_facts(lab, servers):
    """{name: (server, its facts)}."""
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        return dict(zip(servers, zip(servers.values(), pool.map(lambda server: server_facts(lab, server), servers.values()))))


def unchanged(lab, before):
    """before: {name: (server, its facts)}."""
    wrong = []
    after = all_facts(lab, {name: server for name, (server, _) in before.items()})
    for name, (_, facts) in before.items():
        now = after[name][1]
        for answer in (facts["allocations"], now["allocations"]):
            without_generation(answer)
        wrong += differences(facts, now, name)
    assert not wrong, "changed by the takeover: " + "; ".join(wrong)


def goes_on(server):
    """The guest runs, is on the network, and the agent of now reads its console."""
    address = server.show()["addresses"]["public"][0]["addr"]

    def answers():
        with contextlib.suppress(OSError), socket.create_connection((address, 22), 5):
            return True
        return False
    until("connection to the guest", 30, answers)
    server.wait_console("SIMGUEST alive", count=server.console().count("SIMGUEST alive") + 1)


# --- the switch ---

def switch(lab, agent):
    """To the other agent; nothing when this one runs."""
    if lab.agent == agent == lab.running_agent():
        return
    lab.command(lab.agent, "stop")
    lab.command(agent, "start")
    lab.agent = agent


def clock_came(lab, times=2):
    """Each periodic task that looks at servers has begun so many times since now."""
    mark = len(lab.agent_log())

    def there():
        log = lab.agent_log()[mark:]
        return all(log.count(f"Running periodic task ComputeManager.{task}") >= times for task in PERIODIC)
    until("periodic tasks", 60, there)


def kill_in_delete(lab, server):
    """The agent is killed when the guest is gone and the rest of the server is not."""
    shown, agent = server.show(), lab.agent_pid()
    pid = qemu(shown["OS-EXT-SRV-ATTR:instance_name"])
    server.action("forceDelete")
    until("end of the deleted guest", 30, lambda: not os.path.exists(f"/proc/{pid}"), 0.005)
    os.kill(agent, signal.SIGKILL)
    until("end of the agent", 10, lambda: not os.path.exists(f"/proc/{agent}"), 0.02)
    shown = server.show()
    assert shown["OS-EXT-STS:task_state"] == "deleting", shown["OS-EXT-STS:task_state"]


# --- histories: what is done before the switch, and after it ---

def up(server):
    """The guest runs, and says so if its disk boots anything."""
    assert virsh("domstate", server.domain).strip() == "running"
    if server.boots:
        server.wait_console(READY)


def after_suspended(server):
    server.action("resume").wait()
    server.wait_console("SIMGUEST alive")
    server.action("reboot", {"type": "SOFT"}).wait()
    up(server)


def before_deleted(server):
    server.delete(wait=False)
    server.wait("SOFT_DELETED")


def act(*actions):
    """Actions one after the other, each with the status it ends in; a guest that runs then comes to its ready line."""
    def work(server):
        for action, status in actions:
            server.action(action).wait(status, 180)
            server.wait_action({"os-stop": "stop", "os-start": "start"}.get(action, action))
        if actions[-1][1] == "ACTIVE":
            up(server)
    return work


# name: (whether its disk boots, what is done before, and after); most spare the machine the work of a guest
HISTORIES = {
    "suspended": (True, act(("suspend", "SUSPENDED")), after_suspended),
    "offloaded": (False, act(("shelve", "SHELVED"), ("shelveOffload", "SHELVED_OFFLOADED")), act(("unshelve", "ACTIVE"))),
    "shelved": (False, act(("shelve", "SHELVED")), act(("unshelve", "ACTIVE"))),
    "paused": (False, act(("pause", "PAUSED")), act(("unpause", "ACTIVE"))),
    "stopped": (False, act(("os-stop", "SHUTOFF")), act(("os-start", "ACTIVE"))),
    "deleted softly": (False, before_deleted, act(("restore", "ACTIVE"))),
}
DELETED = {"half deleted": (False, None, None)}


def each(what, names, work):
    """work(name) for all, several at once; all that fail are told."""
    failed = []

    def one(name):
        began = time.monotonic()
        try:
            work(name)
        except Exception as error:  # pylint: disable=broad-except
            failed.append(f"{name}: {type(error).__name__}: {error}")
        print(f"                 {what:7}{name:16}{time.monotonic() - began:5.0f} s{'  FAILED' if any(f.startswith(name + ':') for f in failed) else ''}",
              flush=True)
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(one, names))
    assert not failed, "; ".join(failed)


def blank_image(lab):
    with tempfile.TemporaryDirectory(dir=LAB) as place:
        path = os.path.join(place, "image")
        run("qemu-img", "create", "-q", "-f", "qcow2", path, "1M")
        with open(path, "rb") as file:
            return lab.image("takeover", file.read(), os_shutdown_timeout="1")


def make(lab, histories):
    """A server for each history, made by the agent that runs now."""
    images = {True: lab.image_id(), False: blank_image(lab)}
    servers = {}
    for name, (boots, _, _) in histories.items():
        servers[name] = lab.server("takeover-" + name.replace(" ", "-"), image=images[boots])
        servers[name].boots = boots

    def bring(name):
        servers[name].wait(seconds=240)
        up(servers[name])
        if histories[name][1]:
            histories[name][1](servers[name])
    each("before", histories, bring)
    return servers


def takeover(lab, old, new):
    first = lab.agent
    kept = lab.server("kept").wait()  # goes through every switch
    kept.wait_console(READY)
    known = all_facts(lab, {"kept": kept})
    switch(lab, old)
    unchanged(lab, known)
    goes_on(kept)
    servers = make(lab, dict(HISTORIES, **DELETED))
    clock_came(lab, 1)
    before = dict(known, **all_facts(lab, {name: server for name, server in servers.items() if name != "half deleted"}))
    gone = tuple("tap" + port[:11] for port in ports(lab, servers["half deleted"]))
    host = host_facts(lab, gone)
    kill_in_delete(lab, servers["half deleted"])
    switch(lab, new)
    servers["half deleted"].wait_gone()
    assert not os.path.exists(folder(servers["half deleted"]))
    clock_came(lab)
    unchanged(lab, before)
    for key, used in USED.items():
        host["compute node"][key] -= used
    wrong = differences(host, host_facts(lab, gone), "host")
    assert not wrong, "changed by the takeover: " + "; ".join(wrong)
    goes_on(kept)

    def go_on(name):
        HISTORIES[name][2](servers[name])
        servers[name].action("forceDelete").wait_gone()
    each("after", HISTORIES, go_on)
    switch(lab, first)
    unchanged(lab, known)
    goes_on(kept)
    kept.action("forceDelete").wait_gone()
    lab.nothing_left()
    until("an empty journal", 10, lambda: not os.path.isdir(JOURNAL) or not os.listdir(JOURNAL))


def with_options(lab, old, new):
    if lab.agent != "novad":
        raise Skip("runs both agents, from novad on")
    first = lab.agent
    with configured(lab, OPTIONS, "nova-api"):
        try:
            takeover(lab, old, new)
        finally:
            if lab.agent != first or lab.running_agent() is None:
                switch(lab, first)


def test_novad_takes_over(lab):
    with_options(lab, "nova-compute", "novad")


def test_nova_compute_takes_over(lab):
    with_options(lab, "novad", "nova-compute")
