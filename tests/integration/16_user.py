# SPDX-License-Identifier: Apache-2.0
"""novad as its systemd unit runs it: the user nova with the unit's capabilities, nothing more."""
import contextlib
import os
import re

from lab import HERE, LAB, READY, Skip, run

STATE = os.path.join(LAB, "nova")
UNIT = os.path.join(HERE, "..", "..", "etc", "novad.service.in")


def unit_capabilities():
    """Those of the unit, as {"CAP_NET_ADMIN", ...}."""
    with open(UNIT, encoding="utf-8") as file:
        return set(re.search(r"^AmbientCapabilities=(.*)$", file.read(), re.M).group(1).split())


def give(user, to):
    """What one user owns of Nova's state goes to another; what libvirt gave to QEMU's user stays."""
    run("find", STATE, "-user", user, "-exec", "chown", "-h", f"{to}:{to}", "{}", "+")


def restart(lab, wrapper, before, after):
    os.environ["NOVAD_WRAPPER"] = wrapper
    lab.command("novad", "stop")
    give(before, after)
    lab.command("novad", "start")


@contextlib.contextmanager
def as_nova(lab):
    """novad runs as the unit lets it while the block does."""
    if lab.agent != "novad":
        raise Skip("about novad's unit")
    wanted = ",".join(["-all"] + ["+" + name[4:].lower() for name in sorted(unit_capabilities())])
    before = os.environ.get("NOVAD_WRAPPER", "")
    drop = ["setpriv", "--reuid=nova", "--regid=nova", "--init-groups", "--no-new-privs", f"--inh-caps={wanted}", f"--ambient-caps={wanted}",
            f"--bounding-set={wanted}"]
    try:
        restart(lab, f"{' '.join(drop)} {before}", "root", "nova")
        yield
    finally:
        restart(lab, before, "nova", "root")


def status_of(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file)


def test_the_units_user_and_capabilities(lab):
    with open("/usr/include/linux/capability.h", encoding="ascii") as file:
        numbers = {name: int(number) for name, number in re.findall(r"#define (CAP_\w+)\s+(\d+)", file.read())}
    with as_nova(lab):
        seen = status_of(lab.agent_pid())
        uid = run("id", "-u", "nova").strip()
        assert seen["Uid"].split() == [uid] * 4, seen["Uid"]
        mask = sum(1 << numbers[name] for name in unit_capabilities())
        assert {int(seen[field], 16) for field in ("CapEff", "CapPrm", "CapBnd", "CapAmb")} == {mask}, seen
        assert seen["NoNewPrivs"].strip() == "1"
        life(lab)


def life(lab):
    """What touches files, links and libvirt: a tap, a config drive, files that QEMU's user owns, a move, a snapshot, a rescue."""
    flavor = lab.flavor("user", vcpus=2, ram=192, disk=2)
    server = lab.server("unprivileged", config_drive=True).wait()
    server.wait_console(READY)
    server.action("reboot", {"type": "HARD"}).wait()
    server.action("os-stop").wait("SHUTOFF")
    server.action("os-start").wait()
    image = lab.cloud.post("compute", f"/servers/{server.id}/action", {"createImage": {"name": "user-nova"}}, microversion="2.45")["image_id"]
    lab.delete_later("image", f"/v2/images/{image}")
    server.wait_action("createImage")
    server.wait()
    server.action("rescue").wait("RESCUE").action("unrescue").wait()
    server.action("suspend").wait("SUSPENDED").action("resume").wait()
    server.action("resize", {"flavorRef": flavor}).wait("VERIFY_RESIZE").action("revertResize").wait()
    server.action("resize", {"flavorRef": flavor}).wait("VERIFY_RESIZE").action("confirmResize").wait()
    server.delete()
    lab.nothing_left()
    assert "ERROR" not in lab.agent_log(), "errors in the log"
