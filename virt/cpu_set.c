/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "virt/error.h"
#include "virt/host_private.h"

#define CPU_NUMBER_MAX 65535 /* far above any kernel's NR_CPUS; keeps "0-4000000000" from eating memory */

static int compare_ints(gconstpointer a, gconstpointer b)
{
    return *(const int *)a - *(const int *)b;
}

bool virt_cpu_set_contains(const GArray *set, int cpu)
{
    for (guint i = 0; set != NULL && i < set->len; i++)
        if (g_array_index(set, int, i) == cpu)
            return true;
    return false;
}

static bool parse_number(const char *text, int *number)
{
    g_autofree char *copy = g_strstrip(g_strdup(text));
    guint64 value;
    if (!g_ascii_string_to_unsigned(copy, 10, 0, CPU_NUMBER_MAX, &value, NULL))
        return false;
    *number = (int)value;
    return true;
}

/* "3", "1-4", "^3", "^1-4" (text is stripped, not empty). */
static bool parse_rule(const char *rule, bool *reject, int *first, int *last)
{
    *reject = *rule == '^';
    if (*reject)
        rule++;
    g_auto(GStrv) parts = g_strsplit(rule, "-", 2);
    if (parts[0] == NULL || !parse_number(parts[0], first))
        return false;
    *last = *first;
    return parts[1] == NULL || (parse_number(parts[1], last) && *first <= *last);
}

GArray *virt_cpu_set_parse(const char *text, GError **error)
{
    g_autoptr(GHashTable) included = g_hash_table_new(NULL, NULL), rejected = g_hash_table_new(NULL, NULL);
    g_auto(GStrv) rules = g_strsplit(text, ",", -1);
    for (char **item = rules; *item != NULL; item++) {
        char *rule = g_strstrip(*item);
        bool reject;
        int first, last;
        if (*rule == '\0')
            continue;
        if (!parse_rule(rule, &reject, &first, &last)) {
            g_set_error(error, VIRT_ERROR, VIRT_ERROR_ARGUMENT, "bad expression '%s' in CPU set '%s'", rule, text);
            return NULL;
        }
        for (int cpu = first; cpu <= last; cpu++)
            g_hash_table_add(reject ? rejected : included, GINT_TO_POINTER(cpu + 1));
    }
    GArray *set = g_array_new(FALSE, FALSE, sizeof(int));
    GHashTableIter iter;
    gpointer key;
    g_hash_table_iter_init(&iter, included);
    while (g_hash_table_iter_next(&iter, &key, NULL)) {
        int cpu = GPOINTER_TO_INT(key) - 1;
        if (!g_hash_table_contains(rejected, key))
            g_array_append_val(set, cpu);
    }
    g_array_sort(set, compare_ints);
    return set;
}

GArray *virt_host_online_cpus(virConnectPtr handle, GError **error)
{
    unsigned char *map = NULL;
    unsigned online = 0;
    int count = virNodeGetCPUMap(handle, &map, &online, 0);
    if (count < 0) {
        virt_error_set_libvirt(error, "get the CPU map");
        return NULL;
    }
    GArray *set = g_array_new(FALSE, FALSE, sizeof(int));
    for (int cpu = 0; cpu < count; cpu++)
        if (VIR_CPU_USED(map, cpu))
            g_array_append_val(set, cpu);
    free(map);
    return set;
}

/* Parses an option; an empty set and CPUs that are not online are errors as upstream. */
static GArray *configured_set(const char *option, const char *text, const GArray *online, GError **error)
{
    g_autoptr(GArray) set = virt_cpu_set_parse(text, error);
    if (set == NULL)
        return NULL;
    if (set->len == 0) {
        g_set_error(error, VIRT_ERROR, VIRT_ERROR_ARGUMENT, "no CPUs available after parsing '%s' config, '%s'", option, text);
        return NULL;
    }
    for (guint i = 0; i < set->len; i++) {
        int cpu = g_array_index(set, int, i);
        if (!virt_cpu_set_contains(online, cpu)) {
            g_set_error(error, VIRT_ERROR, VIRT_ERROR_ARGUMENT, "invalid '%s' config: CPU %d of '%s' is not online", option, cpu, text);
            return NULL;
        }
    }
    return g_steal_pointer(&set);
}

static bool is_set(const char *text)
{
    return text != NULL && *text != '\0';
}

bool virt_host_cpu_sets(virConnectPtr handle, const VirtHostOptions *options, GArray **shared, GArray **dedicated, GError **error)
{
    g_autoptr(GArray) online = virt_host_online_cpus(handle, error);
    if (online == NULL)
        return false;
    g_autoptr(GArray) pinned = is_set(options->cpu_dedicated_set_text)
        ? configured_set("[compute] cpu_dedicated_set", options->cpu_dedicated_set_text, online, error)
        : g_array_new(FALSE, FALSE, sizeof(int));
    if (pinned == NULL)
        return false;
    g_autoptr(GArray) floating = NULL;
    if (is_set(options->vcpu_pin_set_text)) /* the old option wins over the new one, for upgrades */
        floating = configured_set("vcpu_pin_set", options->vcpu_pin_set_text, online, error);
    else if (is_set(options->cpu_shared_set_text))
        floating = configured_set("[compute] cpu_shared_set", options->cpu_shared_set_text, online, error);
    else if (is_set(options->cpu_dedicated_set_text))
        floating = g_array_new(FALSE, FALSE, sizeof(int));
    else
        floating = g_steal_pointer(&online);
    if (floating == NULL)
        return false;
    *shared = g_steal_pointer(&floating);
    *dedicated = g_steal_pointer(&pinned);
    return true;
}
