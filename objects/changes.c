/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "objects/walker.h"

/* Which fields count as changed (upstream's obj_what_changed), comparing, and taking over a conductor's updates. */

/* True if the value is an object with changes. A list class counts its elements; a plain list of objects does not (as upstream). */
static bool nested_changes(const NovaObject *self, guint index)
{
    const NovaField *field = &self->spec->fields[index];
    void *value = field->type->kind == NOVA_KIND_OBJECT || self->spec->is_list ? *(void **)nova_slot(self, field) : NULL;
    if (!value)
        return false;
    if (field->type->kind == NOVA_KIND_OBJECT)
        return nova_object_has_changes(value);
    const GPtrArray *objects = value;
    for (guint i = 0; i < objects->len; i++)
        if (nova_object_has_changes(objects->pdata[i]))
            return true;
    return false;
}

bool nova_object_changed(const void *object, guint field)
{
    const NovaObject *self = object;
    bool set = nova_object_is_set(self, field); /* checks the index too */
    return nova_bit_get(self->changed, field) || (set && nested_changes(self, field));
}

bool nova_object_has_changes(const void *object)
{
    const NovaObject *self = object;
    for (guint i = 0; i < self->spec->n_fields; i++)
        if (nova_object_changed(self, i))
            return true;
    return false;
}

void nova_object_mark_changed(void *object, guint field)
{
    NovaObject *self = object;
    if (nova_object_is_set(self, field))
        nova_bit_set(self->changed, field);
}

void nova_object_unmark_changed(void *object, guint field)
{
    NovaObject *self = object;
    nova_bit_clear(self->changed, field);
}

void nova_object_reset_changes(void *object)
{
    NovaObject *self = object;
    memset(self->changed, 0, sizeof(self->changed));
    g_clear_pointer(&self->unknown_changed, g_ptr_array_unref);
    for (guint i = 0; i < self->spec->n_fields; i++) {
        const NovaField *field = &self->spec->fields[i];
        if (field->type->kind == NOVA_KIND_OBJECT) {
            void *nested = *(void **)nova_slot(self, field);
            if (nested)
                nova_object_reset_changes(nested);
        } else if (field->type->kind == NOVA_KIND_LIST && field->type->element->kind == NOVA_KIND_OBJECT) {
            GPtrArray *objects = *(GPtrArray **)nova_slot(self, field);
            for (guint k = 0; objects && k < objects->len; k++)
                nova_object_reset_changes(objects->pdata[k]);
        }
    }
}

char **nova_object_changes(const void *object)
{
    const NovaObject *self = object;
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (guint i = 0; i < self->spec->n_fields; i++)
        if (nova_object_changed(self, i))
            g_ptr_array_add(names, g_strdup(self->spec->fields[i].name));
    g_ptr_array_add(names, NULL);
    return (char **)g_ptr_array_free(g_steal_pointer(&names), false);
}

/* --- comparing --------------------------------------------------------------------------------------------------------------------- */

static bool field_equal(const NovaObject *a, const NovaObject *b, guint index)
{
    const NovaField *field = &a->spec->fields[index];
    if (nova_bit_get(a->set, index) != nova_bit_get(b->set, index) || nova_bit_get(a->null, index) != nova_bit_get(b->null, index))
        return false;
    return nova_value_equal(field->type, nova_slot(a, field), nova_slot(b, field));
}

static bool unknown_equal(GHashTable *a, GHashTable *b)
{
    guint n_a = a ? g_hash_table_size(a) : 0, n_b = b ? g_hash_table_size(b) : 0;
    if (n_a != n_b)
        return false;
    if (n_a == 0)
        return true;
    GHashTableIter iter;
    gpointer key, value;
    g_hash_table_iter_init(&iter, a);
    while (g_hash_table_iter_next(&iter, &key, &value))
        if (g_strcmp0(value, g_hash_table_lookup(b, key)) != 0)
            return false;
    return true;
}

bool nova_object_equal(const void *a, const void *b)
{
    const NovaObject *x = a, *y = b;
    if (!x || !y || x->spec != y->spec)
        return x == y;
    for (guint i = 0; i < x->spec->n_fields; i++)
        if (!field_equal(x, y, i))
            return false;
    return unknown_equal(x->unknown, y->unknown);
}

char **nova_object_diff(const void *a, const void *b)
{
    const NovaObject *x = a, *y = b;
    if (G_UNLIKELY(x->spec != y->spec))
        g_error("a %s is not compared with a %s", x->spec->name, y->spec->name);
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (guint i = 0; i < x->spec->n_fields; i++)
        if (!field_equal(x, y, i))
            g_ptr_array_add(names, g_strdup(x->spec->fields[i].name));
    g_ptr_array_add(names, NULL);
    return (char **)g_ptr_array_free(g_steal_pointer(&names), false);
}

/* --- updates ----------------------------------------------------------------------------------------------------------------------- */

/* Moves each field that is set in `from` over to `self`. */
static void take_fields(NovaObject *self, NovaObject *from)
{
    for (guint i = 0; i < self->spec->n_fields; i++) {
        if (!nova_bit_get(from->set, i))
            continue;
        const NovaField *field = &self->spec->fields[i];
        nova_object_clear_value(self, i);
        nova_value_copy(field->type, nova_slot(self, field), nova_slot(from, field), false);
        nova_bit_set(self->set, i);
        if (nova_bit_get(from->null, i))
            nova_bit_set(self->null, i);
    }
}

/* Reads "obj_what_changed" into bits. */
static bool read_what_changed(const NovaObject *self, NdJson *list, guint64 *bits, GError **error)
{
    if (!list)
        return true;
    if (!json_object_is_type(list, json_type_array)) {
        g_set_error(error, OBJECTS_ERROR, OBJECTS_ERROR_BAD_FIELD, "obj_what_changed of %s is no list", self->spec->name);
        return false;
    }
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        NdJson *item = json_object_array_get_idx(list, i);
        int index = json_object_is_type(item, json_type_string) ? nova_spec_find_field(self->spec, json_object_get_string(item)) : -1;
        if (index >= 0)
            nova_bit_set(bits, (guint)index);
    }
    return true;
}

bool nova_object_apply_updates(void *object, NdJson *updates, const NovaLimits *limits, GError **error)
{
    NovaObject *self = object;
    if (!json_object_is_type(updates, json_type_object)) {
        g_set_error(error, OBJECTS_ERROR, OBJECTS_ERROR_NOT_OBJECT, "updates of %s are no JSON object", self->spec->name);
        return false;
    }
    bool carry = nova_version_compare(self->version, nova_spec_newest(self->spec)) > 0;
    guint64 changed[NOVA_MAX_FIELDS / 64] = {0};
    g_autoptr(NovaObject) fresh = nova_object_new(self->spec);
    fresh->version = self->version;
    g_autoptr(GHashTable) unknown = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    json_object_object_foreach(updates, key, value)
    {
        int index = nova_spec_find_field(self->spec, key);
        if (strcmp(key, "obj_what_changed") == 0) {
            if (!read_what_changed(self, value, changed, error))
                return false;
        } else if (index >= 0) {
            if (!nova_object_parse_field(fresh, (guint)index, value, limits, error))
                return false;
        } else if (carry) {
            g_hash_table_insert(unknown, g_strdup(key), nd_json_to_string(value));
        }
    }
    take_fields(self, fresh);
    memcpy(self->changed, changed, sizeof(changed));
    g_clear_pointer(&self->unknown_changed, g_ptr_array_unref);
    if (g_hash_table_size(unknown) > 0) {
        if (!self->unknown)
            self->unknown = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
        GHashTableIter iter;
        gpointer name, text;
        g_hash_table_iter_init(&iter, unknown);
        while (g_hash_table_iter_next(&iter, &name, &text))
            g_hash_table_replace(self->unknown, g_strdup(name), g_strdup(text));
    }
    return true;
}

void nova_object_set_defaults(void *object)
{
    NovaObject *self = object;
    for (guint i = 0; i < self->spec->n_fields; i++) {
        const char *text = self->spec->fields[i].default_json;
        if (!text || nova_bit_get(self->set, i))
            continue;
        g_autoptr(NdJson) value = NULL;
        g_autoptr(GError) error = NULL;
        if (!nd_json_parse(text, strlen(text), NULL, &value, &error) || !nova_object_parse_field(self, i, value, NULL, &error))
            g_error("default of %s.%s: %s", self->spec->name, self->spec->fields[i].name, error->message);
        nova_bit_set(self->changed, i);
    }
}
