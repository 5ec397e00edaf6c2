# SPDX-License-Identifier: Apache-2.0
"""The image cache: what is used stays, what is not goes in time; images that are fetched in advance."""
import hashlib
import json
import os
import re
import subprocess
import time
import uuid

from lab import HOST, INSTANCES, LAB, READY, HttpError, agent_with, until, virsh

BASE = os.path.join(INSTANCES, "_base")
SHORT = """[image_cache]
manager_interval = 10
remove_unused_original_minimum_age_seconds = 15
"""
AGGREGATE = {"OpenStack-API-Version": "compute 2.81", "X-OpenStack-Nova-API-Version": "2.81"}


def name_of(image):
    return hashlib.sha1(image.encode()).hexdigest()


def base_of(image):
    return os.path.join(BASE, name_of(image))


def copy_of_sim(lab, name):
    with open(lab.image_file("sim"), "rb") as file:
        return lab.image(name, file.read(), min_ram=64)


def swap_flavor(lab, name, swap):
    lab.cloud.post("compute", "/flavors", {"flavor": {"id": name, "name": name, "vcpus": 1, "ram": 128, "disk": 1, "swap": swap}})
    lab.undo.append(lambda: lab.cloud.delete("compute", f"/flavors/{name}"))
    return name


def log_at(service):
    return os.path.getsize(os.path.join(LAB, "log", service + ".log"))


def log_since(service, offset):
    with open(os.path.join(LAB, "log", service + ".log"), encoding="utf-8", errors="replace") as file:
        file.seek(offset)
        return file.read()


def test_what_nobody_uses_goes(lab):
    """A base goes some time after its last server; that of a living one stays, however old it is."""
    with agent_with(lab, SHORT):
        start = log_at(lab.agent)
        image = copy_of_sim(lab, "passing")
        flavor = swap_flavor(lab, "cache-swap", 48)
        swap = os.path.join(BASE, "swap_48")
        stays = lab.server("stays", network="none").wait()
        goes = lab.server("goes", image=image, flavor=flavor, network="none").wait()
        booted = time.time()
        assert os.path.exists(base_of(image)) and os.path.exists(swap)
        # In use, they are touched by each pass and outlive the age.
        until("a pass of the image cache", 120, lambda: min(os.stat(f).st_mtime for f in (base_of(image), swap)) > booted + 16)
        goes.delete()
        until("end of the unused base", 120, lambda: not os.path.exists(base_of(image)))
        until("end of the unused swap disk", 60, lambda: not os.path.exists(swap))
        assert f"Removing base, swap or ephemeral file: {base_of(image)}" in log_since(lab.agent, start)
        until("end of the lock file", 10, lambda: not os.path.exists(os.path.join(INSTANCES, "locks", "nova-" + name_of(image))))
        with open(os.path.join(INSTANCES, "compute_nodes"), encoding="utf-8") as file:
            assert time.time() - json.load(file)[HOST] < 60
        assert os.path.exists(base_of(lab.image_id()))
        virsh("destroy", stays.domain)
        stays.wait("SHUTOFF", 90)
        stays.action("os-start").wait()
        stays.wait_console(READY, count=1)
        stays.delete()
        lab.nothing_left()


def test_a_disk_without_a_server(lab):
    """A base that a disk stands on stays, though no database knows the disk; nova-compute removes it."""
    orphan, unused = str(uuid.uuid4()), str(uuid.uuid4())
    folder = os.path.join(INSTANCES, str(uuid.uuid4()))
    old = time.time() - 1000
    with agent_with(lab, SHORT):
        try:
            for image in (orphan, unused):
                with open(base_of(image), "wb") as file:
                    file.truncate(1 << 20)
                os.utime(base_of(image), (old, old))
            os.mkdir(folder)
            disk = os.path.join(folder, "disk")
            subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", base_of(orphan), disk], check=True)
            with open(base_of(unused) + ".part", "wb") as file:
                file.write(b"half")
            os.utime(base_of(unused) + ".part", (old - 3600, old - 3600))
            until("end of the unused base", 120, lambda: not os.path.exists(base_of(unused)))
            if lab.agent == "novad":
                until("end of the half download", 30, lambda: not os.path.exists(base_of(unused) + ".part"))
                assert os.path.exists(base_of(orphan))
                assert time.time() - os.stat(base_of(orphan)).st_mtime < 60
                os.unlink(disk)
                until("end of the base that nothing stands on", 120, lambda: not os.path.exists(base_of(orphan)))
        finally:
            for path in (os.path.join(folder, "disk"), base_of(orphan), base_of(unused), base_of(unused) + ".part"):
                if os.path.exists(path):
                    os.unlink(path)
            if os.path.isdir(folder):
                os.rmdir(folder)


def aggregate_with_host(lab, name):
    made = lab.cloud.post("compute", "/os-aggregates", {"aggregate": {"name": name}})["aggregate"]["id"]
    lab.undo.append(lambda: lab.cloud.delete("compute", f"/os-aggregates/{made}"))
    lab.cloud.post("compute", f"/os-aggregates/{made}/action", {"add_host": {"host": HOST}})
    lab.undo.append(lambda: lab.cloud.post("compute", f"/os-aggregates/{made}/action", {"remove_host": {"host": HOST}}))
    return made


def counted(offset, image):
    """The conductor's numbers of a request for one image, when all hosts have answered: [cached, existing, errors, unsupported, skipped]."""
    found = re.search(rf"operation for image\(s\) {image} completed in [0-9.]+ seconds; (\d+) cached, (\d+) existing, (\d+) errors, "
                      r"(\d+) unsupported, (\d+) skipped", log_since("nova-conductor", offset))
    return found and [int(number) for number in found.groups()]


def ask(lab, aggregate, image):
    """Has the aggregate's hosts fetch an image; the conductor's numbers."""
    offset = log_at("nova-conductor")
    lab.cloud.post("compute", f"/os-aggregates/{aggregate}/images", {"cache": [{"id": image}]}, headers=AGGREGATE)
    return until("the conductor's count", 120, lambda: counted(offset, image), 0.5)


def test_images_are_fetched_in_advance(lab):
    aggregate = aggregate_with_host(lab, "ahead")
    image = copy_of_sim(lab, "ahead")
    broken = lab.image("broken", b"no qcow2 at all" * 100)
    start = log_at(lab.agent)
    try:
        assert ask(lab, aggregate, image) == [1, 0, 0, 0, 0]
        done = subprocess.run(["qemu-img", "info", "--output=json", base_of(image)], check=True, capture_output=True, text=True)
        assert json.loads(done.stdout)["format"] == "raw"
        old = time.time() - 5000
        os.utime(base_of(image), (old, old))
        assert ask(lab, aggregate, image) == [0, 1, 0, 0, 0]
        assert time.time() - os.stat(base_of(image)).st_mtime < 60
        assert ask(lab, aggregate, broken) == [0, 0, 1, 0, 0]
        assert not [n for n in os.listdir(BASE) if n.startswith(name_of(broken))], os.listdir(BASE)
        log = log_since(lab.agent, start)
        for text in (f"Caching image {image} by request", f"Image {image} already cached; updating timestamp", f"Failed to cache image {broken}"):
            assert text in log, text
        # A server of it needs no download.
        lab.cloud.get("image", f"/v2/images/{image}")
        before = os.stat(base_of(image)).st_ino
        server = lab.server("ahead", image=image, network="none").wait()
        server.wait_console(READY)
        assert os.stat(base_of(image)).st_ino == before
        server.delete()
        lab.nothing_left()
    except HttpError as error:
        raise AssertionError(str(error)) from None
    finally:
        if os.path.exists(base_of(image)):
            os.unlink(base_of(image))
