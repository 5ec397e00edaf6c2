/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/guest_config_private.h"
#include "rpc/exception.h"
#include "virt/host.h"

#include <string.h>

/* --- which host CPUs --- */

static char *format_cpus(const GArray *cpus)
{
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < cpus->len;) {
        guint last = i;
        while (last + 1 < cpus->len && g_array_index(cpus, int, last + 1) == g_array_index(cpus, int, last) + 1) {
            last++;
        }
        g_string_append_printf(text, "%s%d", i > 0 ? "," : "", g_array_index(cpus, int, i));
        if (last > i) {
            g_string_append_printf(text, "-%d", g_array_index(cpus, int, last));
        }
        i = last + 1;
    }
    return g_string_free(text, FALSE);
}

static bool all_online(const GArray *cpus, const GArray *online)
{
    for (guint i = 0; i < cpus->len; i++) {
        bool found = false;
        for (guint j = 0; j < online->len && !found; j++) {
            found = g_array_index(online, int, j) == g_array_index(cpus, int, i);
        }
        if (!found) {
            return false;
        }
    }
    return true;
}

bool guest_config_cpuset(GuestBuild *build, GError **error)
{
    const char *option = "vcpu_pin_set";
    const char *text = nd_config_string(build->config, "DEFAULT", option);
    if (text == NULL || *text == '\0') {
        option = "cpu_shared_set";
        text = nd_config_string(build->config, "compute", option);
    }
    if (text == NULL || *text == '\0') {
        return true;
    }
    g_autoptr(GError) failure = NULL;
    g_autoptr(GArray) cpus = virt_cpu_set_parse(text, &failure);
    g_autofree char *problem = NULL;
    if (cpus == NULL) {
        problem = g_strdup_printf("option %s '%s': %s", option, text, failure->message);
    } else if (cpus->len == 0) {
        problem = g_strdup_printf("option %s '%s' leaves no CPU", option, text);
    } else if (!all_online(cpus, build->host->capabilities->online_cpus)) {
        problem = g_strdup_printf("option %s '%s' names a CPU that is not online", option, text);
    }
    if (problem != NULL) {
        nova_exception_set_text(error, NOVA_EXC_INVALID, problem, NULL);
        return false;
    }
    build->machine->cpuset = format_cpus(cpus);
    return true;
}

/* --- shares --- */

bool guest_config_cpu_tune(GuestBuild *build, GError **error)
{
    VirtCpuTune *tune = &build->machine->cpu_tune;
    const struct {
        const char *key;
        gint64 *value;
    } specs[] = { { "quota:cpu_shares", &tune->shares }, { "quota:cpu_period", &tune->period }, { "quota:cpu_quota", &tune->quota } };
    for (size_t i = 0; i < G_N_ELEMENTS(specs); i++) {
        if (guest_flavor_spec(build->flavor, specs[i].key) == NULL) {
            continue;
        }
        if (!build->host->cpu_control) {
            nova_exception_set_text(error, NOVA_EXC_UNSUPPORTED_HOST_CPU_CONTROL_POLICY, "the host's kernel has no CPU controller for control groups", NULL);
            return false;
        }
        if (!guest_flavor_integer(build->flavor, specs[i].key, VIRT_UNSAID, specs[i].value, error)) {
            return false;
        }
    }
    return true;
}

/* --- the model --- */

static bool set_bad_model(GError **error, const char *format, const char *model)
{
    g_autofree char *text = g_strdup_printf("%s '%s'", format, model);
    nova_exception_set_text(error, NOVA_EXC_INVALID_CPU_INFO, text, "reason", text, NULL);
    return false;
}

/* libvirt's names of the configured models, in their order; elements are borrowed. */
static GPtrArray *configured_models(const GuestBuild *build, GError **error)
{
    static const char *const checked[] = { "i686", "x86_64", "ppc64", "ppc64le", "ppc", NULL };
    const VirtCapabilities *caps = build->host->capabilities;
    g_autoptr(GPtrArray) models = g_ptr_array_new();
    for (const char *const *name = nd_config_list(build->config, "libvirt", "cpu_models"); *name != NULL; name++) {
        const char *model = g_strv_contains(checked, caps->arch) ? virt_capabilities_cpu_model(caps, *name) : *name;
        if (model == NULL) {
            set_bad_model(error, "the host's architecture has no CPU model", *name);
            return NULL;
        }
        g_ptr_array_add(models, (gpointer) model);
    }
    return g_steal_pointer(&models);
}

/* CPU features that the flavor's required traits stand for. */
static GPtrArray *required_features(const NovaFlavor *flavor)
{
    GPtrArray *features = g_ptr_array_new();
    if (flavor->extra_specs == NULL) {
        return features;
    }
    GHashTableIter iter;
    gpointer key, value;
    g_hash_table_iter_init(&iter, flavor->extra_specs);
    while (g_hash_table_iter_next(&iter, &key, &value)) {
        const char *colon = strchr(key, ':');
        if (!g_str_has_prefix(key, "trait") || colon == NULL || g_strcmp0(value, "required") != 0) {
            continue;
        }
        const char *feature = virt_cpu_feature_of_trait(colon + 1);
        if (feature != NULL) {
            g_ptr_array_add(features, (gpointer) feature);
        }
    }
    return features;
}

static bool model_has(const VirtCapabilities *caps, const char *model, const GPtrArray *features)
{
    GHashTable *known = g_hash_table_lookup(caps->model_features, model);
    for (guint i = 0; i < features->len; i++) {
        if (known == NULL || !g_hash_table_contains(known, features->pdata[i])) {
            return false;
        }
    }
    return true;
}

/* The first model; with required traits, the first that has what they stand for. */
static bool choose_model(const GuestBuild *build, const char *mode, const GPtrArray *models, const char **model, GError **error)
{
    *model = models->len > 0 ? models->pdata[0] : NULL;
    if (g_strcmp0(mode, "custom") != 0) {
        return true;
    }
    if (*model == NULL && strcmp(build->arch, "aarch64") == 0) {
        *model = "max";
    }
    g_autoptr(GPtrArray) features = required_features(build->flavor);
    if (features->len == 0) {
        return true;
    }
    for (guint i = 0; i < models->len; i++) {
        if (model_has(build->host->capabilities, models->pdata[i], features)) {
            *model = models->pdata[i];
            return true;
        }
    }
    return set_bad_model(error, "no configured CPU model has the required feature", features->pdata[0]);
}

static void add_extra_flags(VirtCpu *cpu, const NdConfig *config)
{
    for (const char *const *flag = nd_config_list(config, "libvirt", "cpu_model_extra_flags"); *flag != NULL; flag++) {
        g_autofree char *lower = g_ascii_strdown(*flag, -1);
        bool disable = lower[0] == '-';
        const char *name = lower + strspn(lower, disable ? "-" : "+");
        virt_cpu_add_feature(cpu, name, disable ? "disable" : "require");
    }
}

/* upstream _get_guest_cpu_model_config. */
static VirtCpu *make_cpu(const GuestBuild *build, GError **error)
{
    g_autoptr(GPtrArray) models = configured_models(build, error);
    if (models == NULL) {
        return NULL;
    }
    g_autoptr(VirtCpu) cpu = virt_cpu_new();
    cpu->match = g_strdup("exact");
    const char *mode = nd_config_string(build->config, "libvirt", "cpu_mode");
    if (mode == NULL) {
        mode = strcmp(build->arch, "aarch64") == 0 ? "host-passthrough" : "host-model";
    }
    if (strcmp(mode, "none") == 0) {
        return g_steal_pointer(&cpu);
    }
    const char *model;
    if (!choose_model(build, mode, models, &model, error)) {
        return NULL;
    }
    cpu->mode = g_strdup(mode);
    cpu->model = g_strdup(model);
    add_extra_flags(cpu, build->config);
    return g_steal_pointer(&cpu);
}

/* A guest of another architecture than the host's runs emulated: its CPU has no mode, and these models. */
static VirtCpu *foreign_cpu(const GuestBuild *build, VirtCpu *cpu)
{
    static const char *const models[][2] = { { "aarch64", "cortex-a57" }, { "ppc64le", "POWER8" } };
    g_clear_pointer(&cpu->mode, g_free);
    for (size_t i = 0; i < G_N_ELEMENTS(models); i++) {
        if (strcmp(models[i][0], build->arch) == 0) {
            g_free(cpu->model);
            cpu->model = g_strdup(models[i][1]);
        }
    }
    if (strcmp(build->arch, "mipsel") == 0) {
        virt_cpu_free(cpu);
        return NULL;
    }
    return cpu;
}

bool guest_config_cpu(GuestBuild *build, GError **error)
{
    g_autoptr(VirtCpu) cpu = make_cpu(build, error);
    GuestTopology topology;
    if (cpu == NULL || !guest_constraint_topology(build, &topology, error)) {
        return false;
    }
    cpu->sockets = topology.sockets;
    cpu->cores = topology.cores;
    cpu->threads = topology.threads;
    bool foreign = g_strcmp0(build->arch, build->host->capabilities->arch) != 0;
    build->machine->cpu = foreign ? foreign_cpu(build, g_steal_pointer(&cpu)) : g_steal_pointer(&cpu);
    return true;
}
