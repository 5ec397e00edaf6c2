/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "rpc/context.h"

#include "base/error.h"
#include "base/ids.h"
#include "base/time.h"
#include "rpc/error.h"

#include <stddef.h>
#include <string.h>

/* The string members and their keys on the wire, in the order in which they are written. Two keys may share a member: nova sends both. */
static const struct {
    const char *key;
    size_t offset;
    bool read; /* the key that is read (of two that share a member) */
} strings[] = {
    {"_context_user", offsetof(RpcContext, user_id), false},
    {"_context_user_id", offsetof(RpcContext, user_id), true},
    {"_context_project", offsetof(RpcContext, project_id), false},
    {"_context_project_id", offsetof(RpcContext, project_id), true},
    {"_context_domain", offsetof(RpcContext, domain_id), true},
    {"_context_user_domain", offsetof(RpcContext, user_domain_id), true},
    {"_context_project_domain", offsetof(RpcContext, project_domain_id), true},
    {"_context_system_scope", offsetof(RpcContext, system_scope), true},
    {"_context_auth_token", offsetof(RpcContext, auth_token), true},
    {"_context_request_id", offsetof(RpcContext, request_id), true},
    {"_context_global_request_id", offsetof(RpcContext, global_request_id), true},
    {"_context_resource_uuid", offsetof(RpcContext, resource_uuid), true},
    {"_context_user_identity", offsetof(RpcContext, identity), true},
    {"_context_read_deleted", offsetof(RpcContext, read_deleted), true},
    {"_context_remote_address", offsetof(RpcContext, remote_address), true},
    {"_context_timestamp", offsetof(RpcContext, timestamp), true},
    {"_context_quota_class", offsetof(RpcContext, quota_class), true},
    {"_context_user_name", offsetof(RpcContext, user_name), true},
    {"_context_project_name", offsetof(RpcContext, project_name), true},
};

static const struct {
    const char *key;
    size_t offset;
} flags[] = {
    {"_context_is_admin", offsetof(RpcContext, is_admin)},
    {"_context_is_admin_project", offsetof(RpcContext, is_admin_project)},
    {"_context_read_only", offsetof(RpcContext, read_only)},
    {"_context_show_deleted", offsetof(RpcContext, show_deleted)},
};

#define STRING_AT(context, offset) ((const char **)(void *)((char *)(context) + (offset)))
#define FLAG_AT(context, offset) ((bool *)(void *)((char *)(context) + (offset)))

static RpcContext *context_alloc(void)
{
    RpcContext *context = g_new0(RpcContext, 1);
    g_atomic_ref_count_init(&context->ref_count);
    return context;
}

static const char *dash(const char *text)
{
    return text != NULL && *text != '\0' ? text : "-";
}

/* Fills what must never be NULL. */
static void context_complete(RpcContext *context)
{
    if (context->request_id == NULL)
        context->request_id = nd_request_id_new();
    if (context->read_deleted == NULL)
        context->read_deleted = g_strdup("no");
    if (context->timestamp == NULL)
        context->timestamp = nd_time_format_argument(nd_time_now());
    if (context->service_catalog == NULL)
        context->service_catalog = g_strdup("[]");
    if (context->roles == NULL)
        context->roles = (const char *const *)g_new0(char *, 1);
    if (context->identity == NULL)
        context->identity = g_strdup_printf("%s %s %s %s %s", dash(context->user_id), dash(context->project_id), dash(context->domain_id),
                                            dash(context->user_domain_id), dash(context->project_domain_id));
}

RpcContext *rpc_context_new_admin(const char *read_deleted)
{
    RpcContext *context = context_alloc();
    context->is_admin = true;
    context->is_admin_project = true;
    context->read_deleted = g_strdup(read_deleted);
    context_complete(context);
    return context;
}

RpcContext *rpc_context_from_message(NdJson *message, GError **error)
{
    g_autoptr(RpcContext) context = context_alloc();
    g_autoptr(GError) why = NULL;
    bool good = true;
    for (size_t i = 0; good && i < G_N_ELEMENTS(strings); i++) {
        const char *value = NULL;
        if (!strings[i].read)
            continue;
        good = nd_json_get_string_opt(message, strings[i].key, NULL, &value, &why);
        if (good && value != NULL)
            *STRING_AT(context, strings[i].offset) = g_strdup(value);
    }
    /* Older services send only the short keys. */
    if (good && context->user_id == NULL)
        context->user_id = g_strdup(nd_json_string(message, "_context_user", NULL));
    if (good && context->project_id == NULL)
        context->project_id = g_strdup(nd_json_string(message, "_context_project", NULL));
    for (size_t i = 0; good && i < G_N_ELEMENTS(flags); i++)
        good = nd_json_get_bool_opt(message, flags[i].key, false, FLAG_AT(context, flags[i].offset), &why);
    NdJson *roles = nd_json_member(message, "_context_roles");
    if (good && roles != NULL) {
        if (!json_object_is_type(roles, json_type_array))
            good = false;
        else
            good = (context->roles = (const char *const *)nd_json_to_strv(roles, &why)) != NULL;
    }
    NdJson *catalog = nd_json_array(message, "_context_service_catalog");
    if (catalog != NULL)
        context->service_catalog = nd_json_to_string(catalog);
    NdJson *trace = nd_json_object(message, "_context_trace_info");
    if (trace != NULL)
        context->trace_info = nd_json_to_string(trace);
    if (!good) {
        g_set_error(error, RPC_ERROR, RPC_ERROR_MESSAGE, "request context: %s", why ? why->message : "'_context_roles' is not a list");
        return NULL;
    }
    context_complete(context);
    return g_steal_pointer(&context);
}

/* A copy with nothing shared. */
static RpcContext *context_copy(const RpcContext *from)
{
    RpcContext *to = context_alloc();
    for (size_t i = 0; i < G_N_ELEMENTS(strings); i++)
        if (strings[i].read)
            *STRING_AT(to, strings[i].offset) = g_strdup(*STRING_AT(from, strings[i].offset));
    for (size_t i = 0; i < G_N_ELEMENTS(flags); i++)
        *FLAG_AT(to, flags[i].offset) = *FLAG_AT(from, flags[i].offset);
    to->service_catalog = g_strdup(from->service_catalog);
    to->trace_info = g_strdup(from->trace_info);
    to->roles = (const char *const *)g_strdupv((char **)from->roles);
    return to;
}

RpcContext *rpc_context_elevated(const RpcContext *context)
{
    RpcContext *copy = context_copy(context);
    copy->is_admin = true;
    if (!g_strv_contains(copy->roles, "admin")) {
        g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
        g_strv_builder_addv(builder, (const char **)copy->roles);
        g_strv_builder_add(builder, "admin");
        g_strfreev((char **)copy->roles);
        copy->roles = (const char *const *)g_strv_builder_end(builder);
    }
    return copy;
}

RpcContext *rpc_context_with_read_deleted(const RpcContext *context, const char *read_deleted)
{
    RpcContext *copy = context_copy(context);
    g_free((char *)copy->read_deleted);
    copy->read_deleted = g_strdup(read_deleted);
    return copy;
}

RpcContext *rpc_context_ref(RpcContext *context)
{
    g_atomic_ref_count_inc(&context->ref_count);
    return context;
}

void rpc_context_unref(RpcContext *context)
{
    if (context == NULL || !g_atomic_ref_count_dec(&context->ref_count))
        return;
    for (size_t i = 0; i < G_N_ELEMENTS(strings); i++)
        if (strings[i].read)
            g_free((char *)*STRING_AT(context, strings[i].offset));
    g_free((char *)context->service_catalog);
    g_free((char *)context->trace_info);
    g_strfreev((char **)context->roles);
    g_free(context);
}

/* Adds JSON text that we once wrote ourselves. */
static void add_text(NdJson *message, const char *key, const char *text)
{
    NdJson *value = NULL;
    if (nd_json_parse(text, strlen(text), NULL, &value, NULL))
        nd_json_set(message, key, value);
}

void rpc_context_add_to_message(const RpcContext *context, NdJson *message, RpcContextForm form)
{
    for (size_t i = 0; i < G_N_ELEMENTS(strings); i++)
        if (form == RPC_CONTEXT_FULL || strings[i].offset != offsetof(RpcContext, auth_token))
            nd_json_set_string(message, strings[i].key, *STRING_AT(context, strings[i].offset));
    for (size_t i = 0; i < G_N_ELEMENTS(flags); i++)
        nd_json_set_bool(message, flags[i].key, *FLAG_AT(context, flags[i].offset));
    nd_json_set(message, "_context_roles", nd_json_from_strv(context->roles));
    if (form == RPC_CONTEXT_FULL) {
        add_text(message, "_context_service_catalog", context->service_catalog);
        if (context->trace_info != NULL)
            add_text(message, "_context_trace_info", context->trace_info);
    }
}
