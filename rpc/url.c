/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "rpc/url.h"

#include "rpc/error.h"

#include <string.h>

enum { DEFAULT_PORT = 5672 };

static void host_free(gpointer data)
{
    RpcHost *host = data;
    g_free(host->host);
    g_free(host->user);
    if (host->password != NULL)
        memset(host->password, 0, strlen(host->password));
    g_free(host->password);
    g_free(host);
}

void rpc_url_free(RpcUrl *url)
{
    if (url == NULL)
        return;
    g_ptr_array_unref(url->hosts);
    g_ptr_array_unref(url->query);
    g_free(url->vhost);
    g_free(url);
}

/* Percent-decodes; NULL and an error if an escape is broken. */
static char *decode(const char *text, gssize length, GError **error)
{
    g_autofree char *part = length < 0 ? g_strdup(text) : g_strndup(text, (gsize)length);
    char *plain = g_uri_unescape_string(part, NULL);
    if (plain == NULL)
        g_set_error(error, RPC_ERROR, RPC_ERROR_ARGUMENT, "transport_url has a broken percent escape");
    return plain;
}

static bool parse_port(const char *text, int *port, GError **error)
{
    guint64 value;
    if (*text == '\0') {
        *port = DEFAULT_PORT;
        return true;
    }
    if (!g_ascii_string_to_unsigned(text, 10, 1, 65535, &value, NULL)) {
        g_set_error(error, RPC_ERROR, RPC_ERROR_ARGUMENT, "transport_url has the bad port '%s'", text);
        return false;
    }
    *port = (int)value;
    return true;
}

/* "host", "host:port", "[v6]", "[v6]:port". */
static bool parse_address(RpcHost *host, const char *text, GError **error)
{
    const char *port = "";
    if (*text == '[') {
        const char *end = strchr(text, ']');
        if (end == NULL || (end[1] != '\0' && end[1] != ':')) {
            g_set_error(error, RPC_ERROR, RPC_ERROR_ARGUMENT, "transport_url has a broken IPv6 address '%s'", text);
            return false;
        }
        host->host = g_strndup(text + 1, (gsize)(end - text - 1));
        port = end[1] == ':' ? end + 2 : "";
    } else {
        const char *colon = strchr(text, ':');
        host->host = colon ? g_strndup(text, (gsize)(colon - text)) : g_strdup(text);
        port = colon ? colon + 1 : "";
    }
    if (*host->host == '\0') {
        g_free(host->host);
        host->host = g_strdup("localhost");
    }
    return parse_port(port, &host->port, error);
}

static bool parse_host(RpcUrl *url, const char *text, GError **error)
{
    RpcHost *host = g_new0(RpcHost, 1);
    g_ptr_array_add(url->hosts, host);
    const char *at = strrchr(text, '@');
    if (at != NULL) {
        const char *colon = memchr(text, ':', (gsize)(at - text));
        host->user = decode(text, colon ? colon - text : at - text, error);
        if (host->user == NULL)
            return false;
        host->password = colon ? decode(colon + 1, at - colon - 1, error) : g_strdup("");
        if (host->password == NULL)
            return false;
    }
    if (host->user == NULL || *host->user == '\0') {
        g_free(host->user);
        g_free(host->password);
        host->user = g_strdup("guest");
        host->password = g_strdup("guest");
    }
    return parse_address(host, at ? at + 1 : text, error);
}

static bool parse_query(RpcUrl *url, const char *text, GError **error)
{
    g_auto(GStrv) pairs = g_strsplit(text, "&", -1);
    for (char **pair = pairs; *pair != NULL; pair++) {
        if (**pair == '\0')
            continue;
        char *equals = strchr(*pair, '=');
        char *key = decode(*pair, equals ? equals - *pair : -1, error);
        if (key == NULL)
            return false;
        g_ptr_array_add(url->query, key);
        char *value = decode(equals ? equals + 1 : "", -1, error);
        if (value == NULL)
            return false;
        g_ptr_array_add(url->query, value);
    }
    return true;
}

RpcUrl *rpc_url_parse(const char *text, GError **error)
{
    g_autoptr(RpcUrl) url = g_new0(RpcUrl, 1);
    url->hosts = g_ptr_array_new_with_free_func(host_free);
    url->query = g_ptr_array_new_with_free_func(g_free);
    const char *rest = strstr(text, "://");
    g_autofree char *driver = rest ? g_strndup(text, (gsize)(rest - text)) : NULL;
    if (driver == NULL || (!g_str_equal(driver, "rabbit") && !g_str_has_prefix(driver, "kombu"))) {
        g_set_error(error, RPC_ERROR, RPC_ERROR_ARGUMENT, "transport_url: driver '%s' is not supported, only 'rabbit'", driver ? driver : "");
        return NULL;
    }
    rest += strlen("://");
    const char *question = strchr(rest, '?');
    g_autofree char *before_query = question ? g_strndup(rest, (gsize)(question - rest)) : g_strdup(rest);
    char *slash = strchr(before_query, '/');
    g_autofree char *netloc = slash ? g_strndup(before_query, (gsize)(slash - before_query)) : g_strdup(before_query);
    url->vhost = decode(slash ? slash + 1 : "", -1, error);
    if (url->vhost == NULL)
        return NULL;
    if (*url->vhost == '\0') {
        g_free(url->vhost);
        url->vhost = g_strdup("/");
    }
    g_auto(GStrv) parts = g_strsplit(netloc, ",", -1);
    for (char **part = parts; *part != NULL; part++)
        if (**part != '\0' && !parse_host(url, *part, error))
            return NULL;
    if (url->hosts->len == 0 && !parse_host(url, "localhost", error))
        return NULL;
    if (question != NULL && !parse_query(url, question + 1, error))
        return NULL;
    return g_steal_pointer(&url);
}
