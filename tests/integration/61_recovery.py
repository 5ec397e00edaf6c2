# SPDX-License-Identifier: Apache-2.0
"""novad is killed at each step of its operations and started again: nothing stays half done.

kill_at.c, preloaded, ends the process where an order file says, so the places are exact and novad has no part in it. The steps are read
from the tables of agent/op_*.c: a step that is added there is killed here. By default each operation is killed at a few places only;
NOVAD_ALL_PLACES=1 kills at all of them (about half an hour, with 26 and 35).
"""
import contextlib
import glob
import os
import re
import time

from lab import HERE, LAB, Lab, Skip, run, until, virsh

ORDER = os.path.join(LAB, "kill-at")
PRELOAD = os.path.join(LAB, "cache", "kill_at.so")
SOURCES = os.path.join(HERE, "..", "..", "agent", "op_*.c")


def steps_of(method):
    """The names of an operation's steps, from its table."""
    for path in glob.glob(SOURCES):
        with open(path, encoding="utf-8") as file:
            text = file.read()
        spec = re.search(r'\.method = "%s",.*?\.steps = (\w+),' % method, text, re.S)
        if spec:
            table = re.search(r"OperationStep %s\[\] = \{(.*?)\n\};" % spec.group(1), text, re.S).group(1)
            return re.findall(r'\{"([\w-]+)"', table)
    raise AssertionError(f"no table of steps for {method}")


def few(*chosen):
    """Of all places, those that a run of minutes has time for."""
    return None if os.environ.get("NOVAD_ALL_PLACES") == "1" else list(chosen)


def places(method, *timed):
    """Accepted but not acknowledged, or not begun; before each step, after the last, before the action event is finished, and at the times given
    as (step, milliseconds). The few of a short run: in the middle of the work, and before the action event is finished; the rest is alike."""
    steps = steps_of(method)
    middle = ("run", timed[0][0], str(timed[0][1])) if timed else ("run", steps[len(steps) // 2], "before")
    chosen = few(middle, ("finish", steps[-1], "before"))
    if chosen:
        return chosen
    return ([("queued", "-", "before"), ("queued", "-", "after")] +
            [("run", step, "before") for step in steps] + [("run", steps[-1], "after"), ("finish", steps[-1], "before")] +
            [("run", step, str(ms)) for step, ms in timed])


def start(lab):
    """Starts novad again and waits until it serves, but not for its first heartbeat: it still counts as up."""
    os.environ["LAB_COMPUTE_WAIT"] = "0"
    try:
        lab.command("novad", "start")
    finally:
        del os.environ["LAB_COMPUTE_WAIT"]
    until("novad that serves", 60, lambda: "Serving after" in lab.agent_log(), 0.1)


def restart(lab):
    lab.command("novad", "stop")
    start(lab)


@contextlib.contextmanager
def killable(lab):
    """novad runs with kill_at.so while the block does."""
    if lab.agent != "novad":
        raise Skip("only novad has steps")
    run("cc", "-Wall", "-Werror", "-O1", "-shared", "-fPIC", "-o", PRELOAD, os.path.join(HERE, "kill_at.c"), "-ldl")
    wrapper = os.environ.get("NOVAD_WRAPPER")
    os.environ["NOVAD_WRAPPER"] = f"{wrapper or ''} env LD_PRELOAD={PRELOAD} KILL_AT_ORDER={ORDER}"
    try:
        restart(lab)
        yield
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(ORDER)
        del os.environ["NOVAD_WRAPPER"]
        if wrapper:
            os.environ["NOVAD_WRAPPER"] = wrapper
        restart(lab)


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def order(method, place):
    with open(ORDER, "w", encoding="ascii") as file:
        file.write(" ".join((method,) + place) + "\n")


def await_death(lab, seconds=90):
    """Until novad was killed where the order says; if the operation ended before, that is told."""
    pid = lab.agent_pid()
    until("death of novad", seconds, lambda: not alive(pid), 0.02)
    assert not os.path.exists(ORDER), "novad ended by itself"


def journal():
    return [n for n in os.listdir(os.path.join(LAB, "nova", "novad", "journal")) if not n.endswith(".bad")]


def settled(server, statuses, seconds=120):
    """The status that the server comes to rest in."""
    def there():
        shown = server.show()
        return shown["OS-EXT-STS:task_state"] is None and shown["status"] in statuses and shown["status"]
    try:
        return until(f"rest in {statuses}", seconds, there, 0.1)
    except TimeoutError:
        shown = server.show()
        raise AssertionError(f"status {shown['status']}, task {shown['OS-EXT-STS:task_state']}") from None


def told(place, text):
    print(f"                 {place[1]:14}{place[0] if place[0] != 'run' else '':7}{place[2]:>7}: {text}", flush=True)


def each(method, timed, check, also=()):
    """check(place) at each place, and at those of `also` in a short run; all that fail are told at the end."""
    failed = []
    for place in places(method, *timed) + list(few(*also) or ()):
        began = time.monotonic()
        try:
            text = check(place)
        except (AssertionError, TimeoutError) as error:
            failed.append(f"{place[1]} {place[2]}: {error}")
            text = f"FAILED: {error}"
        told(place, f"{text} ({time.monotonic() - began:.0f} s)")
    assert not failed, "; ".join(failed)


def check_events(server):
    """Nobody works on it, and its actions say so; nothing was done twice."""
    actions = server.actions()
    open_events = [e["event"] for a in actions for e in a["events"] if not e["finish_time"]]
    assert not open_events, f"events without an end: {open_events}"
    for action in actions:
        names = [e["event"] for e in action["events"]]
        assert len(names) == len(set(names)), f"events that came twice: {names}"


# --- build ---

def interrupted_build(lab, place, **server_fields):
    order("build_and_run_instance", place)
    server = lab.server("kill", **server_fields)
    await_death(lab)
    start(lab)
    status = settled(server, ("ERROR", "ACTIVE"))
    finished = place[1] == "announce" or place[0] in ("finish", "queued")
    assert status == "ACTIVE" or not finished, "the build had succeeded"
    if status == "ERROR":
        assert server.fault().get("message"), "no fault"
        lab.nothing_left(10)  # it was taken back before anybody deletes it
    until("an empty journal", 10, lambda: not journal())
    check_events(server)
    return server, status


def test_build(lab):
    def check(place):
        server, status = interrupted_build(lab, place)
        server.delete()
        lab.nothing_left()
        return status
    with killable(lab):
        each("build_and_run_instance", [("spawn", 500), ("spawn", 150), ("spawn", 1500), ("network", 300)], check,
             also=[("queued", "-", "before"), ("queued", "-", "after"), ("run", "network", "300")])


def test_build_with_a_port_of_the_user(lab):
    """The port is given back, not deleted, even if novad dies before the info cache knows it."""
    with killable(lab):
        known = ("run", "network", "after")
        for place in few(known) or (("run", "network", "200"), ("run", "network", "400"), known, ("run", "spawn", "300")):
            port = lab.port()
            server, status = interrupted_build(lab, place, network=[{"port": port["id"]}])
            server.delete()
            now = lab.cloud.get("network", f"/v2.0/ports/{port['id']}")["port"]
            assert now["device_id"] == "" and not now["binding:host_id"], now
            lab.clean()
            lab.nothing_left()
            told(place, f"{status}, port kept")


# --- delete ---

def test_delete(lab):
    def check(place):
        server = lab.server("kill").wait()
        order("terminate_instance", place)
        server.delete(wait=False)
        await_death(lab)
        start(lab)
        server.wait_gone(60)
        lab.nothing_left()
        until("an empty journal", 10, lambda: not journal())
        return "gone"
    with killable(lab):
        each("terminate_instance", [("destroy", 30), ("network", 100)], check)


# --- power ---

def quick_server(lab):
    """A server whose guest is not waited for when it is stopped."""
    with open(Lab.image_file("sim"), "rb") as file:
        image = lab.image("quick", file.read(), os_shutdown_timeout="1")
    return lab.server("kill", image=image).wait()


def power(lab, server, method, timed, begin, prepare, rest, domain):
    """Kills in `method`, begun by begin(); prepare() brings the server into the state it begins in; it must come to rest in `rest`."""
    def check(place):
        prepare()
        order(method, place)
        begin()
        await_death(lab, 180)  # a guest that is not up yet lets a soft reboot wait for its whole time
        start(lab)
        status = settled(server, ("ACTIVE", "SHUTOFF", "PAUSED", "SUSPENDED", "ERROR"))
        assert status == rest, status
        assert virsh("domstate", server.domain).strip() == domain, virsh("domstate", server.domain)
        until("an empty journal", 10, lambda: not journal())
        check_events(server)
        return status
    each(method, timed, check)


def bring(server, status):
    """Brings the server to a status by the API."""
    shown = server.show()["status"]
    if shown == status:
        return
    ways = {("SHUTOFF", "ACTIVE"): "os-start", ("PAUSED", "ACTIVE"): "unpause", ("SUSPENDED", "ACTIVE"): "resume",
            ("ACTIVE", "SHUTOFF"): "os-stop", ("ACTIVE", "PAUSED"): "pause", ("ACTIVE", "SUSPENDED"): "suspend"}
    server.action(ways[shown, status]).wait(status)


def power_test(lab, method, timed, action, before, after, domain, value=None):
    with killable(lab):
        server = quick_server(lab)
        power(lab, server, method, timed, lambda: server.action(action, value), lambda: bring(server, before), after, domain)
        server.delete()
        lab.nothing_left()


def test_stop(lab):
    power_test(lab, "stop_instance", [("power-off", 300)], "os-stop", "ACTIVE", "SHUTOFF", "shut off")


def test_start(lab):
    power_test(lab, "start_instance", [("power-on", 200), ("power-on", 700)], "os-start", "SHUTOFF", "ACTIVE", "running")


def test_hard_reboot(lab):
    power_test(lab, "reboot_instance", [("reboot", 50), ("reboot", 500)], "reboot", "ACTIVE", "ACTIVE", "running", {"type": "HARD"})


def test_soft_reboot(lab):
    power_test(lab, "reboot_instance", [("reboot", 300)], "reboot", "ACTIVE", "ACTIVE", "running", {"type": "SOFT"})


def test_pause(lab):
    power_test(lab, "pause_instance", [], "pause", "ACTIVE", "PAUSED", "paused")


def test_unpause(lab):
    power_test(lab, "unpause_instance", [], "unpause", "PAUSED", "ACTIVE", "running")


def test_suspend(lab):
    power_test(lab, "suspend_instance", [("suspend", 300)], "suspend", "ACTIVE", "SUSPENDED", "shut off")


def test_resume(lab):
    power_test(lab, "resume_instance", [("resume", 300)], "resume", "SUSPENDED", "ACTIVE", "running")
