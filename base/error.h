/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/*
 * Errors of base/, and the rules for every GError in novad:
 *
 *  - `GError **error` is the last parameter; the return value (bool, pointer) says whether the call worked, callers never look at
 *    `*error` to find out, and outputs are untouched on failure;
 *  - one domain a folder (this one, OBJECTS_ERROR, RPC_ERROR, REST_ERROR, VIRT_ERROR, AGENT_ERROR), plus NOVA_EXCEPTION (rpc/exception.h)
 *    for what nova's callers will see and LIBVIRT_ERROR (virt/error.h) whose codes are libvirt's own numbers;
 *  - the text is a short lower-case phrase with quoted values and no newline; each layer puts its own step in front (g_prefix_error);
 *  - library folders return errors and do not log them; agent/ logs once.
 */
typedef enum {
    ND_ERROR_FAILED,      /* no better word */
    ND_ERROR_ARGUMENT,    /* a caller's value is not acceptable */
    ND_ERROR_PARSE,       /* text is not what its format demands */
    ND_ERROR_TYPE,        /* a JSON or config value has another type than asked for */
    ND_ERROR_MISSING,     /* a key that must be there is not */
    ND_ERROR_LIMIT,       /* too large, too deep, too many */
    ND_ERROR_IO,          /* a file or socket operation failed; errno text in the message */
    ND_ERROR_NO_SPACE,    /* ENOSPC or EDQUOT */
    ND_ERROR_NOT_FOUND,   /* no such file, option, program */
    ND_ERROR_EXISTS,      /* it is already there */
    ND_ERROR_TIMEOUT,     /* a deadline passed */
    ND_ERROR_CANCELLED,   /* somebody asked to stop */
    ND_ERROR_EXIT_STATUS, /* a subprocess ended with a status other than 0 or by a signal */
    ND_ERROR_CONFIG,      /* nova.conf: bad value, bad file */
} NdError;

#define ND_ERROR (nd_error_quark())
GQuark nd_error_quark(void);

/* Sets `error` to domain ND_ERROR from an errno value: ENOSPC/EDQUOT -> NO_SPACE, ENOENT -> NOT_FOUND, EEXIST -> EXISTS,
 * ETIMEDOUT -> TIMEOUT, else IO. The text is the formatted one, ": ", strerror. Always returns false, so `return nd_error_set_errno(...)`.
 */
bool nd_error_set_errno(GError **error, int errnum, const char *format, ...) G_GNUC_PRINTF(3, 4);
