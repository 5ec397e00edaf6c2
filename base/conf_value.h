/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/options.h"

#include <glib.h>

/* Where a value comes from. */
typedef enum { ND_ORIGIN_DEFAULT, ND_ORIGIN_FILE, ND_ORIGIN_ENVIRONMENT, ND_ORIGIN_COMMAND_LINE, ND_ORIGIN_OVERRIDE } NdConfigOrigin;

/* A converted value of an option. */
typedef struct {
    const NdOption *option;
    bool present; /* false: Python's None */
    NdConfigOrigin origin;
    char *file; /* of ND_ORIGIN_FILE */
    int line;
    char *string;     /* text types */
    gint64 integer;   /* integer, port, boolean */
    double number;    /* float */
    char **list;      /* list, multi; never NULL with these types */
    GHashTable *dict; /* dict; never NULL with that type */
    GPtrArray *pairs; /* dict: "key:value" in the order written, for text */
} NdConfigValue;

/* Converts one text (already interpolated) as oslo.config's type of the option does and checks ranges and choices. For the multi types
 * `texts` are all values, for others it has one element; NULL makes a value that is not present. Errors: ND_ERROR_CONFIG with a reason that
 * names neither option nor, for secrets, the value. */
NdConfigValue *nd_config_value_new(const NdOption *option, const char *const *texts, GError **error);
void nd_config_value_free(NdConfigValue *value);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NdConfigValue, nd_config_value_free)

/* As Python's str() shows it, which is what interpolation inserts; "" when not present; caller frees. */
char *nd_config_value_to_text(const NdConfigValue *value);
/* A double as Python's repr() writes it; caller frees. */
char *nd_config_format_double(double number);
