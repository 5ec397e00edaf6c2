/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "objects/image_meta.h"

#include "objects/generated/flavor.h"

#include "objects/walker.h"

#define SYSTEM_METADATA_PREFIX "image_"
#define SYSTEM_METADATA_LENGTH 255 /* bytes that a value may have in the database */
#define NUMA_NODES_MAX 128
#define CPU_MAX 65535 /* far above any host; bounds what "0-99999999999" may take */

/* Property names of old releases and what they are called today. */
static const struct {
    const char *old;
    guint field;
} legacy_names[] = {
    {"architecture", NOVA_IMAGE_META_PROPS_HW_ARCHITECTURE},
    {"owner_id", NOVA_IMAGE_META_PROPS_IMG_OWNER_ID},
    {"vmware_disktype", NOVA_IMAGE_META_PROPS_HW_DISK_TYPE},
    {"vmware_image_version", NOVA_IMAGE_META_PROPS_IMG_VERSION},
    {"vmware_ostype", NOVA_IMAGE_META_PROPS_OS_DISTRO},
    {"auto_disk_config", NOVA_IMAGE_META_PROPS_HW_AUTO_DISK_CONFIG},
    {"ipxe_boot", NOVA_IMAGE_META_PROPS_HW_IPXE_BOOT},
    {"xenapi_device_id", NOVA_IMAGE_META_PROPS_HW_DEVICE_ID},
    {"xenapi_image_compression_level", NOVA_IMAGE_META_PROPS_IMG_COMPRESSION_LEVEL},
    {"vmware_linked_clone", NOVA_IMAGE_META_PROPS_IMG_LINKED_CLONE},
    {"xenapi_use_agent", NOVA_IMAGE_META_PROPS_IMG_USE_AGENT},
    {"xenapi_skip_agent_inject_ssh", NOVA_IMAGE_META_PROPS_OS_SKIP_AGENT_INJECT_SSH},
    {"xenapi_skip_agent_inject_files_at_boot", NOVA_IMAGE_META_PROPS_OS_SKIP_AGENT_INJECT_FILES_AT_BOOT},
    {"cache_in_nova", NOVA_IMAGE_META_PROPS_IMG_CACHE_IN_NOVA},
    {"vm_mode", NOVA_IMAGE_META_PROPS_HW_VM_MODE},
    {"bittorrent", NOVA_IMAGE_META_PROPS_IMG_BITTORRENT},
    {"mappings", NOVA_IMAGE_META_PROPS_IMG_MAPPINGS},
    {"block_device_mapping", NOVA_IMAGE_META_PROPS_IMG_BLOCK_DEVICE_MAPPING},
    {"bdm_v2", NOVA_IMAGE_META_PROPS_IMG_BDM_V2},
    {"root_device_name", NOVA_IMAGE_META_PROPS_IMG_ROOT_DEVICE_NAME},
    {"hypervisor_version_requires", NOVA_IMAGE_META_PROPS_IMG_HV_REQUESTED_VERSION},
    {"hypervisor_type", NOVA_IMAGE_META_PROPS_IMG_HV_TYPE},
};

/* Kept beside the properties, not among them. */
static const char *const inheritable[] = {"min_ram", "min_disk", "disk_format", "container_format", NULL};
/* Too large for system_metadata. */
static const char *const skipped[] = {"mappings", "block_device_mapping", "img_mappings", "img_block_device_mapping", NULL};

static bool refuse(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

static bool refuse(GError **error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error_literal(error, OBJECTS_ERROR, OBJECTS_ERROR_IMAGE, text);
    return false;
}

/* --- CPU lists --------------------------------------------------------------------------------------------------------------------- */

static bool parse_cpu(const char *text, gint64 *cpu)
{
    g_autofree char *trimmed = g_strstrip(g_strdup(text));
    return g_ascii_string_to_signed(trimmed, 10, 0, CPU_MAX, cpu, NULL);
}

/* "3", "0-3": first and last. */
static bool parse_cpu_range(const char *rule, gint64 *first, gint64 *last)
{
    g_auto(GStrv) parts = g_strsplit(rule, "-", 2);
    if (!parts[0] || !parse_cpu(parts[0], first))
        return false;
    *last = *first;
    return !parts[1] || (parse_cpu(parts[1], last) && *first <= *last);
}

GArray *nova_parse_cpu_spec(const char *text, GError **error)
{
    g_autofree guint8 *wanted = g_new0(guint8, CPU_MAX + 1);
    g_autofree guint8 *rejected = g_new0(guint8, CPU_MAX + 1);
    g_auto(GStrv) rules = g_strsplit(text, ",", -1);
    for (char **rule = rules; *rule; rule++) {
        char *trimmed = g_strstrip(*rule);
        bool reject = *trimmed == '^';
        gint64 first, last;
        if (*trimmed == '\0')
            continue;
        if (!parse_cpu_range(trimmed + reject, &first, &last)) {
            refuse(error, "'%.80s' is no CPU or range of CPUs", trimmed);
            return NULL;
        }
        memset((reject ? rejected : wanted) + first, 1, (size_t)(last - first + 1));
    }
    GArray *cpus = g_array_new(false, false, sizeof(gint64));
    for (gint64 cpu = 0; cpu <= CPU_MAX; cpu++)
        if (wanted[cpu] && !rejected[cpu])
            g_array_append_val(cpus, cpu);
    return cpus;
}

/* --- properties -------------------------------------------------------------------------------------------------------------------- */

/* Reads `value` into a field as if it was assigned. */
static bool assign(NovaObject *object, guint field, NdJson *value, const char *property, GError **error)
{
    g_autoptr(GError) local = NULL;
    nova_object_clear_value(object, field);
    if (!nova_object_parse_field(object, field, value, NULL, &local))
        return refuse(error, "image property '%.80s': %s", property, local->message);
    nova_bit_set(object->changed, field);
    return true;
}

static bool assign_string(NovaObject *object, guint field, const char *text, const char *property, GError **error)
{
    g_autoptr(NdJson) value = json_object_new_string(text);
    return assign(object, field, value, property, error);
}

static bool assign_legacy_names(NovaObject *props, NdJson *properties, GError **error)
{
    for (guint i = 0; i < G_N_ELEMENTS(legacy_names); i++) {
        NdJson *value = NULL;
        if (json_object_object_get_ex(properties, legacy_names[i].old, &value) &&
            !assign(props, legacy_names[i].field, value, legacy_names[i].old, error))
            return false;
    }
    const char *adapter = nd_json_string(properties, "vmware_adaptertype", "");
    if (*adapter == '\0')
        return true;
    bool ide = strcmp(adapter, "ide") == 0;
    if (!ide && !assign_string(props, NOVA_IMAGE_META_PROPS_HW_SCSI_MODEL, adapter, "vmware_adaptertype", error))
        return false;
    return assign_string(props, NOVA_IMAGE_META_PROPS_HW_DISK_BUS, ide ? "ide" : "scsi", "vmware_adaptertype", error);
}

/* hw_numa_mem.0, hw_numa_mem.1, … up to the first gap. */
static bool assign_numa_mem(NovaObject *props, NdJson *properties, GError **error)
{
    g_autoptr(NdJson) list = json_object_new_array();
    for (int node = 0; node < NUMA_NODES_MAX; node++) {
        g_autofree char *key = g_strdup_printf("hw_numa_mem.%d", node);
        NdJson *value = NULL;
        if (!json_object_object_get_ex(properties, key, &value))
            break;
        json_object_array_add(list, json_object_get(value));
    }
    return json_object_array_length(list) == 0 || assign(props, NOVA_IMAGE_META_PROPS_HW_NUMA_MEM, list, "hw_numa_mem", error);
}

static bool assign_numa_cpus(NovaObject *props, NdJson *properties, GError **error)
{
    g_autoptr(GPtrArray) nodes = g_ptr_array_new_with_free_func((GDestroyNotify)g_array_unref);
    for (int node = 0; node < NUMA_NODES_MAX; node++) {
        g_autofree char *key = g_strdup_printf("hw_numa_cpus.%d", node);
        NdJson *value = NULL;
        if (!json_object_object_get_ex(properties, key, &value))
            break;
        if (!json_object_is_type(value, json_type_string) && !json_object_is_type(value, json_type_int))
            return refuse(error, "image property '%s' is no CPU list", key);
        GArray *cpus = nova_parse_cpu_spec(json_object_get_string(value), error);
        if (!cpus) {
            g_prefix_error(error, "image property '%s': ", key);
            return false;
        }
        g_ptr_array_add(nodes, cpus);
    }
    if (nodes->len > 0)
        nova_object_set_container(props, NOVA_IMAGE_META_PROPS_HW_NUMA_CPUS, nodes);
    return true;
}

static bool assign_current_names(NovaObject *props, NdJson *properties, GError **error)
{
    json_object_object_foreach(properties, key, value)
    {
        int field = nova_spec_find_field(props->spec, key);
        if (field < 0 || field == NOVA_IMAGE_META_PROPS_TRAITS_REQUIRED || field == NOVA_IMAGE_META_PROPS_HW_NUMA_MEM ||
            field == NOVA_IMAGE_META_PROPS_HW_NUMA_CPUS)
            continue;
        if (!assign(props, (guint)field, value, key, error))
            return false;
    }
    return assign_numa_mem(props, properties, error) && assign_numa_cpus(props, properties, error);
}

static void assign_traits(NovaObject *props, NdJson *properties)
{
    g_autoptr(GPtrArray) traits = g_ptr_array_new();
    json_object_object_foreach(properties, key, value)
    {
        if (g_str_has_prefix(key, "trait:") && json_object_is_type(value, json_type_string) &&
            strcmp(json_object_get_string(value), "required") == 0)
            g_ptr_array_add(traits, key + strlen("trait:"));
    }
    if (traits->len == 0)
        return;
    g_ptr_array_add(traits, NULL);
    nova_object_set_strings(props, NOVA_IMAGE_META_PROPS_TRAITS_REQUIRED, (const char *const *)traits->pdata);
}

NovaImageMetaProps *nova_image_meta_props_from_dict(NdJson *properties, GError **error)
{
    g_autoptr(NovaImageMetaProps) props = nova_image_meta_props_new();
    if (!properties)
        return g_steal_pointer(&props);
    if (!json_object_is_type(properties, json_type_object)) {
        refuse(error, "image properties are no dict");
        return NULL;
    }
    if (!assign_legacy_names(&props->parent, properties, error) || !assign_current_names(&props->parent, properties, error))
        return NULL;
    assign_traits(&props->parent, properties);
    return g_steal_pointer(&props);
}

/* --- the image --------------------------------------------------------------------------------------------------------------------- */

/* What a null stands for: Glance allows it where ImageMeta does not. NULL: null stays. Caller releases. */
static NdJson *instead_of_null(guint field)
{
    switch (field) {
    case NOVA_IMAGE_META_NAME:
    case NOVA_IMAGE_META_CHECKSUM:
    case NOVA_IMAGE_META_OWNER:
    case NOVA_IMAGE_META_CONTAINER_FORMAT:
    case NOVA_IMAGE_META_DISK_FORMAT:
        return json_object_new_string("");
    case NOVA_IMAGE_META_SIZE:
    case NOVA_IMAGE_META_VIRTUAL_SIZE:
        return json_object_new_int(0);
    default:
        return NULL;
    }
}

NovaImageMeta *nova_image_meta_from_dict(NdJson *image, GError **error)
{
    g_autoptr(NovaImageMeta) meta = nova_image_meta_new();
    if (image && !json_object_is_type(image, json_type_object)) {
        refuse(error, "the image is no dict");
        return NULL;
    }
    g_autoptr(NovaImageMetaProps) props = nova_image_meta_props_from_dict(nd_json_member(image, "properties"), error);
    if (!props)
        return NULL;
    nova_image_meta_set_properties(meta, props);
    if (!image)
        return g_steal_pointer(&meta);
    json_object_object_foreach(image, key, value)
    {
        int field = nova_spec_find_field(&nova_image_meta_spec, key);
        if (field < 0 || field == NOVA_IMAGE_META_PROPERTIES)
            continue;
        g_autoptr(NdJson) given = value ? json_object_get(value) : instead_of_null((guint)field);
        if (!assign(&meta->parent, (guint)field, given, key, error))
            return NULL;
    }
    return g_steal_pointer(&meta);
}

NdJson *nova_image_dict_from_system_metadata(GHashTable *system_metadata)
{
    NdJson *image = json_object_new_object(), *properties = json_object_new_object();
    g_autoptr(GList) names = system_metadata ? g_hash_table_get_keys(system_metadata) : NULL;
    names = g_list_sort(names, (GCompareFunc)strcmp);
    for (const GList *name = names; name; name = name->next) {
        const char *key = name->data, *text = g_hash_table_lookup(system_metadata, key);
        if (!text)
            continue;
        if (g_str_has_prefix(key, SYSTEM_METADATA_PREFIX))
            key += strlen(SYSTEM_METADATA_PREFIX);
        if (!g_strv_contains(skipped, key))
            nd_json_set_string(g_strv_contains(inheritable, key) ? image : properties, key, text);
    }
    nd_json_set(image, "properties", properties);
    return image;
}

NovaImageMeta *nova_image_meta_from_instance(const NovaInstance *instance, GError **error)
{
    g_autoptr(NdJson) image = nova_image_dict_from_system_metadata(instance->system_metadata);
    if (instance->image_ref && *instance->image_ref)
        nd_json_set_string(image, "id", instance->image_ref);
    return nova_image_meta_from_dict(image, error);
}

/* A value as upstream's str() keeps it, cut to the column's length between two characters. */
static char *metadata_text(NdJson *value)
{
    g_autofree char *text = NULL;
    if (json_object_is_type(value, json_type_boolean))
        text = g_strdup(json_object_get_boolean(value) ? "True" : "False");
    else if (!value)
        text = g_strdup("None");
    else if (json_object_is_type(value, json_type_string))
        text = g_strdup(json_object_get_string(value));
    else
        text = nd_json_to_string(value);
    if (strlen(text) > SYSTEM_METADATA_LENGTH) {
        text[SYSTEM_METADATA_LENGTH] = '\0';
        const char *end;
        if (!g_utf8_validate(text, -1, &end))
            text[end - text] = '\0';
    }
    return g_steal_pointer(&text);
}

GHashTable *nova_image_dict_to_system_metadata(NdJson *image, const NovaFlavor *flavor)
{
    GHashTable *metadata = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    NdJson *properties = nd_json_object(image, "properties");
    if (properties) {
        json_object_object_foreach(properties, key, value) if (!g_strv_contains(skipped, key))
            g_hash_table_replace(metadata, g_strconcat(SYSTEM_METADATA_PREFIX, key, NULL), metadata_text(value));
    }
    for (const char *const *key = inheritable; *key; key++) {
        NdJson *value = nd_json_member(image, *key);
        g_autofree char *text = value ? metadata_text(value) : NULL;
        if (strcmp(*key, "min_disk") == 0 && flavor) {
            gint64 disk = nd_json_int(image, "min_disk", 0);
            bool vhd = strcmp(nd_json_string(image, "disk_format", ""), "vhd") == 0;
            g_free(text);
            text = g_strdup_printf("%" G_GINT64_FORMAT, vhd ? flavor->root_gb : MAX(disk, flavor->root_gb));
        }
        if (text)
            g_hash_table_replace(metadata, g_strconcat(SYSTEM_METADATA_PREFIX, *key, NULL), g_steal_pointer(&text));
    }
    return metadata;
}
