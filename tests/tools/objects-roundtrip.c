/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "objects/objects.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * objects-roundtrip: reads one JSON text a line from standard input and writes one line of answer for each.
 *
 *   {"object": {...}, "clamp": "zed"}   the object as novad sends it (clamp optional): {"object": {...}}
 *   ... "save": true                    in the form of a save
 *   ... "clone": true                   of a deep copy, after the original is gone
 *   ... "updates": {...}                after taking over a conductor's updates
 *   {"manifest": "Instance", "release": "zed"}   {"manifest": {...}}
 *   {"schema": true}                    every class: {"schema": {name: {"versions": [...], "fields": {name: {...}}}}}
 *
 * A failure is {"error": "text", "code": n}. The tests drive it from Python beside upstream's own classes.
 */

static unsigned release_named(const char *name)
{
    static const char *const names[] = {"zed", "2023.1", "2023.2", "2024.1", "2024.2", "2025.1", "2025.2", "2026.1", "2026.2"};
    for (unsigned i = 0; name && i < G_N_ELEMENTS(names); i++)
        if (strcmp(names[i], name) == 0)
            return i;
    return NOVA_UNCLAMPED;
}

static NdJson *failure(const GError *error)
{
    NdJson *answer = json_object_new_object();
    nd_json_set_string(answer, "error", error->message);
    nd_json_set_int(answer, "code", error->domain == OBJECTS_ERROR ? error->code : -1);
    return answer;
}

static NdJson *round_trip(NdJson *request)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(NovaObject) object = nova_object_from_json(nd_json_member(request, "object"), NULL, &error);
    if (!object)
        return failure(error);
    NdJson *updates = nd_json_member(request, "updates");
    if (updates && !nova_object_apply_updates(object, updates, NULL, &error))
        return failure(error);
    if (nd_json_bool(request, "clone", false)) {
        NovaObject *copy = nova_object_clone(object);
        if (!nova_object_equal(object, copy))
            abort();
        nova_object_unref(object);
        object = copy;
    }
    unsigned clamp = release_named(nd_json_string(request, "clamp", NULL));
    NdJson *answer = json_object_new_object();
    bool save = nd_json_bool(request, "save", false);
    nd_json_set(answer, "object", save ? nova_object_to_json_for_save(object, clamp) : nova_object_to_json(object, clamp));
    return answer;
}

static char *type_text(const NovaType *type)
{
    static const char *const kinds[] = {"str", "int", "float", "bool", "fbool", "dt", NULL, "list", "set", "dict"};
    g_autofree char *element = type->element ? type_text(type->element) : NULL;
    const char *name = type->object ? type->object->name : kinds[type->kind];
    return g_strconcat(type->enumeration ? "enum" : name, element ? "[" : "", element ? element : "", element ? "]" : "",
                       type->nullable ? "?" : "", NULL);
}

static NdJson *field_schema(const NovaField *field)
{
    g_autofree char *type = type_text(field->type);
    NdJson *schema = json_object_new_object();
    nd_json_set_string(schema, "type", type);
    nd_json_set_bool(schema, "read_only", field->read_only);
    nd_json_set_int(schema, "since", field->since_release);
    nd_json_set_string(schema, "default", field->default_json);
    if (field->type->enumeration) {
        NdJson *values = json_object_new_array();
        const NovaEnum *enumeration = field->type->enumeration;
        for (guint i = 0; i < enumeration->n_values; i++)
            if (enumeration->values[i].since == ND_RELEASE_ZED)
                json_object_array_add(values, json_object_new_string(enumeration->values[i].value));
        nd_json_set(schema, "values", values);
    }
    return schema;
}

static NdJson *schema(void)
{
    NdJson *classes = json_object_new_object();
    for (guint i = 0; i < nova_n_specs; i++) {
        const NovaObjectSpec *spec = nova_specs[i];
        NdJson *class = json_object_new_object(), *versions = json_object_new_array(), *fields = json_object_new_object();
        for (unsigned release = 0; release <= ND_RELEASE_LAST; release++) {
            const char *version = nova_class_version(release, spec->name);
            json_object_array_add(versions, version ? json_object_new_string(version) : NULL);
        }
        for (guint k = 0; k < spec->n_fields; k++)
            nd_json_set(fields, spec->fields[k].name, field_schema(&spec->fields[k]));
        nd_json_set(class, "versions", versions);
        nd_json_set(class, "fields", fields);
        nd_json_set(classes, spec->name, class);
    }
    NdJson *answer = json_object_new_object();
    nd_json_set(answer, "schema", classes);
    return answer;
}

static NdJson *answer_to(NdJson *request)
{
    if (nd_json_bool(request, "schema", false))
        return schema();
    const char *manifest = nd_json_string(request, "manifest", NULL);
    if (!manifest)
        return round_trip(request);
    NdJson *answer = json_object_new_object();
    nd_json_set(answer, "manifest", nova_manifest(release_named(nd_json_string(request, "release", "zed")), manifest));
    return answer;
}

int main(void)
{
    char *line = NULL;
    size_t size = 0;
    ssize_t length;
    while ((length = getline(&line, &size, stdin)) > 0) {
        g_autoptr(GError) error = NULL;
        g_autoptr(NdJson) request = NULL;
        g_autoptr(NdJson) answer = nd_json_parse(line, (size_t)length, NULL, &request, &error) ? answer_to(request) : failure(error);
        g_autofree char *text = nd_json_to_string(answer);
        puts(text);
        fflush(stdout);
    }
    free(line);
    return 0;
}
