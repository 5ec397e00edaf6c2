/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/json.h"

#include <glib.h>
#include <stdbool.h>

/*
 * The request context that travels with each message as _context_* keys (spec/rpc-wire.md section 3.2). Immutable once made and reference counted
 * (atomically), so any thread may read and hold it. Strings are NULL when the key is missing or null.
 */
typedef struct {
    gatomicrefcount ref_count; /* private */
    const char *user_id, *user_name;
    const char *project_id, *project_name;
    const char *domain_id, *user_domain_id, *project_domain_id;
    const char *system_scope;
    const char *auth_token; /* secret: never log */
    const char *request_id; /* "req-UUID"; never NULL */
    const char *global_request_id;
    const char *resource_uuid;
    const char *remote_address;
    const char *read_deleted; /* "no", "yes", "only"; never NULL */
    const char *timestamp;    /* "YYYY-MM-DDTHH:MM:SS.ffffff" */
    const char *quota_class;
    const char *identity;        /* "user project domain user_domain project_domain", "-" for missing; for logs */
    const char *service_catalog; /* JSON text of the list; never NULL */
    const char *trace_info;      /* JSON text or NULL (osprofiler) */
    const char *const *roles;    /* NULL-terminated; never NULL */
    bool is_admin, is_admin_project, read_only, show_deleted;
} RpcContext;

/* The agent's own work: no user, no project, is_admin, a fresh request id. read_deleted: "no" (NULL), "yes", "only". */
RpcContext *rpc_context_new_admin(const char *read_deleted);
/* From the _context_* members of a message. Missing keys default to null/false; wrong types are RPC_ERROR_MESSAGE. */
RpcContext *rpc_context_from_message(NdJson *message, GError **error);
/* Copies with one thing changed: is_admin and role "admin"; another read_deleted; another user token. */
RpcContext *rpc_context_elevated(const RpcContext *context);
RpcContext *rpc_context_with_read_deleted(const RpcContext *context, const char *read_deleted);
RpcContext *rpc_context_ref(RpcContext *context);
void rpc_context_unref(RpcContext *context);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RpcContext, rpc_context_unref)

typedef enum {
    RPC_CONTEXT_FULL,
    RPC_CONTEXT_REDACTED, /* for notifications: without token and service catalog (section 10) */
} RpcContextForm;
/* Adds the _context_* members to a message. */
void rpc_context_add_to_message(const RpcContext *context, NdJson *message, RpcContextForm form);
