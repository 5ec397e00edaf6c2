/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "rest/neutron.h"

#include "rest/error.h"
#include "rest/neutron_types.h"

#include <string.h>

/* Longest query in one URL; servers commonly take 8 KiB for the whole line. */
enum { QUERY_BYTES_MAX = 4096 };

struct NeutronClient {
    gint references;
    RestService *service;
    int extension_sync_interval;
    GMutex lock;             /* guards what follows */
    GHashTable *extensions;  /* set of aliases, NULL = not asked yet */
    gint64 extensions_until; /* monotonic microseconds */
};

NeutronClient *neutron_client_new(RestService *service, int extension_sync_interval)
{
    NeutronClient *client = g_new0(NeutronClient, 1);
    client->references = 1;
    client->service = rest_service_ref(service);
    client->extension_sync_interval = extension_sync_interval;
    g_mutex_init(&client->lock);
    return client;
}

NeutronClient *neutron_client_ref(NeutronClient *client)
{
    g_atomic_int_inc(&client->references);
    return client;
}

void neutron_client_unref(NeutronClient *client)
{
    if (client == NULL || !g_atomic_int_dec_and_test(&client->references))
        return;
    rest_service_unref(client->service);
    g_mutex_clear(&client->lock);
    g_clear_pointer(&client->extensions, g_hash_table_unref);
    g_free(client);
}

/* Sends `body` (borrowed, may be NULL) and gives the member `key` of the answer as a new reference; value NULL = the answer's body is not
 * read. */
static bool call_for(NeutronClient *client, const RestAuth *auth, const char *method, const char *path, const char *const *query,
                     NdJson *body, const char *key, enum json_type type, NdJson **value, GError **error)
{
    RestCall call = {.method = method, .path = path, .query = query, .body = body};
    g_autoptr(NdJson) answer = NULL;
    NdJson *member;
    if (value == NULL)
        return rest_service_call(client->service, auth, &call, NULL, error);
    if (!rest_service_call_json(client->service, auth, &call, &answer, error) || !rest_need(answer, path, key, type, &member, error))
        return false;
    *value = json_object_get(member);
    return true;
}

static bool list_once(NeutronClient *client, const RestAuth *auth, const NeutronType *type, const char *const *query, GPtrArray *list,
                      GError **error)
{
    g_autofree char *path = rest_path(type->path, NULL);
    g_autoptr(NdJson) array = NULL;
    if (!call_for(client, auth, "GET", path, query, NULL, type->plural, json_type_array, &array, error))
        return false;
    for (size_t i = 0; i < json_object_array_length(array); i++) {
        void *resource;
        if (!neutron_decode(type, json_object_array_get_idx(array, i), &resource, error))
            return false;
        g_ptr_array_add(list, resource);
    }
    return true;
}

/* The name that comes several times in the query, or NULL. */
static const char *repeated_name(const char *const *query)
{
    for (const char *const *pair = query; pair[0] != NULL; pair += 2)
        for (const char *const *later = pair + 2; later[0] != NULL; later += 2)
            if (g_str_equal(pair[0], later[0]))
                return pair[0];
    return NULL;
}

/* The next part of a long query: all other pairs, and as many pairs of `name` from *next on as fit. False when none is left. */
static bool next_part(const char *const *query, const char *name, const char *const **next, GPtrArray *part)
{
    size_t bytes = 0, taken = 0;
    g_ptr_array_set_size(part, 0);
    for (const char *const *pair = query; pair[0] != NULL; pair += 2)
        if (!g_str_equal(pair[0], name)) {
            g_ptr_array_add(part, (gpointer)pair[0]);
            g_ptr_array_add(part, (gpointer)pair[1]);
            bytes += strlen(pair[0]) + strlen(pair[1]) + 2;
        }
    for (; (*next)[0] != NULL; *next += 2) {
        const char *const *pair = *next;
        if (!g_str_equal(pair[0], name))
            continue;
        bytes += strlen(pair[0]) + strlen(pair[1]) + 2;
        if (taken > 0 && bytes > QUERY_BYTES_MAX)
            break;
        g_ptr_array_add(part, (gpointer)pair[0]);
        g_ptr_array_add(part, (gpointer)pair[1]);
        taken++;
    }
    g_ptr_array_add(part, NULL);
    return taken > 0;
}

static bool list_resources(NeutronClient *client, const RestAuth *auth, const NeutronType *type, const char *const *query, GPtrArray **list,
                           GError **error)
{
    static const char *const none[] = {NULL};
    g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(type->free);
    const char *const *all = query != NULL ? query : none;
    const char *name = repeated_name(all);
    if (name == NULL) {
        if (!list_once(client, auth, type, all, found, error))
            return false;
    } else {
        g_autoptr(GPtrArray) part = g_ptr_array_new();
        for (const char *const *next = all; next_part(all, name, &next, part);)
            if (!list_once(client, auth, type, (const char *const *)part->pdata, found, error))
                return false;
    }
    *list = g_steal_pointer(&found);
    return true;
}

bool neutron_list_ports(NeutronClient *client, const RestAuth *auth, const char *const *query, GPtrArray **list, GError **error)
{
    return list_resources(client, auth, &neutron_type_port, query, list, error);
}

bool neutron_list_networks(NeutronClient *client, const RestAuth *auth, const char *const *query, GPtrArray **list, GError **error)
{
    return list_resources(client, auth, &neutron_type_network, query, list, error);
}

bool neutron_list_subnets(NeutronClient *client, const RestAuth *auth, const char *const *query, GPtrArray **list, GError **error)
{
    return list_resources(client, auth, &neutron_type_subnet, query, list, error);
}

bool neutron_list_floating_ips(NeutronClient *client, const RestAuth *auth, const char *const *query, GPtrArray **list, GError **error)
{
    return list_resources(client, auth, &neutron_type_floating_ip, query, list, error);
}

bool neutron_list_security_groups(NeutronClient *client, const RestAuth *auth, const char *const *query, GPtrArray **list, GError **error)
{
    return list_resources(client, auth, &neutron_type_security_group, query, list, error);
}

/* GET, POST or PUT of one resource; id NULL for POST, attributes NULL for GET. */
static bool one_resource(NeutronClient *client, const RestAuth *auth, const NeutronType *type, const char *method, const char *id,
                         NdJson *attributes, void **out, GError **error)
{
    g_autofree char *path = rest_path(type->path, id, NULL);
    g_autoptr(NdJson) body = NULL;
    g_autoptr(NdJson) object = NULL;
    if (attributes != NULL) {
        body = json_object_new_object();
        nd_json_set(body, type->singular, json_object_get(attributes));
    }
    return call_for(client, auth, method, path, NULL, body, type->singular, json_type_object, &object, error) &&
           neutron_decode(type, object, out, error);
}

bool neutron_show_port(NeutronClient *client, const RestAuth *auth, const char *id, NeutronPort **port, GError **error)
{
    void *found;
    if (!one_resource(client, auth, &neutron_type_port, "GET", id, NULL, &found, error))
        return false;
    *port = found;
    return true;
}

bool neutron_show_network(NeutronClient *client, const RestAuth *auth, const char *id, NeutronNetwork **network, GError **error)
{
    void *found;
    if (!one_resource(client, auth, &neutron_type_network, "GET", id, NULL, &found, error))
        return false;
    *network = found;
    return true;
}

bool neutron_show_subnet(NeutronClient *client, const RestAuth *auth, const char *id, NeutronSubnet **subnet, GError **error)
{
    void *found;
    if (!one_resource(client, auth, &neutron_type_subnet, "GET", id, NULL, &found, error))
        return false;
    *subnet = found;
    return true;
}

static bool write_port(NeutronClient *client, const RestAuth *auth, const char *method, const char *id, NdJson *attributes,
                       NeutronPort **port, GError **error)
{
    void *found;
    if (!one_resource(client, auth, &neutron_type_port, method, id, attributes, &found, error))
        return false;
    g_autoptr(NeutronPort) written = found;
    if (port != NULL)
        *port = g_steal_pointer(&written);
    return true;
}

bool neutron_create_port(NeutronClient *client, const RestAuth *auth, NdJson *attributes, NeutronPort **port, GError **error)
{
    return write_port(client, auth, "POST", NULL, attributes, port, error);
}

bool neutron_update_port(NeutronClient *client, const RestAuth *auth, const char *id, NdJson *attributes, NeutronPort **port,
                         GError **error)
{
    return write_port(client, auth, "PUT", id, attributes, port, error);
}

bool neutron_delete_port(NeutronClient *client, const RestAuth *auth, const char *id, GError **error)
{
    g_autofree char *path = rest_path("ports", id, NULL);
    return call_for(client, auth, "DELETE", path, NULL, NULL, NULL, json_type_null, NULL, error);
}

/* Bindings. */

bool neutron_list_bindings(NeutronClient *client, const RestAuth *auth, const char *port_id, NdJson **bindings, GError **error)
{
    g_autofree char *path = rest_path("ports", port_id, "bindings", NULL);
    return call_for(client, auth, "GET", path, NULL, NULL, "bindings", json_type_array, bindings, error);
}

bool neutron_show_binding(NeutronClient *client, const RestAuth *auth, const char *port_id, const char *host, NdJson **binding,
                          GError **error)
{
    g_autofree char *path = rest_path("ports", port_id, "bindings", host, NULL);
    return call_for(client, auth, "GET", path, NULL, NULL, "binding", json_type_object, binding, error);
}

bool neutron_create_binding(NeutronClient *client, const RestAuth *auth, const char *port_id, NdJson *attributes, NdJson **binding,
                            GError **error)
{
    g_autofree char *path = rest_path("ports", port_id, "bindings", NULL);
    g_autoptr(NdJson) body = json_object_new_object();
    nd_json_set(body, "binding", json_object_get(attributes));
    return call_for(client, auth, "POST", path, NULL, body, "binding", json_type_object, binding, error);
}

bool neutron_activate_binding(NeutronClient *client, const RestAuth *auth, const char *port_id, const char *host, GError **error)
{
    g_autofree char *path = rest_path("ports", port_id, "bindings", host, "activate", NULL);
    return call_for(client, auth, "PUT", path, NULL, NULL, NULL, json_type_null, NULL, error);
}

bool neutron_delete_binding(NeutronClient *client, const RestAuth *auth, const char *port_id, const char *host, GError **error)
{
    g_autofree char *path = rest_path("ports", port_id, "bindings", host, NULL);
    return call_for(client, auth, "DELETE", path, NULL, NULL, NULL, json_type_null, NULL, error);
}

static bool fetch_extensions(NeutronClient *client, const RestAuth *auth, GHashTable **extensions, GError **error)
{
    g_autoptr(GHashTable) set = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(NdJson) array = NULL;
    if (!call_for(client, auth, "GET", "/extensions", NULL, NULL, "extensions", json_type_array, &array, error))
        return false;
    for (size_t i = 0; i < json_object_array_length(array); i++) {
        const char *alias = nd_json_string(json_object_array_get_idx(array, i), "alias", NULL);
        if (alias == NULL)
            return rest_error_set(error, REST_ERROR_BAD_ANSWER, 0, NULL, NULL, "extension: 'alias' is missing");
        g_hash_table_add(set, g_strdup(alias));
    }
    *extensions = g_steal_pointer(&set);
    return true;
}

bool neutron_has_extension(NeutronClient *client, const RestAuth *auth, const char *alias, bool *has, GError **error)
{
    g_mutex_lock(&client->lock);
    bool fresh = client->extensions != NULL && g_get_monotonic_time() < client->extensions_until;
    if (fresh)
        *has = g_hash_table_contains(client->extensions, alias);
    g_mutex_unlock(&client->lock);
    if (fresh)
        return true;
    /* Asked without the lock: two threads may both ask, nobody waits for another's slow answer. */
    GHashTable *extensions = NULL;
    if (!fetch_extensions(client, auth, &extensions, error))
        return false;
    *has = g_hash_table_contains(extensions, alias);
    g_mutex_lock(&client->lock);
    g_clear_pointer(&client->extensions, g_hash_table_unref);
    client->extensions = extensions;
    client->extensions_until = g_get_monotonic_time() + (gint64)client->extension_sync_interval * G_USEC_PER_SEC;
    g_mutex_unlock(&client->lock);
    return true;
}
