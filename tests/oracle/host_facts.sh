#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs host_facts.py with a Python that has nova, where a libvirtd answers; skips with the reason otherwise.
here=$(dirname "$0")
if ! virsh -c qemu:///system version >/dev/null 2>&1; then
    echo "1..0 # SKIP no libvirtd on qemu:///system"
    exit 0
fi
for python in $NOVA_PYTHON /usr/bin/python3 python3; do
    if "$python" -c 'import nova.virt.libvirt.driver, libvirt' 2>/dev/null; then
        exec "$python" "$here/host_facts.py" "${G_TEST_BUILDDIR:-.}/tests/tools/host-facts"
    fi
done
echo "1..0 # SKIP python3-nova is not installed"
