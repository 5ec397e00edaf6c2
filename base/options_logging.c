/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "base/options_table.h"

/* [DEFAULT]: logging (oslo.log), and state reports. */

static const NdOption logging_options[] = {
    {"debug", BOOLEAN, "false", "log debug records", HONOURED, MUTABLE},
    {"default_log_levels", LIST, "amqp=WARN,amqplib=WARN,boto=WARN,qpid=WARN,sqlalchemy=WARN,suds=INFO,oslo.messaging=INFO,oslo_messaging=INFO,iso8601=WARN,requests.packages.urllib3.connectionpool=WARN,urllib3.connectionpool=WARN,websocket=WARN,requests.packages.urllib3.util.retry=WARN,urllib3.util.retry=WARN,keystonemiddleware=WARN,routes.middleware=WARN,stevedore=WARN,taskflow=WARN,keystoneauth=WARN,oslo.cache=INFO,oslo_policy=INFO,dogpile.core.dogpile=INFO,glanceclient=WARN,oslo.privsep.daemon=INFO", "levels of single loggers, name=LEVEL", HONOURED},
    {"fatal_deprecations", BOOLEAN, "false", "deprecated use is an error", IGNORED("a switch for tests of nova")},
    {"instance_format", STRING, "[instance: %(uuid)s] ", "text of an instance in log lines", UNSUPPORTED("not implemented yet")},
    {"instance_uuid_format", STRING, "[instance: %(uuid)s] ", "text of an instance uuid in log lines", HONOURED},
    {"log_config_append", STRING, NULL, "Python logging configuration file", HONOURED, FORMERLY("log-config log_config"), MUTABLE},
    {"log_date_format", STRING, "%Y-%m-%d %H:%M:%S", "date format of log lines", HONOURED},
    {"log_dir", STRING, NULL, "folder of the log file", HONOURED, FORMERLY("logdir")},
    {"log_file", STRING, NULL, "log file", HONOURED, FORMERLY("logfile")},
    {"log_options", BOOLEAN, "true", "log all options at start", UNSUPPORTED("not implemented yet")},
    {"log_rotate_interval", INTEGER, "1", "units of time between log rotations", UNSUPPORTED("not implemented yet")},
    {"log_rotate_interval_type", STRING, "days", "that unit", UNSUPPORTED("not implemented yet"), CHOICES("Seconds,Minutes,Hours,Days,Weekday,Midnight"), .ignore_case = true},
    {"log_rotation_type", STRING, "none", "how the log is rotated by the process itself", HONOURED, CHOICES("interval,size,none"), .ignore_case = true},
    {"logging_context_format_string", STRING, "%(asctime)s.%(msecs)03d %(process)d %(levelname)s %(name)s [%(global_request_id)s %(request_id)s %(user_identity)s] %(instance)s%(message)s", "log line with a request", HONOURED},
    {"logging_debug_format_suffix", STRING, "%(funcName)s %(pathname)s:%(lineno)d", "what debug lines get added", HONOURED},
    {"logging_default_format_string", STRING, "%(asctime)s.%(msecs)03d %(process)d %(levelname)s %(name)s [-] %(instance)s%(message)s", "log line without a request", HONOURED},
    {"logging_exception_prefix", STRING, "%(asctime)s.%(msecs)03d %(process)d ERROR %(name)s %(instance)s", "start of each further line of an error", HONOURED},
    {"logging_user_identity_format", STRING, "%(user)s %(project)s %(domain)s %(system_scope)s %(user_domain)s %(project_domain)s", "text of the user in a log line", HONOURED},
    {"max_logfile_count", INTEGER, "30", "rotated log files to keep", HONOURED},
    {"max_logfile_size_mb", INTEGER, "200", "size that makes a rotation, MiB", HONOURED},
    {"publish_errors", BOOLEAN, "false", "send error records as notifications", IGNORED("rarely used; errors are in the log")},
    {"rate_limit_burst", INTEGER, "0", "log records an interval", HONOURED},
    {"rate_limit_except_level", STRING, "CRITICAL", "level from which records are not limited", HONOURED},
    {"rate_limit_interval", INTEGER, "0", "that interval, seconds; 0: no limit", HONOURED},
    {"syslog_log_facility", STRING, "LOG_USER", "facility of syslog records", HONOURED},
    {"use_eventlog", BOOLEAN, "false", "log to the Windows event log", IGNORED("Windows")},
    {"use_journal", BOOLEAN, "false", "log to systemd's journal", HONOURED},
    {"use_json", BOOLEAN, "false", "log JSON objects", HONOURED},
    {"use_stderr", BOOLEAN, "false", "log to stderr", HONOURED},
    {"use_syslog", BOOLEAN, "false", "log to syslog", HONOURED},
    {"watch_log_file", BOOLEAN, "false", "open the log again when it was moved", IGNORED("a moved log is always opened again")},
};

static const NdOption reports_options[] = {
    {"file_event_handler", STRING, NULL, "file whose touching makes a state report", UNSUPPORTED("not implemented yet")},
    {"file_event_handler_interval", INTEGER, "1", "seconds between looks at it", UNSUPPORTED("not implemented yet")},
    {"log_dir", STRING, NULL, "folder of state reports", UNSUPPORTED("not implemented yet")},
};

const NdOptionFamily nd_options_logging[] = {
    {"DEFAULT", logging_options, G_N_ELEMENTS(logging_options)},
    {"oslo_reports", reports_options, G_N_ELEMENTS(reports_options)},
    {NULL, NULL, 0},
};
