/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/notify_payload.h"

#include "base/time.h"
#include "rpc/exception.h"

#include <string.h>

typedef struct {
    const char *key;
    guint field;
} FieldName;

static void add_fields(NdJson *to, const void *object, const FieldName *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        nd_json_set(to, names[i].key, nova_object_field_to_json(object, names[i].field, NOVA_UNCLAMPED));
}

/* --- legacy --- */

static const FieldName legacy_fields[] = {
    {"tenant_id", NOVA_INSTANCE_PROJECT_ID},
    {"user_id", NOVA_INSTANCE_USER_ID},
    {"instance_id", NOVA_INSTANCE_UUID},
    {"display_name", NOVA_INSTANCE_DISPLAY_NAME},
    {"reservation_id", NOVA_INSTANCE_RESERVATION_ID},
    {"hostname", NOVA_INSTANCE_HOSTNAME},
    {"instance_type_id", NOVA_INSTANCE_INSTANCE_TYPE_ID},
    {"architecture", NOVA_INSTANCE_ARCHITECTURE},
    {"host", NOVA_INSTANCE_HOST},
    {"node", NOVA_INSTANCE_NODE},
    {"availability_zone", NOVA_INSTANCE_AVAILABILITY_ZONE},
    {"os_type", NOVA_INSTANCE_OS_TYPE},
    {"kernel_id", NOVA_INSTANCE_KERNEL_ID},
    {"ramdisk_id", NOVA_INSTANCE_RAMDISK_ID},
    {"state", NOVA_INSTANCE_VM_STATE},
    {"access_ip_v4", NOVA_INSTANCE_ACCESS_IP_V4},
    {"access_ip_v6", NOVA_INSTANCE_ACCESS_IP_V6},
    {"metadata", NOVA_INSTANCE_METADATA},
};

/* "" for what Python leaves out as an empty string. */
static void set_text_or_empty(NdJson *to, const char *key, const char *text)
{
    nd_json_set_string(to, key, text != NULL ? text : "");
}

static void set_legacy_time(NdJson *to, const char *key, const NovaInstance *instance, guint field, gint64 value)
{
    g_autofree char *text = nova_object_has(instance, field) ? nd_time_format_argument(value) : NULL;

    set_text_or_empty(to, key, text);
}

/* str() of an aware datetime: "2026-11-22 21:44:00+00:00". */
static void set_created_at(NdJson *to, const NovaInstance *instance)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(instance->created_at / G_USEC_PER_SEC);
    g_autofree char *text =
        nova_object_has(instance, NOVA_INSTANCE_CREATED_AT) ? g_date_time_format(time, "%Y-%m-%d %H:%M:%S+00:00") : g_strdup("None");

    nd_json_set_string(to, "created_at", text);
}

static void set_legacy_flavor(NdJson *to, const NovaFlavor *flavor)
{
    if (flavor == NULL)
        return;
    nd_json_set_string(to, "instance_type", flavor->name);
    nd_json_set_string(to, "instance_flavor_id", flavor->flavorid);
    nd_json_set_int(to, "memory_mb", flavor->memory_mb);
    nd_json_set_int(to, "disk_gb", flavor->root_gb + flavor->ephemeral_gb);
    nd_json_set_int(to, "vcpus", flavor->vcpus);
    nd_json_set_int(to, "root_gb", flavor->root_gb);
    nd_json_set_int(to, "ephemeral_gb", flavor->ephemeral_gb);
}

static NdJson *image_meta(const NovaInstance *instance)
{
    NdJson *meta = json_object_new_object();
    GHashTableIter iter;
    gpointer key, value;

    if (instance->system_metadata == NULL)
        return meta;
    g_hash_table_iter_init(&iter, instance->system_metadata);
    while (g_hash_table_iter_next(&iter, &key, &value))
        if (g_str_has_prefix(key, "image_"))
            nd_json_set_string(meta, (const char *)key + strlen("image_"), value);
    return meta;
}

/* Calls `each` for every fixed address of the network model's VIFs. */
static void each_address(NdJson *network_info, void (*each)(NdJson *vif, NdJson *ip, NdJson *to), NdJson *to)
{
    size_t n = network_info != NULL ? json_object_array_length(network_info) : 0;

    for (size_t i = 0; i < n; i++) {
        NdJson *vif = json_object_array_get_idx(network_info, i);
        NdJson *subnets = nd_json_array(nd_json_object(vif, "network"), "subnets");

        for (size_t j = 0; subnets != NULL && j < json_object_array_length(subnets); j++) {
            NdJson *ips = nd_json_array(json_object_array_get_idx(subnets, j), "ips");

            for (size_t k = 0; ips != NULL && k < json_object_array_length(ips); k++)
                each(vif, json_object_array_get_idx(ips, k), to);
        }
    }
}

static void add_legacy_address(NdJson *vif, NdJson *ip, NdJson *to)
{
    NdJson *copy = NULL;

    if (json_object_deep_copy(ip, &copy, NULL) != 0)
        return;
    nd_json_set_string(copy, "label", nd_json_string(nd_json_object(vif, "network"), "label", NULL));
    nd_json_set_string(copy, "vif_mac", nd_json_string(vif, "address", NULL));
    json_object_array_add(to, copy);
}

static void add_members(NdJson *to, NdJson *from)
{
    if (from == NULL)
        return;
    json_object_object_foreach(from, key, value)
        nd_json_set(to, key, json_object_get(value));
}

NdJson *notify_legacy_payload(const NovaInstance *instance, const char *image_ref_url, NdJson *network_info, NdJson *extra, const GError *failure)
{
    NdJson *payload = json_object_new_object();

    add_fields(payload, instance, legacy_fields, G_N_ELEMENTS(legacy_fields));
    set_legacy_flavor(payload, instance->flavor);
    set_text_or_empty(payload, "cell_name", instance->cell_name);
    set_created_at(payload, instance);
    set_legacy_time(payload, "terminated_at", instance, NOVA_INSTANCE_TERMINATED_AT, instance->terminated_at);
    set_legacy_time(payload, "deleted_at", instance, NOVA_INSTANCE_DELETED_AT, instance->deleted_at);
    set_legacy_time(payload, "launched_at", instance, NOVA_INSTANCE_LAUNCHED_AT, instance->launched_at);
    nd_json_set_string(payload, "image_ref_url", image_ref_url);
    set_text_or_empty(payload, "state_description", instance->task_state);
    if (instance->progress != 0)
        nd_json_set_int(payload, "progress", instance->progress);
    else
        nd_json_set_string(payload, "progress", "");
    if (network_info != NULL) {
        NdJson *fixed_ips = json_object_new_array();

        each_address(network_info, add_legacy_address, fixed_ips);
        nd_json_set(payload, "fixed_ips", fixed_ips);
    }
    nd_json_set(payload, "image_meta", image_meta(instance));
    add_members(payload, extra);
    if (failure != NULL) {
        nd_json_set_string(payload, "exception", failure->message);
        nd_json_set_string(payload, "message", nova_exception_is_nova(failure) ? failure->message : nova_exception_class(failure));
        nd_json_set_int(payload, "code", nova_exception_number(failure));
    }
    return payload;
}

/* --- versioned --- */

static const FieldName versioned_fields[] = {
    {"uuid", NOVA_INSTANCE_UUID},
    {"user_id", NOVA_INSTANCE_USER_ID},
    {"tenant_id", NOVA_INSTANCE_PROJECT_ID},
    {"reservation_id", NOVA_INSTANCE_RESERVATION_ID},
    {"display_name", NOVA_INSTANCE_DISPLAY_NAME},
    {"display_description", NOVA_INSTANCE_DISPLAY_DESCRIPTION},
    {"host_name", NOVA_INSTANCE_HOSTNAME},
    {"host", NOVA_INSTANCE_HOST},
    {"node", NOVA_INSTANCE_NODE},
    {"os_type", NOVA_INSTANCE_OS_TYPE},
    {"architecture", NOVA_INSTANCE_ARCHITECTURE},
    {"availability_zone", NOVA_INSTANCE_AVAILABILITY_ZONE},
    {"image_uuid", NOVA_INSTANCE_IMAGE_REF},
    {"key_name", NOVA_INSTANCE_KEY_NAME},
    {"kernel_id", NOVA_INSTANCE_KERNEL_ID},
    {"ramdisk_id", NOVA_INSTANCE_RAMDISK_ID},
    {"created_at", NOVA_INSTANCE_CREATED_AT},
    {"launched_at", NOVA_INSTANCE_LAUNCHED_AT},
    {"terminated_at", NOVA_INSTANCE_TERMINATED_AT},
    {"deleted_at", NOVA_INSTANCE_DELETED_AT},
    {"updated_at", NOVA_INSTANCE_UPDATED_AT},
    {"state", NOVA_INSTANCE_VM_STATE},
    {"task_state", NOVA_INSTANCE_TASK_STATE},
    {"progress", NOVA_INSTANCE_PROGRESS},
    {"metadata", NOVA_INSTANCE_METADATA},
    {"locked", NOVA_INSTANCE_LOCKED},
};

static const FieldName flavor_fields[] = {
    {"flavorid", NOVA_FLAVOR_FLAVORID},   {"memory_mb", NOVA_FLAVOR_MEMORY_MB},     {"vcpus", NOVA_FLAVOR_VCPUS},
    {"root_gb", NOVA_FLAVOR_ROOT_GB},     {"ephemeral_gb", NOVA_FLAVOR_EPHEMERAL_GB}, {"name", NOVA_FLAVOR_NAME},
    {"swap", NOVA_FLAVOR_SWAP},           {"rxtx_factor", NOVA_FLAVOR_RXTX_FACTOR}, {"vcpu_weight", NOVA_FLAVOR_VCPU_WEIGHT},
    {"disabled", NOVA_FLAVOR_DISABLED},   {"is_public", NOVA_FLAVOR_IS_PUBLIC},     {"extra_specs", NOVA_FLAVOR_EXTRA_SPECS},
    {"projects", NOVA_FLAVOR_PROJECTS},   {"description", NOVA_FLAVOR_DESCRIPTION},
};

static const FieldName keypair_fields[] = {
    {"user_id", NOVA_KEY_PAIR_USER_ID},         {"name", NOVA_KEY_PAIR_NAME}, {"public_key", NOVA_KEY_PAIR_PUBLIC_KEY},
    {"fingerprint", NOVA_KEY_PAIR_FINGERPRINT}, {"type", NOVA_KEY_PAIR_TYPE},
};

static const FieldName bdm_fields[] = {
    {"device_name", NOVA_BLOCK_DEVICE_MAPPING_DEVICE_NAME},
    {"boot_index", NOVA_BLOCK_DEVICE_MAPPING_BOOT_INDEX},
    {"delete_on_termination", NOVA_BLOCK_DEVICE_MAPPING_DELETE_ON_TERMINATION},
    {"volume_id", NOVA_BLOCK_DEVICE_MAPPING_VOLUME_ID},
    {"tag", NOVA_BLOCK_DEVICE_MAPPING_TAG},
};

/* nova_object.* around the data; takes it. Notification objects carry no list of changes. */
NdJson *notify_payload_object(const char *name, const char *version, NdJson *data)
{
    NdJson *object = json_object_new_object();

    nd_json_set_string(object, "nova_object.name", name);
    nd_json_set_string(object, "nova_object.namespace", "nova");
    nd_json_set_string(object, "nova_object.version", version);
    nd_json_set(object, "nova_object.data", data);
    return object;
}

static void add_versioned_address(NdJson *vif, NdJson *ip, NdJson *to)
{
    NdJson *data = json_object_new_object();
    NdJson *meta = NULL;

    nd_json_set_string(data, "label", nd_json_string(nd_json_object(vif, "network"), "label", NULL));
    nd_json_set_string(data, "mac", nd_json_string(vif, "address", NULL));
    if (nd_json_object(vif, "meta") == NULL || json_object_deep_copy(nd_json_object(vif, "meta"), &meta, NULL) != 0)
        meta = json_object_new_object();
    nd_json_set(data, "meta", meta);
    nd_json_set_string(data, "port_uuid", nd_json_string(vif, "id", NULL));
    nd_json_set_int(data, "version", nd_json_int(ip, "version", 4));
    nd_json_set_string(data, "address", nd_json_string(ip, "address", NULL));
    nd_json_set_string(data, "device_name", nd_json_string(vif, "devname", NULL));
    json_object_array_add(to, notify_payload_object("IpPayload", "1.0", data));
}

static NdJson *addresses_of(const NovaInstance *instance)
{
    NdJson *addresses = json_object_new_array();
    const char *text = instance->info_cache != NULL ? instance->info_cache->network_info : NULL;
    g_autoptr(NdJson) network_info = NULL;

    if (text != NULL && nd_json_parse(text, strlen(text), NULL, &network_info, NULL) && json_object_is_type(network_info, json_type_array))
        each_address(network_info, add_versioned_address, addresses);
    return addresses;
}

/* fields.InstancePowerState */
static const char *power_state_name(gint64 power_state)
{
    static const char *const names[] = {[0] = "pending", [1] = "running", [3] = "paused", [4] = "shutdown", [6] = "crashed", [7] = "suspended"};

    return power_state >= 0 && power_state < (gint64)G_N_ELEMENTS(names) ? names[power_state] : NULL;
}

NdJson *notify_flavor_payload(const NovaFlavor *flavor)
{
    NdJson *data;

    if (flavor == NULL)
        return NULL;
    data = json_object_new_object();
    add_fields(data, flavor, flavor_fields, G_N_ELEMENTS(flavor_fields));
    return notify_payload_object("FlavorPayload", "1.4", data);
}

static NdJson *block_devices(const NovaBlockDeviceMappingList *bdms)
{
    NdJson *list;

    if (bdms == NULL)
        return NULL;
    list = json_object_new_array();
    for (guint i = 0; i < nova_object_list_length(bdms); i++) {
        const NovaBlockDeviceMapping *bdm = nova_object_list_get(bdms, i);
        NdJson *data;

        if (bdm->volume_id == NULL)
            continue;
        data = json_object_new_object();
        add_fields(data, bdm, bdm_fields, G_N_ELEMENTS(bdm_fields));
        json_object_array_add(list, notify_payload_object("BlockDevicePayload", "1.0", data));
    }
    return list;
}

static void add_create_members(NdJson *data, const NovaInstance *instance, const char *instance_name)
{
    NdJson *keypairs = json_object_new_array();
    NdJson *tags = json_object_new_array();

    for (guint i = 0; instance->keypairs != NULL && i < nova_object_list_length(instance->keypairs); i++) {
        NdJson *keypair = json_object_new_object();

        add_fields(keypair, nova_object_list_get(instance->keypairs, i), keypair_fields, G_N_ELEMENTS(keypair_fields));
        json_object_array_add(keypairs, notify_payload_object("KeypairPayload", "1.0", keypair));
    }
    for (guint i = 0; instance->tags != NULL && i < nova_object_list_length(instance->tags); i++)
        json_object_array_add(tags, json_object_new_string(((NovaTag *)nova_object_list_get(instance->tags, i))->tag));
    nd_json_set(data, "keypairs", keypairs);
    nd_json_set(data, "tags", tags);
    nd_json_set(data, "trusted_image_certificates",
                instance->trusted_certs != NULL ? nd_json_from_strv((const char *const *)instance->trusted_certs->ids) : NULL);
    nd_json_set_string(data, "instance_name", instance_name);
}

NdJson *notify_exception_payload(const char *function, const GError *failure)
{
    NdJson *data = json_object_new_object();
    g_autofree char *trace = g_strdup_printf("%s.%s: %s", nova_exception_module(failure), nova_exception_class(failure), failure->message);

    nd_json_set_string(data, "module_name", "nova.compute.manager");
    nd_json_set_string(data, "function_name", function);
    nd_json_set_string(data, "exception", nova_exception_class(failure));
    nd_json_set_string(data, "exception_message", failure->message);
    nd_json_set_string(data, "traceback", trace);
    return notify_payload_object("ExceptionPayload", "1.1", data);
}

NdJson *notify_versioned_payload(const RpcContext *context, const NovaInstance *instance, bool create, const char *instance_name,
                                 const NovaBlockDeviceMappingList *bdms, const NotifyPayloadClass *payload_class, const GError *failure)
{
    NdJson *data = json_object_new_object();
    bool by_user = context->project_id != NULL && context->user_id != NULL;

    add_fields(data, instance, versioned_fields, G_N_ELEMENTS(versioned_fields));
    nd_json_set_string(data, "power_state", power_state_name(instance->power_state));
    nd_json_set_string(data, "auto_disk_config", instance->auto_disk_config ? "AUTO" : "MANUAL");
    nd_json_set(data, "flavor", notify_flavor_payload(instance->flavor));
    nd_json_set(data, "ip_addresses", addresses_of(instance));
    nd_json_set(data, "block_devices", block_devices(bdms));
    nd_json_set_string(data, "request_id", by_user ? context->request_id : NULL);
    nd_json_set_string(data, "action_initiator_user", context->user_id);
    nd_json_set_string(data, "action_initiator_project", context->project_id);
    nd_json_set_string(data, "locked_reason", nova_object_dict_get(instance, NOVA_INSTANCE_SYSTEM_METADATA, "locked_reason"));
    nd_json_set(data, "fault", failure != NULL ? notify_exception_payload("compute", failure) : NULL);
    if (payload_class != NULL) {
        add_members(data, payload_class->members);
        if (strcmp(payload_class->name, "InstanceExistsPayload") == 0) /* no action, so no fault */
            json_object_object_del(data, "fault");
        return notify_payload_object(payload_class->name, payload_class->version, data);
    }
    if (!create)
        return notify_payload_object("InstanceActionPayload", "1.8", data);
    add_create_members(data, instance, instance_name);
    return notify_payload_object("InstanceCreatePayload", "1.12", data);
}
