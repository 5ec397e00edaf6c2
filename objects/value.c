/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "objects/walker.h"

/* What copying, comparing and freeing a value means for each kind of type. */

static void free_hash_table(gpointer table)
{
    g_hash_table_unref(table);
}

static void free_array(gpointer array)
{
    g_array_unref(array);
}

static void free_ptr_array(gpointer array)
{
    g_ptr_array_unref(array);
}

static void free_strv(gpointer list)
{
    g_strfreev(list);
}

/* How a LIST or SET is held. */
typedef enum { HELD_STRV, HELD_ARRAY, HELD_PTR_ARRAY } Held;

static Held held(const NovaType *type)
{
    switch (type->element->kind) {
    case NOVA_KIND_STRING:
        return HELD_STRV;
    case NOVA_KIND_INT:
        return HELD_ARRAY;
    default:
        return HELD_PTR_ARRAY;
    }
}

GDestroyNotify nova_value_destroyer(const NovaType *type)
{
    static const GDestroyNotify lists[] = {[HELD_STRV] = free_strv, [HELD_ARRAY] = free_array, [HELD_PTR_ARRAY] = free_ptr_array};
    switch (type->kind) {
    case NOVA_KIND_OBJECT:
        return nova_object_unref;
    case NOVA_KIND_DICT:
        return free_hash_table;
    case NOVA_KIND_LIST:
    case NOVA_KIND_SET:
        return lists[held(type)];
    default:
        return g_free;
    }
}

void nova_value_clear(const NovaType *type, void *slot)
{
    switch (type->kind) {
    case NOVA_KIND_INT:
    case NOVA_KIND_TIME:
        *(gint64 *)slot = 0;
        return;
    case NOVA_KIND_FLOAT:
        *(double *)slot = 0;
        return;
    case NOVA_KIND_BOOL:
    case NOVA_KIND_FLEXIBLE_BOOL:
        *(bool *)slot = false;
        return;
    default: {
        gpointer value = *(gpointer *)slot;
        *(gpointer *)slot = NULL;
        if (value)
            nova_value_destroyer(type)(value);
    }
    }
}

/* A copy of one container element; NULL stays NULL. */
static gpointer copy_element(const NovaType *type, gpointer element, bool deep)
{
    if (!element)
        return NULL;
    if (type->kind == NOVA_KIND_INT)
        return g_memdup2(element, sizeof(gint64));
    gpointer copy = NULL;
    nova_value_copy(type, &copy, &element, deep);
    return copy;
}

static GPtrArray *copy_ptr_array(const NovaType *element, GPtrArray *from, bool deep)
{
    GPtrArray *to = g_ptr_array_new_full(from->len, nova_value_destroyer(element));
    for (guint i = 0; i < from->len; i++)
        g_ptr_array_add(to, copy_element(element, from->pdata[i], deep));
    return to;
}

static GHashTable *copy_dict(const NovaType *element, GHashTable *from, bool deep)
{
    GHashTable *to = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, nova_value_destroyer(element));
    GHashTableIter iter;
    gpointer key, value;
    g_hash_table_iter_init(&iter, from);
    while (g_hash_table_iter_next(&iter, &key, &value))
        g_hash_table_insert(to, g_strdup(key), copy_element(element, value, deep));
    return to;
}

static gpointer copy_list(const NovaType *type, gpointer from, bool deep)
{
    switch (held(type)) {
    case HELD_STRV:
        return g_strdupv(from);
    case HELD_ARRAY:
        return g_array_copy(from);
    default:
        return copy_ptr_array(type->element, from, deep);
    }
}

void nova_value_copy(const NovaType *type, void *to, const void *from, bool deep)
{
    switch (type->kind) {
    case NOVA_KIND_INT:
    case NOVA_KIND_TIME:
        *(gint64 *)to = *(const gint64 *)from;
        return;
    case NOVA_KIND_FLOAT:
        *(double *)to = *(const double *)from;
        return;
    case NOVA_KIND_BOOL:
    case NOVA_KIND_FLEXIBLE_BOOL:
        *(bool *)to = *(const bool *)from;
        return;
    default:
        break;
    }
    gpointer value = *(gpointer const *)from;
    gpointer *copy = to;
    if (!value)
        *copy = NULL;
    else if (type->kind == NOVA_KIND_STRING)
        *copy = g_strdup(value);
    else if (type->kind == NOVA_KIND_OBJECT)
        *copy = deep ? nova_object_clone(value) : nova_object_ref(value);
    else if (type->kind == NOVA_KIND_DICT)
        *copy = copy_dict(type->element, value, deep);
    else
        *copy = copy_list(type, value, deep);
}

static bool equal_element(const NovaType *type, gpointer a, gpointer b)
{
    if (!a || !b)
        return a == b;
    return nova_value_equal(type, nova_element_slot(type, &a), nova_element_slot(type, &b));
}

static bool equal_ptr_arrays(const NovaType *element, GPtrArray *a, GPtrArray *b)
{
    if (a->len != b->len)
        return false;
    for (guint i = 0; i < a->len; i++)
        if (!equal_element(element, a->pdata[i], b->pdata[i]))
            return false;
    return true;
}

static bool equal_dicts(const NovaType *element, GHashTable *a, GHashTable *b)
{
    if (g_hash_table_size(a) != g_hash_table_size(b))
        return false;
    GHashTableIter iter;
    gpointer key, value, other;
    g_hash_table_iter_init(&iter, a);
    while (g_hash_table_iter_next(&iter, &key, &value))
        if (!g_hash_table_lookup_extended(b, key, NULL, &other) || !equal_element(element, value, other))
            return false;
    return true;
}

static bool equal_lists(const NovaType *type, gpointer a, gpointer b)
{
    if (held(type) == HELD_STRV)
        return g_strv_equal(a, b);
    if (held(type) == HELD_PTR_ARRAY)
        return equal_ptr_arrays(type->element, a, b);
    const GArray *x = a, *y = b;
    return x->len == y->len && (x->len == 0 || memcmp(x->data, y->data, x->len * sizeof(gint64)) == 0);
}

bool nova_value_equal(const NovaType *type, const void *a, const void *b)
{
    switch (type->kind) {
    case NOVA_KIND_INT:
    case NOVA_KIND_TIME:
        return *(const gint64 *)a == *(const gint64 *)b;
    case NOVA_KIND_FLOAT: {
        double x = *(const double *)a, y = *(const double *)b;
        return !(x < y) && !(x > y);
    }
    case NOVA_KIND_BOOL:
    case NOVA_KIND_FLEXIBLE_BOOL:
        return *(const bool *)a == *(const bool *)b;
    default:
        break;
    }
    gpointer x = *(gpointer const *)a, y = *(gpointer const *)b;
    if (!x || !y)
        return x == y;
    if (type->kind == NOVA_KIND_STRING)
        return strcmp(x, y) == 0;
    if (type->kind == NOVA_KIND_OBJECT)
        return nova_object_equal(x, y);
    if (type->kind == NOVA_KIND_DICT)
        return equal_dicts(type->element, x, y);
    return equal_lists(type, x, y);
}

static int compare_ints(const void *a, const void *b)
{
    gint64 x = *(const gint64 *)a, y = *(const gint64 *)b;
    return x < y ? -1 : x > y;
}

static int compare_strings(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void normalise_strings(char **list)
{
    guint n = g_strv_length(list), kept = 0;
    if (n == 0)
        return;
    qsort(list, n, sizeof(char *), compare_strings);
    for (guint i = 1; i < n; i++) {
        if (strcmp(list[kept], list[i]) == 0)
            g_free(list[i]);
        else
            list[++kept] = list[i];
    }
    list[kept + 1] = NULL;
}

static void normalise_ints(GArray *list)
{
    if (list->len == 0)
        return;
    g_array_sort(list, compare_ints);
    guint kept = 0;
    for (guint i = 1; i < list->len; i++)
        if (g_array_index(list, gint64, i) != g_array_index(list, gint64, kept))
            g_array_index(list, gint64, ++kept) = g_array_index(list, gint64, i);
    g_array_set_size(list, kept + 1);
}

void nova_value_normalise_set(const NovaType *type, void *slot)
{
    gpointer value = *(gpointer *)slot;
    if (!value)
        return;
    if (held(type) == HELD_STRV)
        normalise_strings(value);
    else if (held(type) == HELD_ARRAY)
        normalise_ints(value);
}
