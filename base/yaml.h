/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/json.h"

/*
 * One YAML 1.1 document as JSON, as PyYAML's safe_load reads it: plain scalars become null, booleans, integers and floats by YAML 1.1's rules, quoted ones
 * are strings. Not taken: merge keys ("<<"), keys that are no strings, more than one document, base 60 numbers (they are strings). An empty document is NULL.
 * Limits as nd_json's depth, and a number of values, so that aliases cannot blow up. Errors: ND_ERROR_PARSE with line and column, ND_ERROR_LIMIT.
 */
bool nd_yaml_parse(const char *text, size_t length, NdJson **value, GError **error);
