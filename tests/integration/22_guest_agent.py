# SPDX-License-Identifier: Apache-2.0
"""What is done with the help of the agent in the guest, and the crash dump, which needs none."""
import importlib

from lab import READY, HttpError, until, virsh

bad_rpc = importlib.import_module("51_bad_rpc")


def refused(lab, server, body, status):
    """The text of the refusal."""
    try:
        lab.cloud.post("compute", f"/servers/{server.id}/action", body)
    except HttpError as error:
        assert error.status == status, error
        return error.text
    raise AssertionError(f"{body} was not refused")


def free(server):
    until("no task", 30, lambda: server.show()["OS-EXT-STS:task_state"] is None, 0.25)
    return server.show()


def test_crash_dump(lab):
    server = lab.server("nmi", network="none").wait()
    server.wait_console(READY)
    server.action("trigger_crash_dump")
    server.wait_action("trigger_crash_dump")
    assert ["trigger_crash_dump", None, [["compute_trigger_crash_dump", "Success"]]] in server.event_list()
    server.wait_console("NMI", 30)  # the kernel tells of it
    assert free(server)["status"] == "ACTIVE"


def test_password_without_agent(lab):
    server = lab.server("nopass", network="none").wait()
    refused(lab, server, {"changePassword": {"adminPass": "secret"}}, 409)
    state = free(server)
    assert state["status"] == "ACTIVE", state
    assert "changePassword" in [a["action"] for a in server.actions()]


def test_password_that_the_agent_cannot_set(lab):
    with open(lab.image_file("sim"), "rb") as file:
        image = lab.image("passagent", file.read(), hw_qemu_guest_agent="true")
    server = lab.server("pass", image=image, network="none").wait()
    # the channel is there, the agent not yet: it does not answer, which upstream takes for a driver that cannot do it
    server.wait_console(READY)
    until("agent", 60, lambda: '{"return"' in virsh("qemu-agent-command", server.domain, '{"execute":"guest-ping"}', check=False), 0.5)
    # the small guest has no chpasswd: the agent says so, and the caller learns only that it failed
    assert "secret" not in refused(lab, server, {"changePassword": {"adminPass": "secret"}}, 409)
    assert free(server)["status"] == "ACTIVE"
    assert "secret" not in lab.agent_log()[-200000:] or lab.agent != "novad", "the password is in the log"


def rpc(server, method, **properties):
    """The class of the failure, or None. nova-api asks for these only with volumes, so they are asked for by hand."""
    instance = {"nova_object.name": "Instance", "nova_object.namespace": "nova", "nova_object.version": "2.7",
                "nova_object.data": {"uuid": server.id, "id": 1, "image_ref": server.show()["image"]["id"],
                                     "system_metadata": {"image_" + key: value for key, value in properties.items()}}}
    caller = bad_rpc.Caller()
    try:
        failure = bad_rpc.failure_of(caller.call(method, {"instance": instance}))
    finally:
        caller.close()
    return failure and failure[0]


def test_quiesce(lab):
    with open(lab.image_file("sim"), "rb") as file:
        image = lab.image("quiesce", file.read(), hw_qemu_guest_agent="true")
    server = lab.server("quiesce", image=image, network="none").wait()
    server.wait_console(READY)
    until("agent", 60, lambda: '{"return"' in virsh("qemu-agent-command", server.domain, '{"execute":"guest-ping"}', check=False), 0.5)
    assert rpc(server, "quiesce_instance") == "QemuGuestAgentNotEnabled"
    # The small guest has no file system that can be frozen, so its agent counts none: what is seen is that it was asked and answered.
    assert rpc(server, "quiesce_instance", hw_qemu_guest_agent="True") is None
    assert rpc(server, "unquiesce_instance", hw_qemu_guest_agent="True") is None
    server.action("os-stop").wait("SHUTOFF")
    assert rpc(server, "quiesce_instance", hw_qemu_guest_agent="True") == "InternalError"
