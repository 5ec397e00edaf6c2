/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "agent/server_group.h"

#include "agent/key_lock.h"
#include "base/conf.h"
#include "rpc/conductor.h"
#include "rpc/exception.h"

/* The scheduler hint "group", or NULL. New text. */
static char *group_hint(NovaRequestSpec *spec, NdJson *filter_properties)
{
    if (spec && spec->scheduler_hints) {
        GPtrArray *values = g_hash_table_lookup(spec->scheduler_hints, "group");
        if (values && values->len > 0)
            return g_strdup(g_ptr_array_index(values, 0));
    }
    NdJson *hint = nd_json_member(nd_json_object(filter_properties, "scheduler_hints"), "group");
    if (json_object_is_type(hint, json_type_array) && json_object_array_length(hint) > 0)
        hint = json_object_array_get_idx(hint, 0);
    return json_object_is_type(hint, json_type_string) ? g_strdup(json_object_get_string(hint)) : NULL;
}

/* Uuids of the instances that are here or on their way here, other than ours. */
static GHashTable *instances_here(Agent *agent, const RpcContext *context, const NovaInstance *instance, GError **error)
{
    g_auto(GStrv) uuids = conductor_instance_uuids_by_host(agent->conductor, context, agent->host, error);
    if (uuids == NULL)
        return NULL;
    g_autoptr(NovaMigrationList) moves =
        conductor_migration_list_in_progress(agent->conductor, context, agent->host, instance->node, error);
    if (moves == NULL)
        return NULL;
    GHashTable *here = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (char **uuid = uuids; *uuid; uuid++)
        g_hash_table_add(here, g_strdup(*uuid));
    for (guint i = 0; i < nova_object_list_length(moves); i++)
        g_hash_table_add(here, g_strdup(((NovaMigration *)nova_object_list_get(moves, i))->instance_uuid));
    g_hash_table_remove(here, instance->uuid);
    return here;
}

static guint max_server_per_host(const NovaInstanceGroup *group)
{
    const char *text = group->rules ? g_hash_table_lookup(group->rules, "max_server_per_host") : NULL;
    gint64 max;
    return text && g_ascii_string_to_signed(text, 10, 1, G_MAXINT, &max, NULL) ? (guint)max : 1;
}

static bool violation(const NovaInstanceGroup *group, const char *text, GError **error)
{
    nova_exception_set_text(error, NOVA_EXC_GROUP_AFFINITY_VIOLATION, text, "instance_uuid", group->uuid, "policy", group->policy, NULL);
    return false;
}

static bool check_anti_affinity(Agent *agent, const RpcContext *context, const NovaInstance *instance, const NovaInstanceGroup *group, GError **error)
{
    g_autoptr(GHashTable) here = instances_here(agent, context, instance, error);
    if (here == NULL)
        return false;
    guint members = 0;
    for (char **member = group->members; member && *member; member++)
        members += g_hash_table_contains(here, *member);
    return members < max_server_per_host(group) || violation(group, "Anti-affinity instance group policy was violated.", error);
}

static bool check_affinity(Agent *agent, const RpcContext *context, const NovaInstance *instance, NovaInstanceGroup *group, GError **error)
{
    const char *const exclude[] = {instance->uuid, NULL};
    g_auto(GStrv) hosts = conductor_group_hosts(agent->conductor, context, group, exclude, error);
    if (hosts == NULL)
        return false;
    return hosts[0] == NULL || g_strv_contains((const char *const *)hosts, agent->host) ||
           violation(group, "Affinity instance group policy was violated.", error);
}

bool server_group_check_policy(Agent *agent, const RpcContext *context, NovaInstance *instance, NovaRequestSpec *spec, NdJson *filter_properties,
                               GError **error)
{
    g_autofree char *hint = group_hint(spec, filter_properties);
    if (hint == NULL || nd_config_bool(agent->config, "workarounds", "disable_group_policy_check_upcall"))
        return true;
    g_autofree char *key = g_strconcat("group-", hint, NULL);
    g_autoptr(KeyLock) lock = key_lock_take(key);
    g_autoptr(GError) failure = NULL;
    g_autoptr(NovaInstanceGroup) group = conductor_group_get_by_hint(agent->conductor, context, hint, &failure);
    if (group == NULL) {
        if (nova_exception_matches(failure, NOVA_EXC_INSTANCE_GROUP_NOT_FOUND))
            return true;
        g_propagate_error(error, g_steal_pointer(&failure));
        return false;
    }
    if (g_strcmp0(group->policy, "anti-affinity") == 0)
        return check_anti_affinity(agent, context, instance, group, error);
    if (g_strcmp0(group->policy, "affinity") == 0)
        return check_affinity(agent, context, instance, group, error);
    return true;
}
