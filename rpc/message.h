/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/json.h"

#include <glib.h>
#include <stdbool.h>

/* Message bodies: the oslo.messaging envelope 2.0 around a message that is JSON text itself (spec/rpc-wire.md section 3). */

enum {
    RPC_MESSAGE_DEPTH = 64,           /* of nesting that is parsed */
    RPC_MESSAGE_VALUES = 2 * 1000000, /* JSON values in one message: each costs some 50 bytes of memory however short its text is */
};

/* The body of a message: envelope, double encoded. Invalid UTF-8 in strings is replaced. */
GBytes *rpc_message_encode(NdJson *message);
/* The body without envelope (notification driver `messaging`). */
GBytes *rpc_message_encode_bare(NdJson *message);
/* Reads a body. `compression` is the header's value or NULL. *message is an object, caller frees. RPC_ERROR_MESSAGE, RPC_ERROR_LIMIT. */
bool rpc_message_decode(const guint8 *body, gsize length, const char *compression, gsize max_body, NdJson **message, GError **error);
/* A reply's body. Takes `result`; failure is the JSON text of rpc_failure_encode or NULL. */
GBytes *rpc_message_reply(const char *msg_id, NdJson *result, const char *failure, bool ending);
/* The value of `\"key\": \"value\"` among the bytes of an envelope that is not parsed; the last wins. Texts inside the message's own
 * strings are escaped once more and never match, so a tenant's data cannot pose as a key. Only [0-9A-Za-z_.:-] is accepted. NULL if there is
 * none; caller frees. For answering requests that are too large or broken to parse. */
char *rpc_message_scan(const guint8 *bytes, gsize length, const char *key);
/* Compresses a body for kombu_compression "gzip" (which is zlib's format). */
GBytes *rpc_message_deflate(GBytes *body);
