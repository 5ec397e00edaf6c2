/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "agent/method_args.h"
#include "agent/operation.h"
#include "rpc/server.h"

/*
 * The one table of RPC methods: name, signature, how it runs (spec/compute-rpc.md section 3). Adding a method is one line in
 * agent/methods.c and an OperationSpec in agent/op_*.c, declared in agent/operations.h.
 */
typedef enum {
    METHOD_LANE,  /* in the lane of argument `instance`, in the order of arrival */
    METHOD_QUICK, /* on the reserved quick workers, beside whatever runs for the instance; must not take long */
    METHOD_HOST,  /* of no instance, and may take long: on the ordinary workers, in no order */
} MethodKind;

/* Which of the agent's limits a method counts against. */
typedef enum { METHOD_UNLIMITED, METHOD_BUILDS, METHOD_SNAPSHOTS, METHOD_LIVE_MIGRATIONS } MethodLimit;

typedef struct {
    const char *name;
    const char *signature; /* see agent/method_args.h */
    MethodKind kind;
    const OperationSpec *operation;
    MethodLimit limit;
} MethodSpec;

/* Compiles the signatures; once at start, before the RPC servers. */
void methods_init(void);
/* The line of a method, NULL if there is none. */
const MethodSpec *methods_lookup(const char *name);
/* Its compiled signature. */
const MethodSignature *methods_signature(const MethodSpec *method);
/* The endpoints for rpc_server_new (nova's own namespace; baseapi is the server's); static. */
const RpcEndpoint *methods_endpoints(size_t *n);
/* All lines, for tests and listings. */
const MethodSpec *methods_table(guint *n);
