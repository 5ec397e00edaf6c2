/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "base/time.h"
#include "objects/walker.h"

/* Writing: objects to JSON, clamped to what a release's readers know (spec/objects.md section 4). */

/* What is being written for whom. */
typedef struct {
    unsigned clamp; /* NdRelease or NOVA_UNCLAMPED */
    bool save_form; /* of the root object: identity and changes only */
} Writer;

static bool emit_value(const Writer *writer, const NovaType *type, const void *slot, NdJson **out);

/* The shortest text that reads back as the same number, and looks like a float as Python's does. */
static NdJson *number_to_json(double value)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    for (int digits = 15; digits <= 17; digits++) {
        char format[8];
        g_snprintf(format, sizeof(format), "%%.%dg", digits);
        g_ascii_formatd(text, sizeof(text), format, value);
        double back = g_ascii_strtod(text, NULL);
        if (!(back < value) && !(back > value))
            break;
    }
    if (strpbrk(text, ".en") == NULL)
        g_strlcat(text, ".0", sizeof(text));
    return json_object_new_double_s(value, text);
}

static bool emit_string(const Writer *writer, const NovaType *type, const char *text, NdJson **out)
{
    if (type->enumeration && writer->clamp <= ND_RELEASE_LAST && nova_enum_contains(type->enumeration, text, ND_RELEASE_LAST) &&
        !nova_enum_contains(type->enumeration, text, writer->clamp))
        return false;
    *out = json_object_new_string(text);
    return true;
}

static NdJson *strings_to_json(char *const *list)
{
    return nd_json_from_strv((const char *const *)list);
}

static NdJson *ints_to_json(const GArray *list)
{
    NdJson *array = json_object_new_array_ext((int)list->len);
    for (guint i = 0; i < list->len; i++)
        json_object_array_add(array, json_object_new_int64(g_array_index(list, gint64, i)));
    return array;
}

/* Elements whose class or enum value the readers do not know are left out. */
static NdJson *elements_to_json(const Writer *writer, const NovaType *element, const GPtrArray *list)
{
    NdJson *array = json_object_new_array_ext((int)list->len);
    for (guint i = 0; i < list->len; i++) {
        NdJson *item = NULL;
        if (emit_value(writer, element, &list->pdata[i], &item))
            json_object_array_add(array, item);
    }
    return array;
}

static int compare_keys(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static NdJson *dict_to_json(const Writer *writer, const NovaType *element, GHashTable *dict)
{
    NdJson *object = json_object_new_object();
    guint n = 0;
    g_autofree gpointer *keys = g_hash_table_get_keys_as_array(dict, &n);
    qsort(keys, n, sizeof(gpointer), compare_keys);
    for (guint i = 0; i < n; i++) {
        gpointer value = g_hash_table_lookup(dict, keys[i]);
        NdJson *item = NULL;
        if (!value || emit_value(writer, element, nova_element_slot(element, &value), &item))
            json_object_object_add(object, keys[i], item);
    }
    return object;
}

static NdJson *list_to_json(const Writer *writer, const NovaType *element, gconstpointer list)
{
    if (element->kind == NOVA_KIND_STRING)
        return strings_to_json((char *const *)list);
    if (element->kind == NOVA_KIND_INT)
        return ints_to_json(list);
    return elements_to_json(writer, element, list);
}

static NdJson *object_to_json(const Writer *writer, const NovaObject *self);

/* True if the release that we write for has the class. Those that we do not know ourselves go to releases that may be newer than we. */
static bool class_known(const Writer *writer, const NovaObjectSpec *spec)
{
    if (spec == &nova_opaque_spec)
        return writer->clamp >= ND_RELEASE_LAST;
    return writer->clamp > ND_RELEASE_LAST || spec->versions[writer->clamp].major != 0;
}

static NdJson *opaque_to_json(const NovaObject *self)
{
    NdJson *json = NULL;
    const char *text = g_hash_table_lookup(self->unknown, "");
    nd_json_parse(text, strlen(text), NULL, &json, NULL); /* it was JSON when it came */
    return json;
}

/* A value that is set and not null. False: this release's readers cannot take it, leave it out. */
static bool emit_value(const Writer *writer, const NovaType *type, const void *slot, NdJson **out)
{
    gconstpointer pointer = NULL;
    switch (type->kind) {
    case NOVA_KIND_INT:
        *out = json_object_new_int64(*(const gint64 *)slot);
        return true;
    case NOVA_KIND_TIME: {
        g_autofree char *text = nd_time_format_field(*(const gint64 *)slot);
        *out = json_object_new_string(text);
        return true;
    }
    case NOVA_KIND_FLOAT:
        *out = number_to_json(*(const double *)slot);
        return true;
    case NOVA_KIND_BOOL:
    case NOVA_KIND_FLEXIBLE_BOOL:
        *out = json_object_new_boolean(*(const bool *)slot);
        return true;
    default:
        pointer = *(gpointer const *)slot;
        break;
    }
    *out = NULL;
    if (!pointer)
        return true;
    if (type->kind == NOVA_KIND_STRING)
        return emit_string(writer, type, pointer, out);
    if (type->kind == NOVA_KIND_OBJECT) {
        Writer nested = {.clamp = writer->clamp};
        if (!class_known(writer, ((const NovaObject *)pointer)->spec))
            return false;
        *out = object_to_json(&nested, pointer);
        return true;
    }
    if (type->kind == NOVA_KIND_DICT)
        *out = dict_to_json(writer, type->element, (GHashTable *)pointer);
    else
        *out = list_to_json(writer, type->element, pointer);
    return true;
}

/* The label: the object's own, but no newer than the release's. A class that the release does not have gets its first version. */
static NovaVersion label_of(const Writer *writer, const NovaObject *self)
{
    if (writer->clamp > ND_RELEASE_LAST)
        return self->version;
    unsigned release = writer->clamp;
    while (self->spec->versions[release].major == 0)
        release++;
    NovaVersion limit = self->spec->versions[release];
    return nova_version_compare(self->version, limit) > 0 ? limit : self->version;
}

/* True if a field of the same group has changed. */
static bool group_changed(const NovaObject *self, guint group)
{
    for (guint i = 0; i < self->spec->n_fields; i++)
        if (self->spec->fields[i].group == group && nova_object_changed(self, i))
            return true;
    return false;
}

static bool wanted(const Writer *writer, const NovaObject *self, guint index)
{
    const NovaField *field = &self->spec->fields[index];
    if (!writer->save_form || field->identity || nova_object_changed(self, index))
        return true;
    return field->group > 0 && group_changed(self, field->group);
}

static NdJson *name_list(const GPtrArray *names)
{
    NdJson *array = json_object_new_array_ext((int)names->len);
    for (guint i = 0; i < names->len; i++)
        json_object_array_add(array, json_object_new_string(names->pdata[i]));
    return array;
}

/* Adds the fields that came from a newer sender, unless the label is lowered below what they came with. */
static void emit_unknown(const NovaObject *self, NdJson *data, GPtrArray *changes)
{
    GHashTableIter iter;
    gpointer name, text;
    if (!self->unknown)
        return;
    g_hash_table_iter_init(&iter, self->unknown);
    while (g_hash_table_iter_next(&iter, &name, &text)) {
        NdJson *value = NULL;
        if (nd_json_parse(text, strlen(text), NULL, &value, NULL)) /* it was JSON when it came */
            json_object_object_add(data, name, value);
    }
    for (guint i = 0; self->unknown_changed && i < self->unknown_changed->len; i++)
        g_ptr_array_add(changes, self->unknown_changed->pdata[i]);
}

static NdJson *object_to_json(const Writer *writer, const NovaObject *self)
{
    if (self->spec == &nova_opaque_spec)
        return opaque_to_json(self);
    NovaVersion label = label_of(writer, self);
    NdJson *data = json_object_new_object();
    g_autoptr(GPtrArray) changes = g_ptr_array_new();
    for (guint i = 0; i < self->spec->n_fields; i++) {
        const NovaField *field = &self->spec->fields[i];
        if (nova_version_compare(field->since, label) > 0)
            continue;
        bool left_out = false;
        if (nova_bit_get(self->set, i) && wanted(writer, self, i)) {
            NdJson *value = NULL;
            left_out = !nova_bit_get(self->null, i) && !emit_value(writer, field->type, nova_slot(self, field), &value);
            if (!left_out)
                json_object_object_add(data, field->name, value);
        }
        if (!left_out && nova_object_changed(self, i))
            g_ptr_array_add(changes, (gpointer)field->name);
    }
    if (!writer->save_form && nova_version_compare(label, self->version) >= 0)
        emit_unknown(self, data, changes);
    NdJson *object = json_object_new_object();
    g_autofree char *version = g_strdup_printf("%u.%u", label.major, label.minor);
    nd_json_set_string(object, "nova_object.name", self->spec->name);
    nd_json_set_string(object, "nova_object.namespace", "nova");
    nd_json_set_string(object, "nova_object.version", version);
    nd_json_set(object, "nova_object.data", data);
    if (changes->len > 0)
        nd_json_set(object, "nova_object.changes", name_list(changes));
    return object;
}

NdJson *nova_object_to_json(const void *object, unsigned clamp)
{
    Writer writer = {.clamp = clamp};
    return object_to_json(&writer, object);
}

NdJson *nova_object_to_json_for_save(const void *object, unsigned clamp)
{
    Writer writer = {.clamp = clamp, .save_form = true};
    return object_to_json(&writer, object);
}

NdJson *nova_object_field_to_json(const void *object, guint index, unsigned clamp)
{
    const NovaObject *self = object;
    Writer writer = {.clamp = clamp};
    NdJson *value = NULL;
    if (!nova_object_has(self, index) ||
        !emit_value(&writer, self->spec->fields[index].type, nova_slot(self, &self->spec->fields[index]), &value))
        return NULL;
    return value;
}
