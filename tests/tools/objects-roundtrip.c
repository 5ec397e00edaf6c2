/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "base/error.h"
#include "objects/image_meta.h"
#include "objects/network_model.h"
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
 *   {"image": {...}}                    ImageMeta of a Glance dict: {"object": {...}}
 *   {"instance_image": {...}}           ImageMeta of an Instance: {"object": {...}}
 *   {"keep_image": {...}, "flavor": {...}}       the system_metadata to keep of a Glance dict: {"metadata": {...}}
 *   {"network_info": "[...]"}           {"network_info": "[...]"} as novad writes it
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

static NdJson *schema(G_GNUC_UNUSED NdJson *request)
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

static NdJson *answer_object(void *object, const GError *error)
{
    g_autoptr(NovaObject) owned = object;
    if (!object)
        return failure(error);
    NdJson *answer = json_object_new_object();
    nd_json_set(answer, "object", nova_object_to_json(object, NOVA_UNCLAMPED));
    return answer;
}

static NdJson *image(NdJson *request)
{
    g_autoptr(GError) error = NULL;
    void *meta = nova_image_meta_from_dict(nd_json_member(request, "image"), &error);
    return answer_object(meta, error);
}

static NdJson *instance_image(NdJson *request)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(NovaInstance) instance =
        nova_object_from_json_as(nd_json_member(request, "instance_image"), &nova_instance_spec, NULL, &error);
    void *meta = instance ? nova_image_meta_from_instance(instance, &error) : NULL;
    return answer_object(meta, error);
}

static NdJson *keep_image(NdJson *request)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(NovaFlavor) flavor = NULL;
    NdJson *given = nd_json_member(request, "flavor");
    if (given && !(flavor = nova_object_from_json_as(given, &nova_flavor_spec, NULL, &error)))
        return failure(error);
    g_autoptr(GHashTable) metadata = nova_image_dict_to_system_metadata(nd_json_member(request, "keep_image"), flavor);
    NdJson *answer = json_object_new_object(), *entries = json_object_new_object();
    GHashTableIter iter;
    gpointer key, value;
    g_hash_table_iter_init(&iter, metadata);
    while (g_hash_table_iter_next(&iter, &key, &value))
        nd_json_set_string(entries, key, value);
    nd_json_set(answer, "metadata", entries);
    return answer;
}

static NdJson *network_info(NdJson *request)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) vifs = nova_network_info_from_text(nd_json_string(request, "network_info", NULL), &error);
    if (!vifs)
        return failure(error);
    g_autoptr(GPtrArray) copy = nova_network_info_clone(vifs);
    g_autofree char *text = nova_network_info_to_text(copy);
    NdJson *answer = json_object_new_object();
    nd_json_set_string(answer, "network_info", text);
    return answer;
}

static NdJson *manifest(NdJson *request)
{
    NdJson *answer = json_object_new_object();
    unsigned release = release_named(nd_json_string(request, "release", "zed"));
    nd_json_set(answer, "manifest", nova_manifest(release, nd_json_string(request, "manifest", "")));
    return answer;
}

static NdJson *answer_to(NdJson *request)
{
    static const struct {
        const char *key;
        NdJson *(*answer)(NdJson *request);
    } questions[] = {
        {"object", round_trip},
        {"manifest", manifest},
        {"schema", schema},
        {"image", image},
        {"keep_image", keep_image},
        {"instance_image", instance_image},
        {"network_info", network_info},
    };
    for (guint i = 0; i < G_N_ELEMENTS(questions); i++)
        if (nd_json_member(request, questions[i].key))
            return questions[i].answer(request);
    g_autoptr(GError) error = g_error_new(ND_ERROR, ND_ERROR_ARGUMENT, "no known question");
    return failure(error);
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
