/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log_output.h"
#include "base/log_python.h"
#include "base/log_record.h"
#include "base/log_setup.h"

#include <glib/gstdio.h>
#include <syslog.h>
#include <unistd.h>

/* A log in a folder of its own. */
typedef struct {
    char *folder, *path;
    NdConfig *config;
} Log;

static void set_up(Log *log, gconstpointer unused)
{
    log->folder = g_dir_make_tmp("novad-log-XXXXXX", NULL);
    log->path = g_build_filename(log->folder, "nova-compute.log", NULL);
}

static void tear_down(Log *log, gconstpointer unused)
{
    nd_log_close();
    nd_log_set_request(NULL, NULL, NULL);
    nd_log_set_instance(NULL);
    nd_tree_remove(log->folder, NULL);
    g_free(log->folder);
    g_free(log->path);
    nd_config_free(log->config);
}

/* Starts the log with more options. */
static void start(Log *log, const char *options)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = g_strdup_printf("[DEFAULT]\nlog_dir = %s\n%s", log->folder, options);
    log->config = nd_config_new_from_text(text, &error);
    g_assert_no_error(error);
    nd_log_configure(log->config, "nova-compute", &error);
    g_assert_no_error(error);
}

static char *content(const char *path)
{
    char *text = NULL;
    g_assert_true(nd_file_read(path, 0, &text, NULL, NULL));
    return text;
}

static void assert_log(Log *log, const char *pattern)
{
    g_autofree char *text = content(log->path);
    if (!g_regex_match_simple(pattern, text, 0, 0))
        g_error("the log is '%s', not '%s'", text, pattern);
}

#define STAMP "\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d\\.\\d{3} \\d+ "

static void test_lines(Log *log, gconstpointer unused)
{
    start(log, "");
    nd_info("nova.compute.manager", "plain %d", 1);
    nd_log_set_request("req-1", NULL, "u p d ud pd");
    nd_warning(NULL, "with request");
    nd_log_set_request("req-2", "req-g", NULL);
    nd_log_set_instance("11111111-2222-3333-4444-555555555555");
    nd_err("nova.virt.libvirt.driver", "line one\nline two\n\nline three");
    nd_debug("nova", "not shown");
    nd_log_set_instance(NULL);
    nd_log_set_request(NULL, NULL, NULL);
    nd_critical("nova", "end");
    assert_log(
        log, "^" STAMP "INFO nova\\.compute\\.manager \\[-\\] plain 1\n" STAMP
             "WARNING novad \\[None req-1 u p d - ud pd\\] with request\n" STAMP
             "ERROR nova\\.virt\\.libvirt\\.driver \\[req-g req-2 \\] \\[instance: 11111111-2222-3333-4444-555555555555\\] line one\n" STAMP
             "ERROR nova\\.virt\\.libvirt\\.driver \\[instance: 11111111-2222-3333-4444-555555555555\\] line two\n" STAMP
             "ERROR nova\\.virt\\.libvirt\\.driver \\[instance: 11111111-2222-3333-4444-555555555555\\] line three\n" STAMP
             "CRITICAL nova \\[-\\] end\n$");
}

static void test_debug(Log *log, gconstpointer unused)
{
    start(log, "debug = true\n");
    nd_debug("nova.x", "shown");
    nd_debug("amqp.deep.er", "not shown: amqp=WARN");
    assert_log(log, "^" STAMP "DEBUG nova\\.x \\[-\\] shown test_debug tests/unit/test-log\\.c:\\d+\n$");
    g_assert_true(nd_log_enabled(ND_LOG_WARNING, "amqp"));
    g_assert_false(nd_log_enabled(ND_LOG_INFO, "amqp"));
    g_assert_true(nd_log_enabled(ND_LOG_DEBUG, "amqpx"));
}

static void test_levels(Log *log, gconstpointer unused)
{
    start(log, "default_log_levels = a=DEBUG,a.b=ERROR,c=15,d=25,e=nonsense,f,g=NOTSET\n");
    g_assert_true(nd_log_enabled(ND_LOG_DEBUG, "a"));
    g_assert_true(nd_log_enabled(ND_LOG_DEBUG, "a.c"));
    g_assert_false(nd_log_enabled(ND_LOG_WARNING, "a.b.c"));
    g_assert_true(nd_log_enabled(ND_LOG_ERROR, "a.b.c"));
    g_assert_true(nd_log_enabled(ND_LOG_DEBUG, "c"));
    g_assert_true(nd_log_enabled(ND_LOG_INFO, "d"));
    g_assert_false(nd_log_enabled(ND_LOG_DEBUG, "e"));
    g_assert_true(nd_log_enabled(ND_LOG_DEBUG, "g"));
    g_assert_false(nd_log_enabled(ND_LOG_DEBUG, NULL));
}

static void test_formats(Log *log, gconstpointer unused)
{
    start(log, "logging_default_format_string = %(levelname)-9s|%(name)12s|%(msecs)05d|%(unknown)s|100%%|%(message)s|%(x|%(lineno)q|%\n"
               "logging_context_format_string = %(color)s%(request_id)s %(user_identity)s %(project)s %(system_scope)s: %(message)s\n"
               "logging_user_identity_format = <%(user)s/%(domain)s>\n"
               "instance_uuid_format = {%(uuid)s}\n"
               "logging_exception_prefix = \"%(process)d TRACE \"\n"
               "log_date_format = %H\n");
    nd_info("n", "m");
    nd_log_set_request("r", "g", "u p - - -");
    nd_info("n", "with %s", "%(name)s"); /* formats in the message stay as they are */
    nd_log_set_request("r", "g", "u");
    nd_info("n", "two\nlines");
    nd_err("n", "short\nmore");
    assert_log(log, "^INFO     \\|           n\\|\\d{5}\\|\\|100%\\|m\\|%\\(x\\|%\\(lineno\\)q\\|%\n"
                    "r <u/-> p -: with %\\(name\\)s\n"
                    "r <u/-> - -: two\nlines\n"
                    "r <u/-> - -: short\n\\d+ TRACE more\n$");
}

static void test_json(Log *log, gconstpointer unused)
{
    start(log, "use_json = true\n");
    nd_log_set_request("req-1", NULL, "u p - ud -");
    nd_log_set_instance("i");
    nd_warning("nova.x", "a \"quoted\"\nline \xff");
    g_autofree char *text = content(log->path);
    g_autoptr(NdJson) line = NULL;
    g_autoptr(GError) error = NULL;
    nd_json_parse(text, strlen(text), NULL, &line, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(nd_json_string(line, "message", NULL), ==, "a \"quoted\"\nline \xef\xbf\xbd");
    g_assert_cmpstr(nd_json_string(line, "levelname", NULL), ==, "WARNING");
    g_assert_cmpint(nd_json_int(line, "levelno", 0), ==, 30);
    g_assert_cmpint(nd_json_int(line, "process", 0), ==, getpid());
    g_assert_cmpstr(nd_json_string(line, "name", NULL), ==, "nova.x");
    NdJson *context = nd_json_object(line, "context"), *extra = nd_json_object(line, "extra");
    g_assert_cmpstr(nd_json_string(context, "request_id", NULL), ==, "req-1");
    g_assert_cmpstr(nd_json_string(context, "project", NULL), ==, "p");
    g_assert_null(nd_json_member(context, "domain"));
    g_assert_cmpstr(nd_json_string(extra, "instance_uuid", NULL), ==, "i");
    g_assert_cmpint(strchr(text, '\n') - text, ==, (gssize)strlen(text) - 1);
}

/* Moved away, removed, asked to open again; and truncated in place (copytruncate). */
static void test_reopen(Log *log, gconstpointer unused)
{
    g_autofree char *moved = g_strconcat(log->path, ".1", NULL);
    start(log, "");
    nd_info("n", "one");
    g_assert_cmpint(g_rename(log->path, moved), ==, 0);
    nd_info("n", "two");
    assert_log(log, "^[^\n]*two\n$");
    g_assert_cmpint(g_unlink(log->path), ==, 0);
    nd_info("n", "three");
    assert_log(log, "^[^\n]*three\n$");
    g_assert_cmpint(truncate(log->path, 0), ==, 0);
    nd_info("n", "four");
    assert_log(log, "^[^\n\\x00]*four\n$");
    nd_log_reopen();
    nd_info("n", "five");
    assert_log(log, "four\n.*five\n$");
}

static void test_rotation(Log *log, gconstpointer unused)
{
    g_autofree char *first = g_strconcat(log->path, ".1", NULL), *second = g_strconcat(log->path, ".2", NULL),
                    *third = g_strconcat(log->path, ".3", NULL);
    g_autofree char *filler = g_strnfill(300 * 1024, 'x');
    start(log, "log_rotation_type = Size\nmax_logfile_size_mb = 1\nmax_logfile_count = 2\n");
    for (int i = 0; i < 14; i++)
        nd_info("n", "%02d %s", i, filler);
    g_assert_true(g_file_test(first, G_FILE_TEST_EXISTS));
    g_assert_true(g_file_test(second, G_FILE_TEST_EXISTS));
    g_assert_false(g_file_test(third, G_FILE_TEST_EXISTS));
    GStatBuf info;
    g_assert_cmpint(g_stat(first, &info), ==, 0);
    g_assert_cmpint(info.st_size, <=, 1024 * 1024);
    char *newest = NULL;
    g_assert_true(nd_file_read(log->path, 2 * 1024 * 1024, &newest, NULL, NULL));
    g_assert_nonnull(strstr(newest, " 13 xxx"));
    g_free(newest);
}

static void test_rotation_none_kept(Log *log, gconstpointer unused)
{
    g_autofree char *filler = g_strnfill(600 * 1024, 'x');
    start(log, "log_rotation_type = size\nmax_logfile_size_mb = 1\nmax_logfile_count = 0\n");
    for (int i = 0; i < 3; i++)
        nd_info("n", "%s", filler);
    GStatBuf info;
    g_assert_cmpint(g_stat(log->path, &info), ==, 0);
    g_assert_cmpint(info.st_size, <, 1024 * 1024);
}

static void test_rate_limit(Log *log, gconstpointer unused)
{
    start(log, "rate_limit_interval = 60\nrate_limit_burst = 2\nrate_limit_except_level = ERROR\n");
    for (int i = 0; i < 5; i++)
        nd_info("n", "message %d", i);
    nd_err("n", "important");
    assert_log(log, "^[^\n]*message 0\n[^\n]*message 1\n[^\n]*Logging rate limit: drop after 2 records/60 sec\n[^\n]*important\n$");
}

static void test_secrets(void)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"connect rabbit://nova:s3cr.et@h:5672,nova:oth!er@h2/", "connect rabbit://nova:***@h:5672,nova:***@h2/"},
        {"{\"password\": \"s3cr,et\", \"x\": 1}", "{\"password\": ***, \"x\": 1}"},
        {"X-Auth-Token: gAAAA-x_y z", "X-Auth-Token: *** z"},
        {"auth_token='abc' done", "auth_token=*** done"},
        {"http://h:80/path@x", "http://h:80/path@x"},
        {"the password was changed", "the password was changed"},
        {"bad \xff", "bad \xef\xbf\xbd"},
        {"", ""},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *masked = nd_log_mask(cases[i].in);
        g_assert_cmpstr(masked, ==, cases[i].out);
    }
}

static void test_path(Log *log, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *named = g_strdup_printf("[DEFAULT]\nlog_dir = %s\nlog_file = x.log\n", log->folder);
    log->config = nd_config_new_from_text(named, NULL);
    g_assert_true(nd_log_configure(log->config, "nova-compute", &error));
    g_autofree char *path = g_build_filename(log->folder, "x.log", NULL);
    g_assert_true(g_file_test(path, G_FILE_TEST_EXISTS));

    g_autofree char *absolute = g_strdup_printf("[DEFAULT]\nlog_dir = /nonexistent\nlog_file = %s\n", log->path);
    g_autoptr(NdConfig) second = nd_config_new_from_text(absolute, NULL);
    g_assert_true(nd_log_configure(second, "nova-compute", &error));

    g_autoptr(NdConfig) bad = nd_config_new_from_text("[DEFAULT]\nlog_file = /nonexistent/x.log\n", NULL);
    g_assert_false(nd_log_configure(bad, "nova-compute", &error));
    g_assert_error(error, ND_ERROR, ND_ERROR_NOT_FOUND);
    nd_info("n", "still logging"); /* to the one before */
    assert_log(log, "still logging\n$");
    nd_log_close();
}

/* As a container deployment writes it: the root is silent, nova goes to a file. */
static void test_python(Log *log, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *append = g_build_filename(log->folder, "logging.conf", NULL);
    g_autofree char *file =
        g_strdup_printf("[loggers]\nkeys = root, nova, quiet\n[handlers]\nkeys = file, null, stdout\n"
                        "[logger_root]\nlevel = WARNING\nhandlers = null\n"
                        "[logger_nova]\nlevel = INFO\nhandlers = file, stderr,\nqualname = nova\n"
                        "[logger_quiet]\nlevel = ERROR\nhandlers =\nqualname = nova.quiet\n"
                        "[handler_null]\nclass = logging.NullHandler\nformatter = default\nargs = ()\n"
                        "[handler_file]\nclass = logging.handlers.WatchedFileHandler\nargs = ('%s', 'a')\nformatter = json\n"
                        "[handler_stderr]\nclass = handlers.NoSuchClass\nargs = (sys.stdout,)\n"
                        "[formatter_json]\nclass = oslo_log.formatters.JSONFormatter\n",
                        log->path);
    g_assert_true(nd_file_write(append, file, strlen(file), 0600, NULL));
    g_autofree char *options = g_strdup_printf("log_config_append = %s\n", append);
    start(log, options);
    nd_info("nova.compute", "shown");
    nd_warning("nova.quiet.one", "not shown");
    nd_critical("other", "not shown");
    assert_log(log, "^\\{\"message\":\"shown\".*\\}\n$");

    g_autoptr(NdConfig) missing = nd_config_new_from_text("[DEFAULT]\nlog_config_append = /nonexistent\n", NULL);
    g_assert_false(nd_log_configure(missing, "x", &error));
    g_assert_error(error, ND_ERROR, ND_ERROR_NOT_FOUND);
    g_clear_error(&error);
    static const char *const bad[] = {"[x]\ny = z\n", "no section\n"};
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_assert_true(nd_file_write(append, bad[i], strlen(bad[i]), 0600, NULL));
        g_assert_false(nd_log_configure(log->config, "x", &error));
        g_assert_error(error, ND_ERROR, ND_ERROR_CONFIG);
        g_clear_error(&error);
    }
}

static void test_python_outputs(void)
{
    g_autofree char *path = NULL;
    static const char text[] =
        "[loggers]\nkeys=root,a\n[logger_root]\nhandlers=s,o,e,j,f\n[logger_a]\nlevel=DEBUG\n"
        "[handler_s]\nclass=oslo_log.handlers.OSSysLogHandler\n[handler_o]\nclass=StreamHandler\nargs=(sys.stdout,)\n"
        "[handler_e]\nclass=logging.StreamHandler\nargs=(sys.stderr,)\n[handler_j]\nclass=JournalHandler\n"
        "[handler_f]\nclass=FileHandler\nargs=(\"/x/y\",)\n";
    int fd = g_file_open_tmp("novad-logging-XXXXXX", &path, NULL);
    close(fd);
    g_assert_true(nd_file_write(path, text, strlen(text), 0600, NULL));
    NdLogOutput output = {.fd = -1};
    NdLogPython python;
    g_assert_true(nd_log_python_read(path, &output, &python, NULL));
    g_assert_true(output.to_syslog && output.to_stdout && output.to_stderr && output.to_journal);
    g_assert_cmpstr(output.path, ==, "/x/y");
    g_assert_cmpuint(python.root_level, ==, ND_LOG_WARNING);
    g_assert_cmpuint(GPOINTER_TO_UINT(g_hash_table_lookup(python.levels, "a")), ==, ND_LOG_DEBUG + 1);
    g_assert_false(python.json);
    g_assert_null(python.unknown);
    nd_log_python_clear(&python);
    g_free(output.path);
    g_unlink(path);
}

static void test_facilities(void)
{
    g_assert_cmpint(nd_log_facility("LOG_USER"), ==, LOG_USER);
    g_assert_cmpint(nd_log_facility("local0"), ==, LOG_LOCAL0);
    g_assert_cmpint(nd_log_facility("log_daemon"), ==, LOG_DAEMON);
    g_assert_cmpint(nd_log_facility("nonsense"), ==, -1);
}

/* GLib's records, and where things go; in a process of its own since GLib's writer cannot be taken back. */
static void log_everywhere(void)
{
    nd_info("n", "before");
    g_autoptr(NdConfig) config =
        nd_config_new_from_text("[DEFAULT]\nuse_stderr = true\nuse_syslog = true\nuse_journal = true\nsyslog_log_facility = x\n", NULL);
    g_assert_true(nd_log_configure(config, "novad-test", NULL));
    nd_info("n", "after");
    g_log_set_always_fatal(G_LOG_LEVEL_ERROR); /* the test framework adds warnings */
    g_warning("from glib");
    nd_log_close();
}

static void log_stdout(void)
{
    g_autoptr(NdConfig) config = nd_config_new_from_text("", NULL);
    g_assert_true(nd_log_configure(config, "novad-test", NULL));
    nd_info("n", "to stdout");
    nd_log_close();
}

static void test_streams(void)
{
    g_test_trap_subprocess("/log/subprocess/everywhere", 0, 0);
    g_test_trap_assert_passed();
    g_test_trap_assert_stderr("*INFO n *before\n*INFO n *after\n*WARNING novad *from glib\n*");
    g_test_trap_subprocess("/log/subprocess/stdout", 0, 0);
    g_test_trap_assert_passed();
    g_test_trap_assert_stdout("*INFO n *to stdout\n*");
}

static gpointer write_many(gpointer name)
{
    nd_log_set_request(name, NULL, NULL);
    for (int i = 0; i < 200; i++)
        nd_info("n", "%s %d", (const char *)name, i);
    return NULL;
}

/* Records do not mix, each thread has its own context. */
static void test_threads(Log *log, gconstpointer unused)
{
    static const char *const names[] = {"req-a", "req-b", "req-c"};
    start(log, "");
    GThread *threads[3];
    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new(names[i], write_many, (gpointer)names[i]);
    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
        g_thread_join(threads[i]);
    g_autofree char *text = content(log->path);
    g_auto(GStrv) lines = g_strsplit(g_strchomp(text), "\n", -1);
    g_assert_cmpuint(g_strv_length(lines), ==, 600);
    for (char **line = lines; *line != NULL; line++)
        g_assert_true(g_regex_match_simple("\\[None (req-.) \\] \\1 \\d+$", *line, 0, 0));
}

#define ADD(name, function) g_test_add("/log/" name, Log, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("lines", test_lines);
    ADD("debug", test_debug);
    ADD("levels", test_levels);
    ADD("formats", test_formats);
    ADD("json", test_json);
    ADD("reopen", test_reopen);
    ADD("rotation", test_rotation);
    ADD("rotation-none-kept", test_rotation_none_kept);
    ADD("rate-limit", test_rate_limit);
    ADD("path", test_path);
    ADD("threads", test_threads);
    g_test_add_func("/log/secrets", test_secrets);
    ADD("python", test_python);
    g_test_add_func("/log/python-outputs", test_python_outputs);
    g_test_add_func("/log/facilities", test_facilities);
    g_test_add_func("/log/subprocess/everywhere", log_everywhere);
    g_test_add_func("/log/subprocess/stdout", log_stdout);
    g_test_add_func("/log/streams", test_streams);
    return g_test_run();
}
