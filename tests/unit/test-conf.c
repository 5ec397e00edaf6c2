/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "base/conf.h"
#include "base/conf_args.h"
#include "base/conf_ini.h"
#include "base/error.h"
#include "base/file.h"

#include <math.h>

static NdConfig *config_of(const char *text)
{
    g_autoptr(GError) error = NULL;
    NdConfig *config = nd_config_new_from_text(text, &error);
    g_assert_no_error(error);
    return config;
}

static void test_types(void)
{
    g_autoptr(NdConfig) config = config_of("[DEFAULT]\n"
                                           "host = h\n"
                                           "report_interval = 30\n"
                                           "debug = yes\n"
                                           "cpu_allocation_ratio = 4.5\n"
                                           "virt_mkfs = a=b\n"
                                           "virt_mkfs = c=d\n"
                                           "reserved_huge_pages = node:0,size:2048,count:64\n"
                                           "my_ip = 192.0.2.1\n"
                                           "[libvirt]\n"
                                           "cpu_models = a, b\n"
                                           "rx_queue_size = \n"
                                           "[vnc]\n"
                                           "novncproxy_port = 7000\n"
                                           "server_proxyclient_address = $my_ip\n");
    g_assert_cmpstr(nd_config_string(config, "DEFAULT", "host"), ==, "h");
    g_assert_cmpint(nd_config_int(config, "DEFAULT", "report_interval"), ==, 30);
    g_assert_true(nd_config_bool(config, "DEFAULT", "debug"));
    g_assert_cmpfloat(nd_config_float(config, "DEFAULT", "cpu_allocation_ratio"), ==, 4.5);
    const char *const *multi = nd_config_multi(config, "DEFAULT", "virt_mkfs");
    g_assert_cmpstr(multi[0], ==, "a=b");
    g_assert_cmpstr(multi[1], ==, "c=d");
    g_assert_null(multi[2]);
    g_assert_cmpstr(nd_config_multi(config, "DEFAULT", "reserved_huge_pages")[0], ==, "node:0,size:2048,count:64");
    g_assert_cmpstr(nd_config_list(config, "libvirt", "cpu_models")[1], ==, "b");
    g_assert_cmpint(nd_config_int(config, "vnc", "novncproxy_port"), ==, 7000);
    g_assert_cmpstr(nd_config_string(config, "vnc", "server_proxyclient_address"), ==, "192.0.2.1");
    /* set to nothing, which is None for numbers */
    g_assert_true(nd_config_is_set(config, "libvirt", "rx_queue_size"));
    g_assert_false(nd_config_has_value(config, "libvirt", "rx_queue_size"));
    g_assert_cmpint(nd_config_int(config, "libvirt", "rx_queue_size"), ==, 0);
    /* not set */
    g_assert_false(nd_config_is_set(config, "DEFAULT", "ram_allocation_ratio"));
    g_assert_false(nd_config_has_value(config, "DEFAULT", "ram_allocation_ratio"));
    g_assert_null(nd_config_string(config, "DEFAULT", "compute_driver"));
    g_assert_null(nd_config_list(config, "libvirt", "cpu_model_extra_flags")[0]);
    g_assert_null(nd_config_multi(config, "pci", "alias")[0]);
    g_assert_cmpstr(nd_config_string(config, "DEFAULT", "instances_path"), ==, "/var/lib/nova/instances");
    /* group names ignore case */
    g_assert_cmpint(nd_config_int(config, "VNC", "novncproxy_port"), ==, 7000);
}

static void test_where(void)
{
    g_autoptr(NdConfig) config =
        config_of("[DEFAULT]\n\nhost = h\n[oslo_messaging_rabbit]\nssl=true\n[DEFAULT]\ntransport_url = rabbit://u:p@h/\n");
    g_autofree char *file = nd_config_where(config, "DEFAULT", "host"), *none = nd_config_where(config, "DEFAULT", "debug");
    g_assert_cmpstr(file, ==, "text:3");
    g_assert_cmpstr(none, ==, "default");
    g_autofree char *host = nd_config_value_text(config, "DEFAULT", "host"),
                    *secret = nd_config_value_text(config, "DEFAULT", "transport_url");
    g_autofree char *ssl = nd_config_value_text(config, "oslo_messaging_rabbit", "ssl");
    g_autofree char *levels = nd_config_value_text(config, "DEFAULT", "non_inheritable_image_properties");
    g_assert_cmpstr(host, ==, "h");
    g_assert_cmpstr(secret, ==, "****");
    g_assert_cmpstr(ssl, ==, "True");
    g_assert_cmpstr(levels, ==, "['cache_in_nova', 'bittorrent']");
    g_assert_null(nd_config_value_text(config, "DEFAULT", "compute_driver"));
    g_assert_null(nd_config_files(config)[0]);
    g_assert_cmpstr(nd_config_all_files(config)[0], ==, "text");
}

static void test_fatal(void)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"[DEFAULT]\ndebug = maybe\n", "text:2: [DEFAULT] debug: 'maybe' is not a boolean (true, false, yes, no, on, off, 1, 0)"},
        {"[DEFAULT]\nlog_file = $nope\n", "text:2: [DEFAULT] log_file: '$nope' is no option (a literal '$' is written '$$')"},
        {"[DEFAULT]\nlog_file = $log_dir\nlog_dir = $log_file\n", "*options refer to each other in a circle"},
        {"[DEFAULT]\nmax_logfile_size_mb = 1.5\n", "*'1.5' is not an integer"},
        {"x = 1\n", "text:1: a section must be started before the first assignment"},
        {"[DEFAULT]\nnothing\n", "text:2: no '=' or ':' in an assignment"},
        {"[DEFAULT]\n: x\n", "text:2: the key of an assignment is empty"},
        {"[DEFAULT\n", "text:1: a section must end with ']'"},
        {"[]\n", "text:1: the section's name is empty"},
        {"[DEFAULT]\n\n x\n", "text:3: a continuation line that continues nothing"},
        {"[DEFAULT]\nhost = \xff\n", "text:2: not UTF-8 text"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(nd_config_new_from_text(cases[i].text, &error));
        g_assert_error(error, ND_ERROR, ND_ERROR_CONFIG);
        if (!g_pattern_match_simple(cases[i].message, error->message))
            g_error("'%s' gave '%s'", cases[i].text, error->message);
    }
}

/* Secrets stay out of messages, also pieces of them. */
static void test_secret_messages(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(NdConfig) config =
        nd_config_new_from_text("[neutron]\npassword = abc$wxyz\n[DEFAULT]\ntransport_url = rabbit://u:pa$word@h\n", &error);
    if (config != NULL) {
        const GPtrArray *problems = nd_config_problems(config);
        g_assert_cmpuint(problems->len, >=, 2);
        for (guint i = 0; i < problems->len; i++) {
            const NdConfigProblem *problem = problems->pdata[i];
            g_assert_null(strstr(problem->message, "wxyz"));
            g_assert_null(strstr(problem->message, "word@"));
            g_assert_nonnull(strstr(problem->message, "'$$'"));
        }
    } else {
        g_assert_null(strstr(error->message, "wxyz"));
        g_assert_null(strstr(error->message, "word@"));
    }
}

static void test_release(void)
{
    g_autoptr(NdConfig) config = config_of("[DEFAULT]\ninitial_ram_allocation_ratio = 3\n");
    g_assert_cmpint(nd_config_release(config), ==, ND_RELEASE_ZED);
    g_assert_cmpfloat(nd_config_float(config, "DEFAULT", "initial_cpu_allocation_ratio"), ==, 16.0);
    const char *host = nd_config_string(config, "DEFAULT", "host");
    g_autofree char *copy = g_strdup(host);
    nd_config_set_release(config, ND_RELEASE_2026_1);
    g_assert_cmpfloat(nd_config_float(config, "DEFAULT", "initial_cpu_allocation_ratio"), ==, 4.0);
    g_assert_cmpfloat(nd_config_float(config, "DEFAULT", "initial_ram_allocation_ratio"), ==, 3.0);
    g_assert_cmpint(nd_config_int(config, "DEFAULT", "heal_instance_info_cache_interval"), ==, -1);
    g_assert_cmpstr(host, ==, copy); /* what was read stays readable */
    g_assert_cmpint(nd_config_release(config), ==, ND_RELEASE_2026_1);
    g_assert_cmpstr(nd_release_name(ND_RELEASE_ZED), ==, "Zed");
    g_assert_cmpstr(nd_release_name((NdRelease)99), ==, "unknown");
}

static void test_set(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(NdConfig) config = config_of("[DEFAULT]\nstate_path = /a\n");
    g_assert_true(nd_config_set(config, "DEFAULT", "state_path", "/b", &error));
    g_assert_cmpstr(nd_config_string(config, "DEFAULT", "instances_path"), ==, "/b/instances");
    g_autofree char *where = nd_config_where(config, "DEFAULT", "state_path");
    g_assert_cmpstr(where, ==, "set at run time");
    g_assert_false(nd_config_set(config, "DEFAULT", "report_interval", "x", &error));
    g_assert_error(error, ND_ERROR, ND_ERROR_CONFIG);
    g_assert_cmpstr(error->message, ==, "[DEFAULT] report_interval: 'x' is not an integer");
    g_clear_error(&error);
    g_assert_cmpint(nd_config_int(config, "DEFAULT", "report_interval"), ==, 10);
    g_assert_true(nd_config_set(config, "DEFAULT", "report_interval", "20", &error));
    g_assert_false(nd_config_set(config, "DEFAULT", "report_interval", "x", NULL));
    g_assert_cmpint(nd_config_int(config, "DEFAULT", "report_interval"), ==, 20);
    g_assert_false(nd_config_set(config, "DEFAULT", "no_such_option", "x", &error));
    g_assert_error(error, ND_ERROR, ND_ERROR_NOT_FOUND);
    g_clear_error(&error);
    g_assert_false(nd_config_reload(config, NULL, &error));
    g_assert_error(error, ND_ERROR, ND_ERROR_ARGUMENT);
}

/* Sections that other options make, and auth_section. */
static void test_dynamic_sections(void)
{
    g_autoptr(NdConfig) config = config_of("[devices]\nenabled_mdev_types = nvidia-35\n"
                                           "[mdev_nvidia-35]\ndevice_addresses = 0000:84:00.0,0000:85:00.0\n"
                                           "[neutron_physnet_Foo]\nnuma_nodes = 0,1\n"
                                           "[cinder]\nauth_section = My_Auth\n"
                                           "[My_Auth]\nauth_url = http://k/\npassword = p\n");
    g_assert_cmpstr(nd_config_list(config, "mdev_nvidia-35", "device_addresses")[1], ==, "0000:85:00.0");
    g_assert_cmpstr(nd_config_string(config, "mdev_nvidia-35", "mdev_class"), ==, "VGPU");
    g_assert_null(nd_config_list(config, "mdev_other", "device_addresses")[0]);
    g_assert_cmpstr(nd_config_list(config, "neutron_physnet_foo", "numa_nodes")[0], ==, "0");
    const char *section = nd_config_string(config, "cinder", "auth_section");
    g_assert_cmpstr(nd_config_string(config, section, "auth_url"), ==, "http://k/");
    g_assert_false(nd_config_bool(config, section, "insecure"));
    g_auto(GStrv) groups = nd_config_groups(config, "mdev_");
    g_assert_cmpuint(g_strv_length(groups), ==, 1);
    g_assert_cmpstr(groups[0], ==, "mdev_nvidia-35");
    g_auto(GStrv) all = nd_config_groups(config, "");
    g_assert_cmpuint(g_strv_length(all), ==, 5);
}

static void test_old_names(void)
{
    g_autoptr(NdConfig) config =
        config_of("[DEFAULT]\nrpc_thread_pool_size = 7\n[pci]\npassthrough_whitelist = {\"a\": 1}\n[libvirt]\ncpu_model = x\n");
    g_assert_cmpint(nd_config_int(config, "DEFAULT", "executor_thread_pool_size"), ==, 7);
    g_assert_cmpstr(nd_config_multi(config, "pci", "device_spec")[0], ==, "{\"a\": 1}");
    guint notes = 0;
    for (guint i = 0; i < nd_config_problems(config)->len; i++) {
        const NdConfigProblem *problem = nd_config_problems(config)->pdata[i];
        g_assert_cmpint(problem->severity, ==, ND_PROBLEM_NOTE);
        notes += strstr(problem->message, "old name") != NULL;
    }
    g_assert_cmpuint(notes, ==, 3);
}

static void ask_wrong_name(void)
{
    g_autoptr(NdConfig) config = config_of("");
    nd_config_string(config, "libvirt", "no_such_option");
}

static void ask_wrong_type(void)
{
    g_autoptr(NdConfig) config = config_of("");
    nd_config_string(config, "DEFAULT", "debug");
}

static void test_wrong_question(void)
{
    g_test_trap_subprocess("/conf/subprocess/wrong-name", 0, 0);
    g_test_trap_assert_failed();
    g_test_trap_assert_stderr("*not in the table of options*");
    g_test_trap_subprocess("/conf/subprocess/wrong-type", 0, 0);
    g_test_trap_assert_failed();
    g_test_trap_assert_stderr("*is of type boolean*");
}

/* Files on disk, with the environment, and reloading them. */
static void test_files(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = g_dir_make_tmp("novad-conf-XXXXXX", NULL);
    g_autofree char *file = g_build_filename(folder, "a.conf", NULL), *empty = g_build_filename(folder, "empty.d", NULL);
    g_assert_true(nd_dir_make(empty, 0700, NULL));
    static const char before[] = "[DEFAULT]\ndebug = false\nhost = a\n[libvirt]\nlive_migration_completion_timeout = 5\n";
    g_assert_true(nd_file_write(file, before, strlen(before), 0600, NULL));
    const char *argv_[] = {"novad", "--config-file", file, "--config-dir", empty, NULL};
    char **argv = (char **)argv_;
    g_setenv("OS_DEFAULT__REPORT_INTERVAL", "33", true);
    g_autoptr(NdConfig) config = nd_config_load(5, argv, &error);
    g_unsetenv("OS_DEFAULT__REPORT_INTERVAL");
    g_assert_no_error(error);
    g_assert_cmpstr(nd_config_files(config)[0], ==, file);
    g_assert_null(nd_config_files(config)[1]);
    g_assert_cmpint(nd_config_int(config, "DEFAULT", "report_interval"), ==, 33);
    g_autofree char *where = nd_config_where(config, "DEFAULT", "report_interval");
    g_assert_cmpstr(where, ==, "environment");

    /* only mutable options change */
    static const char after[] = "[DEFAULT]\ndebug = true\nhost = b\n[libvirt]\nlive_migration_completion_timeout = 6\n";
    g_assert_true(nd_file_write(file, after, strlen(after), 0600, NULL));
    g_auto(GStrv) changed = NULL;
    g_assert_true(nd_config_reload(config, &changed, &error));
    g_assert_no_error(error);
    g_assert_true(nd_config_bool(config, "DEFAULT", "debug"));
    g_assert_cmpint(nd_config_int(config, "libvirt", "live_migration_completion_timeout"), ==, 6);
    g_assert_cmpstr(nd_config_string(config, "DEFAULT", "host"), ==, "a");
    g_assert_cmpuint(g_strv_length(changed), ==, 2);
    g_assert_true(g_strv_contains((const char *const *)changed, "DEFAULT.debug"));

    /* a broken file changes nothing */
    g_assert_true(nd_file_write(file, "[DEFAULT]\ndebug = x\n", 20, 0600, NULL));
    g_assert_false(nd_config_reload(config, NULL, &error));
    g_assert_error(error, ND_ERROR, ND_ERROR_CONFIG);
    g_assert_true(g_str_has_prefix(error->message, file));
    g_assert_true(nd_config_bool(config, "DEFAULT", "debug"));
    g_clear_error(&error);
    g_assert_null(nd_config_load(5, argv, &error));
    g_clear_error(&error);
    g_assert_true(nd_tree_remove(folder, &error));
    g_assert_null(nd_config_load(5, argv, &error));
    g_assert_error(error, ND_ERROR, ND_ERROR_CONFIG);
}

static void test_arguments(void)
{
    g_autoptr(GError) error = NULL;
    static const char *const bad[][3] = {{"novad", "--nothing"},
                                         {"novad", "x"},
                                         {"novad", "--config-file"},
                                         {"novad", "--debug=1"},
                                         {"novad", "--log"},
                                         {"novad", "--"},
                                         {"novad", "-x"},
                                         {"novad", "--config-file", "--debug"},
                                         {"novad", "--log-d"},
                                         {"novad", "--config"}};
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_assert_null(nd_args_parse(bad[i][2] != NULL ? 3 : 2, (char **)bad[i], &error));
        g_assert_error(error, ND_ERROR, ND_ERROR_ARGUMENT);
        g_clear_error(&error);
    }
    const char *good[] = {"novad", "-d", "--log_dir", "/x", "--use-j=", "--log-config=/c"};
    g_assert_null(nd_args_parse(5, (char **)good, &error)); /* --use-j is --use-journal or --use-json */
    g_clear_error(&error);
    good[4] = "--nouse-journ";
    g_autoptr(GPtrArray) args = nd_args_parse(6, (char **)good, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(args->len, ==, 4);
    const NdArg *debug = args->pdata[0], *dir = args->pdata[1], *journal = args->pdata[2], *append = args->pdata[3];
    g_assert_cmpstr(debug->name, ==, "debug");
    g_assert_cmpstr(debug->value, ==, "true");
    g_assert_cmpstr(dir->value, ==, "/x");
    g_assert_cmpstr(journal->name, ==, "use_journal");
    g_assert_cmpstr(journal->value, ==, "false");
    g_assert_cmpstr(append->name, ==, "log_config_append");
    g_assert_false(nd_args_have(args, ND_ARG_HELP));
    g_autofree char *help = nd_args_help();
    g_assert_nonnull(strstr(help, "--check-config"));
}

/* The table itself. */
static void test_table(void)
{
    size_t n_families, n_options = 0;
    const NdOptionFamily *families = nd_option_families(&n_families);
    for (size_t f = 0; f < n_families; f++)
        for (size_t i = 0; i < families[f].n_options; i++) {
            const NdOption *option = &families[f].options[i];
            n_options++;
            g_assert_cmpuint(strlen(option->help), >, 3);
            g_assert_true((option->status == ND_OPTION_HONOURED) == (option->reason == NULL));
            if (option->pattern != NULL) {
                g_autoptr(GError) error = NULL;
                g_autoptr(GRegex) regex = g_regex_new(option->pattern, 0, 0, &error);
                g_assert_no_error(error);
            }
        }
    g_assert_cmpuint(n_options, >, 800);
    g_assert_nonnull(nd_option_find("LIBVIRT", "virt_type"));
    g_assert_null(nd_option_find("default", "host"));
    g_assert_null(nd_option_find("libvirt", "cpu_model"));
    /* Every default is acceptable. */
    g_autoptr(NdConfig) config = config_of("");
    g_assert_cmpuint(nd_config_problems(config)->len, ==, 0);
    nd_config_set_release(config, ND_RELEASE_LAST);
    g_assert_cmpuint(nd_config_problems(config)->len, ==, 0);
}

static gpointer read_values(gpointer config)
{
    for (int i = 0; i < 2000; i++) {
        g_assert_cmpstr(nd_config_string(config, "DEFAULT", "my_ip"), ==, "192.0.2.1");
        g_assert_cmpstr(nd_config_string(config, "mdev_x", "mdev_class"), ==, "VGPU");
    }
    return NULL;
}

static void test_threads(void)
{
    g_autoptr(NdConfig) config = config_of("[DEFAULT]\nmy_ip = 192.0.2.1\n");
    GThread *threads[3];
    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("read", read_values, config);
    for (int i = 0; i < 3; i++)
        nd_config_set_release(config, i % 2 ? ND_RELEASE_ZED : ND_RELEASE_LAST);
    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
        g_thread_join(threads[i]);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/conf/types", test_types);
    g_test_add_func("/conf/where", test_where);
    g_test_add_func("/conf/fatal", test_fatal);
    g_test_add_func("/conf/secret-messages", test_secret_messages);
    g_test_add_func("/conf/release", test_release);
    g_test_add_func("/conf/set", test_set);
    g_test_add_func("/conf/dynamic-sections", test_dynamic_sections);
    g_test_add_func("/conf/old-names", test_old_names);
    g_test_add_func("/conf/subprocess/wrong-name", ask_wrong_name);
    g_test_add_func("/conf/subprocess/wrong-type", ask_wrong_type);
    g_test_add_func("/conf/wrong-question", test_wrong_question);
    g_test_add_func("/conf/files", test_files);
    g_test_add_func("/conf/arguments", test_arguments);
    g_test_add_func("/conf/table", test_table);
    g_test_add_func("/conf/threads", test_threads);
    return g_test_run();
}
