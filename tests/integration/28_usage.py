# SPDX-License-Identifier: Apache-2.0
"""What the agent tells those who bill and those who place: the usage audit, and the count of failed builds."""
import json
import time

from lab import HOST, LAB, configured, run, until


def audit_log(lab):
    return lab.cloud.get("compute", "/os-instance_usage_audit_log")["instance_usage_audit_logs"]


def test_usage_audit(lab):
    """The shortest period is an hour: its end is chosen to come while the test waits."""
    boundary = (int(time.time()) // 60 + 3) * 60  # two to three minutes from now
    minute, end = time.gmtime(boundary).tm_min, time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(boundary))
    lines = f"instance_usage_audit = true\ninstance_usage_audit_period = hour@{minute}\n[oslo_messaging_notifications]\ndriver = log"
    with configured(lab, lines, "nova-api"):
        server = lab.server("audited", network="none").wait()
        gone = lab.server("audited-gone", network="none").wait()
        gone.delete()
        assert time.time() < boundary, "the hour has ended too early for this machine"

        def done():
            log = audit_log(lab)
            return log["period_ending"] == end and log["log"].get(HOST, {}).get("state") == "DONE" and log
        log = until("the audit of the hour", 330, done, 1)
        count = log["log"][HOST]["instances"]
        assert count >= 2 and log["log"][HOST]["errors"] == 0, log
        assert log["log"][HOST]["message"].startswith(f"Instance usage audit ran for host {HOST}, {count} instances in "), log
        # Each of them, the deleted one too, has its notification, of that period.
        told = [line for line in lab.agent_log().splitlines() if "compute.instance.exists" in line]
        for one in (server, gone):
            assert [line for line in told if one.id in line and end in line], told[-3:]
        server.delete()
        lab.nothing_left()


def failed_builds():
    return int(json.loads(run("mysql", f"--socket={LAB}/mysql/mysql.sock", "-uroot", "-N", "-B", "-r", "-e",
                              f"SELECT stats FROM nova_cell1.compute_nodes WHERE host = '{HOST}' AND deleted = 0"))["failed_builds"])


def test_failed_builds_are_counted(lab):
    """The scheduler's weigher sees how many builds failed here since one was good; audits write it."""
    before = failed_builds()
    lab.server("bad", image=lab.image("bad", b"no qcow2" * 1000), network="none").wait("ERROR")
    until("the count of the failed build", 150, lambda: failed_builds() == before + 1, 1)
    server = lab.server("good", network="none").wait()
    until("the count begun anew", 150, lambda: failed_builds() == 0, 1)
    server.delete()
    lab.nothing_left()


def test_failed_builds_are_not_counted(lab):
    with configured(lab, "[compute]\nconsecutive_build_service_disable_threshold = 0"):
        image = lab.image("bad2", b"no qcow2" * 1000)
        for _ in range(2):  # the claim of the second saves what the first has left
            lab.server("bad", image=image, network="none").wait("ERROR")
        assert failed_builds() == 0
