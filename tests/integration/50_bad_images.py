# SPDX-License-Identifier: Apache-2.0
"""Images that are not what they say, or that no host should open. Each ends in ERROR and leaves nothing."""
import os
import subprocess
import tempfile

from lab import LAB, golden, plain


def qemu_img(*argv):
    subprocess.run(("qemu-img",) + argv, check=True, capture_output=True)


def bytes_of(path):
    with open(path, "rb") as file:
        return file.read()


def made_by(make):
    """The bytes of the file that make(path) writes in a folder of its own."""
    with tempfile.TemporaryDirectory(dir=LAB) as folder:
        path = os.path.join(folder, "image")
        make(path)
        return bytes_of(path)


def refused(lab, name, image, flavor="m1.nano"):
    server = lab.server(name, image=image, flavor=flavor).wait("ERROR")
    fault = server.fault()
    # novad's words are its own; that it gave up at once, and did not try another host, is what callers see
    print(f"                 {plain(fault['message'])}")
    golden("fault-" + name, {"code": fault["code"], "aborted": "aborted" in fault["message"].lower(), "events": server.event_list()})
    server.delete()
    lab.nothing_left()


def test_noise_as_qcow2(lab):
    refused(lab, "noise", lab.image("noise", b"\x01\x02\x03\x04" * 65536))


def test_qcow2_with_a_backing_file(lab):
    def make(path):
        with open(path + ".base", "wb") as base:
            base.truncate(1 << 20)
        qemu_img("create", "-q", "-f", "qcow2", "-b", path + ".base", "-F", "raw", path)
        qemu_img("rebase", "-u", "-b", "/etc/passwd", "-F", "raw", path)
    refused(lab, "backing", lab.image("backing", made_by(make)))


def test_qcow2_with_a_data_file(lab):
    refused(lab, "datafile", lab.image("datafile", made_by(
        lambda path: qemu_img("create", "-q", "-f", "qcow2", "-o", "data_file=/tmp/novalab-no-such-file,data_file_raw=on", path, "1M"))))


def test_qcow2_bytes_as_raw(lab):
    refused(lab, "asraw", lab.image("asraw", made_by(lambda path: qemu_img("create", "-q", "-f", "qcow2", path, "1M")), "raw"))


def test_vmdk_bytes_as_qcow2(lab):
    refused(lab, "asvmdk", lab.image("asvmdk", made_by(lambda path: qemu_img("create", "-q", "-f", "vmdk", path, "1M"))))


def test_vmdk_of_a_refused_type(lab):
    def make(path):
        with open(path, "wb") as file:
            file.write(b'# Disk DescriptorFile\nversion=1\nCID=fffffffe\nparentCID=ffffffff\ncreateType="monolithicFlat"\n\n'
                       b'RW 2048 FLAT "/etc/passwd" 0\n')
    refused(lab, "flatvmdk", lab.image("flatvmdk", made_by(make), "vmdk"))


def test_qcow2_cut_short(lab):
    refused(lab, "short", lab.image("short", bytes_of(os.path.join(LAB, "cache", "sim.qcow2"))[:40]))


def test_image_larger_than_the_flavor(lab):
    refused(lab, "large", lab.image("large", made_by(lambda path: qemu_img("create", "-q", "-f", "qcow2", path, "3G"))))


def test_image_whose_data_is_gone(lab):
    image = lab.image("gone", b"\0" * 65536, "raw")
    os.unlink(os.path.join(LAB, "glance", "images", image))
    refused(lab, "gone", image)
