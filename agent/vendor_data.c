/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "agent/vendor_data.h"

#include "base/file.h"
#include "base/log.h"

#include <string.h>

#define LOGGER "nova.api.metadata.vendordata_dynamic"

void agent_vendor_data_clear(AgentVendorData *data)
{
    g_clear_pointer(&data->fixed, json_object_put);
    g_clear_pointer(&data->all, json_object_put);
}

static bool has_provider(const NdConfig *config, const char *name)
{
    return g_strv_contains(nd_config_list(config, "api", "vendordata_providers"), name);
}

bool agent_vendor_data_is_dynamic(const NdConfig *config)
{
    return has_provider(config, "DynamicJSON");
}

/* The configured static vendor data; a missing or broken file is logged and counts as none (upstream vendordata_json.py). */
static NdJson *static_data(const NdConfig *config)
{
    const char *path = nd_config_string(config, "api", "vendordata_jsonfile_path");
    if (path == NULL || *path == '\0')
        return NULL;
    g_autofree char *text = NULL;
    size_t length = 0;
    NdJson *data = NULL;
    g_autoptr(GError) error = NULL;
    if (!nd_file_read(path, 0, &text, &length, &error) || !nd_json_parse(text, length, NULL, &data, &error))
        nd_warning("nova.api.metadata.vendordata_json", "vendor data file '%s' is not used: %s", path, error->message);
    return data;
}

/* What a service is told of the server. */
static NdJson *question(const NovaInstance *instance)
{
    NdJson *body = json_object_new_object(), *metadata = json_object_new_object();
    const char *roles = nova_object_dict_get(instance, NOVA_INSTANCE_SYSTEM_METADATA, "boot_roles");
    GHashTableIter iter;
    gpointer key, value;
    nd_json_set_string(body, "project-id", instance->project_id);
    nd_json_set_string(body, "instance-id", instance->uuid);
    nd_json_set_string(body, "image-id", instance->image_ref);
    nd_json_set_string(body, "user-data", instance->user_data);
    nd_json_set_string(body, "hostname", instance->hostname);
    if (instance->metadata != NULL) {
        g_hash_table_iter_init(&iter, instance->metadata);
        while (g_hash_table_iter_next(&iter, &key, &value))
            nd_json_set_string(metadata, key, value);
    }
    nd_json_set(body, "metadata", metadata);
    nd_json_set_string(body, "boot-roles", roles != NULL ? roles : "");
    return body;
}

/* Asks each target, "name@url", in order; the first of a name counts. */
static bool dynamic_data(const NdConfig *config, VendorDataClient *client, const NovaInstance *instance, NdJson *found, GError **error)
{
    bool fatal = nd_config_bool(config, "api", "vendordata_dynamic_failure_fatal");
    g_autoptr(NdJson) body = question(instance);
    if (!vendor_data_client_has_auth(client))
        nd_warning(LOGGER, "Passing insecure dynamic vendordata requests because of missing or incorrect service account configuration.");
    for (const char *const *target = nd_config_list(config, "api", "vendordata_dynamic_targets"); *target != NULL; target++) {
        const char *at = strchr(*target, '@');
        if (at == NULL) {
            nd_warning(LOGGER, "Vendordata target %s lacks a name. Skipping", *target);
            continue;
        }
        g_autofree char *name = g_strndup(*target, (gsize)(at - *target));
        if (json_object_object_get_ex(found, name, NULL)) {
            nd_warning(LOGGER, "Vendordata already contains an entry named %s. Skipping", *target);
            continue;
        }
        NdJson *value = NULL;
        GError *failure = NULL;
        if (!vendor_data_ask(client, at + 1, body, &value, &failure)) {
            nd_warning(LOGGER, "Error from dynamic vendordata service %s at %s: %s", name, at + 1, failure->message);
            if (fatal) {
                g_propagate_prefixed_error(error, failure, "vendordata service '%s': ", name);
                return false;
            }
            g_error_free(failure);
            value = json_object_new_object();
        }
        json_object_object_add(found, name, value);
    }
    return true;
}

/* Adds what the services said to `all`; a name that is there already wins. */
static void merge(NdJson *all, NdJson *found)
{
    json_object_object_foreach(found, name, value) {
        if (json_object_object_get_ex(all, name, NULL))
            nd_warning("nova.api.metadata.base", "Removing duplicate metadata key: %s", name);
        else
            json_object_object_add(all, name, json_object_get(value));
    }
}

bool agent_vendor_data_collect(const NdConfig *config, VendorDataClient *client, const NovaInstance *instance, AgentVendorData *data, GError **error)
{
    data->is_static = has_provider(config, "StaticJSON");
    data->fixed = data->is_static ? static_data(config) : NULL;
    data->all = json_object_new_object();
    for (const char *const *provider = nd_config_list(config, "api", "vendordata_providers"); *provider != NULL; provider++) {
        if (strcmp(*provider, "StaticJSON") == 0) {
            json_object_object_add(data->all, "static", data->fixed != NULL ? json_object_get(data->fixed) : json_object_new_object());
            continue;
        }
        g_autoptr(NdJson) found = json_object_new_object();
        if (!dynamic_data(config, client, instance, found, error))
            return false;
        merge(data->all, found);
    }
    return true;
}
