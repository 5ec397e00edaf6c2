# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The RPC recorder: RabbitMQ's firehose, written to a file by rpctap.py.

tap_start() { # FILE
  local file
  file=$(readlink -f "$1") || die "no such folder: $1"
  service_stop rpctap
  rabbit trace_on >/dev/null
  service_start rpctap "$LAB_TREE/rpctap.py" "$file"
  wait_for 10 grep -q recording "$LAB/log/rpctap.log" || die "the recorder did not start, see $LAB/log/rpctap.log"
}

tap_stop() {
  if ! service_alive rpctap; then return 0; fi
  rabbit trace_off >/dev/null 2>&1 || true
  sleep 0.3 # what the broker has already copied is still on its way
  service_stop rpctap
}
