#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Boots the server `demo` if it does not run, and shows its console when the guest is ready and has its lease."""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tests", "integration"))
# pylint: disable=wrong-import-position
from lab import READY, Lab, virsh  # noqa: E402


def guest_runs(server):
    """Whether libvirt runs the server's guest: `lab down` ends guests, and the database does not hear of it."""
    return server.domain in virsh("list", "--name").split()


def the_server(lab):
    """The server of an earlier run if its guest runs, else a new one."""
    running = []
    for server in lab.servers_named("demo$"):
        if server.show()["status"] == "ACTIVE" and guest_runs(server):
            running.append(server)
        else:
            print(f"server demo {server.id} of an earlier run does not run: deleting it", flush=True)
            server.delete()
    return running[0] if running else lab.server("demo", key_name="labkey")


def main():
    lab = Lab()
    began = time.monotonic()
    server = the_server(lab)
    print(f"server demo {server.id}: asked for", flush=True)
    server.wait("ACTIVE", 180)
    shown = server.show()
    address = shown["addresses"]["public"][0]["addr"]
    print(f"ACTIVE after {time.monotonic() - began:.1f} s on host {shown['OS-EXT-SRV-ATTR:host']}, "
          f"domain {shown['OS-EXT-SRV-ATTR:instance_name']}, address {address}; waiting for the guest", flush=True)
    server.wait_console(READY, 120)
    console = server.wait_console(f"SIMGUEST lease {address}", 120)
    print(f"guest ready after {time.monotonic() - began:.1f} s; its console:\n")
    print("\n".join("    " + line for line in console.strip().splitlines()))
    print()


if __name__ == "__main__":
    main()
