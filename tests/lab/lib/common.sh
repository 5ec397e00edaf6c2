# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What every part of the lab uses: places, messages, background services.
#
# A service is a process group with a name. Its leader's pid and start time are in $LAB/pid/NAME, and NOVALAB_SERVICE=NAME
# is in the environment of every process it starts, so that strays are found even when the leader was killed with SIGKILL.

LAB=${LAB:-/var/lib/novalab}
export LAB_PASSWORD=labpw
LAB_HOST=$(hostname)
export LAB_HOST
export RABBIT_NODE=rabbit@localhost
export LAB_GATEWAY=198.51.100.1/24


say() { printf '%(%H:%M:%S)T %s\n' -1 "$*"; }
warn() { printf 'warning: %s\n' "$*" >&2; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

need_root() { [ "$(id -u)" = 0 ] || die "run this as root (it makes network namespaces and starts libvirtd)"; }

# wait_for SECONDS COMMAND...: polls five times a second until the command succeeds
wait_for() {
  local end=$((SECONDS + $1)); shift
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$end" ] || { warn "gave up waiting for: $*"; return 1; }
    sleep 0.2
  done
}

proc_start_time() { # PID: the kernel's start time of the process, so that a reused pid is not taken for ours
  local stat
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  stat=${stat##*) }
  # shellcheck disable=SC2086  # the words of the line are wanted
  set -- $stat
  [ "$1" != Z ] || return 1
  echo "${20}"
}

service_alive() { # NAME
  local pid start
  read -r pid start 2>/dev/null <"$LAB/pid/$1" || return 1
  [ -n "$pid" ] && [ "$(proc_start_time "$pid")" = "$start" ]
}

service_pids() { # NAME: every process of the service, leader or stray
  local dir leader start
  # some programs write over their environment, so look at the leader's session as well, unless its pid is another's by now
  if read -r leader start 2>/dev/null <"$LAB/pid/$1" && { [ ! -d "/proc/$leader" ] || service_alive "$1"; }; then
    pgrep -s "$leader" || true
  fi
  for dir in /proc/[0-9]*; do
    if tr '\0' '\n' <"$dir/environ" 2>/dev/null | grep -qxF "NOVALAB_SERVICE=$LAB:$1"; then echo "${dir#/proc/}"; fi
  done 2>/dev/null
}

# service_start NAME COMMAND...: nothing when it already runs; strays of an earlier life are ended first
service_start() {
  local name=$1 pid; shift
  if service_alive "$name"; then return 0; fi
  if [ -e "$LAB/pid/$name" ]; then service_stop "$name"; fi
  [ ! -s "$LAB/log/$name.log" ] || mv -f "$LAB/log/$name.log" "$LAB/log/$name.log.1"
  setsid nohup env NOVALAB_SERVICE="$LAB:$name" "$@" >"$LAB/log/$name.log" 2>&1 </dev/null 9>&- &
  pid=$!
  printf '%s %s\n' "$pid" "$(proc_start_time "$pid")" >"$LAB/pid/$name"
}

# service_stop NAME [SECONDS]: SIGTERM to the leader, SIGKILL to whatever is left of the service after SECONDS (10)
service_stop() {
  local name=$1 end=$((SECONDS + ${2:-10})) pid
  if service_alive "$name"; then
    read -r pid _ <"$LAB/pid/$name"
    kill -TERM "$pid" 2>/dev/null || true
    while service_alive "$name" && [ "$SECONDS" -lt "$end" ]; do sleep 0.1; done
  fi
  for pid in $(service_pids "$name"); do kill -KILL "$pid" 2>/dev/null || true; done
  rm -f "$LAB/pid/$name"
}

# services_stop NAME...: several at once
services_stop() {
  local name jobs=()
  for name; do service_stop "$name" & jobs+=($!); done
  wait "${jobs[@]}"
}

service_must_live() { # NAME: a clear end with the log's tail when a service died while starting
  service_alive "$1" && return 0
  tail -n 20 "$LAB/log/$1.log" >&2
  die "$1 ended while starting; its log is $LAB/log/$1.log"
}

http_up() { curl -s -o /dev/null --max-time 5 "$1"; }

lab_dirs() {
  mkdir -p "$LAB"/{etc,log,pid,bin,cache,lock,glance/images,nova/instances,neutron,rabbitmq}
  chmod 755 "$LAB" "$LAB/nova" "$LAB/nova/instances"
}
