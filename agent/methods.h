/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "agent/method_args.h"
#include "agent/operation.h"

/*
 * The one table of RPC methods: name, signature, how it runs. Adding a method is one line in agent/methods.c.
 */
typedef enum {
    METHOD_LANE,  /* in the lane of argument `instance` */
    METHOD_QUICK, /* on the reserved quick workers, beside whatever runs for the instance */
} MethodKind;

/* A quick method: answers with *result (new reference, NULL = null) or an error. */
typedef bool (*MethodQuickFunc)(Agent *agent, RpcContext *context, MethodArgs *args, NdJson **result, GError **error);

typedef struct {
    const char *name;
    const char *signature;
    MethodKind kind;
    const OperationSpec *operation; /* METHOD_LANE */
    MethodQuickFunc quick;          /* METHOD_QUICK */
    const char *limit;              /* name of one of the agent's limits ("builds", "snapshots", "live-migrations"), or NULL */
    guint flags;                    /* OperationFlags for quick methods: WE, EV, IF are honoured */
    bool alt;                       /* callers of 2026.1+ send it to topic compute-alt (both topics serve all) */
} MethodSpec;

/* The table and the compiled signatures; NULL if unknown. */
const MethodSpec *methods_lookup(const char *name);
const MethodSignature *methods_signature(const MethodSpec *method);
const MethodSpec *methods_table(guint *n);
/* Compiles the signatures; called once at start, before the RPC servers. */
void methods_init(void);
