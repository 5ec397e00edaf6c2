/* SPDX-License-Identifier: Apache-2.0 */
/* CPU sets, and the facts of libvirt's test driver; a real host is compared with upstream in tests/oracle/host_facts.py. */
#include "config.h"

#include "base/json.h"
#include "virt/error.h"
#include "virt/host.h"

#include <string.h>

static void test_cpu_set(void)
{
    static const struct {
        const char *text, *wanted; /* wanted NULL: refused */
    } cases[] = {
        {"1", "1"}, {"1,2,5", "1 2 5"}, {"5,1", "1 5"}, {"1-4", "1 2 3 4"}, {"1-4,^3", "1 2 4"}, {"^3,1-4", "1 2 4"}, {"1-8,^2-4", "1 5 6 7 8"},
        {" 1 , 2 - 3 ,,", "1 2 3"}, {"", ""}, {"^1", ""}, {"3-3", "3"}, {"1,1,1", "1"}, {"4-1", NULL}, {"a", NULL}, {"1-", NULL}, {"-1", NULL},
        {"1-2-3", NULL}, {"^", NULL}, {"^a", NULL}, {"0-4000000000", NULL}, {"1;2", NULL},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GArray) set = virt_cpu_set_parse(cases[i].text, &error);
        g_test_message("'%s'", cases[i].text);
        if (cases[i].wanted == NULL) {
            g_assert_null(set);
            g_assert_error(error, VIRT_ERROR, VIRT_ERROR_ARGUMENT);
            continue;
        }
        g_assert_no_error(error);
        GString *text = g_string_new(NULL);
        for (guint j = 0; j < set->len; j++)
            g_string_append_printf(text, "%s%d", j > 0 ? " " : "", g_array_index(set, int, j));
        g_assert_cmpstr(text->str, ==, cases[i].wanted);
        g_string_free(text, TRUE);
    }
}

typedef struct {
    GMainLoop *loop;
    GThread *thread;
    VirtConnection *connection;
    VirtHostOptions options;
} Fixture;

static gpointer run_loop(gpointer loop)
{
    g_main_loop_run(loop);
    return NULL;
}

static gboolean quit(gpointer loop)
{
    g_main_loop_quit(loop);
    return G_SOURCE_REMOVE;
}

static void set_up(Fixture *fixture, gconstpointer data)
{
    (void)data;
    g_autoptr(GError) error = NULL;
    g_assert_true(virt_event_loop_register(&error));
    fixture->loop = g_main_loop_new(NULL, FALSE);
    fixture->thread = g_thread_new("loop", run_loop, fixture->loop);
    VirtConnectionOptions options;
    virt_connection_options_init(&options, "test:///default", "qemu");
    fixture->connection = virt_connection_new(&options);
    virt_connection_options_clear(&options);
    fixture->options = (VirtHostOptions){.virt_type = "qemu", .images_type = "default", .instances_path = g_get_tmp_dir(), .force_raw_images = true};
    g_assert_true(virt_connection_wait(fixture->connection, 5000, &error));
}

static void tear_down(Fixture *fixture, gconstpointer data)
{
    (void)data;
    virt_connection_unref(fixture->connection);
    g_timeout_add(20, quit, fixture->loop);
    g_thread_join(fixture->thread);
    g_main_loop_unref(fixture->loop);
}

static void test_facts(Fixture *fixture, gconstpointer data)
{
    (void)data;
    g_autoptr(GError) error = NULL;
    g_autoptr(VirtHostFacts) facts = virt_host_facts(fixture->connection, &fixture->options, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(facts->hypervisor_type, ==, "TEST");
    g_assert_cmpuint(facts->vcpus, >, 0);
    g_assert_cmpuint(facts->pcpus, ==, 0);
    g_assert_cmpuint(facts->memory_mib, ==, 3072);
    g_assert_cmpuint(facts->local_gb, >=, facts->local_gb_free);
    g_assert_cmpuint(facts->running_domains, ==, 1);
    g_assert_cmpuint(facts->vcpus_used, ==, 2);
    g_assert_null(facts->numa_cells); /* not QEMU */
    g_autoptr(NdJson) info = NULL;
    g_assert_true(nd_json_parse(facts->cpu_info_json, strlen(facts->cpu_info_json), NULL, &info, &error));
    g_assert_cmpstr(nd_json_string(info, "arch", NULL), ==, facts->cpu_arch);
    g_assert_nonnull(nd_json_array(info, "features"));
}

static void test_cpu_options(Fixture *fixture, gconstpointer data)
{
    (void)data;
    g_autoptr(GError) error = NULL;
    fixture->options.cpu_dedicated_set_text = "0";
    g_autoptr(VirtHostFacts) facts = virt_host_facts(fixture->connection, &fixture->options, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(facts->vcpus, ==, 0);
    g_assert_cmpuint(facts->pcpus, ==, 1);
    fixture->options.cpu_dedicated_set_text = "60000";
    g_assert_null(virt_host_facts(fixture->connection, &fixture->options, &error));
    g_assert_error(error, VIRT_ERROR, VIRT_ERROR_ARGUMENT);
    g_clear_error(&error);
    fixture->options.cpu_dedicated_set_text = "^1";
    g_assert_null(virt_host_facts(fixture->connection, &fixture->options, &error));
    g_assert_error(error, VIRT_ERROR, VIRT_ERROR_ARGUMENT);
}

static void test_bad_paths(Fixture *fixture, gconstpointer data)
{
    (void)data;
    g_autoptr(GError) error = NULL;
    fixture->options.instances_path = "/nonexistent";
    g_assert_null(virt_host_facts(fixture->connection, &fixture->options, &error));
    g_assert_error(error, VIRT_ERROR, VIRT_ERROR_NOT_FOUND);
    g_clear_error(&error);
    fixture->options.images_type = "rbd";
    g_assert_null(virt_host_facts(fixture->connection, &fixture->options, &error));
    g_assert_error(error, VIRT_ERROR, VIRT_ERROR_NOT_SUPPORTED);
}

static bool has(GHashTable *traits, const char *name)
{
    gpointer value = NULL;
    g_assert_true(g_hash_table_lookup_extended(traits, name, NULL, &value));
    return GPOINTER_TO_INT(value) != 0;
}

static void test_traits(Fixture *fixture, gconstpointer data)
{
    (void)data;
    g_autoptr(GError) error = NULL;
    fixture->options.cpu_model_extra_flags = (const char *const[]){"+VMX", NULL};
    fixture->options.image_type_exclude_list = (const char *const[]){"iso", NULL};
    g_autoptr(GHashTable) traits = virt_host_traits(fixture->connection, &fixture->options, &error);
    g_assert_no_error(error);
    g_assert_true(has(traits, "COMPUTE_VOLUME_EXTEND"));
    g_assert_true(has(traits, "COMPUTE_NET_VIF_MODEL_LAN9118"));
    g_assert_true(has(traits, "COMPUTE_IMAGE_TYPE_QCOW2"));
    g_assert_true(has(traits, "HW_CPU_X86_VMX"));
    g_assert_true(has(traits, "HW_CPU_X86_INTEL_VMX"));
    g_assert_false(has(traits, "COMPUTE_IMAGE_TYPE_ISO"));
    g_assert_false(has(traits, "COMPUTE_SECURITY_TPM_2_0"));
    g_assert_false(has(traits, "HW_CPU_X86_TBM"));
    g_assert_cmpuint(g_hash_table_size(traits), >, 80);
}

static void test_uptime(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = virt_host_uptime(&error);
    g_assert_no_error(error);
    g_assert_nonnull(strstr(text, "load average"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/virt/host/cpu-set", test_cpu_set);
    g_test_add_func("/virt/host/uptime", test_uptime);
    g_test_add("/virt/host/facts", Fixture, NULL, set_up, test_facts, tear_down);
    g_test_add("/virt/host/cpu-options", Fixture, NULL, set_up, test_cpu_options, tear_down);
    g_test_add("/virt/host/bad-paths", Fixture, NULL, set_up, test_bad_paths, tear_down);
    g_test_add("/virt/host/traits", Fixture, NULL, set_up, test_traits, tear_down);
    return g_test_run();
}
