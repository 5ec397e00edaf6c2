# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The Debian packages of the lab. Services must not start by themselves: the lab starts its own, under $LAB.

LAB_PACKAGES=(
  # what every OpenStack service stands on
  rabbitmq-server mariadb-server memcached python3-pymysql python3-memcache uwsgi-core uwsgi-plugin-python3
  # the control plane
  keystone glance-api placement-api nova-api nova-conductor nova-scheduler nova-consoleproxy novnc
  neutron-server neutron-linuxbridge-agent neutron-dhcp-agent neutron-metadata-agent
  haproxy dnsmasq-base iproute2 iptables ebtables ipset procps
  # upstream's agent: the oracle that novad is compared with; never running beside novad
  nova-compute nova-compute-qemu python3-nova
  # hypervisor
  libvirt-daemon-system libvirt-daemon-driver-qemu libvirt-clients python3-libvirt qemu-system-x86 qemu-utils
  ovmf seabios swtpm swtpm-tools genisoimage dosfstools
  # clients
  python3-openstackclient python3-openstacksdk python3-osc-placement python3-requests python3-amqp python3-websockify curl
  # the small guest
  busybox-static dropbear-bin qemu-guest-agent syslinux syslinux-common mtools cpio kmod xz-utils systemd-boot-efi
)

with_services_held() { # COMMAND...: runs it while policy-rc.d forbids packages to start services
  local policy=/usr/sbin/policy-rc.d ours=0 rc=0
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    ours=1
  fi
  "$@" || rc=$?
  [ "$ours" = 0 ] || rm -f "$policy"
  return "$rc"
}

apt_install() {
  local missing=() package
  for package; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  say "installing ${#missing[@]} packages (log: $LAB/log/apt.log)"
  DEBIAN_FRONTEND=noninteractive with_services_held apt-get -o DPkg::Lock::Timeout=600 install -y \
    --no-install-recommends "${missing[@]}" >>"$LAB/log/apt.log" 2>&1 || {
    say "refreshing the package lists and trying again"
    apt-get -o DPkg::Lock::Timeout=600 update >>"$LAB/log/apt.log" 2>&1
    DEBIAN_FRONTEND=noninteractive with_services_held apt-get -o DPkg::Lock::Timeout=600 install -y \
      --no-install-recommends "${missing[@]}" >>"$LAB/log/apt.log" 2>&1 ||
      { tail -n 15 "$LAB/log/apt.log" >&2; die "apt-get install failed"; }
  }
}

# Without systemd nothing keeps a package's service down but us; with systemd they are stopped and masked off the ports.
hold_system_services() {
  [ -d /run/systemd/system ] || return 0
  local unit
  for unit in rabbitmq-server mariadb memcached keystone glance-api placement-api nova-api nova-conductor nova-scheduler \
    nova-novncproxy nova-serialproxy nova-spicehtml5proxy nova-compute neutron-api neutron-rpc-server neutron-server \
    neutron-linuxbridge-agent neutron-dhcp-agent neutron-metadata-agent haproxy epmd; do
    systemctl disable --now "$unit" >/dev/null 2>&1 || true
  done
}

lab_install() {
  lab_dirs
  apt_install "${LAB_PACKAGES[@]}"
  hold_system_services
}
