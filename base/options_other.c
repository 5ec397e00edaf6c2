/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "base/options_table.h"

/* Sections that other services of nova read, and other hypervisor drivers. */

static const NdOption api_database_options[] = {
    {"backend", STRING, "sqlalchemy", "implementation to use", IGNORED("compute nodes have no database access"), FORMERLY("DEFAULT.db_backend")},
    {"connection", STRING, NULL, "database address", IGNORED("compute nodes have no database access"), FORMERLY("DEFAULT.sql_connection DATABASE.sql_connection sql.connection"), SECRET},
    {"connection_debug", INTEGER, "0", "verbosity of SQL logging", IGNORED("compute nodes have no database access"), RANGE(0, 100), FORMERLY("DEFAULT.sql_connection_debug")},
    {"connection_parameters", STRING, "", "parameters added to the address", IGNORED("compute nodes have no database access")},
    {"connection_recycle_time", INTEGER, "3600", "seconds a connection is used", IGNORED("compute nodes have no database access")},
    {"connection_trace", BOOLEAN, "false", "mark queries with their place in the code", IGNORED("compute nodes have no database access"), FORMERLY("DEFAULT.sql_connection_trace")},
    {"db_inc_retry_interval", BOOLEAN, "true", "wait longer at each retry", IGNORED("compute nodes have no database access")},
    {"db_max_retries", INTEGER, "20", "retries of an operation", IGNORED("compute nodes have no database access")},
    {"db_max_retry_interval", INTEGER, "10", "longest wait between them, seconds", IGNORED("compute nodes have no database access")},
    {"db_retry_interval", INTEGER, "1", "first wait between them, seconds", IGNORED("compute nodes have no database access")},
    {"max_overflow", INTEGER, "50", "connections above the pool", IGNORED("compute nodes have no database access"), FORMERLY("DEFAULT.sql_max_overflow DATABASE.sqlalchemy_max_overflow")},
    {"max_pool_size", INTEGER, "5", "connections of the pool", IGNORED("compute nodes have no database access")},
    {"max_retries", INTEGER, "10", "connection tries at start", IGNORED("compute nodes have no database access"), FORMERLY("DEFAULT.sql_max_retries DATABASE.sql_max_retries")},
    {"mysql_enable_ndb", BOOLEAN, "false", "support MySQL Cluster", IGNORED("compute nodes have no database access")},
    {"mysql_sql_mode", STRING, "TRADITIONAL", "SQL mode of sessions", IGNORED("compute nodes have no database access")},
    {"pool_timeout", INTEGER, NULL, "seconds to wait for a connection", IGNORED("compute nodes have no database access"), FORMERLY("DATABASE.sqlalchemy_pool_timeout")},
    {"retry_interval", INTEGER, "10", "seconds between connection tries", IGNORED("compute nodes have no database access"), FORMERLY("DEFAULT.sql_retry_interval DATABASE.reconnect_interval")},
    {"slave_connection", STRING, NULL, "address of a read-only copy", IGNORED("compute nodes have no database access"), SECRET},
    {"sqlite_synchronous", BOOLEAN, "true", "SQLite writes through", IGNORED("compute nodes have no database access"), FORMERLY("DEFAULT.sqlite_synchronous")},
};

static const NdOption database_options[] = {
    {"backend", STRING, "sqlalchemy", "implementation to use", IGNORED("compute nodes have no database access"), FORMERLY("DEFAULT.db_backend")},
    {"connection", STRING, NULL, "database address", IGNORED("compute nodes have no database access"), FORMERLY("DEFAULT.sql_connection DATABASE.sql_connection sql.connection"), SECRET},
    {"connection_debug", INTEGER, "0", "verbosity of SQL logging", IGNORED("compute nodes have no database access"), RANGE(0, 100), FORMERLY("DEFAULT.sql_connection_debug")},
    {"connection_parameters", STRING, "", "parameters added to the address", IGNORED("compute nodes have no database access")},
    {"connection_recycle_time", INTEGER, "3600", "seconds a connection is used", IGNORED("compute nodes have no database access")},
    {"connection_trace", BOOLEAN, "false", "mark queries with their place in the code", IGNORED("compute nodes have no database access"), FORMERLY("DEFAULT.sql_connection_trace")},
    {"db_inc_retry_interval", BOOLEAN, "true", "wait longer at each retry", IGNORED("compute nodes have no database access")},
    {"db_max_retries", INTEGER, "20", "retries of an operation", IGNORED("compute nodes have no database access")},
    {"db_max_retry_interval", INTEGER, "10", "longest wait between them, seconds", IGNORED("compute nodes have no database access")},
    {"db_retry_interval", INTEGER, "1", "first wait between them, seconds", IGNORED("compute nodes have no database access")},
    {"max_overflow", INTEGER, "50", "connections above the pool", IGNORED("compute nodes have no database access"), FORMERLY("DEFAULT.sql_max_overflow DATABASE.sqlalchemy_max_overflow")},
    {"max_pool_size", INTEGER, "5", "connections of the pool", IGNORED("compute nodes have no database access")},
    {"max_retries", INTEGER, "10", "connection tries at start", IGNORED("compute nodes have no database access"), FORMERLY("DEFAULT.sql_max_retries DATABASE.sql_max_retries")},
    {"mysql_enable_ndb", BOOLEAN, "false", "support MySQL Cluster", IGNORED("compute nodes have no database access")},
    {"mysql_sql_mode", STRING, "TRADITIONAL", "SQL mode of sessions", IGNORED("compute nodes have no database access")},
    {"pool_timeout", INTEGER, NULL, "seconds to wait for a connection", IGNORED("compute nodes have no database access"), FORMERLY("DATABASE.sqlalchemy_pool_timeout")},
    {"retry_interval", INTEGER, "10", "seconds between connection tries", IGNORED("compute nodes have no database access"), FORMERLY("DEFAULT.sql_retry_interval DATABASE.reconnect_interval")},
    {"slave_connection", STRING, NULL, "address of a read-only copy", IGNORED("compute nodes have no database access"), SECRET},
    {"sqlite_synchronous", BOOLEAN, "true", "SQLite writes through", IGNORED("compute nodes have no database access"), FORMERLY("DEFAULT.sqlite_synchronous")},
};

static const NdOption cache_options[] = {
    {"backend", STRING, "dogpile.cache.null", "implementation to use", IGNORED("read by the API services"), CHOICES("oslo_cache.memcache_pool,oslo_cache.dict,oslo_cache.mongo,oslo_cache.etcd3gw,dogpile.cache.pymemcache,dogpile.cache.memcached,dogpile.cache.pylibmc,dogpile.cache.bmemcached,dogpile.cache.dbm,dogpile.cache.redis,dogpile.cache.memory,dogpile.cache.memory_pickle,dogpile.cache.null")},
    {"backend_argument", MULTI_STRING, NULL, "arguments of the cache implementation", IGNORED("read by the API services"), SECRET},
    {"config_prefix", STRING, "cache.oslo", "prefix of its settings", IGNORED("read by the API services")},
    {"dead_timeout", FLOAT, "60", "seconds a dead server is left alone", IGNORED("read by the API services")},
    {"debug_cache_backend", BOOLEAN, "false", "log every cache access", IGNORED("read by the API services")},
    {"enable_retry_client", BOOLEAN, "false", "retry failed commands", IGNORED("read by the API services")},
    {"enable_socket_keepalive", BOOLEAN, "false", "TCP keepalive", IGNORED("read by the API services")},
    {"enabled", BOOLEAN, "false", "use a cache", IGNORED("read by the API services")},
    {"expiration_time", INTEGER, "600", "seconds a value is kept", IGNORED("read by the API services")},
    {"hashclient_retry_attempts", INTEGER, "2", "tries before a server counts as dead", IGNORED("read by the API services"), AT_LEAST(1)},
    {"hashclient_retry_delay", FLOAT, "1", "seconds between them", IGNORED("read by the API services")},
    {"memcache_dead_retry", INTEGER, "300", "seconds until a dead memcached is tried again", IGNORED("read by the API services")},
    {"memcache_password", STRING, "", "password for memcached", IGNORED("read by the API services")},
    {"memcache_pool_connection_get_timeout", INTEGER, "10", "seconds to wait for a pooled connection", IGNORED("read by the API services")},
    {"memcache_pool_flush_on_reconnect", BOOLEAN, "false", "flush memcached after a reconnect", IGNORED("read by the API services")},
    {"memcache_pool_maxsize", INTEGER, "10", "connections to a memcached", IGNORED("read by the API services")},
    {"memcache_pool_unused_timeout", INTEGER, "60", "seconds an idle connection is kept", IGNORED("read by the API services")},
    {"memcache_sasl_enabled", BOOLEAN, "false", "authenticate to memcached", IGNORED("read by the API services")},
    {"memcache_servers", LIST, "localhost:11211", "memcached servers", IGNORED("read by the API services")},
    {"memcache_socket_timeout", FLOAT, "1.0", "seconds to wait for memcached", IGNORED("read by the API services")},
    {"memcache_username", STRING, "", "user for memcached", IGNORED("read by the API services")},
    {"proxies", LIST, "", "proxy classes around the cache", IGNORED("read by the API services")},
    {"retry_attempts", INTEGER, "2", "tries of a command", IGNORED("read by the API services"), AT_LEAST(1)},
    {"retry_delay", FLOAT, "0", "seconds between them", IGNORED("read by the API services")},
    {"socket_keepalive_count", INTEGER, "1", "unanswered keepalives that end a connection", IGNORED("read by the API services"), AT_LEAST(0)},
    {"socket_keepalive_idle", INTEGER, "1", "idle seconds before keepalives", IGNORED("read by the API services"), AT_LEAST(0)},
    {"socket_keepalive_interval", INTEGER, "1", "seconds between keepalives", IGNORED("read by the API services"), AT_LEAST(0)},
    {"tls_allowed_ciphers", STRING, NULL, "TLS ciphers towards memcached", IGNORED("read by the API services")},
    {"tls_cafile", STRING, NULL, "certificate authorities for memcached", IGNORED("read by the API services")},
    {"tls_certfile", STRING, NULL, "client certificate for memcached", IGNORED("read by the API services")},
    {"tls_enabled", BOOLEAN, "false", "TLS towards memcached", IGNORED("read by the API services")},
    {"tls_keyfile", STRING, NULL, "key of that certificate", IGNORED("read by the API services")},
};

static const NdOption conductor_options[] = {
    {"workers", INTEGER, NULL, "processes of nova-conductor", IGNORED("read by nova-conductor")},
};

static const NdOption scheduler_options[] = {
    {"discover_hosts_in_cells_interval", INTEGER, "-1", "seconds between looking for new hosts", IGNORED("read by nova-scheduler"), AT_LEAST(-1)},
    {"enable_isolated_aggregate_filtering", BOOLEAN, "false", "match traits of isolated aggregates", IGNORED("read by nova-scheduler")},
    {"image_metadata_prefilter", BOOLEAN, "false", "match image properties with traits", IGNORED("read by nova-scheduler")},
    {"limit_tenants_to_placement_aggregate", BOOLEAN, "false", "keep projects in their aggregates", IGNORED("read by nova-scheduler")},
    {"max_attempts", INTEGER, "3", "hosts to try for a server", IGNORED("read by nova-scheduler"), AT_LEAST(1)},
    {"max_placement_results", INTEGER, "1000", "candidates to ask Placement for", IGNORED("read by nova-scheduler"), AT_LEAST(1)},
    {"placement_aggregate_required_for_tenants", BOOLEAN, "false", "projects must have an aggregate", IGNORED("read by nova-scheduler")},
    {"query_placement_for_availability_zone", BOOLEAN, "true", "zones through Placement", IGNORED("read by nova-scheduler")},
    {"query_placement_for_image_type_support", BOOLEAN, "false", "image formats through Placement", IGNORED("read by nova-scheduler")},
    {"query_placement_for_routed_network_aggregates", BOOLEAN, "false", "routed networks through Placement", IGNORED("read by nova-scheduler")},
    {"workers", INTEGER, NULL, "processes of nova-scheduler", IGNORED("read by nova-scheduler"), AT_LEAST(0)},
};

static const NdOption metrics_options[] = {
    {"required", BOOLEAN, "true", "a missing metric is an error", IGNORED("read by nova-scheduler")},
    {"weight_multiplier", FLOAT, "1.0", "weight of metrics", IGNORED("read by nova-scheduler")},
    {"weight_of_unavailable", FLOAT, "-10000.0", "weight of a missing metric", IGNORED("read by nova-scheduler")},
    {"weight_setting", LIST, "", "weights of single metrics", IGNORED("read by nova-scheduler")},
};

static const NdOption quota_options[] = {
    {"cores", INTEGER, "20", "CPUs a project", IGNORED("read by nova-api"), AT_LEAST(-1), FORMERLY("DEFAULT.quota_cores")},
    {"count_usage_from_placement", BOOLEAN, "false", "count usage in Placement", IGNORED("read by nova-api")},
    {"driver", STRING, "nova.quota.DbQuotaDriver", "quota implementation", IGNORED("read by nova-api"), CHOICES("nova.quota.DbQuotaDriver,nova.quota.NoopQuotaDriver,nova.quota.UnifiedLimitsDriver")},
    {"injected_file_content_bytes", INTEGER, "10240", "bytes of an injected file", IGNORED("read by nova-api"), AT_LEAST(-1), FORMERLY("DEFAULT.quota_injected_file_content_bytes")},
    {"injected_file_path_length", INTEGER, "255", "length of its path", IGNORED("read by nova-api"), AT_LEAST(-1), FORMERLY("DEFAULT.quota_injected_file_path_length")},
    {"injected_files", INTEGER, "5", "injected files of a server", IGNORED("read by nova-api"), AT_LEAST(-1), FORMERLY("DEFAULT.quota_injected_files")},
    {"instances", INTEGER, "10", "servers a project", IGNORED("read by nova-api"), AT_LEAST(-1), FORMERLY("DEFAULT.quota_instances")},
    {"key_pairs", INTEGER, "100", "key pairs a user", IGNORED("read by nova-api"), AT_LEAST(-1), FORMERLY("DEFAULT.quota_key_pairs")},
    {"metadata_items", INTEGER, "128", "metadata items of a server", IGNORED("read by nova-api"), AT_LEAST(-1), FORMERLY("DEFAULT.quota_metadata_items")},
    {"ram", INTEGER, "51200", "memory a project, MiB", IGNORED("read by nova-api"), AT_LEAST(-1), FORMERLY("DEFAULT.quota_ram")},
    {"recheck_quota", BOOLEAN, "true", "check again after creation", IGNORED("read by nova-api")},
    {"server_group_members", INTEGER, "10", "servers of a group", IGNORED("read by nova-api"), AT_LEAST(-1), FORMERLY("DEFAULT.quota_server_group_members")},
    {"server_groups", INTEGER, "10", "groups a project", IGNORED("read by nova-api"), AT_LEAST(-1), FORMERLY("DEFAULT.quota_server_groups")},
};

static const NdOption keystone_options[] = {
    {"cafile", STRING, NULL, "certificate authorities that the server's certificate must be signed by; empty: the system's", IGNORED("read by nova-api")},
    {"certfile", STRING, NULL, "client certificate", IGNORED("read by nova-api")},
    {"collect_timing", BOOLEAN, "false", "keep the time of each API call", IGNORED("read by nova-api")},
    {"connect_retries", INTEGER, NULL, "tries again after failed connections", IGNORED("read by nova-api")},
    {"connect_retry_delay", FLOAT, NULL, "seconds between them; empty: growing", IGNORED("read by nova-api")},
    {"endpoint_override", STRING, NULL, "address to use instead of the catalog's", IGNORED("read by nova-api")},
    {"insecure", BOOLEAN, "false", "do not verify the server's certificate", IGNORED("read by nova-api")},
    {"keyfile", STRING, NULL, "key of the client certificate", IGNORED("read by nova-api")},
    {"max_version", STRING, NULL, "highest API version to accept", IGNORED("read by nova-api")},
    {"min_version", STRING, NULL, "lowest API version to accept", IGNORED("read by nova-api")},
    {"region_name", STRING, NULL, "region to look for in the catalog", IGNORED("read by nova-api")},
    {"service_name", STRING, NULL, "name of the service in the catalog", IGNORED("read by nova-api")},
    {"service_type", STRING, "identity", "type of the service in the catalog", IGNORED("read by nova-api")},
    {"split_loggers", BOOLEAN, "false", "log requests and answers under separate names", IGNORED("read by nova-api")},
    {"status_code_retries", INTEGER, NULL, "tries again after answers that ask for it (503)", IGNORED("read by nova-api")},
    {"status_code_retry_delay", FLOAT, NULL, "seconds between them; empty: growing", IGNORED("read by nova-api")},
    {"timeout", INTEGER, NULL, "seconds until a request is given up", IGNORED("read by nova-api")},
    {"valid_interfaces", LIST, "internal,public", "interfaces to look for in the catalog, in order", IGNORED("read by nova-api")},
    {"version", STRING, NULL, "API version to select (with min_version and max_version excluded)", IGNORED("read by nova-api")},
};

static const NdOption oslo_limit_options[] = {
    {"auth_section", STRING, NULL, "section to read the authentication and session options from instead", IGNORED("read by nova-api")},
    {"auth_type", STRING, NULL, "keystoneauth plugin: password, v3password or v3applicationcredential", IGNORED("read by nova-api"), FORMERLY("auth_plugin")},
    {"cafile", STRING, NULL, "certificate authorities that the server's certificate must be signed by; empty: the system's", IGNORED("read by nova-api")},
    {"certfile", STRING, NULL, "client certificate", IGNORED("read by nova-api")},
    {"collect_timing", BOOLEAN, "false", "keep the time of each API call", IGNORED("read by nova-api")},
    {"connect_retries", INTEGER, NULL, "tries again after failed connections", IGNORED("read by nova-api")},
    {"connect_retry_delay", FLOAT, NULL, "seconds between them; empty: growing", IGNORED("read by nova-api")},
    {"endpoint_id", STRING, NULL, "endpoint whose limits count", IGNORED("read by nova-api")},
    {"endpoint_override", STRING, NULL, "address to use instead of the catalog's", IGNORED("read by nova-api")},
    {"insecure", BOOLEAN, "false", "do not verify the server's certificate", IGNORED("read by nova-api")},
    {"keyfile", STRING, NULL, "key of the client certificate", IGNORED("read by nova-api")},
    {"max_version", STRING, NULL, "highest API version to accept", IGNORED("read by nova-api")},
    {"min_version", STRING, NULL, "lowest API version to accept", IGNORED("read by nova-api")},
    {"region_name", STRING, NULL, "region to look for in the catalog", IGNORED("read by nova-api")},
    {"service_name", STRING, NULL, "name of the service in the catalog", IGNORED("read by nova-api")},
    {"service_type", STRING, NULL, "type of the service in the catalog", IGNORED("read by nova-api")},
    {"split_loggers", BOOLEAN, "false", "log requests and answers under separate names", IGNORED("read by nova-api")},
    {"status_code_retries", INTEGER, NULL, "tries again after answers that ask for it (503)", IGNORED("read by nova-api")},
    {"status_code_retry_delay", FLOAT, NULL, "seconds between them; empty: growing", IGNORED("read by nova-api")},
    {"timeout", INTEGER, NULL, "seconds until a request is given up", IGNORED("read by nova-api")},
    {"valid_interfaces", LIST, NULL, "interfaces to look for in the catalog, in order", IGNORED("read by nova-api")},
    {"version", STRING, NULL, "API version to select (with min_version and max_version excluded)", IGNORED("read by nova-api")},
};

static const NdOption oslo_policy_options[] = {
    {"enforce_new_defaults", BOOLEAN, "false", "only new default rules", IGNORED("read by nova-api")},
    {"enforce_scope", BOOLEAN, "false", "rules check the token's scope", IGNORED("read by nova-api")},
    {"policy_default_rule", STRING, "default", "rule for what has none", IGNORED("read by nova-api"), FORMERLY("DEFAULT.policy_default_rule")},
    {"policy_dirs", MULTI_STRING, "policy.d", "folders of policy files", IGNORED("read by nova-api"), FORMERLY("DEFAULT.policy_dirs")},
    {"policy_file", STRING, "policy.yaml", "policy file", IGNORED("read by nova-api"), FORMERLY("DEFAULT.policy_file")},
    {"remote_content_type", STRING, "application/x-www-form-urlencoded", "content type of remote checks", IGNORED("read by nova-api"), CHOICES("application/x-www-form-urlencoded,application/json")},
    {"remote_ssl_ca_crt_file", STRING, NULL, "certificate authorities of remote checks", IGNORED("read by nova-api")},
    {"remote_ssl_client_crt_file", STRING, NULL, "client certificate of remote checks", IGNORED("read by nova-api")},
    {"remote_ssl_client_key_file", STRING, NULL, "key of that certificate", IGNORED("read by nova-api")},
    {"remote_ssl_verify_server_crt", BOOLEAN, "false", "verify the server of remote checks", IGNORED("read by nova-api")},
};

static const NdOption oslo_middleware_options[] = {
    {"http_basic_auth_user_file", STRING, "/etc/htpasswd", "users of HTTP basic authentication", IGNORED("read by the API services")},
};

static const NdOption wsgi_options[] = {
    {"api_paste_config", STRING, "api-paste.ini", "WSGI servers", IGNORED("read by the API services"), FORMERLY("DEFAULT.api_paste_config")},
    {"client_socket_timeout", INTEGER, "900", "WSGI servers", IGNORED("read by the API services"), AT_LEAST(0), FORMERLY("DEFAULT.client_socket_timeout")},
    {"default_pool_size", INTEGER, "1000", "WSGI servers", IGNORED("read by the API services"), AT_LEAST(0), FORMERLY("DEFAULT.wsgi_default_pool_size")},
    {"keep_alive", BOOLEAN, "true", "WSGI servers", IGNORED("read by the API services"), FORMERLY("DEFAULT.wsgi_keep_alive")},
    {"max_header_line", INTEGER, "16384", "WSGI servers", IGNORED("read by the API services"), AT_LEAST(0), FORMERLY("DEFAULT.max_header_line")},
    {"secure_proxy_ssl_header", STRING, NULL, "WSGI servers", IGNORED("read by the API services"), FORMERLY("DEFAULT.secure_proxy_ssl_header")},
    {"ssl_ca_file", STRING, NULL, "WSGI servers", IGNORED("read by the API services"), FORMERLY("DEFAULT.ssl_ca_file")},
    {"ssl_cert_file", STRING, NULL, "WSGI servers", IGNORED("read by the API services"), FORMERLY("DEFAULT.ssl_cert_file")},
    {"ssl_key_file", STRING, NULL, "WSGI servers", IGNORED("read by the API services"), FORMERLY("DEFAULT.ssl_key_file")},
    {"tcp_keepidle", INTEGER, "600", "WSGI servers", IGNORED("read by the API services"), AT_LEAST(0), FORMERLY("DEFAULT.tcp_keepidle")},
    {"wsgi_log_format", STRING, "%(client_ip)s \"%(request_line)s\" status: %(status_code)s len: %(body_length)s time: %(wall_seconds).7f", "WSGI servers", IGNORED("read by the API services"), FORMERLY("DEFAULT.wsgi_log_format")},
};

static const NdOption oslo_versionedobjects_options[] = {
    {"fatal_exception_format_errors", BOOLEAN, "false", "a badly formed exception text is an error", IGNORED("a switch for tests of nova")},
};

static const NdOption remote_debug_options[] = {
    {"host", HOST_ADDRESS, NULL, "host of a Python debugger", IGNORED("Python debugger")},
    {"port", PORT, NULL, "port of a Python debugger", IGNORED("Python debugger")},
};

static const NdOption profiler_options[] = {
    {"connection_string", STRING, "messaging://", "OSProfiler", IGNORED("Python profiling")},
    {"enabled", BOOLEAN, "false", "OSProfiler", IGNORED("Python profiling"), FORMERLY("profiler_enabled")},
    {"es_doc_type", STRING, "notification", "OSProfiler", IGNORED("Python profiling")},
    {"es_scroll_size", INTEGER, "10000", "OSProfiler", IGNORED("Python profiling")},
    {"es_scroll_time", STRING, "2m", "OSProfiler", IGNORED("Python profiling")},
    {"filter_error_trace", BOOLEAN, "false", "OSProfiler", IGNORED("Python profiling")},
    {"hmac_keys", STRING, "SECRET_KEY", "OSProfiler", IGNORED("Python profiling")},
    {"sentinel_service_name", STRING, "mymaster", "OSProfiler", IGNORED("Python profiling")},
    {"socket_timeout", FLOAT, "0.1", "OSProfiler", IGNORED("Python profiling")},
    {"trace_sqlalchemy", BOOLEAN, "false", "OSProfiler", IGNORED("Python profiling")},
};

static const NdOption nova_sys_admin_options[] = {
    {"capabilities", LIST, "0,1,2,3,12,21", "capabilities of Python's privileged helper", IGNORED("novad has no privileged helper process")},
    {"group", STRING, NULL, "group of Python's privileged helper", IGNORED("novad has no privileged helper process")},
    {"helper_command", STRING, NULL, "command that starts Python's privileged helper", IGNORED("novad has no privileged helper process")},
    {"logger_name", STRING, "oslo_privsep.daemon", "logger of Python's privileged helper", IGNORED("novad has no privileged helper process")},
    {"thread_pool_size", INTEGER, "2", "threads of Python's privileged helper", IGNORED("novad has no privileged helper process"), AT_LEAST(1)},
    {"user", STRING, NULL, "user of Python's privileged helper", IGNORED("novad has no privileged helper process")},
};

static const NdOption privsep_osbrick_options[] = {
    {"capabilities", LIST, "21", "capabilities of Python's privileged helper", IGNORED("novad has no privileged helper process")},
    {"group", STRING, NULL, "group of Python's privileged helper", IGNORED("novad has no privileged helper process")},
    {"helper_command", STRING, NULL, "command that starts Python's privileged helper", IGNORED("novad has no privileged helper process")},
    {"logger_name", STRING, "oslo_privsep.daemon", "logger of Python's privileged helper", IGNORED("novad has no privileged helper process")},
    {"thread_pool_size", INTEGER, "2", "threads of Python's privileged helper", IGNORED("novad has no privileged helper process"), AT_LEAST(1)},
    {"user", STRING, NULL, "user of Python's privileged helper", IGNORED("novad has no privileged helper process")},
};

static const NdOption vif_plug_ovs_privileged_options[] = {
    {"capabilities", LIST, "12", "capabilities of Python's privileged helper", IGNORED("novad has no privileged helper process")},
    {"group", STRING, NULL, "group of Python's privileged helper", IGNORED("novad has no privileged helper process")},
    {"helper_command", STRING, NULL, "command that starts Python's privileged helper", IGNORED("novad has no privileged helper process")},
    {"logger_name", STRING, "oslo_privsep.daemon", "logger of Python's privileged helper", IGNORED("novad has no privileged helper process")},
    {"thread_pool_size", INTEGER, "2", "threads of Python's privileged helper", IGNORED("novad has no privileged helper process"), AT_LEAST(1)},
    {"user", STRING, NULL, "user of Python's privileged helper", IGNORED("novad has no privileged helper process")},
};

static const NdOption vif_plug_linux_bridge_privileged_options[] = {
    {"capabilities", LIST, "12", "capabilities of Python's privileged helper", IGNORED("novad has no privileged helper process")},
    {"group", STRING, NULL, "group of Python's privileged helper", IGNORED("novad has no privileged helper process")},
    {"helper_command", STRING, NULL, "command that starts Python's privileged helper", IGNORED("novad has no privileged helper process")},
    {"logger_name", STRING, "oslo_privsep.daemon", "logger of Python's privileged helper", IGNORED("novad has no privileged helper process")},
    {"thread_pool_size", INTEGER, "2", "threads of Python's privileged helper", IGNORED("novad has no privileged helper process"), AT_LEAST(1)},
    {"user", STRING, NULL, "user of Python's privileged helper", IGNORED("novad has no privileged helper process")},
};

static const NdOption ironic_options[] = {
    {"api_max_retries", INTEGER, "60", "Ironic driver", IGNORED("another hypervisor driver"), AT_LEAST(0)},
    {"api_retry_interval", INTEGER, "2", "Ironic driver", IGNORED("another hypervisor driver"), AT_LEAST(0)},
    {"auth_section", STRING, NULL, "section to read the authentication and session options from instead", IGNORED("another hypervisor driver")},
    {"auth_type", STRING, NULL, "keystoneauth plugin: password, v3password or v3applicationcredential", IGNORED("another hypervisor driver"), FORMERLY("auth_plugin")},
    {"cafile", STRING, NULL, "certificate authorities that the server's certificate must be signed by; empty: the system's", IGNORED("another hypervisor driver")},
    {"certfile", STRING, NULL, "client certificate", IGNORED("another hypervisor driver")},
    {"collect_timing", BOOLEAN, "false", "keep the time of each API call", IGNORED("another hypervisor driver")},
    {"connect_retries", INTEGER, NULL, "tries again after failed connections", IGNORED("another hypervisor driver")},
    {"connect_retry_delay", FLOAT, NULL, "seconds between them; empty: growing", IGNORED("another hypervisor driver")},
    {"endpoint_override", STRING, NULL, "address to use instead of the catalog's", IGNORED("another hypervisor driver")},
    {"insecure", BOOLEAN, "false", "do not verify the server's certificate", IGNORED("another hypervisor driver")},
    {"keyfile", STRING, NULL, "key of the client certificate", IGNORED("another hypervisor driver")},
    {"max_version", STRING, NULL, "highest API version to accept", IGNORED("another hypervisor driver")},
    {"min_version", STRING, NULL, "lowest API version to accept", IGNORED("another hypervisor driver")},
    {"partition_key", STRING, NULL, "Ironic driver", IGNORED("another hypervisor driver"), .pattern = "^[a-zA-Z0-9_.-]*$", MUTABLE},
    {"peer_list", LIST, "", "Ironic driver", IGNORED("another hypervisor driver"), MUTABLE},
    {"region_name", STRING, NULL, "region to look for in the catalog", IGNORED("another hypervisor driver")},
    {"serial_console_state_timeout", INTEGER, "10", "Ironic driver", IGNORED("another hypervisor driver"), AT_LEAST(0)},
    {"service_name", STRING, NULL, "name of the service in the catalog", IGNORED("another hypervisor driver")},
    {"service_type", STRING, "baremetal", "type of the service in the catalog", IGNORED("another hypervisor driver")},
    {"split_loggers", BOOLEAN, "false", "log requests and answers under separate names", IGNORED("another hypervisor driver")},
    {"status_code_retries", INTEGER, NULL, "tries again after answers that ask for it (503)", IGNORED("another hypervisor driver")},
    {"status_code_retry_delay", FLOAT, NULL, "seconds between them; empty: growing", IGNORED("another hypervisor driver")},
    {"timeout", INTEGER, NULL, "seconds until a request is given up", IGNORED("another hypervisor driver")},
    {"valid_interfaces", LIST, "internal,public", "interfaces to look for in the catalog, in order", IGNORED("another hypervisor driver")},
    {"version", STRING, NULL, "API version to select (with min_version and max_version excluded)", IGNORED("another hypervisor driver")},
};

static const NdOption hyperv_options[] = {
    {"config_drive_cdrom", BOOLEAN, "false", "Hyper-V driver", IGNORED("another hypervisor driver")},
    {"config_drive_inject_password", BOOLEAN, "false", "Hyper-V driver", IGNORED("another hypervisor driver")},
    {"dynamic_memory_ratio", FLOAT, "1.0", "Hyper-V driver", IGNORED("another hypervisor driver")},
    {"enable_instance_metrics_collection", BOOLEAN, "false", "Hyper-V driver", IGNORED("another hypervisor driver")},
    {"enable_remotefx", BOOLEAN, "false", "Hyper-V driver", IGNORED("another hypervisor driver")},
    {"instances_path_share", STRING, "", "Hyper-V driver", IGNORED("another hypervisor driver")},
    {"iscsi_initiator_list", LIST, "", "Hyper-V driver", IGNORED("another hypervisor driver")},
    {"limit_cpu_features", BOOLEAN, "false", "Hyper-V driver", IGNORED("another hypervisor driver")},
    {"mounted_disk_query_retry_count", INTEGER, "10", "Hyper-V driver", IGNORED("another hypervisor driver"), AT_LEAST(0)},
    {"mounted_disk_query_retry_interval", INTEGER, "5", "Hyper-V driver", IGNORED("another hypervisor driver"), AT_LEAST(0)},
    {"power_state_check_timeframe", INTEGER, "60", "Hyper-V driver", IGNORED("another hypervisor driver"), AT_LEAST(0)},
    {"power_state_event_polling_interval", INTEGER, "2", "Hyper-V driver", IGNORED("another hypervisor driver"), AT_LEAST(0)},
    {"qemu_img_cmd", STRING, "qemu-img.exe", "Hyper-V driver", IGNORED("another hypervisor driver")},
    {"use_multipath_io", BOOLEAN, "false", "Hyper-V driver", IGNORED("another hypervisor driver")},
    {"volume_attach_retry_count", INTEGER, "10", "Hyper-V driver", IGNORED("another hypervisor driver"), AT_LEAST(0)},
    {"volume_attach_retry_interval", INTEGER, "5", "Hyper-V driver", IGNORED("another hypervisor driver"), AT_LEAST(0)},
    {"vswitch_name", STRING, NULL, "Hyper-V driver", IGNORED("another hypervisor driver")},
    {"wait_soft_reboot_seconds", INTEGER, "60", "Hyper-V driver", IGNORED("another hypervisor driver"), AT_LEAST(0)},
};

static const NdOption vmware_options[] = {
    {"api_retry_count", INTEGER, "10", "VMware driver", IGNORED("another hypervisor driver"), AT_LEAST(0)},
    {"ca_file", STRING, NULL, "VMware driver", IGNORED("another hypervisor driver")},
    {"cache_prefix", STRING, NULL, "VMware driver", IGNORED("another hypervisor driver")},
    {"cluster_name", STRING, NULL, "VMware driver", IGNORED("another hypervisor driver")},
    {"connection_pool_size", INTEGER, "10", "VMware driver", IGNORED("another hypervisor driver"), AT_LEAST(10)},
    {"console_delay_seconds", INTEGER, NULL, "VMware driver", IGNORED("another hypervisor driver"), AT_LEAST(0)},
    {"datastore_regex", STRING, NULL, "VMware driver", IGNORED("another hypervisor driver")},
    {"host_ip", HOST_ADDRESS, NULL, "VMware driver", IGNORED("another hypervisor driver")},
    {"host_password", STRING, NULL, "VMware driver", IGNORED("another hypervisor driver"), SECRET},
    {"host_port", PORT, "443", "VMware driver", IGNORED("another hypervisor driver")},
    {"host_username", STRING, NULL, "VMware driver", IGNORED("another hypervisor driver")},
    {"insecure", BOOLEAN, "false", "do not verify the server's certificate", IGNORED("another hypervisor driver")},
    {"integration_bridge", STRING, NULL, "VMware driver", IGNORED("another hypervisor driver")},
    {"maximum_objects", INTEGER, "100", "VMware driver", IGNORED("another hypervisor driver"), AT_LEAST(0)},
    {"pbm_default_policy", STRING, NULL, "VMware driver", IGNORED("another hypervisor driver")},
    {"pbm_enabled", BOOLEAN, "false", "VMware driver", IGNORED("another hypervisor driver")},
    {"pbm_wsdl_location", STRING, NULL, "VMware driver", IGNORED("another hypervisor driver")},
    {"serial_log_dir", STRING, "/opt/vmware/vspc", "VMware driver", IGNORED("another hypervisor driver")},
    {"serial_port_proxy_uri", URI, NULL, "VMware driver", IGNORED("another hypervisor driver"), .schemes = "telnet,telnets"},
    {"serial_port_service_uri", STRING, NULL, "VMware driver", IGNORED("another hypervisor driver")},
    {"task_poll_interval", FLOAT, "0.5", "VMware driver", IGNORED("another hypervisor driver")},
    {"use_linked_clone", BOOLEAN, "true", "VMware driver", IGNORED("another hypervisor driver")},
    {"vnc_keymap", STRING, "en-us", "VMware driver", IGNORED("another hypervisor driver")},
    {"vnc_port", PORT, "5900", "VMware driver", IGNORED("another hypervisor driver")},
    {"vnc_port_total", INTEGER, "10000", "VMware driver", IGNORED("another hypervisor driver"), AT_LEAST(0)},
};

static const NdOption zvm_options[] = {
    {"ca_file", STRING, NULL, "z/VM driver", IGNORED("another hypervisor driver")},
    {"cloud_connector_url", URI, NULL, "z/VM driver", IGNORED("another hypervisor driver")},
    {"image_tmp_path", STRING, "$state_path/images", "z/VM driver", IGNORED("another hypervisor driver")},
    {"reachable_timeout", INTEGER, "300", "z/VM driver", IGNORED("another hypervisor driver")},
};

const NdOptionFamily nd_options_other[] = {
    {"api_database", api_database_options, G_N_ELEMENTS(api_database_options)},
    {"database", database_options, G_N_ELEMENTS(database_options)},
    {"cache", cache_options, G_N_ELEMENTS(cache_options)},
    {"conductor", conductor_options, G_N_ELEMENTS(conductor_options)},
    {"scheduler", scheduler_options, G_N_ELEMENTS(scheduler_options)},
    {"metrics", metrics_options, G_N_ELEMENTS(metrics_options)},
    {"quota", quota_options, G_N_ELEMENTS(quota_options)},
    {"keystone", keystone_options, G_N_ELEMENTS(keystone_options)},
    {"oslo_limit", oslo_limit_options, G_N_ELEMENTS(oslo_limit_options)},
    {"oslo_policy", oslo_policy_options, G_N_ELEMENTS(oslo_policy_options)},
    {"oslo_middleware", oslo_middleware_options, G_N_ELEMENTS(oslo_middleware_options)},
    {"wsgi", wsgi_options, G_N_ELEMENTS(wsgi_options)},
    {"oslo_versionedobjects", oslo_versionedobjects_options, G_N_ELEMENTS(oslo_versionedobjects_options)},
    {"remote_debug", remote_debug_options, G_N_ELEMENTS(remote_debug_options)},
    {"profiler", profiler_options, G_N_ELEMENTS(profiler_options)},
    {"nova_sys_admin", nova_sys_admin_options, G_N_ELEMENTS(nova_sys_admin_options)},
    {"privsep_osbrick", privsep_osbrick_options, G_N_ELEMENTS(privsep_osbrick_options)},
    {"vif_plug_ovs_privileged", vif_plug_ovs_privileged_options, G_N_ELEMENTS(vif_plug_ovs_privileged_options)},
    {"vif_plug_linux_bridge_privileged", vif_plug_linux_bridge_privileged_options, G_N_ELEMENTS(vif_plug_linux_bridge_privileged_options)},
    {"ironic", ironic_options, G_N_ELEMENTS(ironic_options)},
    {"hyperv", hyperv_options, G_N_ELEMENTS(hyperv_options)},
    {"vmware", vmware_options, G_N_ELEMENTS(vmware_options)},
    {"zvm", zvm_options, G_N_ELEMENTS(zvm_options)},
    {NULL, NULL, 0},
};
