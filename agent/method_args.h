/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/json.h"

#include <glib.h>
#include <stdbool.h>

/*
 * The arguments of a request as typed values. A method's signature is one line of text in agent/methods.c:
 *
 *     "instance:Instance, clean_shutdown:bool, tail_length:any?, target_state:str?="
 *
 * name:type, `?` = may be null, `=` = may be missing (Python: has a default). Types: bool, int, str, list, dict, any (JSON kept as
 * it came), a nova object's class name, or [Class] for a list of such objects. An unknown, missing or wrong argument is
 * AGENT_ERROR_ARGUMENT with Python's words, which reaches the caller as TypeError (spec/rpc-wire.md section 4.4).
 */
typedef struct MethodArgs MethodArgs;
typedef struct MethodSignature MethodSignature;

/* Parses a signature; a mistake in it is a programming error (g_error). Compiled once at start. */
MethodSignature *method_signature_new(const char *method, const char *signature);
void method_signature_free(MethodSignature *signature);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MethodSignature, method_signature_free)
guint method_signature_n_args(const MethodSignature *signature);
const char *method_signature_arg_name(const MethodSignature *signature, guint index);
bool method_signature_arg_is_optional(const MethodSignature *signature, guint index);

/* Parses `args` (a JSON object or NULL); nothing in the result refers to that tree. */
MethodArgs *method_args_parse(const MethodSignature *signature, NdJson *args, GError **error);
void method_args_free(MethodArgs *args);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MethodArgs, method_args_free)

/* Readers. Asking for a name or type that is not in the signature is a programming error. Null and missing read as NULL, 0, false; all
 * pointers are borrowed. */
/* True if there is such an argument and it was sent and is not null. */
bool method_args_has(const MethodArgs *args, const char *name);
bool method_args_bool(const MethodArgs *args, const char *name);
gint64 method_args_int(const MethodArgs *args, const char *name);
const char *method_args_string(const MethodArgs *args, const char *name);
NdJson *method_args_json(const MethodArgs *args, const char *name);       /* list, dict, any */
void *method_args_object(const MethodArgs *args, const char *name);       /* a class: a pointer to its struct */
GPtrArray *method_args_objects(const MethodArgs *args, const char *name); /* [Class]: element type is its struct */
