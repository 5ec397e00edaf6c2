# SPDX-License-Identifier: Apache-2.0
"""Serial and SPICE consoles, which are off by default: the agent runs with them for these tests, and their clients go through Debian's proxies."""
import contextlib
import os
import socket
import struct
import subprocess
import urllib.parse
import xml.etree.ElementTree as ElementTree

import rfb
from lab import LAB, READY, HttpError, agent_with, until, virsh

OPTIONS = """
[serial_console]
enabled = true
base_url = ws://127.0.0.1:6083/
port_range = 10100:10105
proxyclient_address = 127.0.0.1
[spice]
enabled = true
agent_enabled = true
html5proxy_base_url = http://127.0.0.1:6082/spice_auto.html
server_listen = 127.0.0.1
server_proxyclient_address = 127.0.0.1
[DEFAULT]
rescue_timeout = 5
"""


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextlib.contextmanager
def proxy(name, port, *more):
    with open(os.path.join(LAB, "log", name + ".log"), "ab") as log:
        with subprocess.Popen([name, "--config-file", os.path.join(LAB, "etc", "nova.conf"), *more], stdout=log, stderr=log) as process:
            try:
                until(name, 60, lambda: listens(port))
                yield
            finally:
                process.terminate()


def console(lab, server, protocol, kind):
    return lab.cloud.post("compute", f"/servers/{server.id}/remote-consoles", {"remote_console": {"protocol": protocol, "type": kind}})["remote_console"]["url"]


def serial_ports(server):
    domain = ElementTree.fromstring(virsh("dumpxml", server.domain))
    return [int(s.get("service")) for s in domain.findall("devices/serial[@type='tcp']/source")]


def serial_says(url, text):
    """What a client of the serial console reads until the text, having pressed Return."""
    web = rfb.WebSocket(url)
    try:
        web.send(b"\r\n")
        read = b""
        while text not in read:
            read += web.frame()
        return read
    finally:
        web.close()


def spice_link(url):
    """The start of the SPICE protocol: (major, minor) of the server, from its answer to a link message on the main channel."""
    web = rfb.WebSocket(url)
    try:
        capabilities = struct.pack("<I", 0)
        link = struct.pack("<IBBIII", 0, 1, 0, 1, 0, 18) + capabilities
        web.send(b"REDQ" + struct.pack("<III", 2, 2, len(link)) + link)
        magic, major, minor, size = struct.unpack("<4sIII", web.recv(16))
        assert magic == b"REDQ" and size > 160, (magic, size)
        error = struct.unpack("<I", web.recv(4))[0]
        assert error == 0, f"the server refuses: {error}"
        return major, minor
    finally:
        web.close()


def check_serial(lab):
    server = lab.server("serial", network="none").wait()
    ports = serial_ports(server)
    assert len(ports) == 1 and 10100 <= ports[0] < 10105, ports
    url = console(lab, server, "serial", "serial")
    assert url.startswith("ws://127.0.0.1:6083/?token="), url
    token = urllib.parse.parse_qs(urllib.parse.urlsplit(url).query)["token"][0]
    with proxy("nova-serialproxy", 6083):
        serial_says(url, b"SIMGUEST")
        try:
            serial_says(url.replace(token, "00000000-0000-0000-0000-000000000000"), b"SIMGUEST")
        except ConnectionError:
            pass
        else:
            raise AssertionError("the proxy took a token that nobody gave")
    server.wait_console(READY)  # the log of the port
    other = lab.server("serial2", network="none").wait()
    assert serial_ports(other)[0] not in ports
    server.action("os-stop").wait("SHUTOFF")
    try:
        console(lab, server, "serial", "serial")
    except HttpError as error:
        assert error.status in (400, 404, 409), error
    else:
        assert lab.agent != "novad", "a URL that leads nowhere was given"
    # a port is free again with its guest; five at most fit
    others = [lab.server(f"serial{i}", network="none") for i in range(3, 7)]
    for one in others:
        one.wait()
    used = [p for one in [other] + others for p in serial_ports(one)]
    assert sorted(used) == list(range(10100, 10105)), used
    assert server.action("os-start") and until("failed start", 60, lambda: failed(server)), "a sixth port was found"
    others[0].delete()
    server.action("os-start").wait()
    assert serial_ports(server)[0] in range(10100, 10105)


def failed(server):
    found = [a for a in server.actions() if a["action"] == "start"]
    return found and found[0]["events"] and all(e["finish_time"] for e in found[0]["events"]) and found[0]["events"][0]["result"] == "Error"


def check_rescue_keeps_the_port(lab):
    server = lab.server("serialrescue", network="none").wait()
    before = serial_ports(server)
    server.action("rescue").wait("RESCUE")
    assert serial_ports(server) and serial_ports(server) != before, serial_ports(server)
    # and rescue_timeout ends it
    server.wait("ACTIVE", 180)
    assert serial_ports(server) == before, (before, serial_ports(server))
    assert [e[0] for e in server.event_list()] == ["create", "rescue", "unrescue"], server.event_list()


def check_spice(lab):
    server = lab.server("spice", network="none").wait()
    domain = ElementTree.fromstring(virsh("dumpxml", server.domain))
    assert domain.find("devices/graphics[@type='spice']") is not None
    assert domain.find("devices/channel[@type='spicevmc']") is not None
    url = console(lab, server, "spice", "spice-html5")
    assert url.startswith("http://127.0.0.1:6082/spice_auto.html?token="), url
    with proxy("nova-spicehtml5proxy", 6082, "--web", "/usr/share/spice-html5"):
        assert spice_link(url)[0] == 2
    assert rfb.handshake(console(lab, server, "vnc", "novnc"))  # VNC works beside it


def check_kinds_that_libvirt_lacks(lab):
    server = lab.server("mks", network="none").wait()
    try:
        console(lab, server, "mks", "webmks")
    except HttpError as error:
        assert error.status == 400, error
    else:
        raise AssertionError("a MKS console was given")


def test_consoles(lab):
    with agent_with(lab, OPTIONS):
        for check in (check_spice, check_kinds_that_libvirt_lacks, check_serial, check_rescue_keeps_the_port):
            try:
                check(lab)
            finally:
                lab.clean()
    lab.nothing_left()
