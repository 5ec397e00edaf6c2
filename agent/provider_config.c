/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "agent/provider_config.h"

#include "base/file.h"
#include "base/log.h"
#include "base/yaml.h"
#include "rpc/exception.h"

#include <string.h>

#define LOGGER "nova.compute.provider_config"
#define NAME_LIMIT 200
#define PLACEMENT_MAX_INT G_MAXINT32 /* Placement's own default of max_unit */

static void config_free(gpointer data)
{
    ProviderConfig *config = data;
    if (config == NULL)
        return;
    g_free(config->id);
    g_free(config->source);
    g_clear_pointer(&config->inventories, g_hash_table_unref);
    g_strfreev(config->traits);
    g_free(config);
}

G_GNUC_PRINTF(2, 3) static bool refuse(GError **error, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    g_autofree char *text = g_strdup_vprintf(format, list);
    va_end(list);
    nova_exception_set_text(error, NOVA_EXC_PROVIDER_CONFIG_EXCEPTION, text, "error", text, NULL);
    return false;
}

static bool refuse_schema(const char *path, const char *what, GError **error)
{
    return refuse(error, "provider config file %s does not follow the schema: %s", path, what);
}

/* --- the schema --- */

/* Absent, or of that type. */
static bool check_type(NdJson *parent, const char *key, json_type type, const char *path, GError **error)
{
    NdJson *value = NULL;
    if (!json_object_object_get_ex(parent, key, &value) || json_object_is_type(value, type))
        return true;
    g_autofree char *what = g_strdup_printf("'%s' has to be of type %s", key, json_type_to_name(type));
    return refuse_schema(path, what, error);
}

static bool is_symbol(const char *text)
{
    size_t length = strlen(text);
    return length >= 1 && length <= 255 && strspn(text, G_CSET_A_2_Z G_CSET_DIGITS "_") == length;
}

static bool check_version(NdJson *root, const char *path, GError **error)
{
    const char *version = nd_json_string(nd_json_object(root, "meta"), "schema_version", NULL);
    if (version == NULL)
        return refuse(error, "the schema version of provider config file %s cannot be told (meta: schema_version, a string)", path);
    g_auto(GStrv) parts = g_strsplit(version, ".", -1);
    guint64 major, minor;
    if (g_strv_length(parts) != 2 || !g_ascii_string_to_unsigned(parts[0], 10, 0, G_MAXINT32, &major, NULL) ||
        !g_ascii_string_to_unsigned(parts[1], 10, 0, G_MAXINT32, &minor, NULL))
        return refuse(error, "the schema version '%s' of provider config file %s is not understood", version, path);
    if (major != 1)
        return refuse(error, "schema major version %" G_GUINT64_FORMAT " of provider config file %s is not supported", major, path);
    if (minor != 0)
        nd_warning(LOGGER, "Provider config file [%s] is at schema version %s. Its major version is supported, its minor is not: some fields may be ignored.", path,
                   version);
    return true;
}

static bool read_number(NdJson *inventory, const char *name, const char *path, gint64 *number, GError **error)
{
    if (!check_type(inventory, name, json_type_int, path, error))
        return false;
    *number = nd_json_int(inventory, name, *number);
    return true;
}

static bool read_inventory(NdJson *json, const char *path, PlacementInventory *inventory, GError **error)
{
    static const char *const names[] = {"total", "reserved", "min_unit", "max_unit", "step_size", "allocation_ratio", NULL};
    *inventory = (PlacementInventory){.min_unit = 1, .max_unit = PLACEMENT_MAX_INT, .step_size = 1, .allocation_ratio = 1};
    if (!json_object_is_type(json, json_type_object) || !json_object_object_get_ex(json, "total", NULL))
        return refuse_schema(path, "an inventory has to have a 'total'", error);
    json_object_object_foreach(json, key, member)
    {
        (void)member;
        if (!g_strv_contains(names, key)) {
            g_autofree char *what = g_strdup_printf("an inventory has no '%s'", key);
            return refuse_schema(path, what, error);
        }
    }
    NdJson *ratio = NULL;
    if (json_object_object_get_ex(json, "allocation_ratio", &ratio)) {
        if (!json_object_is_type(ratio, json_type_double) && !json_object_is_type(ratio, json_type_int))
            return refuse_schema(path, "'allocation_ratio' has to be a number", error);
        inventory->allocation_ratio = json_object_get_double(ratio);
    }
    return read_number(json, "total", path, &inventory->total, error) && read_number(json, "reserved", path, &inventory->reserved, error) &&
           read_number(json, "min_unit", path, &inventory->min_unit, error) && read_number(json, "max_unit", path, &inventory->max_unit, error) &&
           read_number(json, "step_size", path, &inventory->step_size, error);
}

static bool read_inventories(NdJson *provider, const char *path, GHashTable *inventories, GError **error)
{
    NdJson *section = nd_json_object(provider, "inventories"), *list = nd_json_array(section, "additional");
    if (!check_type(provider, "inventories", json_type_object, path, error) || !check_type(section, "additional", json_type_array, path, error))
        return false;
    for (size_t i = 0; list != NULL && i < json_object_array_length(list); i++) {
        NdJson *classes = json_object_array_get_idx(list, i);
        if (!json_object_is_type(classes, json_type_object))
            return refuse_schema(path, "each of 'additional' inventories has to be a mapping", error);
        json_object_object_foreach(classes, name, json)
        {
            PlacementInventory inventory;
            if (!is_symbol(name)) {
                g_autofree char *what = g_strdup_printf("'%s' is no resource class", name);
                return refuse_schema(path, what, error);
            }
            if (!g_str_has_prefix(name, "CUSTOM_"))
                return refuse(error, "resource class %s in %s: only custom resource classes may be given", name, path);
            if (!read_inventory(json, path, &inventory, error))
                return false;
            g_hash_table_replace(inventories, g_strdup(name), g_memdup2(&inventory, sizeof inventory));
        }
    }
    return true;
}

static bool read_traits(NdJson *provider, const char *path, char ***traits, GError **error)
{
    NdJson *section = nd_json_object(provider, "traits"), *list = nd_json_array(section, "additional");
    if (!check_type(provider, "traits", json_type_object, path, error) || !check_type(section, "additional", json_type_array, path, error))
        return false;
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    for (size_t i = 0; list != NULL && i < json_object_array_length(list); i++) {
        NdJson *json = json_object_array_get_idx(list, i);
        const char *name = json_object_is_type(json, json_type_string) ? json_object_get_string(json) : "";
        if (!is_symbol(name))
            return refuse_schema(path, "each of 'additional' traits has to be the name of a trait", error);
        if (!g_str_has_prefix(name, "CUSTOM_"))
            return refuse(error, "trait %s in %s: only custom traits may be given", name, path);
        g_strv_builder_add(builder, name);
    }
    *traits = g_strv_builder_end(builder);
    return true;
}

static bool read_id(NdJson *provider, const char *path, char **id, GError **error)
{
    NdJson *json = nd_json_object(provider, "identification");
    const char *uuid = nd_json_string(json, "uuid", NULL), *name = nd_json_string(json, "name", NULL);
    if (json == NULL || json_object_object_length(json) != 1 || (uuid == NULL && name == NULL))
        return refuse_schema(path, "a provider has to have an 'identification' with either 'uuid' or 'name'", error);
    if (name != NULL && (*name == '\0' || g_utf8_strlen(name, -1) > NAME_LIMIT))
        return refuse_schema(path, "a provider's name has 1 to 200 characters", error);
    if (uuid != NULL && strcmp(uuid, PROVIDER_CONFIG_COMPUTE_NODE) != 0 && !g_uuid_string_is_valid(uuid))
        return refuse_schema(path, "a provider's uuid is a UUID or $COMPUTE_NODE", error);
    *id = g_strdup(uuid != NULL ? uuid : name);
    return true;
}

/* --- files --- */

static bool add_provider(GPtrArray *configs, NdJson *json, const char *path, GError **error)
{
    ProviderConfig *config = g_new0(ProviderConfig, 1);
    config->source = g_path_get_basename(path);
    config->inventories = placement_inventories_new();
    if (!read_id(json, path, &config->id, error) || !read_inventories(json, path, config->inventories, error) ||
        !read_traits(json, path, &config->traits, error)) {
        config_free(config);
        return false;
    }
    if (g_hash_table_size(config->inventories) == 0 && config->traits[0] == NULL) {
        nd_warning(LOGGER, "Provider %s defined in %s has no additional inventories or traits and will be ignored.", config->id, path);
        config_free(config);
        return true;
    }
    for (guint i = 0; i < configs->len; i++) {
        const ProviderConfig *other = configs->pdata[i];
        if (strcmp(other->id, config->id) == 0) {
            refuse(error, "provider %s is defined more than once, in %s and %s", config->id, other->source, config->source);
            config_free(config);
            return false;
        }
    }
    g_ptr_array_add(configs, config);
    return true;
}

static bool read_file(GPtrArray *configs, const char *path, GError **error)
{
    g_autofree char *text = NULL;
    g_autoptr(NdJson) root = NULL;
    g_autoptr(GError) failure = NULL;
    size_t length = 0;
    if (!nd_file_read(path, 0, &text, &length, &failure))
        return refuse(error, "provider config file cannot be read: %s", failure->message);
    if (!nd_yaml_parse(text, length, &root, &failure))
        return refuse(error, "provider config file %s is not valid YAML: %s", path, failure->message);
    if (!check_version(root, path, error) || !check_type(root, "providers", json_type_array, path, error))
        return false;
    if (json_object_object_get_ex(root, "__source_file", NULL))
        return refuse_schema(path, "'__source_file' is reserved", error);
    NdJson *providers = nd_json_array(root, "providers");
    for (size_t i = 0; providers != NULL && i < json_object_array_length(providers); i++) {
        NdJson *provider = json_object_array_get_idx(providers, i);
        if (!json_object_is_type(provider, json_type_object))
            return refuse_schema(path, "each of 'providers' has to be a mapping", error);
        if (!add_provider(configs, provider, path, error))
            return false;
    }
    return true;
}

static int compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

GPtrArray *provider_config_load(const char *folder, GError **error)
{
    g_autoptr(GPtrArray) configs = g_ptr_array_new_with_free_func(config_free), names = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    for (const char *name; dir != NULL && (name = g_dir_read_name(dir)) != NULL;)
        if (*name != '.' && g_str_has_suffix(name, ".yaml"))
            g_ptr_array_add(names, g_build_filename(folder, name, NULL));
    if (names->len == 0)
        nd_info(LOGGER, "No provider configs found in %s. If files are present, ensure the Nova process has access.", folder);
    g_ptr_array_sort(names, compare_names);
    for (guint i = 0; i < names->len; i++)
        if (!read_file(configs, names->pdata[i], error))
            return NULL;
    return g_steal_pointer(&configs);
}

bool provider_config_find(const GPtrArray *configs, const char *uuid, const char *name, const ProviderConfig **found, GError **error)
{
    const ProviderConfig *by_uuid = NULL, *by_name = NULL, *any = NULL;
    for (guint i = 0; i < configs->len; i++) {
        const ProviderConfig *config = configs->pdata[i];
        if (strcmp(config->id, PROVIDER_CONFIG_COMPUTE_NODE) == 0)
            any = config;
        else if (g_ascii_strcasecmp(config->id, uuid) == 0)
            by_uuid = config;
        else if (strcmp(config->id, name) == 0)
            by_name = config;
    }
    if (by_uuid != NULL && by_name != NULL)
        return refuse(error, "the same provider is given by name '%s' in provider config %s and by uuid '%s' in %s", name, by_name->source, uuid, by_uuid->source);
    *found = by_uuid != NULL ? by_uuid : by_name != NULL ? by_name : any;
    return true;
}
