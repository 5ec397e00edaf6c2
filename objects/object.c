/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "objects/object.h"

#include "objects/walker.h"

/* Life of an object, its set / null / changed marks, and the setters behind the generated ones. */

void *nova_object_new(const NovaObjectSpec *spec)
{
    NovaObject *self = g_malloc0(spec->size);
    self->spec = spec;
    self->version = nova_spec_newest(spec);
    g_atomic_ref_count_init(&self->refs);
    return self;
}

void *nova_object_ref(const void *object)
{
    NovaObject *self = (NovaObject *)object;
    if (self)
        g_atomic_ref_count_inc(&self->refs);
    return self;
}

void nova_object_unref(void *object)
{
    NovaObject *self = object;
    if (!self || !g_atomic_ref_count_dec(&self->refs))
        return;
    for (guint i = 0; i < self->spec->n_fields; i++)
        nova_value_clear(self->spec->fields[i].type, nova_slot(self, &self->spec->fields[i]));
    g_clear_pointer(&self->unknown, g_hash_table_unref);
    g_clear_pointer(&self->unknown_changed, g_ptr_array_unref);
    g_free(self);
}

void *nova_object_clone(const void *object)
{
    const NovaObject *self = object;
    NovaObject *copy = nova_object_new(self->spec);
    copy->version = self->version;
    memcpy(copy->set, self->set, sizeof(self->set));
    memcpy(copy->null, self->null, sizeof(self->null));
    memcpy(copy->changed, self->changed, sizeof(self->changed));
    for (guint i = 0; i < self->spec->n_fields; i++) {
        const NovaField *field = &self->spec->fields[i];
        nova_value_copy(field->type, nova_slot(copy, field), nova_slot(self, field), true);
    }
    if (self->unknown) {
        copy->unknown = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
        GHashTableIter iter;
        gpointer key, value;
        g_hash_table_iter_init(&iter, self->unknown);
        while (g_hash_table_iter_next(&iter, &key, &value))
            g_hash_table_insert(copy->unknown, g_strdup(key), g_strdup(value));
    }
    if (self->unknown_changed) {
        copy->unknown_changed = g_ptr_array_new_with_free_func(g_free);
        for (guint i = 0; i < self->unknown_changed->len; i++)
            g_ptr_array_add(copy->unknown_changed, g_strdup(self->unknown_changed->pdata[i]));
    }
    return copy;
}

void *nova_object_cast(const void *object, const NovaObjectSpec *spec)
{
    const NovaObject *self = object;
    return self && self->spec == spec ? (void *)object : NULL;
}

const char *nova_object_name(const void *object)
{
    return ((const NovaObject *)object)->spec->name;
}

/* The field's description; a wrong index or kind is a mistake in the program. */
static const NovaField *field_of(const NovaObject *self, guint index)
{
    if (G_UNLIKELY(index >= self->spec->n_fields))
        g_error("%s has no field %u", self->spec->name, index);
    return &self->spec->fields[index];
}

static const NovaField *field_of_kind(const NovaObject *self, guint index, bool fits)
{
    const NovaField *field = field_of(self, index);
    if (G_UNLIKELY(!fits))
        g_error("%s.%s is not of the type it is set with", self->spec->name, field->name);
    return field;
}

static NovaKind kind_of(const NovaObject *self, guint index)
{
    return field_of(self, index)->type->kind;
}

/* LIST or SET of that kind. */
static bool is_list_of(const NovaObject *self, guint index, NovaKind element)
{
    const NovaType *type = field_of(self, index)->type;
    return (type->kind == NOVA_KIND_LIST || type->kind == NOVA_KIND_SET) && type->element->kind == element;
}

bool nova_object_is_set(const void *object, guint field)
{
    const NovaObject *self = object;
    field_of(self, field);
    return nova_bit_get(self->set, field);
}

bool nova_object_is_null(const void *object, guint field)
{
    const NovaObject *self = object;
    return nova_object_is_set(self, field) && nova_bit_get(self->null, field);
}

bool nova_object_has(const void *object, guint field)
{
    const NovaObject *self = object;
    return nova_object_is_set(self, field) && !nova_bit_get(self->null, field);
}

void nova_object_clear_value(NovaObject *self, guint index)
{
    const NovaField *field = field_of(self, index);
    nova_value_clear(field->type, nova_slot(self, field));
    nova_bit_clear(self->set, index);
    nova_bit_clear(self->null, index);
}

void nova_object_note_value(NovaObject *self, guint index)
{
    nova_bit_set(self->set, index);
    nova_bit_clear(self->null, index);
    nova_bit_set(self->changed, index);
}

void nova_object_set_null(void *object, guint field)
{
    NovaObject *self = object;
    nova_object_clear_value(self, field);
    nova_bit_set(self->set, field);
    nova_bit_set(self->null, field);
    nova_bit_set(self->changed, field);
}

void nova_object_unset(void *object, guint field)
{
    NovaObject *self = object;
    nova_object_clear_value(self, field);
    nova_bit_clear(self->changed, field);
}

void nova_object_set_string(void *object, guint index, const char *value)
{
    NovaObject *self = object;
    const NovaField *field = field_of_kind(self, index, kind_of(self, index) == NOVA_KIND_STRING);
    g_autofree char *copy = g_strdup(value); /* value may be the old one */
    nova_object_set_null(self, index);
    if (!copy)
        return;
    *(char **)nova_slot(self, field) = g_steal_pointer(&copy);
    nova_object_note_value(self, index);
}

void nova_object_set_int(void *object, guint index, gint64 value)
{
    NovaObject *self = object;
    NovaKind kind = kind_of(self, index);
    const NovaField *field = field_of_kind(self, index, kind == NOVA_KIND_INT || kind == NOVA_KIND_TIME);
    *(gint64 *)nova_slot(self, field) = value;
    nova_object_note_value(self, index);
}

void nova_object_set_float(void *object, guint index, double value)
{
    NovaObject *self = object;
    const NovaField *field = field_of_kind(self, index, kind_of(self, index) == NOVA_KIND_FLOAT);
    *(double *)nova_slot(self, field) = value;
    nova_object_note_value(self, index);
}

void nova_object_set_bool(void *object, guint index, bool value)
{
    NovaObject *self = object;
    NovaKind kind = kind_of(self, index);
    const NovaField *field = field_of_kind(self, index, kind == NOVA_KIND_BOOL || kind == NOVA_KIND_FLEXIBLE_BOOL);
    *(bool *)nova_slot(self, field) = value;
    nova_object_note_value(self, index);
}

/* Puts a copy of the value at `from` into the field; a NULL pointer makes it null. */
static void assign(NovaObject *self, guint index, const NovaField *field, gpointer from)
{
    gpointer copy = NULL;
    nova_value_copy(field->type, &copy, &from, false);
    nova_object_set_null(self, index);
    if (!copy)
        return;
    *(gpointer *)nova_slot(self, field) = copy;
    if (field->type->kind == NOVA_KIND_SET)
        nova_value_normalise_set(field->type, nova_slot(self, field));
    nova_object_note_value(self, index);
}

void nova_object_set_object(void *object, guint index, const void *value)
{
    NovaObject *self = object;
    const NovaObject *nested = value;
    const NovaType *type = field_of(self, index)->type;
    bool fits = type->kind == NOVA_KIND_OBJECT && (!nested || nova_spec_is_a(nested->spec, type->object));
    assign(self, index, field_of_kind(self, index, fits), (gpointer)value);
}

void nova_object_set_strings(void *object, guint index, const char *const *values)
{
    NovaObject *self = object;
    assign(self, index, field_of_kind(self, index, is_list_of(self, index, NOVA_KIND_STRING)), (gpointer)values);
}

void nova_object_set_ints(void *object, guint index, const gint64 *values, gsize n)
{
    NovaObject *self = object;
    const NovaField *field = field_of_kind(self, index, is_list_of(self, index, NOVA_KIND_INT));
    g_autoptr(GArray) array = values ? g_array_new(false, false, sizeof(gint64)) : NULL;
    if (array)
        g_array_append_vals(array, values, (guint)n);
    assign(self, index, field, array);
}

void nova_object_set_container(void *object, guint index, const void *value)
{
    NovaObject *self = object;
    const NovaType *type = field_of(self, index)->type;
    bool fits = type->kind == NOVA_KIND_DICT || ((type->kind == NOVA_KIND_LIST || type->kind == NOVA_KIND_SET) &&
                                                 type->element->kind != NOVA_KIND_STRING && type->element->kind != NOVA_KIND_INT);
    assign(self, index, field_of_kind(self, index, fits), (gpointer)value);
}

/* --- in-place changes -------------------------------------------------------------------------------------------------------------- */

static GHashTable **dict_slot(const NovaObject *self, guint index)
{
    const NovaType *type = field_of(self, index)->type;
    bool fits = type->kind == NOVA_KIND_DICT && type->element->kind == NOVA_KIND_STRING;
    return nova_slot(self, field_of_kind(self, index, fits));
}

const char *nova_object_dict_get(const void *object, guint field, const char *key)
{
    GHashTable *dict = *dict_slot(object, field);
    return dict ? g_hash_table_lookup(dict, key) : NULL;
}

void nova_object_dict_set(void *object, guint field, const char *key, const char *value)
{
    NovaObject *self = object;
    GHashTable **dict = dict_slot(self, field);
    gpointer old;
    if (*dict && g_hash_table_lookup_extended(*dict, key, NULL, &old) && g_strcmp0(old, value) == 0)
        return;
    if (!*dict)
        *dict = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_hash_table_replace(*dict, g_strdup(key), g_strdup(value));
    nova_object_note_value(self, field);
}

void nova_object_dict_remove(void *object, guint field, const char *key)
{
    NovaObject *self = object;
    GHashTable **dict = dict_slot(self, field);
    if (*dict && g_hash_table_remove(*dict, key))
        nova_object_note_value(self, field);
}

static GPtrArray **objects_slot(const NovaObject *self)
{
    if (G_UNLIKELY(!self->spec->is_list))
        g_error("%s is no list class", self->spec->name);
    return nova_slot(self, &self->spec->fields[0]);
}

void nova_object_list_append(void *list, const void *item)
{
    NovaObject *self = list;
    const NovaObject *element = item;
    GPtrArray **objects = objects_slot(self);
    if (G_UNLIKELY(!nova_spec_is_a(element->spec, self->spec->fields[0].type->element->object)))
        g_error("%s takes no %s", self->spec->name, element->spec->name);
    if (!*objects)
        *objects = g_ptr_array_new_with_free_func(nova_object_unref);
    g_ptr_array_add(*objects, nova_object_ref(item));
    nova_object_note_value(self, 0);
}

guint nova_object_list_length(const void *list)
{
    GPtrArray *objects = *objects_slot(list);
    return objects ? objects->len : 0;
}

void *nova_object_list_get(const void *list, guint i)
{
    return g_ptr_array_index(*objects_slot(list), i);
}
