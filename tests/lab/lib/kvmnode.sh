# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Real KVM on a machine without it: a Debian node under QEMU's TCG with AMD SVM emulated, in which kvm_amd and libvirt work
# and novad is a second compute of the lab's cloud, with its default virt_type.
#
# The node reaches this machine's loopback at 10.0.2.2 (QEMU's user network); inside it each service's port is forwarded
# from its own loopback, so that the endpoints of the catalog hold there as well.

KVMNODE_HOST=kvmnode
KVMNODE_PORTS="5000 5672 8774 8778 9292 9696"
KVMNODE_PACKAGES=(
  linux-image-cloud-amd64 initramfs-tools kmod iproute2 procps socat
  libvirt-daemon libvirt-daemon-driver-qemu libvirt-clients qemu-system-x86 qemu-utils
  libglib2.0-0 libjson-c5 librabbitmq4 libcurl4 libxml2 libvirt0 libmnl0 libarchive13 libuuid1 libssl3 libsystemd0 zlib1g
)

kvmnode_install() {
  local folder=$LAB/cache/kvmnode want
  want=$(printf '%s\n' "${KVMNODE_PACKAGES[@]}" | sha256sum)
  if [ -s "$folder/node.ext4" ] && [ "$(cat "$folder/sum" 2>/dev/null)" = "$want" ]; then return 0; fi
  apt_install debootstrap e2fsprogs qemu-system-x86
  say "making the KVM node's root tree (debootstrap; some minutes)"
  rm -rf "$folder"
  mkdir -p "$folder"
  debootstrap --variant=minbase --include="$(IFS=,; echo "${KVMNODE_PACKAGES[*]}")" bookworm "$folder/root" \
    "$(debian_mirror)" >"$LAB/log/kvmnode-debootstrap.log" 2>&1 || { tail -n 10 "$LAB/log/kvmnode-debootstrap.log" >&2; die "debootstrap failed"; }
  install -m 755 "$LAB_TREE/kvmnode/init" "$folder/root/sbin/init.node"
  cp "$folder/root/boot/"vmlinuz-* "$folder/vmlinuz"
  cp "$folder/root/boot/"initrd.img-* "$folder/initrd"
  rm -rf "$folder/root/var/cache/apt" "$folder/root/usr/share/"{doc,man,locale}
  mke2fs -q -t ext4 -d "$folder/root" "$folder/node.ext4" 3000M
  rm -rf "$folder/root"
  echo "$want" >"$folder/sum"
}

debian_mirror() { # the one this machine uses
  local found
  found=$(grep -rhoE '^[^#]*https?://[^ ]+/debian/?( |$)' /etc/apt/sources.list /etc/apt/sources.list.d 2>/dev/null | grep -oE 'https?://[^ ]+' |
    head -n 1)
  [ -n "$found" ] || die "no Debian archive in this machine's apt sources to make the KVM node from"
  echo "$found"
}

kvmnode_conf() {
  conf_nova_common | sed "s,$LAB/nova,/var/lib/nova,; s,$LAB/lock,/var/lib/nova/lock,"
  printf '[DEFAULT]\ncompute_driver = libvirt.LibvirtDriver\nhost = %s\ncpu_allocation_ratio = 4.0\n' "$KVMNODE_HOST"
}

# What changes from run to run goes in as a tar archive on the second disk.
kvmnode_payload() { # FOLDER NOVAD
  rm -rf "$1/payload"
  mkdir -p "$1/payload"
  cp "$2" "$1/payload/novad"
  cp "$LAB_TREE/kvmnode/init" "$1/payload/init"
  kvmnode_conf >"$1/payload/nova.conf"
  echo "$KVMNODE_PORTS" >"$1/payload/ports"
  tar -C "$1/payload" -cf "$1/payload.tar" .
  truncate -s %1M "$1/payload.tar"
}

kvmnode_start() {
  local folder=$LAB/cache/kvmnode since novad
  [ -s "$folder/node.ext4" ] || die "the node is not made yet: $LAB_COMMAND install kvmnode"
  novad=$(novad_binary) || exit 1
  if service_alive kvmnode; then say "the KVM node already runs"; return 0; fi
  kvmnode_payload "$folder" "$novad"
  since=$(date -u +%s)
  say "starting the KVM node"
  service_start kvmnode qemu-system-x86_64 -name kvmnode -accel tcg,thread=multi -cpu EPYC,+svm -smp 2 -m 3000 -display none \
    -serial stdio -no-reboot -nic user,model=virtio-net-pci -kernel "$folder/vmlinuz" -initrd "$folder/initrd" \
    -drive "file=$folder/node.ext4,format=raw,if=virtio,snapshot=on" \
    -drive "file=$folder/payload.tar,format=raw,if=virtio,readonly=on" \
    -append "console=ttyS0 root=/dev/vda rw init=/sbin/init.node panic=1 quiet"
  "$LAB_TREE/hosts.py" wait "$KVMNODE_HOST" "$since" 240 "$(cut -d' ' -f1 "$LAB/pid/kvmnode")" || {
    tail -n 40 "$LAB/log/kvmnode.log" >&2
    die "the KVM node is not in service; its console is $LAB/log/kvmnode.log"
  }
}

kvmnode_stop() { service_stop kvmnode 5; }
