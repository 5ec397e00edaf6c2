# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
kvmnode_install() { die "not yet"; }
kvmnode_start() { die "not yet"; }
kvmnode_stop() { :; }
