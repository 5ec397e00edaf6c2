/* SPDX-License-Identifier: Apache-2.0 */
/* domain-xml NOVA.CONF < case.json: prints the domain XML that novad makes for one case, asking the local libvirtd for its capabilities. docs/domain-xml.md
 * has the case format. A case that novad refuses ends with status 2 and "CLASS: text" on standard error; anything else that fails with 1. */
#include "config.h"

#include "agent/guest_config.h"
#include "objects/image_meta.h"
#include "objects/network_model.h"
#include "rpc/exception.h"
#include "virt/domain_xml.h"
#include "virt/error.h"

#include <gio/gio.h>
#include <libvirt/virterror.h>
#include <stdio.h>
#include <string.h>

#define CASE_LIMIT (4 << 20)
#define PACKAGE_VERSION_ZED "26.2.2"
#define IMAGE_ID "9bdaa272-3733-4b97-9a14-f8eb04e7b31f"

/* What a case that says nothing stands for. */
static const char default_flavor[] =
    "{\"id\": 1, \"name\": \"f\", \"memory_mb\": 256, \"vcpus\": 1, \"root_gb\": 1, \"ephemeral_gb\": 0, \"swap\": 0, \"flavorid\": \"1\","
    " \"extra_specs\": {}, \"rxtx_factor\": 1.0, \"vcpu_weight\": 0, \"is_public\": true, \"disabled\": false}";
static const char default_instance[] =
    "{\"id\": 7, \"uuid\": \"4e474c8a-97c4-4d7d-a896-e3598b557d17\", \"display_name\": \"s1\", \"hostname\": \"s1\", \"project_id\": \"p1\","
    " \"user_id\": \"u1\", \"image_ref\": \"" IMAGE_ID "\", \"kernel_id\": \"\", \"ramdisk_id\": \"\", \"os_type\": null, \"config_drive\": \"\","
    " \"system_metadata\": {\"owner_user_name\": \"admin\", \"owner_project_name\": \"admin\"}, \"metadata\": {}, \"root_device_name\": null,"
    " \"numa_topology\": null, \"vm_state\": \"building\", \"task_state\": \"spawning\", \"host\": \"h1\", \"node\": \"h1\","
    " \"vcpu_model\": null, \"launched_at\": null, \"architecture\": null, \"vm_mode\": null, \"instance_type_id\": 1}";
static const char default_image[] =
    "{\"id\": \"" IMAGE_ID "\", \"name\": \"sim\", \"disk_format\": \"qcow2\", \"container_format\": \"bare\", \"min_ram\": 0, \"min_disk\": 0,"
    " \"status\": \"active\", \"size\": 1, \"properties\": {}}";
static const char default_devices[] =
    "{\"root_device_name\": \"/dev/vda\", \"ephemerals\": [], \"swap\": null, \"block_device_mapping\": [], \"image\": []}";
static const char default_network[] =
    "{\"id\": \"3f9114b5-6d21-40ad-8a21-27bd90c38def\", \"bridge\": \"brq3f9114b5-6d\", \"label\": \"public\", \"subnets\": [],"
    " \"bridge_interface\": null, \"injected\": false, \"mtu\": 1500}";
static const char default_vif[] = "{\"type\": \"bridge\", \"details\": {\"port_filter\": true}, \"vnic_type\": \"normal\", \"active\": false,"
    " \"profile\": {}}";

static NdJson *parse(const char *text)
{
    NdJson *json = NULL;
    g_autoptr(GError) error = NULL;
    if (!nd_json_parse(text, strlen(text), NULL, &json, &error)) {
        g_error("%s: %s", text, error->message);
    }
    return json;
}

/* The defaults with the case's members over them. */
static NdJson *merged(const char *defaults, NdJson *overrides)
{
    NdJson *json = parse(defaults);
    if (overrides != NULL && json_object_is_type(overrides, json_type_object)) {
        json_object_object_foreach(overrides, key, value)
        {
            nd_json_set(json, key, json_object_get(value));
        }
    }
    return json;
}

static NdJson *wire(const char *name, const char *version, NdJson *data)
{
    NdJson *json = json_object_new_object();
    nd_json_set_string(json, "nova_object.name", name);
    nd_json_set_string(json, "nova_object.namespace", "nova");
    nd_json_set_string(json, "nova_object.version", version);
    nd_json_set(json, "nova_object.data", data);
    return json;
}

static NovaInstance *make_instance(NdJson *test, GError **error)
{
    NdJson *flavor = merged(default_flavor, nd_json_object(test, "flavor"));
    NdJson *data = merged(default_instance, NULL);
    static const char *const copied[] = { "memory_mb", "vcpus", "root_gb", "ephemeral_gb" };
    for (size_t i = 0; i < G_N_ELEMENTS(copied); i++) {
        nd_json_set_int(data, copied[i], nd_json_int(flavor, copied[i], 0));
    }
    NdJson *overrides = nd_json_object(test, "instance");
    if (overrides != NULL) {
        json_object_object_foreach(overrides, key, value)
        {
            nd_json_set(data, key, json_object_get(value));
        }
    }
    nd_json_set(data, "flavor", wire("Flavor", "1.2", flavor));
    g_autoptr(NdJson) json = wire("Instance", "2.7", data);
    return nova_object_from_json_as(json, &nova_instance_spec, NULL, error);
}

/* --- block devices --- */

static char *text_member(NdJson *json, const char *key)
{
    return g_strdup(nd_json_string(json, key, NULL));
}

static GuestBlockDevice *make_device(NdJson *json)
{
    GuestBlockDevice *device = guest_block_device_new();
    device->device_name = text_member(json, "device_name");
    if (device->device_name == NULL) {
        device->device_name = text_member(json, "mount_device");
    }
    device->disk_bus = text_member(json, "disk_bus");
    device->device_type = text_member(json, "device_type");
    device->guest_format = text_member(json, "guest_format");
    device->has_boot_index = nd_json_member(json, "boot_index") != NULL;
    device->boot_index = nd_json_int(json, "boot_index", 0);
    device->size = nd_json_int(json, "swap_size", nd_json_int(json, "size", 0));
    return device;
}

static void add_devices(GPtrArray *list, NdJson *array)
{
    for (size_t i = 0; array != NULL && i < json_object_array_length(array); i++) {
        g_ptr_array_add(list, make_device(json_object_array_get_idx(array, i)));
    }
}

static GuestBlockDevices *make_devices(NdJson *test)
{
    g_autoptr(NdJson) json = merged(default_devices, nd_json_object(test, "bdi"));
    GuestBlockDevices *devices = guest_block_devices_new();
    devices->root_device_name = text_member(json, "root_device_name");
    add_devices(devices->images, nd_json_array(json, "image"));
    add_devices(devices->ephemerals, nd_json_array(json, "ephemerals"));
    add_devices(devices->volumes, nd_json_array(json, "block_device_mapping"));
    NdJson *swap = nd_json_object(json, "swap");
    devices->swap = swap != NULL ? make_device(swap) : NULL;
    return devices;
}

/* --- interfaces --- */

/* Members that the model does not have of its own go to its meta, as upstream's constructors do with keyword arguments. */
static NdJson *with_meta(NdJson *flat, const char *const *own)
{
    g_autoptr(NdJson) source = flat;
    NdJson *json = json_object_new_object(), *meta = json_object_new_object();
    json_object_object_foreach(source, key, value)
    {
        nd_json_set(g_strv_contains(own, key) ? json : meta, key, json_object_get(value));
    }
    nd_json_set(json, "meta", meta);
    return json;
}

static NovaVif *make_vif(NdJson *overrides, guint index, GError **error)
{
    static const char *const network_keys[] = { "id", "bridge", "label", "subnets", NULL };
    static const char *const vif_keys[] = { "id", "address", "network", "type", "details", "devname", "ovs_interfaceid", "qbh_params", "qbg_params",
        "active", "vnic_type", "profile", "preserve_on_delete", "delegate_create", NULL };
    g_autoptr(NdJson) defaults = parse(default_vif);
    g_autofree char *id = g_strdup_printf("87d4bd71-a5a2-4b22-b4e5-9a233f2e53%02u", 71 + index);
    g_autofree char *address = g_strdup_printf("fa:16:3e:73:26:%02x", 0xeb + index);
    g_autofree char *device = g_strdup_printf("tap87d4bd71-%02u", 71 + index);
    nd_json_set_string(defaults, "id", id);
    nd_json_set_string(defaults, "address", address);
    nd_json_set_string(defaults, "devname", device);
    g_autofree char *text = nd_json_to_string(defaults);
    NdJson *flat = merged(text, overrides);
    nd_json_set(flat, "network", with_meta(merged(default_network, nd_json_object(overrides, "network")), network_keys));
    g_autoptr(NdJson) json = with_meta(flat, vif_keys);
    return nova_vif_from_json(json, error);
}

static GPtrArray *make_vifs(NdJson *test, GError **error)
{
    g_autoptr(GPtrArray) vifs = nova_network_info_new();
    g_autoptr(NdJson) fallback = parse("[{}]");
    NdJson *array = nd_json_array(test, "vifs");
    array = array != NULL ? array : fallback;
    for (size_t i = 0; i < json_object_array_length(array); i++) {
        NovaVif *vif = make_vif(json_object_array_get_idx(array, i), (guint) i, error);
        if (vif == NULL) {
            return NULL;
        }
        g_ptr_array_add(vifs, vif);
    }
    return g_steal_pointer(&vifs);
}

/* --- serial consoles --- */

/* The next free port of [serial_console]port_range, as nova-compute takes them. */
static guint acquire_port(gpointer user_data, const char *host, GError **error)
{
    static guint next = 0;
    const char *range = nd_config_string(user_data, "serial_console", "port_range");
    guint first = (guint) g_ascii_strtoull(range, NULL, 10);
    const char *colon = strchr(range, ':');
    guint stop = colon != NULL ? (guint) g_ascii_strtoull(colon + 1, NULL, 10) : first;
    for (next = MAX(next, first); next < stop; next++) {
        g_autoptr(GSocketAddress) address = g_inet_socket_address_new_from_string(host, next);
        g_autoptr(GSocket) socket = g_socket_new(G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL);
        if (socket != NULL && address != NULL && g_socket_bind(socket, address, FALSE, NULL)) {
            return next++;
        }
    }
    nova_exception_set_text(error, NOVA_EXC_NOVA_EXCEPTION, "no serial port is free", NULL);
    return 0;
}

/* --- the whole --- */

static char *domain_text(const GuestHost *host, NdJson *test, GError **error)
{
    g_autoptr(NovaInstance) instance = make_instance(test, error);
    g_autoptr(NdJson) image_dict = merged(default_image, nd_json_object(test, "image"));
    g_autoptr(NovaImageMeta) image = instance != NULL ? nova_image_meta_from_dict(image_dict, error) : NULL;
    g_autoptr(GPtrArray) vifs = image != NULL ? make_vifs(test, error) : NULL;
    if (vifs == NULL) {
        return NULL;
    }
    NdJson *rescue_json = nd_json_object(test, "rescue"), *rescue_image = nd_json_object(test, "rescue_image");
    g_autoptr(NovaImageMeta) rescue_meta = NULL;
    if (rescue_image != NULL) {
        g_autoptr(NdJson) dict = merged(default_image, rescue_image);
        rescue_meta = nova_image_meta_from_dict(dict, error);
        if (rescue_meta == NULL) {
            return NULL;
        }
    }
    GuestRescue rescue = { rescue_meta, nd_json_string(rescue_json, "kernel_id", NULL), nd_json_string(rescue_json, "ramdisk_id", NULL) };
    const GuestRescue *rescued = rescue_json != NULL || rescue_image != NULL || nd_json_bool(test, "rescue", false) ? &rescue : NULL;
    g_autoptr(GuestDiskInfo) disks = guest_disk_info(host->config, instance, image, make_devices(test), rescued, error);
    if (disks == NULL) {
        return NULL;
    }
    GuestInput input = { .instance = instance, .image = image, .vifs = vifs, .disks = disks, .rescue = rescued,
        .creation_time = g_get_real_time() / G_USEC_PER_SEC, .acquire_serial_port = acquire_port, .user_data = (gpointer) host->config };
    g_autoptr(VirtMachine) machine = guest_config(host, &input, error);
    return machine != NULL ? virt_domain_xml(machine, error) : NULL;
}

static VirtCapabilities *query(const NdConfig *config, GError **error)
{
    const char *uri = nd_config_string(config, "libvirt", "connection_uri");
    virConnectPtr handle = virConnectOpen(uri != NULL && *uri != '\0' ? uri : "qemu:///system");
    if (handle == NULL) {
        virt_error_set_libvirt(error, "connecting to libvirt");
        return NULL;
    }
    VirtCapabilities *caps = virt_capabilities_query(handle, nd_config_string(config, "libvirt", "virt_type"),
        nd_config_list(config, "libvirt", "hw_machine_type"), nd_config_list(config, "libvirt", "cpu_models"), error);
    virConnectClose(handle);
    return caps;
}

static void silent(G_GNUC_UNUSED void *data, G_GNUC_UNUSED virErrorPtr error)
{
}

static NdJson *read_case(GError **error)
{
    g_autofree char *text = g_malloc(CASE_LIMIT);
    size_t length = fread(text, 1, CASE_LIMIT, stdin);
    NdJson *test = NULL;
    if (!nd_json_parse(text, length, NULL, &test, error)) {
        return NULL;
    }
    return test != NULL ? test : json_object_new_object();
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: domain-xml NOVA.CONF < case.json\n");
        return 1;
    }
    g_autoptr(GError) error = NULL;
    virSetErrorFunc(NULL, silent);
    char *arguments[] = { argv[0], (char *) "--config-file", argv[1], NULL };
    g_autoptr(NdConfig) config = nd_config_load(3, arguments, &error);
    g_autoptr(NdJson) test = config != NULL ? read_case(&error) : NULL;
    g_autoptr(VirtCapabilities) caps = test != NULL ? query(config, &error) : NULL;
    g_autoptr(GuestHost) host = caps != NULL ? guest_host_new(config, caps, PACKAGE_VERSION_ZED, "/etc/nova/release", &error) : NULL;
    if (host == NULL) {
        fprintf(stderr, "domain-xml: %s\n", error->message);
        return 1;
    }
    g_autofree char *xml = domain_text(host, test, &error);
    if (xml == NULL) {
        fprintf(stderr, "%s: %s\n", nova_exception_class(error), error->message);
        return 2;
    }
    fputs(xml, stdout);
    return 0;
}
