/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "agent/tracker_private.h"

#include <string.h>

static void put(GHashTable *traits, const char *name, bool has)
{
    if (has)
        g_hash_table_add(traits, g_strdup(name));
    else
        g_hash_table_remove(traits, name);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

char **tracker_traits_wanted(Tracker *tracker, const char *const *present, const char *const *additional, bool disabled)
{
    g_autoptr(GHashTable) traits = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (const char *const *name = present; *name != NULL; name++)
        put(traits, *name, true);
    GHashTableIter iter;
    gpointer key, has;
    g_hash_table_iter_init(&iter, tracker->host_traits);
    while (g_hash_table_iter_next(&iter, &key, &has))
        put(traits, key, GPOINTER_TO_INT(has) != 0);
    for (const char *const *name = additional; name != NULL && *name != NULL; name++)
        put(traits, *name, true);
    put(traits, "COMPUTE_NODE", true);
    put(traits, "COMPUTE_STATUS_DISABLED", disabled);
    g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(g_free);
    g_hash_table_iter_init(&iter, traits);
    while (g_hash_table_iter_next(&iter, &key, NULL))
        g_ptr_array_add(list, g_strdup(key));
    guint length = list->len;
    g_ptr_array_add(list, NULL);
    char **sorted = (char **)g_ptr_array_free(g_steal_pointer(&list), FALSE);
    qsort(sorted, length, sizeof *sorted, compare_names);
    return sorted;
}
