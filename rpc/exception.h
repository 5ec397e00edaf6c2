/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/json.h"
#include "rpc/exception_list.h"

#include <glib.h>
#include <stdbool.h>

/*
 * Nova's exception classes as a GError domain. Callers of our RPC methods rebuild the Python class by its name (spec/rpc-wire.md section 3.3), so the
 * code names the class; keyword arguments travel with the error. NOVA_EXC_INSTANCE_NOT_FOUND is nova.exception.InstanceNotFound.
 */
typedef enum {
#define NOVA_EXC_ENUM(code, module, class_name, parent, number, template) NOVA_EXC_##code,
    NOVA_EXCEPTION_LIST(NOVA_EXC_ENUM)
#undef NOVA_EXC_ENUM
    NOVA_EXC_COUNT
} NovaExceptionCode;

#define NOVA_EXCEPTION (nova_exception_quark())
GQuark nova_exception_quark(void);

/* Sets an error of class `code`; then pairs of key and value strings (its keyword arguments, e.g. "instance_id", uuid), ended by NULL. A value may
 * be NULL (Python's None). The text is the class' template filled in; without a template, the class name and arguments.
 *     nova_exception_set(error, NOVA_EXC_INSTANCE_NOT_FOUND, "instance_id", uuid, NULL); */
void nova_exception_set(GError **error, NovaExceptionCode code, ...) G_GNUC_NULL_TERMINATED;
/* The same with an own text in place of the template's. */
void nova_exception_set_text(GError **error, NovaExceptionCode code, const char *text, ...) G_GNUC_NULL_TERMINATED;

/* True if `error` is a NOVA_EXCEPTION of this class or one of its subclasses. A NULL error matches nothing. */
bool nova_exception_matches(const GError *error, NovaExceptionCode code);
/* The class name that nova's callers will see for any error of any domain (mapped, see below): "InstanceNotFound". Static. */
const char *nova_exception_class(const GError *error);
/* Its Python module: "nova.exception", "builtins" ... Static. */
const char *nova_exception_module(const GError *error);
/* The number of that class: 404, 500 ... (InstanceFault.code, spec/compute-rpc.md section 2). */
int nova_exception_number(const GError *error);
/* True if the class lives in nova.exception: instance faults and action events show its text, else only the class name. */
bool nova_exception_is_nova(const GError *error);
/* A keyword argument of a NOVA_EXCEPTION, or NULL. Borrowed from the error. Values that were no strings are their JSON text. */
const char *nova_exception_kwarg(const GError *error, const char *key);
/* The error as one of NOVA_EXCEPTION: a copy if it is one, else mapped by the tables below; caller frees. */
GError *nova_exception_from_error(const GError *error);

/* How the errors of another domain look to nova's callers. */
typedef struct {
    int code;                    /* of the other domain */
    NovaExceptionCode exception; /* what it becomes */
    const char *kwarg;           /* keyword argument that gets the error's text, e.g. "reason"; NULL for none */
} RpcExceptionMap;
/* Registers the table of one domain (static storage). Call at start, before other threads run. Unmapped errors become NovaException. */
void rpc_exception_map_domain(GQuark domain, const RpcExceptionMap *map, size_t count);

/* The failure JSON text of a reply for any error (spec/rpc-wire.md section 3.3); caller frees. */
char *rpc_failure_encode(const GError *error);
/* Sets `error` from a reply's failure text: NOVA_EXCEPTION if class and module are in the table, else RPC_ERROR_REMOTE; RPC_ERROR_MESSAGE if it is
 * no failure at all. Always returns false. */
bool rpc_failure_decode(const char *text, GError **error);
