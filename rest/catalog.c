/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "rest/keystone.h"

#include <string.h>

/* Other names a catalog may use for a service type (service types authority); the first is the official one. */
static const char *const type_aliases[][6] = {
    {"block-storage", "block-store", "volumev3", "volumev2", "volume"},
    {"shared-file-system", "sharev2", "share"},
    {"key-manager"},
    {"accelerator"},
};

/* All names to look for, the asked one first; NULL-terminated, borrowed. */
static GPtrArray *names_of_type(const char *type)
{
    GPtrArray *names = g_ptr_array_new();
    g_ptr_array_add(names, (gpointer)type);
    for (size_t row = 0; row < G_N_ELEMENTS(type_aliases); row++) {
        bool listed = false;
        for (size_t i = 0; i < G_N_ELEMENTS(type_aliases[row]) && type_aliases[row][i] != NULL; i++)
            listed = listed || g_str_equal(type_aliases[row][i], type);
        for (size_t i = 0; listed && i < G_N_ELEMENTS(type_aliases[row]) && type_aliases[row][i] != NULL; i++)
            if (!g_str_equal(type_aliases[row][i], type))
                g_ptr_array_add(names, (gpointer)type_aliases[row][i]);
    }
    return names;
}

/* "publicURL" and "public" are the same. */
static bool same_interface(const char *a, const char *b)
{
    size_t a_length = g_str_has_suffix(a, "URL") ? strlen(a) - 3 : strlen(a);
    size_t b_length = g_str_has_suffix(b, "URL") ? strlen(b) - 3 : strlen(b);
    return a_length == b_length && strncmp(a, b, a_length) == 0;
}

/* The URL of one endpoint entry for the interface, in either form of catalog; NULL if it is for another. Borrowed. */
static const char *endpoint_url(NdJson *endpoint, const char *interface)
{
    const char *own = nd_json_string(endpoint, "interface", NULL);
    if (own != NULL)
        return same_interface(own, interface) ? nd_json_string(endpoint, "url", NULL) : NULL;
    g_autofree char *key = g_str_has_suffix(interface, "URL") ? g_strdup(interface) : g_strconcat(interface, "URL", NULL);
    return nd_json_string(endpoint, key, NULL);
}

static const char *find_in_service(NdJson *service, const char *interface, const char *region_name)
{
    NdJson *endpoints = nd_json_array(service, "endpoints");
    size_t count = endpoints != NULL ? json_object_array_length(endpoints) : 0;
    for (size_t i = 0; i < count; i++) {
        NdJson *endpoint = json_object_array_get_idx(endpoints, i);
        const char *region = nd_json_string(endpoint, "region_id", nd_json_string(endpoint, "region", NULL));
        if (region_name != NULL && g_strcmp0(region, region_name) != 0)
            continue;
        const char *url = endpoint_url(endpoint, interface);
        if (url != NULL && *url != '\0')
            return url;
    }
    return NULL;
}

char *keystone_catalog_find(NdJson *catalog, const KeystoneEndpointFilter *filter)
{
    static const char *const default_interfaces[] = {"internal", "public", NULL};
    if (!json_object_is_type(catalog, json_type_array))
        return NULL;
    g_autoptr(GPtrArray) names = names_of_type(filter->service_type);
    size_t count = json_object_array_length(catalog);
    for (const char *const *interface = filter->interfaces != NULL ? filter->interfaces : default_interfaces; *interface != NULL;
         interface++)
        for (guint n = 0; n < names->len; n++)
            for (size_t i = 0; i < count; i++) {
                NdJson *service = json_object_array_get_idx(catalog, i);
                if (g_strcmp0(nd_json_string(service, "type", NULL), names->pdata[n]) != 0)
                    continue;
                if (filter->service_name != NULL && g_strcmp0(nd_json_string(service, "name", NULL), filter->service_name) != 0)
                    continue;
                const char *url = find_in_service(service, *interface, filter->region_name);
                if (url != NULL)
                    return g_strdup(url);
            }
    return NULL;
}
