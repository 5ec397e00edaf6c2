/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "rpc/context.h"
#include "rpc/dispatch.h"
#include "rpc/exception.h"
#include "rpc/message.h"
#include "rpc/request.h"
#include "rpc/transport_private.h"
#include "rpc/url.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

/* Any bytes as a message body, as compressed one, as a failure, as a transport URL: refused with an error, or what is read can be written and read
 * again as the same. */

const char *const fuzz_seeds[] = {"tests/golden/rpc/seeds.txt", NULL};

enum { LIMIT = 1 << 20 };

static void must(bool truth)
{
    if (!truth)
        abort();
}

static RpcTransport *transport(void)
{
    static RpcTransport *made;
    if (made == NULL) {
        g_auto(RpcOptions) options;
        rpc_options_init(&options);
        made = rpc_transport_new("rabbit://", &options, NULL);
    }
    return made;
}

static void try_context(NdJson *message)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(RpcContext) context = rpc_context_from_message(message, &error);
    must((context != NULL) == (error == NULL));
    if (context == NULL)
        return;
    g_autoptr(RpcContext) elevated = rpc_context_elevated(context);
    g_autoptr(NdJson) once = json_object_new_object();
    g_autoptr(NdJson) twice = json_object_new_object();
    rpc_context_add_to_message(elevated, once, RPC_CONTEXT_FULL);
    g_autoptr(RpcContext) again = rpc_context_from_message(once, NULL);
    must(again != NULL);
    rpc_context_add_to_message(again, twice, RPC_CONTEXT_FULL);
    must(nd_json_equal(once, twice));
}

static void try_request(NdJson *message)
{
    static const char *const args[] = {"a", "b?", NULL};
    static const RpcMethod methods[] = {{"m", args}};
    static const RpcEndpoint endpoints[] = {{NULL, "6.5", methods, 1}};
    g_auto(RpcReplyTo) reply_to = {0};
    g_autoptr(GError) error = NULL;
    g_autoptr(RpcRequest) request = rpc_request_new(transport(), "t", json_object_get(message), &reply_to, &error);
    must((request != NULL) == (error == NULL));
    if (request == NULL)
        return;
    const RpcMethod *method =
        rpc_dispatch_find(endpoints, 1, rpc_request_namespace(request), rpc_request_version(request), rpc_request_method(request), NULL, NULL);
    if (method != NULL)
        rpc_dispatch_check_args(method, rpc_request_args(request), NULL);
    rpc_request_discard(request);
}

static void try_body(const uint8_t *data, size_t size, const char *compression)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(NdJson) message = NULL;
    bool good = rpc_message_decode(data, size, compression, LIMIT, &message, &error);
    must(good == (error == NULL) && good == (message != NULL));
    if (!good)
        return;
    g_autoptr(GBytes) body = rpc_message_encode(message);
    gsize length;
    const guint8 *bytes = g_bytes_get_data(body, &length);
    g_autoptr(NdJson) again = NULL;
    /* One more level of nesting and of escaping can be over the limits that the first text was under. */
    if (rpc_message_decode(bytes, length, NULL, 16 * LIMIT, &again, NULL))
        must(json_object_object_length(again) == json_object_object_length(message));
    try_context(message);
    try_request(message);
}

static void try_failure(const char *text)
{
    g_autoptr(GError) error = NULL;
    must(!rpc_failure_decode(text, &error) && error != NULL);
    must(nova_exception_class(error) != NULL && nova_exception_module(error) != NULL);
    g_autofree char *encoded = rpc_failure_encode(error);
    g_autoptr(GError) again = NULL;
    must(!rpc_failure_decode(encoded, &again) && again->domain == NOVA_EXCEPTION);
}

static void try_url(const char *text)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(RpcUrl) url = rpc_url_parse(text, &error);
    must((url != NULL) == (error == NULL) && (url == NULL || url->hosts->len > 0));
    g_auto(RpcOptions) options;
    rpc_options_init(&options);
    for (guint i = 0; url != NULL && i + 1 < url->query->len; i += 2)
        rpc_options_set(&options, g_ptr_array_index(url->query, i), g_ptr_array_index(url->query, i + 1), NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const keys[] = {"_msg_id", "_reply_q"};
    try_body(data, size, NULL);
    try_body(data, size, "application/x-gzip");
    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
        g_autofree char *found = rpc_message_scan(data, size, keys[i]);
        must(found == NULL || *found != '\0');
    }
    g_autofree char *text = g_strndup((const char *)data, size);
    try_failure(text);
    try_url(text);
    rpc_version_compatible("6.5", text);
    return 0;
}
