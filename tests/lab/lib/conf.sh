# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Writes every service's configuration under $LAB/etc. Run at each `up`, so that a changed setting takes effect.
#
# Settings from the environment: NOTIFY (unversioned, versioned, both: turns Nova's notifications on), DEBUG (true, false).

db_url() { echo "mysql+pymysql://root@localhost/$1?unix_socket=$LAB/mysql/mysql.sock&charset=utf8mb4"; }
rabbit_url() { echo "rabbit://openstack:$LAB_PASSWORD@127.0.0.1:5672/"; }

keystone_client() { # USER: the options by which a service reaches Keystone
  cat <<E_
auth_url = http://127.0.0.1:5000
auth_type = password
project_domain_name = Default
user_domain_name = Default
project_name = service
username = $1
password = $LAB_PASSWORD
region_name = RegionOne
E_
}

keystone_middleware() { # USER
  printf '[keystone_authtoken]\nwww_authenticate_uri = http://127.0.0.1:5000\nmemcached_servers = 127.0.0.1:11211\n'
  keystone_client "$1"
}

conf_keystone() {
  cat <<E_
[DEFAULT]
log_file = $LAB/log/keystone-app.log
[database]
connection = $(db_url keystone)
[cache]
enabled = true
backend = dogpile.cache.memcached
memcache_servers = 127.0.0.1:11211
[token]
provider = fernet
expiration = 86400
[fernet_tokens]
key_repository = $LAB/etc/fernet-keys
[credential]
key_repository = $LAB/etc/credential-keys
E_
}

conf_glance() {
  cat <<E_
[DEFAULT]
bind_host = 127.0.0.1
bind_port = 9292
workers = 1
[database]
connection = $(db_url glance)
[paste_deploy]
flavor = keystone
[glance_store]
stores = file
default_store = file
filesystem_store_datadir = $LAB/glance/images
E_
  keystone_middleware glance
}

conf_placement() {
  cat <<E_
[DEFAULT]
log_file = $LAB/log/placement-app.log
[placement_database]
connection = $(db_url placement)
[api]
auth_strategy = keystone
E_
  keystone_middleware placement
}

conf_nova_common() { # what the control plane and the compute nodes share
  cat <<E_
[DEFAULT]
transport_url = $(rabbit_url)
my_ip = 127.0.0.1
state_path = $LAB/nova
debug = ${DEBUG:-true}
service_down_time = 20
report_interval = 5
[service_user]
send_service_user_token = true
$(keystone_client nova)
[glance]
api_servers = http://127.0.0.1:9292
[placement]
$(keystone_client placement)
[neutron]
service_metadata_proxy = true
metadata_proxy_shared_secret = $LAB_PASSWORD
$(keystone_client neutron)
[oslo_concurrency]
lock_path = $LAB/lock
[notifications]
notification_format = ${NOTIFY:-unversioned}
$([ -z "${NOTIFY:-}" ] || echo notify_on_state_change = vm_and_task_state)
[oslo_messaging_notifications]
driver = $([ -n "${NOTIFY:-}" ] && echo messagingv2 || echo noop)
[vnc]
enabled = true
server_listen = 127.0.0.1
server_proxyclient_address = 127.0.0.1
novncproxy_base_url = http://127.0.0.1:6080/vnc_lite.html
E_
}

conf_nova() {
  cat <<E_
[DEFAULT]
osapi_compute_listen = 127.0.0.1
metadata_listen = 127.0.0.1
osapi_compute_workers = 1
metadata_workers = 1
enabled_apis = osapi_compute,metadata
allow_resize_to_same_host = true
[api_database]
connection = $(db_url nova_api)
[database]
connection = $(db_url nova_cell1)
[conductor]
workers = 1
[scheduler]
workers = 1
discover_hosts_in_cells_interval = 3
[quota]
instances = -1
cores = -1
ram = -1
key_pairs = -1
server_groups = -1
[api]
auth_strategy = keystone
E_
  keystone_middleware nova
  conf_nova_common
}

conf_compute() { # the node's own file; nova-compute and novad get the same
  conf_nova_common
  cat <<E_
[DEFAULT]
compute_driver = libvirt.LibvirtDriver
cpu_allocation_ratio = 32.0
disk_allocation_ratio = 4.0
allow_resize_to_same_host = true
resume_guests_state_on_host_boot = false
running_deleted_instance_poll_interval = 60
[libvirt]
virt_type = qemu
[workarounds]
skip_cpu_compare_on_dest = true
E_
}

conf_neutron() {
  cat <<E_
[DEFAULT]
transport_url = $(rabbit_url)
bind_host = 127.0.0.1
core_plugin = ml2
service_plugins =
api_workers = 1
rpc_workers = 1
rpc_state_report_workers = 0
state_path = $LAB/neutron
notify_nova_on_port_status_changes = true
notify_nova_on_port_data_changes = true
dhcp_agents_per_network = 1
debug = ${DEBUG:-true}
[agent]
root_helper = env
root_helper_daemon =
report_interval = 10
[quotas]
quota_port = -1
quota_network = -1
quota_subnet = -1
[database]
connection = $(db_url neutron)
[nova]
$(keystone_client nova)
[placement]
$(keystone_client placement)
[oslo_concurrency]
lock_path = $LAB/lock
[experimental]
linuxbridge = true
[oslo_policy]
policy_dirs = /etc/neutron/policy.d
E_
  keystone_middleware neutron
}

conf_ml2() {
  cat <<E_
[ml2]
type_drivers = flat,vlan,vxlan,local
tenant_network_types = local
mechanism_drivers = linuxbridge
extension_drivers = port_security
[ml2_type_flat]
flat_networks = physnet1
[ml2_type_vlan]
network_vlan_ranges = physnet1:100:199
[securitygroup]
enable_ipset = true
E_
}

conf_linuxbridge() {
  cat <<E_
[linux_bridge]
physical_interface_mappings = physnet1:phys0
[vxlan]
enable_vxlan = false
[securitygroup]
enable_security_group = false
firewall_driver = noop
[agent]
polling_interval = 1
E_
}

conf_dhcp() {
  cat <<E_
[DEFAULT]
interface_driver = linuxbridge
dhcp_driver = neutron.agent.linux.dhcp.Dnsmasq
enable_isolated_metadata = true
force_metadata = true
E_
}

conf_metadata() {
  cat <<E_
[DEFAULT]
nova_metadata_host = 127.0.0.1
metadata_proxy_shared_secret = $LAB_PASSWORD
metadata_workers = 1
E_
}

conf_openrc() {
  cat <<E_
export OS_AUTH_URL=http://127.0.0.1:5000/v3 OS_USERNAME=admin OS_PASSWORD=$LAB_PASSWORD OS_PROJECT_NAME=admin
export OS_USER_DOMAIN_NAME=Default OS_PROJECT_DOMAIN_NAME=Default OS_IDENTITY_API_VERSION=3 OS_REGION_NAME=RegionOne
export OS_PLACEMENT_API_VERSION=1.39 OS_COMPUTE_API_VERSION=2.92
export LAB=$LAB LAB_HOST=$LAB_HOST LIBVIRT_DEFAULT_URI=qemu:///system
E_
}

more() { # NAME: what a test adds for a while
  [ ! -e "$LAB/etc/$1.more" ] || cat "$LAB/etc/$1.more"
}

write_conf() {
  local etc=$LAB/etc
  conf_keystone >"$etc/keystone.conf"
  conf_glance >"$etc/glance-api.conf"
  conf_placement >"$etc/placement.conf"
  { conf_nova; more nova; } >"$etc/nova.conf"
  { conf_compute; more compute; } >"$etc/nova-compute.conf"
  cp "$etc/nova-compute.conf" "$etc/nova-novad.conf"
  conf_neutron >"$etc/neutron.conf"
  conf_ml2 >"$etc/ml2_conf.ini"
  conf_linuxbridge >"$etc/linuxbridge_agent.ini"
  conf_dhcp >"$etc/dhcp_agent.ini"
  conf_metadata >"$etc/metadata_agent.ini"
  conf_openrc >"$etc/openrc"
  chmod 600 "$etc"/*.conf "$etc"/*.ini
}
