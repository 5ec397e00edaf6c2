# SPDX-License-Identifier: Apache-2.0
"""Consoles as their clients see them."""
import rfb
from lab import HttpError


def test_vnc(lab):
    server = lab.server("vnc", network="none").wait()
    console = lab.cloud.post("compute", f"/servers/{server.id}/remote-consoles",
                             {"remote_console": {"protocol": "vnc", "type": "novnc"}})["remote_console"]
    assert console["url"].startswith("http://127.0.0.1:6080/vnc_lite.html?path="), console
    name, width, height = rfb.handshake(console["url"])
    assert width > 0 and height > 0 and server.domain in name, (name, width, height)


def test_vnc_refuses_a_made_up_token(lab):  # pylint: disable=unused-argument
    try:
        rfb.handshake("http://127.0.0.1:6080/vnc_lite.html?path=%3Ftoken%3D00000000-0000-0000-0000-000000000000")
    except ConnectionError:
        return
    raise AssertionError("the proxy took a token that nobody gave")


def test_vnc_of_a_stopped_server(lab):
    server = lab.server("vncoff", network="none").wait()
    server.action("os-stop").wait("SHUTOFF")
    try:
        lab.cloud.post("compute", f"/servers/{server.id}/remote-consoles",
                       {"remote_console": {"protocol": "vnc", "type": "novnc"}})
    except HttpError as error:
        assert error.status in (400, 404, 409), error
        return
    assert lab.agent != "novad", "a URL that leads nowhere was given"  # as upstream does


def test_console_types_that_are_off(lab):
    server = lab.server("off", network="none").wait()
    for protocol, kind in (("spice", "spice-html5"), ("serial", "serial")):
        try:
            lab.cloud.post("compute", f"/servers/{server.id}/remote-consoles", {"remote_console": {"protocol": protocol, "type": kind}})
        except HttpError as error:
            assert error.status in (400, 501), error  # 501 while novad has no such consoles at all
        else:
            raise AssertionError(f"{protocol} is off, yet a console was given")
