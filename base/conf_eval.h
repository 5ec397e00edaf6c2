/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/conf_source.h"
#include "base/conf_value.h"

/* What evaluating an option looks at. */
typedef struct {
    const NdConfigSources *sources;
    const NdConfigSources *mutable_sources; /* for mutable options: differs after a reload */
    GHashTable *overrides;                  /* "group.name" -> text, above everything */
    NdRelease release;
} NdConfigView;

/* The value of an option with `$name` and `${group.name}` resolved and the type applied. *raw gets what the sources said, also on failure;
 * clear it with nd_config_raw_clear in either case. Errors: ND_ERROR_CONFIG, the message does not name the option. */
NdConfigValue *nd_config_evaluate(const NdConfigView *view, const char *group, const NdOption *option, NdConfigRaw *raw, GError **error);
