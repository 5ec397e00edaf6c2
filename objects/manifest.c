/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "objects/object.h"

/* Which classes a conductor may answer with, in which version (object_versions; spec/objects.md sections 4 and 5). */

static void add_class(NdJson *manifest, const NovaObjectSpec *spec, NdRelease release)
{
    NovaVersion version = spec->versions[release];
    if (version.major == 0 || json_object_object_get_ex(manifest, spec->name, NULL))
        return;
    g_autofree char *text = g_strdup_printf("%u.%u", version.major, version.minor);
    nd_json_set_string(manifest, spec->name, text);
    for (guint i = 0; i < spec->n_fields; i++) {
        const NovaType *type = spec->fields[i].type;
        if (type->kind == NOVA_KIND_LIST)
            type = type->element;
        if (type->kind == NOVA_KIND_OBJECT && spec->fields[i].since_release <= release)
            add_class(manifest, type->object, release);
    }
}

NdJson *nova_manifest(NdRelease release, const char *class_name)
{
    const NovaObjectSpec *spec = nova_spec_find(class_name);
    if (!spec || spec->versions[release].major == 0)
        return NULL;
    NdJson *manifest = json_object_new_object();
    add_class(manifest, spec, release);
    return manifest;
}

const char *nova_class_version(NdRelease release, const char *class_name)
{
    const NovaObjectSpec *spec = nova_spec_find(class_name);
    if (!spec || spec->versions[release].major == 0)
        return NULL;
    g_autofree char *text = g_strdup_printf("%u.%u", spec->versions[release].major, spec->versions[release].minor);
    return g_intern_string(text);
}
