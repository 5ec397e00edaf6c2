/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "objects/spec.h"

#include "objects/walker.h"

int nova_version_compare(NovaVersion a, NovaVersion b)
{
    if (a.major != b.major)
        return a.major < b.major ? -1 : 1;
    return a.minor < b.minor ? -1 : a.minor > b.minor;
}

static int compare_spec(const void *key, const void *member)
{
    return strcmp(key, (*(const NovaObjectSpec *const *)member)->name);
}

const NovaObjectSpec *nova_spec_find(const char *name)
{
    const NovaObjectSpec *const *found = bsearch(name, nova_specs, nova_n_specs, sizeof(nova_specs[0]), compare_spec);
    return found ? *found : NULL;
}

static int compare_field(const void *key, const void *member)
{
    return strcmp(key, ((const NovaField *)member)->name);
}

int nova_spec_find_field(const NovaObjectSpec *spec, const char *name)
{
    if (spec->n_fields == 0)
        return -1;
    const NovaField *found = bsearch(name, spec->fields, spec->n_fields, sizeof(NovaField), compare_field);
    return found ? (int)(found - spec->fields) : -1;
}

bool nova_spec_is_a(const NovaObjectSpec *spec, const NovaObjectSpec *base)
{
    for (; spec; spec = spec->base)
        if (spec == base)
            return true;
    return false;
}

NovaVersion nova_spec_newest(const NovaObjectSpec *spec)
{
    return spec->versions[ND_RELEASE_LAST];
}

bool nova_enum_contains(const NovaEnum *enumeration, const char *value, NdRelease release)
{
    for (guint i = 0; i < enumeration->n_values; i++)
        if (strcmp(enumeration->values[i].value, value) == 0)
            return enumeration->values[i].since <= release;
    return false;
}

const NovaObjectSpec nova_opaque_spec = {
    .name = "(unknown class)",
    .size = sizeof(NovaObject),
};
