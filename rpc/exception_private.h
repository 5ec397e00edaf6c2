/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "rpc/exception.h"

/* What failure.c needs of exception.c. */

/* Makes the error; `text` NULL = the class' template. Takes kwargs (char * -> char *, NULL values are None; may be NULL). */
GError *rpc_exception_new(NovaExceptionCode code, const char *text, GHashTable *kwargs);
/* All keyword arguments of a NOVA_EXCEPTION, borrowed, may be NULL. */
GHashTable *rpc_exception_kwargs(const GError *error);
/* True if the text is the class' template, filled in: the caller's nova can make its own text of class and arguments. */
bool rpc_exception_is_from_template(const GError *error);
/* Looks a class up by its Python name; "X_Remote" is X, module "exceptions" is "builtins" (Python 2's name). */
bool rpc_exception_find(const char *class_name, const char *module, NovaExceptionCode *code);
