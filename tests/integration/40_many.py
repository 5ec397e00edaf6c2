# SPDX-License-Identifier: Apache-2.0
"""Twenty servers at once."""
from lab import clock, until


def test_twenty_at_once(lab):
    began = clock()
    lab.server("many", network="public", min_count=20, max_count=20)
    servers = until("twenty servers", 30, lambda: len(lab.servers_named("many")) == 20 and lab.servers_named("many"))
    for server in servers:
        server.wait("ACTIVE", 420)
    active = clock() - began
    began = clock()
    for server in servers:
        server.delete(wait=False)
    for server in servers:
        server.wait_gone(300)
    gone = clock() - began
    lab.nothing_left()
    print(f"                 20 servers: all ACTIVE after {active:.1f} s, all gone after {gone:.1f} s")
