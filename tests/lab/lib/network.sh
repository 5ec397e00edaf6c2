# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Neutron's agents and the links they stand on: a flat network on one end of a veth pair, all on this machine.

NETWORK_SERVICES=(neutron-linuxbridge-agent neutron-dhcp-agent neutron-metadata-agent)

network_links() {
  if ! ip link show phys0 >/dev/null 2>&1; then
    ip link add phys0 type veth peer name phys1 || die "this kernel cannot make a veth pair"
  fi
  ip link set phys0 up
  ip link set phys1 up
  ip address replace "$LAB_GATEWAY" dev phys1 # this machine is the network's gateway, so that it reaches the guests
}

# Debian 12's ebtables lists MAC addresses without leading zeros, which wedges the agent's ARP protection: leave it out.
ebtables_off() {
  printf '#!/bin/sh\nexit 0\n' >"$LAB/bin/ebtables"
  chmod 755 "$LAB/bin/ebtables"
}

network_start() { # NAME
  local etc=$LAB/etc
  case $1 in
    neutron-linuxbridge-agent)
      service_start "$1" env PATH="$LAB/bin:$PATH" "$1" --config-file "$etc/neutron.conf" --config-file "$etc/ml2_conf.ini" \
        --config-file "$etc/linuxbridge_agent.ini" ;;
    neutron-dhcp-agent) service_start "$1" "$1" --config-file "$etc/neutron.conf" --config-file "$etc/dhcp_agent.ini" ;;
    neutron-metadata-agent) service_start "$1" "$1" --config-file "$etc/neutron.conf" --config-file "$etc/metadata_agent.ini" ;;
  esac
}

network_up() {
  local name
  say "starting Neutron's agents"
  cd "$LAB/etc" || exit 1
  network_links
  ebtables_off
  for name in "${NETWORK_SERVICES[@]}"; do network_start "$name"; done
}

lab_namespaces() { ip -o netns list 2>/dev/null | awk '$1 ~ /^(qdhcp|qrouter)-/ {print $1}'; }
lab_links() { ip -o link show 2>/dev/null | awk -F': ' '{sub(/@.*/, "", $2); print $2}' | grep -E '^(brq|tap|phys[01]$|vxlan-|qvo|qvb|qbr)'; }

network_down() {
  local name
  services_stop "${NETWORK_SERVICES[@]}"
  for name in $(lab_namespaces); do ip netns delete "$name" 2>/dev/null || true; done
  for name in $(lab_links); do ip link delete "$name" 2>/dev/null || true; done
}
