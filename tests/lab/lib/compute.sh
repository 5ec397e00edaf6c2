# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# libvirtd, and the one compute agent of this host: novad, or upstream's nova-compute as the oracle. Never both.

LIBVIRT_SERVICES=(virtlogd libvirtd)

libvirt_answers() { virsh -q -c qemu:///system uri; }

libvirt_up() {
  if libvirt_answers >/dev/null 2>&1; then return 0; fi
  say "starting libvirtd"
  mkdir -p /run/libvirt "$LAB/etc"
  # The group may use it, as polkit's rule lets it on a node; there is no polkit here.
  printf 'unix_sock_group = "libvirt"\nunix_sock_rw_perms = "0770"\nauth_unix_rw = "none"\n' >"$LAB/etc/libvirtd.conf"
  service_start virtlogd virtlogd
  service_start libvirtd libvirtd --config "$LAB/etc/libvirtd.conf"
  wait_for 30 libvirt_answers || { service_must_live libvirtd; die "libvirtd does not answer, see $LAB/log/libvirtd.log"; }
}

lab_domains() { # names of the domains whose disks or logs are under $LAB, by their nova metadata
  local name
  for name in $(virsh -q -c qemu:///system list --all --name 2>/dev/null); do
    if virsh -q -c qemu:///system dumpxml "$name" 2>/dev/null | grep -qF "$LAB/nova/"; then echo "$name"; fi
  done
}

domains_down() {
  local name
  libvirt_answers >/dev/null 2>&1 || return 0
  for name in $(lab_domains); do
    virsh -q -c qemu:///system destroy "$name" >/dev/null 2>&1 || true
    virsh -q -c qemu:///system undefine --nvram --managed-save --snapshots-metadata "$name" >/dev/null 2>&1 || true
  done
}

libvirt_down() {
  domains_down
  services_stop "${LIBVIRT_SERVICES[@]}"
}

novad_binary() {
  local path=${NOVAD:-}
  if [ -z "$path" ]; then
    for path in ./build/novad ./novad "$LAB_TREE/../../build/novad"; do [ ! -x "$path" ] || break; done
  fi
  [ -x "$path" ] || die "there is no novad at ${NOVAD:-./build/novad}: build it first (./autogen.sh && mkdir build && cd build && ../configure && make), or set NOVAD"
  readlink -f "$path"
}

compute_start() { # nova-compute | novad
  local name=$1 other command
  case $name in
    novad) other=nova-compute command=$(novad_binary) || exit 1 ;;
    nova-compute) other=novad command=nova-compute ;;
    *) die "no such compute agent: $name" ;;
  esac
  if service_alive "$other"; then die "$other is this host's compute now; stop it first: $LAB_COMMAND $other stop"; fi
  if service_alive "$name"; then say "$name already runs"; return 0; fi
  libvirt_up
  local conf=$LAB/etc/nova-compute.conf since
  [ "$name" = nova-compute ] || conf=$LAB/etc/nova-novad.conf
  since=$(date -u +%s)
  say "starting $name"
  cd "$LAB/etc" || exit 1
  # shellcheck disable=SC2086  # NOVAD_WRAPPER is a command with arguments, such as valgrind and its options
  service_start "$name" ${NOVAD_WRAPPER:-} "$command" --config-file "$conf"
  [ "${LAB_COMPUTE_WAIT:-90}" != 0 ] || return 0 # the caller waits for what it wants
  "$LAB_TREE/hosts.py" wait "$LAB_HOST" "$since" "${LAB_COMPUTE_WAIT:-90}" "$(cut -d' ' -f1 "$LAB/pid/$name")" || {
    tail -n 30 "$LAB/log/$name.log" >&2
    die "$name is not in service; its log is $LAB/log/$name.log"
  }
}

compute_down() { services_stop nova-compute novad; }
