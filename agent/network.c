/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "agent/network.h"

#include "agent/key_lock.h"
#include "agent/network_info.h"
#include "agent/network_ports.h"
#include "base/log.h"
#include "rpc/conductor.h"
#include "rpc/exception.h"

#define LOGGER "nova.network.neutron"

static bool request_is(NovaNetworkRequestList *requested, const char *network_id)
{
    if (requested == NULL || nova_object_list_length(requested) != 1)
        return false;
    NovaNetworkRequest *only = nova_object_list_get(requested, 0);
    return g_strcmp0(only->network_id, network_id) == 0;
}

bool network_request_is_none(NovaNetworkRequestList *requested)
{
    return request_is(requested, "none");
}

bool network_request_is_auto(NovaNetworkRequestList *requested)
{
    return request_is(requested, "auto");
}

NdJson *network_cached(const NovaInstance *instance)
{
    const char *text = instance->info_cache ? instance->info_cache->network_info : NULL;
    NdJson *list = NULL;
    if (text == NULL || !nd_json_parse(text, strlen(text), NULL, &list, NULL))
        return json_object_new_array();
    if (json_object_is_type(list, json_type_array))
        return list;
    json_object_put(list);
    return json_object_new_array();
}

bool network_store(Agent *agent, const RpcContext *context, NovaInstance *instance, NdJson *vifs, GError **error)
{
    if (instance->deleted)
        return true;
    g_autofree char *text = nd_json_to_string(vifs);
    g_autoptr(NovaInstanceInfoCache) cache = nova_instance_info_cache_new();
    nova_instance_info_cache_set_instance_uuid(cache, instance->uuid);
    nova_instance_info_cache_set_network_info(cache, text);
    if (!conductor_info_cache_save(agent->conductor, context, cache, error)) {
        g_prefix_error(error, "store info cache: ");
        return false;
    }
    /* The record is written; a later Instance.save need not write it again. */
    nova_object_reset_changes(cache);
    bool was_changed = nova_object_changed(instance, NOVA_INSTANCE_INFO_CACHE);
    nova_instance_set_info_cache(instance, cache);
    if (!was_changed)
        nova_object_unmark_changed(instance, NOVA_INSTANCE_INFO_CACHE);
    return true;
}

/* The cache may be older than what another operation wrote: read it again before building on it. */
static void reload_cache(Agent *agent, const RpcContext *context, NovaInstance *instance)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(NovaInstanceInfoCache) cache = conductor_info_cache_get(agent->conductor, context, instance->uuid, &error);
    if (cache == NULL) {
        nd_debug(LOGGER, "Can not refresh info_cache because instance was not found: %s", error->message);
        return;
    }
    bool was_changed = nova_object_changed(instance, NOVA_INSTANCE_INFO_CACHE);
    nova_instance_set_info_cache(instance, cache);
    if (!was_changed)
        nova_object_unmark_changed(instance, NOVA_INSTANCE_INFO_CACHE);
}

/* One reader-and-writer of an instance's info cache at a time: a build and the events that Neutron sends during it meet here. */
static KeyLock *lock_cache(const NovaInstance *instance)
{
    g_autofree char *key = g_strconcat("refresh_cache-", instance->uuid, NULL);
    return key_lock_take(key);
}

static char **vif_ids(NdJson *vifs)
{
    g_autoptr(GStrvBuilder) ids = g_strv_builder_new();
    for (size_t i = 0; i < json_object_array_length(vifs); i++)
        g_strv_builder_add(ids, nd_json_string(json_object_array_get_idx(vifs, i), "id", ""));
    return g_strv_builder_end(ids);
}

/* Builds the info of the cached ports followed by `more`, stores it. */
static bool build_and_store(NetworkPlan *plan, const char *const *more, const char *const *preserved, NdJson **vifs, GError **error)
{
    g_autoptr(KeyLock) lock = lock_cache(plan->instance);
    reload_cache(plan->agent, plan->context, plan->instance);
    g_autoptr(NdJson) cached = network_cached(plan->instance);
    g_auto(GStrv) cached_ids = vif_ids(cached);
    g_autoptr(GPtrArray) ids = g_ptr_array_new();
    for (char **id = cached_ids; *id; id++)
        if (more == NULL || !g_strv_contains(more, *id))
            g_ptr_array_add(ids, *id);
    for (; more && *more; more++)
        g_ptr_array_add(ids, (gpointer)*more);
    g_ptr_array_add(ids, NULL);
    g_autoptr(NdJson) built = NULL;
    if (!network_info_build(plan, (const char *const *)ids->pdata, preserved, &built, error) ||
        !network_store(plan->agent, plan->context, plan->instance, built, error))
        return false;
    if (vifs)
        *vifs = g_steal_pointer(&built);
    return true;
}

bool network_allocate(Agent *agent, const RpcContext *context, NovaInstance *instance, NovaNetworkRequestList *requested,
                      NdJson *security_groups, NdJson **vifs, GError **error)
{
    if (instance->project_id == NULL || *instance->project_id == '\0') {
        g_autofree char *reason = g_strdup_printf("empty project id for instance %s", instance->uuid);
        nova_exception_set(error, NOVA_EXC_INVALID_INPUT, "reason", reason, NULL);
        return false;
    }
    g_autoptr(NetworkPlan) plan = network_plan_new(agent, context, instance);
    if (!network_plan_validate(plan, requested, error) || !network_plan_create_ports(plan, security_groups, error))
        return false;
    g_autoptr(GPtrArray) ids = g_ptr_array_new(), preserved = g_ptr_array_new();
    for (guint i = 0; i < plan->entries->len; i++) {
        NetworkPlanEntry *entry = g_ptr_array_index(plan->entries, i);
        g_ptr_array_add(ids, entry->port_id);
        if (!entry->created)
            g_ptr_array_add(preserved, entry->port_id);
    }
    if (ids->len == 0) {
        nd_debug(LOGGER, "No network configured");
        *vifs = json_object_new_array();
        return true;
    }
    g_ptr_array_add(ids, NULL);
    g_ptr_array_add(preserved, NULL);
    g_autoptr(NdJson) all = NULL;
    if (!build_and_store(plan, (const char *const *)ids->pdata, (const char *const *)preserved->pdata, &all, error)) {
        network_plan_undo(plan);
        return false;
    }
    /* Only the interfaces of this request are the caller's: an attach has others in the cache as well. */
    *vifs = json_object_new_array();
    for (size_t i = 0; i < json_object_array_length(all); i++) {
        NdJson *vif = json_object_array_get_idx(all, i);
        if (g_strv_contains((const char *const *)ids->pdata, nd_json_string(vif, "id", "")))
            json_object_array_add(*vifs, json_object_get(vif));
    }
    return true;
}

/* Ports that the instance did not make: named in the request, or marked in the cache. */
static GHashTable *preserved_ports(const NovaInstance *instance, NovaNetworkRequestList *requested)
{
    GHashTable *ports = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; requested && i < nova_object_list_length(requested); i++) {
        NovaNetworkRequest *request = nova_object_list_get(requested, i);
        if (request->port_id)
            g_hash_table_add(ports, g_strdup(request->port_id));
    }
    g_autoptr(NdJson) cached = network_cached(instance);
    for (size_t i = 0; i < json_object_array_length(cached); i++) {
        NdJson *vif = json_object_array_get_idx(cached, i);
        if (nd_json_bool(vif, "preserve_on_delete", false))
            g_hash_table_add(ports, g_strdup(nd_json_string(vif, "id", "")));
    }
    return ports;
}

bool network_deallocate(Agent *agent, const RpcContext *context, NovaInstance *instance, NovaNetworkRequestList *requested, GError **error)
{
    g_autoptr(NetworkPlan) plan = network_plan_new(agent, context, instance);
    g_autoptr(GPtrArray) ports = NULL;
    const char *const query[] = {"device_id", instance->uuid, NULL};
    if (!neutron_list_ports(agent->neutron, plan->user, query, &ports, error))
        return false;
    g_autoptr(GHashTable) preserved = preserved_ports(instance, requested);
    g_autoptr(GPtrArray) keep = g_ptr_array_new(), drop = g_ptr_array_new();
    /* Only the instance's: one that was asked for may be another's (the build never came to look). */
    for (guint i = 0; i < ports->len; i++) {
        NeutronPort *port = g_ptr_array_index(ports, i);
        g_ptr_array_add(g_hash_table_contains(preserved, port->id) ? keep : drop, port->id);
    }
    g_ptr_array_add(keep, NULL);
    g_ptr_array_add(drop, NULL);
    network_unbind_ports(plan, (const char *const *)keep->pdata);
    g_autoptr(NdJson) none = json_object_new_array();
    g_autoptr(KeyLock) lock = lock_cache(instance);
    return network_delete_ports(plan, (const char *const *)drop->pdata, error) &&
           conductor_vif_delete_by_instance(agent->conductor, context, instance->uuid, error) &&
           network_store(agent, context, instance, none, error);
}

bool network_deallocate_port(Agent *agent, const RpcContext *context, NovaInstance *instance, const char *port_id, NdJson **vifs, GError **error)
{
    g_autoptr(NetworkPlan) plan = network_plan_new(agent, context, instance);
    g_autoptr(GHashTable) preserved = preserved_ports(instance, NULL);
    const char *const one[] = {port_id, NULL};
    if (g_hash_table_contains(preserved, port_id))
        network_unbind_ports(plan, one);
    else if (!network_delete_ports(plan, one, error))
        return false;
    g_autoptr(NovaVirtualInterface) record = NULL;
    if (!conductor_vif_get_by_uuid(agent->conductor, context, port_id, &record, error) ||
        (record != NULL && !conductor_vif_destroy(agent->conductor, context, record, error)))
        return false;
    return build_and_store(plan, NULL, NULL, vifs, error);
}

bool network_bind_to_host(Agent *agent, const RpcContext *context, NovaInstance *instance, GError **error)
{
    g_autoptr(NetworkPlan) plan = network_plan_new(agent, context, instance);
    g_autoptr(GPtrArray) ports = NULL;
    const char *const query[] = {"device_id", instance->uuid, "tenant_id", instance->project_id, NULL};
    if (!neutron_list_ports(agent->neutron, plan->admin, query, &ports, error))
        return false;
    g_autofree char *owner = g_strconcat("compute:", instance->availability_zone ? instance->availability_zone : "None", NULL);
    for (guint i = 0; i < ports->len; i++) {
        NeutronPort *port = g_ptr_array_index(ports, i);
        if (g_strcmp0(port->binding_host_id, agent->host) == 0)
            continue;
        g_autoptr(NdJson) body = json_object_new_object();
        nd_json_set_string(body, "binding:host_id", agent->host);
        nd_json_set_string(body, "device_owner", owner);
        if (!neutron_update_port(agent->neutron, plan->admin, port->id, body, NULL, error))
            return false;
    }
    return true;
}

bool network_refresh(Agent *agent, const RpcContext *context, NovaInstance *instance, NetworkRefresh how, NdJson **vifs, GError **error)
{
    g_autoptr(NetworkPlan) plan = network_plan_new(agent, context, instance);
    if (how == NETWORK_REFRESH_CACHED)
        return build_and_store(plan, NULL, NULL, vifs, error);
    g_autoptr(KeyLock) lock = lock_cache(instance);
    reload_cache(agent, context, instance);
    g_auto(GStrv) ids = network_info_ordered_ports(plan, error);
    g_autoptr(NdJson) built = NULL;
    if (ids == NULL || !network_info_build(plan, (const char *const *)ids, NULL, &built, error) ||
        !network_store(agent, context, instance, built, error))
        return false;
    if (vifs)
        *vifs = g_steal_pointer(&built);
    return true;
}

bool network_refresh_port(Agent *agent, const RpcContext *context, NovaInstance *instance, const char *port_id, NdJson **vifs, GError **error)
{
    g_autoptr(KeyLock) lock = lock_cache(instance);
    reload_cache(agent, context, instance);
    g_autoptr(NdJson) cached = network_cached(instance);
    if (json_object_array_length(cached) == 0) {
        /* The build has not stored it yet, and will with fresh data. */
        if (vifs)
            *vifs = g_steal_pointer(&cached);
        return true;
    }
    g_autoptr(NetworkPlan) plan = network_plan_new(agent, context, instance);
    const char *const one[] = {port_id, NULL};
    g_autoptr(NdJson) fresh = NULL;
    if (!network_info_build(plan, one, NULL, &fresh, error))
        return false;
    NdJson *vif = json_object_array_length(fresh) > 0 ? json_object_array_get_idx(fresh, 0) : NULL;
    g_autoptr(NdJson) merged = json_object_new_array();
    for (size_t i = 0; i < json_object_array_length(cached); i++) {
        NdJson *old = json_object_array_get_idx(cached, i);
        if (g_strcmp0(nd_json_string(old, "id", NULL), port_id) != 0) {
            json_object_array_add(merged, json_object_get(old));
        } else if (vif != NULL) {
            json_object_array_add(merged, json_object_get(vif));
            vif = NULL;
        }
    }
    if (vif != NULL)
        json_object_array_add(merged, json_object_get(vif));
    if (!network_store(agent, context, instance, merged, error))
        return false;
    if (vifs)
        *vifs = g_steal_pointer(&merged);
    return true;
}

static NdJson *fixed_ips_json(const NeutronPort *port, const char *without)
{
    NdJson *list = json_object_new_array();
    for (size_t i = 0; i < port->n_fixed_ips; i++) {
        if (without && g_strcmp0(port->fixed_ips[i].ip_address, without) == 0)
            continue;
        NdJson *ip = json_object_new_object();
        nd_json_set_string(ip, "subnet_id", port->fixed_ips[i].subnet_id);
        nd_json_set_string(ip, "ip_address", port->fixed_ips[i].ip_address);
        json_object_array_add(list, ip);
    }
    return list;
}

bool network_add_fixed_ip(Agent *agent, const RpcContext *context, NovaInstance *instance, const char *network_id, GError **error)
{
    g_autoptr(NetworkPlan) plan = network_plan_new(agent, context, instance);
    g_autoptr(GPtrArray) subnets = NULL, ports = NULL;
    g_autofree char *owner = g_strconcat("compute:", instance->availability_zone ? instance->availability_zone : "None", NULL);
    const char *const subnet_query[] = {"network_id", network_id, NULL};
    const char *const port_query[] = {"device_id", instance->uuid, "device_owner", owner, "network_id", network_id, NULL};
    if (!neutron_list_subnets(agent->neutron, plan->user, subnet_query, &subnets, error) ||
        !neutron_list_ports(agent->neutron, plan->user, port_query, &ports, error))
        return false;
    for (guint i = 0; i < ports->len; i++) {
        NeutronPort *port = g_ptr_array_index(ports, i);
        for (guint j = 0; j < subnets->len; j++) {
            g_autoptr(NdJson) body = json_object_new_object();
            NdJson *ips = fixed_ips_json(port, NULL), *ip = json_object_new_object();
            nd_json_set_string(ip, "subnet_id", ((NeutronSubnet *)g_ptr_array_index(subnets, j))->id);
            json_object_array_add(ips, ip);
            nd_json_set(body, "fixed_ips", ips);
            g_autoptr(GError) failure = NULL;
            if (neutron_update_port(agent->neutron, plan->user, port->id, body, NULL, &failure))
                return build_and_store(plan, NULL, NULL, NULL, error);
            nd_debug(LOGGER, "port %s takes no address of this subnet: %s", port->id, failure->message);
        }
    }
    nova_exception_set(error, NOVA_EXC_NETWORK_NOT_FOUND_FOR_INSTANCE, "instance_id", instance->uuid, NULL);
    return false;
}

bool network_remove_fixed_ip(Agent *agent, const RpcContext *context, NovaInstance *instance, const char *address, GError **error)
{
    g_autoptr(NetworkPlan) plan = network_plan_new(agent, context, instance);
    g_autoptr(GPtrArray) ports = NULL;
    g_autofree char *owner = g_strconcat("compute:", instance->availability_zone ? instance->availability_zone : "None", NULL);
    g_autofree char *fixed = g_strconcat("ip_address=", address, NULL);
    const char *const query[] = {"device_id", instance->uuid, "device_owner", owner, "fixed_ips", fixed, NULL};
    if (!neutron_list_ports(agent->neutron, plan->user, query, &ports, error))
        return false;
    if (ports->len == 0) {
        nova_exception_set(error, NOVA_EXC_FIXED_IP_NOT_FOUND_FOR_INSTANCE, "instance_uuid", instance->uuid, "ip", address, NULL);
        return false;
    }
    NeutronPort *port = g_ptr_array_index(ports, 0);
    g_autoptr(NdJson) body = json_object_new_object();
    nd_json_set(body, "fixed_ips", fixed_ips_json(port, address));
    return neutron_update_port(agent->neutron, plan->user, port->id, body, NULL, error) && build_and_store(plan, NULL, NULL, NULL, error);
}
