# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The small guest image that the lab boots; built once and kept in $LAB/cache.

# sim.qcow2 has Debian's cloud kernel, which is up in half the time; sim-full.qcow2 the plain one, which knows more devices.
guest_image_build() { # NAME KERNEL-PACKAGE
  local image=$LAB/cache/$1.qcow2 sum=$LAB/cache/$1.sum want
  want=$(cat "$LAB_TREE"/guest/* | sha256sum)
  if [ -s "$image" ] && [ "$(cat "$sum" 2>/dev/null)" = "$want" ]; then return 0; fi
  say "building the guest image $1"
  GUEST_WORK=$LAB/cache/guest-$1 "$LAB_TREE/guest/mkguest" "$image.part" "$2" >"$LAB/log/mkguest-$1.log" 2>&1 ||
    { tail -n 15 "$LAB/log/mkguest-$1.log" >&2; die "the guest image could not be built"; }
  mv "$image.part" "$image"
  echo "$want" >"$sum"
}

guest_image_ready() {
  guest_image_build sim linux-image-cloud-amd64
  guest_image_build sim-full linux-image-amd64
}
