#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs config_drive.py with a Python that has nova; skips with the reason otherwise.
here=$(dirname "$0")
PATH=$PATH:/usr/sbin:/sbin
for program in isoinfo mcopy mkfs.vfat blkid; do
    if ! command -v $program >/dev/null; then
        echo "1..0 # SKIP no $program"
        exit 0
    fi
done
for python in $NOVA_PYTHON /usr/bin/python3 python3; do
    if "$python" -c 'import nova.virt.configdrive' 2>/dev/null; then
        exec "$python" "$here/config_drive.py" "${G_TEST_BUILDDIR:-.}/tests/tools/config-drive"
    fi
done
echo "1..0 # SKIP python3-nova is not installed"
