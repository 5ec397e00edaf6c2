/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "rpc/conductor.h"

/* Shared by the conductor_*.c files. */

/* A new array of string arguments, ended by NULL. */
NdJson *conductor_args(const char *first, ...) G_GNUC_NULL_TERMINATED;
/* kwargs {"expected_attrs": [...]} if attrs is not NULL, plus "use_slave" if it is true. */
NdJson *conductor_list_kwargs(const char *const *expected_attrs, bool use_slave);
/* conductor_class_object that refuses null: RPC_ERROR_MESSAGE. Takes args and kwargs. */
void *conductor_class_get(Conductor *conductor, const RpcContext *context, const char *class_name, const char *method, NdJson *args, NdJson *kwargs,
                          GError **error);
/* The same with another class of the result. */
void *conductor_class_get_as(Conductor *conductor, const RpcContext *context, const char *class_name, const char *method, NdJson *args, NdJson *kwargs,
                             const char *returns, GError **error);
/* object_action without arguments and value. */
bool conductor_simple_action(Conductor *conductor, const RpcContext *context, void *object, const char *method, GError **error);
/* Reads a list of strings that a method returned, which it takes. */
char **conductor_take_strings(NdJson *result, const char *what, GError **error);
