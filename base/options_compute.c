/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "base/options_table.h"

/* Sections of the compute service. */

static const NdOption compute_options[] = {
    {"consecutive_build_service_disable_threshold", INTEGER, "10", "failed builds that make the scheduler avoid the host", HONOURED},
    {"cpu_dedicated_set", STRING, NULL, "host CPUs for pinned guests", HONOURED},
    {"cpu_shared_set", STRING, NULL, "host CPUs for guests that are not pinned", HONOURED},
    {"image_type_exclude_list", LIST, "", "image formats not to advertise"},
    {"live_migration_wait_for_vif_plug", BOOLEAN, "true", "wait for the destination's ports before a live migration", UNSUPPORTED("not implemented yet")},
    {"max_concurrent_disk_ops", INTEGER, "0", "heavy disk operations at a time; 0: no limit", HONOURED, AT_LEAST(0)},
    {"max_disk_devices_to_attach", INTEGER, "-1", "disk devices of a guest at most; -1: no limit", HONOURED, AT_LEAST(-1)},
    {"packing_host_numa_cells_allocation_strategy", BOOLEAN, "false", "fill one NUMA cell before the next", UNSUPPORTED("not implemented yet")},
    {"provider_config_location", STRING, "/etc/nova/provider_config/", "folder of provider configuration files", HONOURED},
    {"resource_provider_association_refresh", INTEGER, "300", "seconds the view of Placement's providers is trusted; 0: for ever", AT_LEAST(0), MUTABLE},
    {"sharing_providers_max_uuids_per_request", INTEGER, "200", "provider uuids in one Placement query", IGNORED("queries are bounded anyway"), AT_LEAST(1)},
    {"shutdown_retry_interval", INTEGER, "10", "seconds until a shutdown request is repeated", UNSUPPORTED("not implemented yet"), AT_LEAST(1)},
    {"vmdk_allowed_types", LIST, "streamOptimized,monolithicSparse", "VMDK variants that may be used", HONOURED},
};

static const NdOption devices_options[] = {
    {"enabled_mdev_types", LIST, "", "mediated device types to offer (virtual GPUs)", UNSUPPORTED("not implemented yet"), FORMERLY("enabled_vgpu_types")},
};

static const NdOption pci_options[] = {
    {"alias", MULTI_STRING, NULL, "names of PCI devices that flavors can ask for (JSON); may be repeated", UNSUPPORTED("not implemented yet"), FORMERLY("DEFAULT.pci_alias")},
    {"device_spec", MULTI_STRING, NULL, "PCI devices to offer (JSON); may be repeated", UNSUPPORTED("not implemented yet"), FORMERLY("passthrough_whitelist DEFAULT.pci_passthrough_whitelist")},
    {"report_in_placement", BOOLEAN, "false", "PCI devices are resource providers", UNSUPPORTED("not implemented yet")},
};

static const NdOption workarounds_options[] = {
    {"disable_compute_service_check_for_ffu", BOOLEAN, "false", "start beside computes that are too old", HONOURED},
    {"disable_deep_image_inspection", BOOLEAN, "false", "trust the declared image format", UNSUPPORTED("not implemented yet")},
    {"disable_fallback_pcpu_query", BOOLEAN, "false", "no second query for pinned CPUs", IGNORED("read by nova-scheduler")},
    {"disable_group_policy_check_upcall", BOOLEAN, "false", "no late check of server groups", HONOURED},
    {"disable_libvirt_livesnapshot", BOOLEAN, "false", "snapshots stop the guest", HONOURED},
    {"disable_rootwrap", BOOLEAN, "false", "sudo without rootwrap", IGNORED("novad needs no root helper")},
    {"enable_numa_live_migration", BOOLEAN, "false", "live migration of NUMA guests in old clouds", UNSUPPORTED("not implemented yet")},
    {"enable_qemu_monitor_announce_self", BOOLEAN, "false", "announce the guest's addresses after a migration", UNSUPPORTED("not implemented yet")},
    {"ensure_libvirt_rbd_instance_dir_cleanup", BOOLEAN, "false", "remove the instance folder with Ceph disks", UNSUPPORTED("not implemented yet")},
    {"handle_virt_lifecycle_events", BOOLEAN, "true", "act on libvirt's events", HONOURED},
    {"libvirt_disable_apic", BOOLEAN, "false", "guests without APIC", HONOURED},
    {"never_download_image_if_on_rbd", BOOLEAN, "false", "refuse images that are not in the local Ceph", UNSUPPORTED("not implemented yet")},
    {"qemu_monitor_announce_self_count", INTEGER, "3", "how often", UNSUPPORTED("not implemented yet"), AT_LEAST(1)},
    {"qemu_monitor_announce_self_interval", INTEGER, "1", "seconds between", UNSUPPORTED("not implemented yet"), AT_LEAST(1)},
    {"reserve_disk_resource_for_image_cache", BOOLEAN, "false", "count the image cache as reserved disk", UNSUPPORTED("not implemented yet")},
    {"skip_cpu_compare_at_startup", BOOLEAN, "false", "no check of cpu_models at start", UNSUPPORTED("not implemented yet")},
    {"skip_cpu_compare_on_dest", BOOLEAN, "false", "no CPU check at the destination", UNSUPPORTED("not implemented yet")},
    {"skip_hypervisor_version_check_on_lm", BOOLEAN, "false", "live migration to an older hypervisor", UNSUPPORTED("not implemented yet")},
    {"skip_reserve_in_use_ironic_nodes", BOOLEAN, "false", "leave used Ironic nodes as they are", IGNORED("another hypervisor driver")},
    {"unified_limits_count_pcpu_as_vcpu", BOOLEAN, "false", "count pinned CPUs as CPUs", IGNORED("read by nova-api")},
    {"wait_for_vif_plugged_event_during_hard_reboot", LIST, "", "kinds of ports to wait for in a hard reboot", HONOURED, CHOICES("normal,direct,macvtap,baremetal,direct-physical,virtio-forwarder,smart-nic,vdpa,accelerator-direct,accelerator-direct-physical,remote-managed")},
};

static const NdOption image_cache_options[] = {
    {"manager_interval", INTEGER, "2400", "seconds between cleaning the image cache; 0: each minute, -1: off", HONOURED, AT_LEAST(-1), FORMERLY("DEFAULT.image_cache_manager_interval")},
    {"precache_concurrency", INTEGER, "1", "hosts to cache an image on at a time", IGNORED("read by nova-conductor"), AT_LEAST(1)},
    {"remove_unused_base_images", BOOLEAN, "true", "remove cached images that nobody uses", HONOURED, FORMERLY("DEFAULT.remove_unused_base_images")},
    {"remove_unused_original_minimum_age_seconds", INTEGER, "86400", "seconds since the last use before that", HONOURED, FORMERLY("DEFAULT.remove_unused_original_minimum_age_seconds")},
    {"remove_unused_resized_minimum_age_seconds", INTEGER, "3600", "the same for resized images", HONOURED, FORMERLY("libvirt.remove_unused_resized_minimum_age_seconds")},
    {"subdirectory_name", STRING, "_base", "folder of the cache below the instances folder", HONOURED, FORMERLY("DEFAULT.image_cache_subdirectory_name")},
};

static const NdOption filter_scheduler_options[] = {
    {"aggregate_image_properties_isolation_namespace", STRING, NULL, "prefix of image properties to match", IGNORED("read by nova-scheduler")},
    {"aggregate_image_properties_isolation_separator", STRING, ".", "separator after that prefix", IGNORED("read by nova-scheduler")},
    {"available_filters", MULTI_STRING, "nova.scheduler.filters.all_filters", "filters that can be enabled", IGNORED("read by nova-scheduler")},
    {"build_failure_weight_multiplier", FLOAT, "1000000.0", "weight of failed builds", IGNORED("read by nova-scheduler")},
    {"cpu_weight_multiplier", FLOAT, "1.0", "weight of free CPUs", IGNORED("read by nova-scheduler")},
    {"cross_cell_move_weight_multiplier", FLOAT, "1000000.0", "weight of moves between cells", IGNORED("read by nova-scheduler")},
    {"disk_weight_multiplier", FLOAT, "1.0", "weight of free disk", IGNORED("read by nova-scheduler")},
    {"enabled_filters", LIST, "ComputeFilter,ComputeCapabilitiesFilter,ImagePropertiesFilter,ServerGroupAntiAffinityFilter,ServerGroupAffinityFilter", "filters in use", IGNORED("read by nova-scheduler")},
    {"host_subset_size", INTEGER, "1", "best hosts to pick one from", IGNORED("read by nova-scheduler"), AT_LEAST(1)},
    {"image_properties_default_architecture", STRING, NULL, "architecture of images that name none", IGNORED("read by nova-scheduler"), CHOICES("alpha,armv6,armv7l,armv7b,aarch64,cris,i686,ia64,lm32,m68k,microblaze,microblazeel,mips,mipsel,mips64,mips64el,openrisc,parisc,parisc64,ppc,ppcle,ppc64,ppc64le,ppcemb,s390,s390x,sh4,sh4eb,sparc,sparc64,unicore32,x86_64,xtensa,xtensaeb")},
    {"io_ops_weight_multiplier", FLOAT, "-1.0", "weight of busy hosts", IGNORED("read by nova-scheduler")},
    {"isolated_hosts", LIST, "", "hosts for isolated images", IGNORED("read by nova-scheduler")},
    {"isolated_images", LIST, "", "those images", IGNORED("read by nova-scheduler")},
    {"max_instances_per_host", INTEGER, "50", "servers a host takes", IGNORED("read by nova-scheduler"), AT_LEAST(1)},
    {"max_io_ops_per_host", INTEGER, "8", "busy servers a host takes", IGNORED("read by nova-scheduler"), AT_LEAST(0)},
    {"pci_weight_multiplier", FLOAT, "1.0", "weight of PCI devices", IGNORED("read by nova-scheduler"), AT_LEAST(0)},
    {"ram_weight_multiplier", FLOAT, "1.0", "weight of free memory", IGNORED("read by nova-scheduler")},
    {"restrict_isolated_hosts_to_isolated_images", BOOLEAN, "true", "isolated hosts take only isolated images", IGNORED("read by nova-scheduler")},
    {"shuffle_best_same_weighed_hosts", BOOLEAN, "false", "mix hosts of equal weight", IGNORED("read by nova-scheduler")},
    {"soft_affinity_weight_multiplier", FLOAT, "1.0", "weight of soft affinity", IGNORED("read by nova-scheduler"), AT_LEAST(0)},
    {"soft_anti_affinity_weight_multiplier", FLOAT, "1.0", "weight of soft anti-affinity", IGNORED("read by nova-scheduler"), AT_LEAST(0)},
    {"track_instance_changes", BOOLEAN, "true", "tell the scheduler about instances of this host"},
    {"weight_classes", LIST, "nova.scheduler.weights.all_weighers", "weighers in use", IGNORED("read by nova-scheduler")},
};

static const NdOption ephemeral_storage_encryption_options[] = {
    {"cipher", STRING, "aes-xts-plain64", "cipher of encrypted ephemeral disks", UNSUPPORTED("not implemented yet")},
    {"enabled", BOOLEAN, "false", "encrypt ephemeral disks on LVM", UNSUPPORTED("not implemented yet")},
    {"key_size", INTEGER, "512", "key bits", UNSUPPORTED("not implemented yet"), AT_LEAST(1)},
};

static const NdOption oslo_concurrency_options[] = {
    {"disable_process_locking", BOOLEAN, "false", "no locks between processes", IGNORED("locks between processes are cheap"), FORMERLY("DEFAULT.disable_process_locking")},
    {"lock_path", STRING, NULL, "folder of locks between processes", HONOURED, FORMERLY("DEFAULT.lock_path")},
};

static const NdOption os_brick_options[] = {
    {"lock_path", STRING, NULL, "folder of locks shared with Cinder", UNSUPPORTED("not implemented yet")},
};

static const NdOption os_vif_ovs_options[] = {
    {"default_qos_type", STRING, "linux-noop", "traffic shaping of new ports", UNSUPPORTED("not implemented yet"), CHOICES("linux-htb,linux-hfsc,linux-sfq,linux-codel,linux-fq_codel,linux-noop")},
    {"isolate_vif", BOOLEAN, "false", "new ports get a dead VLAN until the agent wires them", HONOURED},
    {"network_device_mtu", INTEGER, "1500", "MTU of ports whose network names none", HONOURED, FORMERLY("DEFAULT.network_device_mtu")},
    {"ovs_vsctl_timeout", INTEGER, "120", "seconds for OVSDB", HONOURED, FORMERLY("DEFAULT.ovs_vsctl_timeout")},
    {"ovsdb_connection", STRING, "tcp:127.0.0.1:6640", "OVSDB of Open vSwitch", HONOURED},
    {"ovsdb_interface", STRING, "native", "how OVSDB is reached", IGNORED("novad uses ovs-vsctl for both"), CHOICES("vsctl,native")},
    {"per_port_bridge", BOOLEAN, "false", "a bridge of its own for each port", UNSUPPORTED("not implemented yet")},
};

static const NdOption os_vif_linux_bridge_options[] = {
    {"flat_interface", STRING, NULL, "interface of flat networks", UNSUPPORTED("not implemented yet"), FORMERLY("DEFAULT.flat_interface")},
    {"forward_bridge_interface", MULTI_STRING, "all", "interfaces bridges forward to", UNSUPPORTED("not implemented yet"), FORMERLY("DEFAULT.forward_bridge_interface")},
    {"iptables_bottom_regex", STRING, "", "rules kept at the end", UNSUPPORTED("not implemented yet"), FORMERLY("DEFAULT.iptables_bottom_regex")},
    {"iptables_drop_action", STRING, "DROP", "target for dropped packets", UNSUPPORTED("not implemented yet"), FORMERLY("DEFAULT.iptables_drop_action")},
    {"iptables_top_regex", STRING, "", "rules kept at the top", UNSUPPORTED("not implemented yet"), FORMERLY("DEFAULT.iptables_top_regex")},
    {"network_device_mtu", INTEGER, "1500", "MTU of ports whose network names none", UNSUPPORTED("not implemented yet"), FORMERLY("DEFAULT.network_device_mtu")},
    {"use_ipv6", BOOLEAN, "false", "IPv6 rules too", UNSUPPORTED("not implemented yet"), FORMERLY("DEFAULT.use_ipv6")},
    {"vlan_interface", STRING, NULL, "interface of VLAN networks", UNSUPPORTED("not implemented yet"), FORMERLY("DEFAULT.vlan_interface")},
};

static const NdOption guestfs_options[] = {
    {"debug", BOOLEAN, "false", "log libguestfs", IGNORED("libguestfs is not used")},
};

static const NdOption mdev_options[] = {
    {"device_addresses", LIST, NULL, "PCI devices that offer this type", UNSUPPORTED("not implemented yet")},
    {"max_instances", INTEGER, NULL, "devices of the type at most", UNSUPPORTED("not implemented yet"), AT_LEAST(1)},
    {"mdev_class", STRING, "VGPU", "resource class of the type", UNSUPPORTED("not implemented yet"), .pattern = "^(VGPU|CUSTOM_[A-Z0-9_]+)$"},
};

static const NdOption physnet_options[] = {
    {"numa_nodes", LIST, NULL, "NUMA nodes near this physical network", UNSUPPORTED("not implemented yet")},
};

static const NdOption tunnel_options[] = {
    {"numa_nodes", LIST, NULL, "NUMA nodes near the tunnel network", UNSUPPORTED("not implemented yet")},
};

const NdOptionFamily nd_options_compute[] = {
    {"compute", compute_options, G_N_ELEMENTS(compute_options)},
    {"devices", devices_options, G_N_ELEMENTS(devices_options)},
    {"pci", pci_options, G_N_ELEMENTS(pci_options)},
    {"workarounds", workarounds_options, G_N_ELEMENTS(workarounds_options)},
    {"image_cache", image_cache_options, G_N_ELEMENTS(image_cache_options)},
    {"filter_scheduler", filter_scheduler_options, G_N_ELEMENTS(filter_scheduler_options)},
    {"ephemeral_storage_encryption", ephemeral_storage_encryption_options, G_N_ELEMENTS(ephemeral_storage_encryption_options)},
    {"oslo_concurrency", oslo_concurrency_options, G_N_ELEMENTS(oslo_concurrency_options)},
    {"os_brick", os_brick_options, G_N_ELEMENTS(os_brick_options)},
    {"os_vif_ovs", os_vif_ovs_options, G_N_ELEMENTS(os_vif_ovs_options)},
    {"os_vif_linux_bridge", os_vif_linux_bridge_options, G_N_ELEMENTS(os_vif_linux_bridge_options)},
    {"guestfs", guestfs_options, G_N_ELEMENTS(guestfs_options)},
    {"mdev_* vgpu_*", mdev_options, G_N_ELEMENTS(mdev_options)},
    {"neutron_physnet_*", physnet_options, G_N_ELEMENTS(physnet_options)},
    {"neutron_tunnel", tunnel_options, G_N_ELEMENTS(tunnel_options)},
    {NULL, NULL, 0},
};
