/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "rpc/error.h"
#include "rpc/link_private.h"

#include <amqp_framing.h>
#include <amqp_ssl_socket.h>
#include <amqp_tcp_socket.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <string.h>
#include <sys/socket.h>

/*
 * Connecting and logging in. The handshake is written out here rather than left to amqp_login, which has neither AMQPLAIN nor RABBIT-CR-DEMO and
 * cannot tell a refused password from a lost connection.
 */

enum {
    CONNECT_TIMEOUT_S = 5, /* with the TLS handshake; stopping may have to wait for it */
    HANDSHAKE_TIMEOUT_S = 10,
    METHOD_TIMEOUT_S = 30,
    FRAME_MAX = 131072,
    CHANNEL_MAX = 65535,
};

static const struct {
    const char *name;
    amqp_tls_version_t version;
} tls_versions[] = {
    {"tlsv1", AMQP_TLSv1},
    {"tlsv1_1", AMQP_TLSv1_1},
    {"tlsv1_2", AMQP_TLSv1_2},
    {"tlsv1_3", AMQP_TLSvLATEST},
};

static bool set_tls_version(amqp_socket_t *socket, const char *name, GError **error)
{
    if (name == NULL || *name == '\0' || g_ascii_strcasecmp(name, "SSLv23") == 0) {
        amqp_ssl_socket_set_ssl_versions(socket, AMQP_TLSv1_2, AMQP_TLSvLATEST);
        return true;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(tls_versions); i++)
        if (g_ascii_strcasecmp(tls_versions[i].name, name) == 0) {
            amqp_ssl_socket_set_ssl_versions(socket, tls_versions[i].version, tls_versions[i].version);
            return true;
        }
    g_set_error(error, RPC_ERROR, RPC_ERROR_ARGUMENT, "ssl_version '%s' is not supported", name);
    return false;
}

static bool is_set(const char *text)
{
    return text != NULL && *text != '\0';
}

static bool setup_tls(amqp_socket_t *socket, const RpcOptions *options, GError **error)
{
    if (!set_tls_version(socket, options->ssl_version, error))
        return false;
    amqp_ssl_socket_set_verify_peer(socket, 1);
    amqp_ssl_socket_set_verify_hostname(socket, options->ssl_enforce_hostname_verification);
    if (is_set(options->ssl_ca_file)) {
        if (amqp_ssl_socket_set_cacert(socket, options->ssl_ca_file) != AMQP_STATUS_OK) {
            g_set_error(error, RPC_ERROR, RPC_ERROR_ARGUMENT, "ssl_ca_file '%s' cannot be used", options->ssl_ca_file);
            return false;
        }
    } else if (SSL_CTX_set_default_verify_paths(amqp_ssl_socket_get_context(socket)) != 1) {
        g_set_error(error, RPC_ERROR, RPC_ERROR_CONNECTION, "the system's CA certificates cannot be loaded");
        return false;
    }
    if (!is_set(options->ssl_cert_file))
        return true;
    const char *key = is_set(options->ssl_key_file) ? options->ssl_key_file : options->ssl_cert_file;
    if (amqp_ssl_socket_set_key(socket, options->ssl_cert_file, key) == AMQP_STATUS_OK)
        return true;
    g_set_error(error, RPC_ERROR, RPC_ERROR_ARGUMENT, "ssl_cert_file '%s' and ssl_key_file '%s' cannot be used", options->ssl_cert_file, key);
    return false;
}

/* Lets the kernel give up on a peer that acknowledges nothing (spec/rpc-wire.md section 6). */
static void set_socket_options(int fd, int heartbeat_s)
{
    int on = 1, timeout_ms = heartbeat_s * 1000;
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    if (timeout_ms > 0)
        setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, sizeof timeout_ms);
}

static bool open_socket(RpcLink *link, const RpcHost *host, const RpcOptions *options, GError **error)
{
    amqp_socket_t *socket = options->ssl ? amqp_ssl_socket_new(link->state) : amqp_tcp_socket_new(link->state);
    if (socket == NULL) {
        g_set_error(error, RPC_ERROR, RPC_ERROR_CONNECTION, "no socket could be made");
        return false;
    }
    if (options->ssl && !setup_tls(socket, options, error))
        return false;
    struct timeval timeout = {.tv_sec = CONNECT_TIMEOUT_S};
    int status = amqp_socket_open_noblock(socket, host->host, host->port, &timeout);
    if (status != AMQP_STATUS_OK) {
        int saved = errno;
        g_set_error(error, RPC_ERROR, RPC_ERROR_CONNECTION, "connecting to '%s:%d': %s%s%s", host->host, host->port, amqp_error_string2(status),
                    status == AMQP_STATUS_SOCKET_ERROR && saved != 0 ? ", " : "", status == AMQP_STATUS_SOCKET_ERROR && saved != 0 ? g_strerror(saved) : "");
        return false;
    }
    set_socket_options(amqp_get_sockfd(link->state), options->heartbeat_timeout_threshold);
    return true;
}

/* Waits for one method of channel 0; a connection.close in its place is an error. */
static bool wait_method(RpcLink *link, amqp_method_number_t wanted, const char *step, amqp_method_t *method, GError **error)
{
    struct timeval timeout = {.tv_sec = HANDSHAKE_TIMEOUT_S};
    amqp_frame_t frame;
    int status = amqp_simple_wait_frame_noblock(link->state, &frame, &timeout);
    if (!rpc_link_check_status(link, status, step, error))
        return false;
    if (frame.frame_type == AMQP_FRAME_METHOD && frame.payload.method.id == wanted) {
        *method = frame.payload.method;
        return true;
    }
    link->dead = true;
    if (frame.frame_type == AMQP_FRAME_METHOD && frame.payload.method.id == AMQP_CONNECTION_CLOSE_METHOD) {
        const amqp_connection_close_t *close = frame.payload.method.decoded;
        amqp_connection_close_ok_t ok = {0};
        amqp_send_method(link->state, 0, AMQP_CONNECTION_CLOSE_OK_METHOD, &ok);
        g_set_error(error, RPC_ERROR, RPC_ERROR_AUTH, "%s: the broker refused with %d '%.*s'", step, close->reply_code, (int)close->reply_text.len,
                    (const char *)close->reply_text.bytes);
        return false;
    }
    g_set_error(error, RPC_ERROR, RPC_ERROR_CONNECTION, "%s: unexpected AMQP frame of type %d", step, frame.frame_type);
    return false;
}

static void put_table_string(GByteArray *out, const char *key, const char *value)
{
    guint8 key_length = (guint8)strlen(key);
    guint32 length = GUINT32_TO_BE((guint32)strlen(value));
    g_byte_array_append(out, &key_length, 1);
    g_byte_array_append(out, (const guint8 *)key, key_length);
    g_byte_array_append(out, (const guint8 *)"S", 1);
    g_byte_array_append(out, (const guint8 *)&length, 4);
    g_byte_array_append(out, (const guint8 *)value, (guint)strlen(value));
}

/* The SASL response of a login method; NULL if the method is unknown. */
static GByteArray *sasl_response(const char *mechanism, const RpcHost *host)
{
    GByteArray *out = g_byte_array_new();
    if (g_str_equal(mechanism, "AMQPLAIN")) {
        put_table_string(out, "LOGIN", host->user);
        put_table_string(out, "PASSWORD", host->password);
    } else if (g_str_equal(mechanism, "PLAIN")) {
        g_byte_array_append(out, (const guint8 *)"", 1);
        g_byte_array_append(out, (const guint8 *)host->user, (guint)strlen(host->user) + 1);
        g_byte_array_append(out, (const guint8 *)host->password, (guint)strlen(host->password));
    } else if (g_str_equal(mechanism, "RABBIT-CR-DEMO")) {
        g_byte_array_append(out, (const guint8 *)host->user, (guint)strlen(host->user));
    } else if (!g_str_equal(mechanism, "EXTERNAL")) {
        g_clear_pointer(&out, g_byte_array_unref);
    }
    return out;
}

static bool mechanism_offered(amqp_bytes_t mechanisms, const char *wanted)
{
    g_autofree char *list = g_strndup(mechanisms.bytes ? mechanisms.bytes : "", mechanisms.len);
    g_auto(GStrv) names = g_strsplit(list, " ", -1);
    return g_strv_contains((const char *const *)names, wanted);
}

static amqp_table_entry_t text_entry(const char *key, const char *value)
{
    return (amqp_table_entry_t){.key = amqp_cstring_bytes(key), .value = {.kind = AMQP_FIELD_KIND_UTF8, .value.bytes = amqp_cstring_bytes(value)}};
}

static amqp_table_entry_t true_entry(const char *key)
{
    return (amqp_table_entry_t){.key = amqp_cstring_bytes(key), .value = {.kind = AMQP_FIELD_KIND_BOOLEAN, .value.boolean = 1}};
}

/* connection.start-ok with our properties and credentials. */
static bool send_start_ok(RpcLink *link, const char *mechanism, GByteArray *response, const char *name, GError **error)
{
    amqp_table_entry_t capabilities[] = {
        true_entry("authentication_failure_close"),
        true_entry("connection.blocked"),
        true_entry("consumer_cancel_notify"),
        true_entry("publisher_confirms"),
    };
    amqp_table_entry_t properties[] = {
        text_entry("product", "novad"),
        text_entry("product_version", PACKAGE_VERSION),
        text_entry("connection_name", name),
        {.key = amqp_cstring_bytes("capabilities"),
         .value = {.kind = AMQP_FIELD_KIND_TABLE, .value.table = {.num_entries = G_N_ELEMENTS(capabilities), .entries = capabilities}}},
    };
    amqp_connection_start_ok_t ok = {
        .client_properties = {.num_entries = G_N_ELEMENTS(properties), .entries = properties},
        .mechanism = amqp_cstring_bytes(mechanism),
        .response = {.len = response->len, .bytes = response->data},
        .locale = amqp_cstring_bytes("en_US"),
    };
    int status = amqp_send_method(link->state, 0, AMQP_CONNECTION_START_OK_METHOD, &ok);
    if (response->len > 0)
        memset(response->data, 0, response->len);
    return rpc_link_check_status(link, status, "login", error);
}

/* RABBIT-CR-DEMO: the broker asks for the password in connection.secure. */
static bool answer_secure(RpcLink *link, const RpcHost *host, GError **error)
{
    amqp_method_t method;
    if (!wait_method(link, AMQP_CONNECTION_SECURE_METHOD, "login", &method, error))
        return false;
    g_autofree char *answer = g_strdup_printf("My password is %s", host->password);
    amqp_connection_secure_ok_t ok = {.response = amqp_cstring_bytes(answer)};
    return rpc_link_check_status(link, amqp_send_method(link->state, 0, AMQP_CONNECTION_SECURE_OK_METHOD, &ok), "login", error);
}

static guint32 smaller_non_zero(guint32 a, guint32 b)
{
    return a == 0 ? b : b == 0 ? a : MIN(a, b);
}

static bool tune(RpcLink *link, const RpcOptions *options, GError **error)
{
    amqp_method_t method;
    if (!wait_method(link, AMQP_CONNECTION_TUNE_METHOD, "login", &method, error))
        return false;
    const amqp_connection_tune_t *offer = method.decoded;
    guint32 wanted = (guint32)options->heartbeat_timeout_threshold;
    amqp_connection_tune_ok_t ok = {
        .channel_max = offer->channel_max != 0 ? offer->channel_max : CHANNEL_MAX,
        .frame_max = offer->frame_max != 0 ? MIN(offer->frame_max, (guint32)FRAME_MAX) : FRAME_MAX,
        /* Threshold 0 disables heartbeats on our side whatever the broker would like. */
        .heartbeat = (guint16)(wanted == 0 ? 0 : smaller_non_zero(wanted, offer->heartbeat)),
    };
    int status = amqp_tune_connection(link->state, ok.channel_max, (int)ok.frame_max, ok.heartbeat);
    if (status >= 0)
        status = amqp_send_method(link->state, 0, AMQP_CONNECTION_TUNE_OK_METHOD, &ok);
    return rpc_link_check_status(link, status, "tuning the connection", error);
}

static bool open_vhost(RpcLink *link, const char *vhost, GError **error)
{
    amqp_connection_open_t open = {.virtual_host = amqp_cstring_bytes(vhost)};
    amqp_method_t method;
    g_autofree char *step = g_strdup_printf("opening the virtual host '%s'", vhost);
    return rpc_link_check_status(link, amqp_send_method(link->state, 0, AMQP_CONNECTION_OPEN_METHOD, &open), step, error) &&
           wait_method(link, AMQP_CONNECTION_OPEN_OK_METHOD, step, &method, error);
}

static bool login(RpcLink *link, const RpcHost *host, const char *vhost, const RpcOptions *options, const char *name, GError **error)
{
    amqp_method_t method;
    if (!rpc_link_check_status(link, amqp_send_header(link->state), "greeting the broker", error) ||
        !wait_method(link, AMQP_CONNECTION_START_METHOD, "greeting the broker", &method, error))
        return false;
    const char *mechanism = options->rabbit_login_method;
    if (!mechanism_offered(((const amqp_connection_start_t *)method.decoded)->mechanisms, mechanism)) {
        g_set_error(error, RPC_ERROR, RPC_ERROR_AUTH, "the broker does not offer the login method '%s'", mechanism);
        return false;
    }
    g_autoptr(GByteArray) response = sasl_response(mechanism, host);
    if (response == NULL) {
        g_set_error(error, RPC_ERROR, RPC_ERROR_ARGUMENT, "login method '%s' is not supported", mechanism);
        return false;
    }
    return send_start_ok(link, mechanism, response, name, error) &&
           (!g_str_equal(mechanism, "RABBIT-CR-DEMO") || answer_secure(link, host, error)) && tune(link, options, error) &&
           open_vhost(link, vhost, error);
}

RpcLink *rpc_link_open(const RpcHost *host, const char *vhost, const RpcOptions *options, const char *name, GError **error)
{
    g_autoptr(RpcLink) link = g_new0(RpcLink, 1);
    link->state = amqp_new_connection();
    if (link->state == NULL) {
        g_set_error(error, RPC_ERROR, RPC_ERROR_CONNECTION, "no connection could be made");
        return NULL;
    }
    if (!open_socket(link, host, options, error) || !login(link, host, vhost, options, name, error))
        return NULL;
    struct timeval timeout = {.tv_sec = METHOD_TIMEOUT_S};
    amqp_set_rpc_timeout(link->state, &timeout);
    link->opened = true;
    if (!rpc_link_open_channel(link, error))
        return NULL;
    return g_steal_pointer(&link);
}
