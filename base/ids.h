/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* A new random UUID, 36 characters lower case; caller frees. RFC 4122 version 4. */
char *nd_uuid_new(void);
/* The same without dashes: the 32 hex digits of oslo.messaging's _unique_id and _msg_id (spec/rpc-wire.md section 3.1); caller frees. */
char *nd_uuid_new_hex(void);
/* "req-" + UUID, oslo.context's request id (spec/rpc-wire.md section 3.2); caller frees. */
char *nd_request_id_new(void);
/* A random password of `length` characters that cannot be taken for each other, digits, capital and small letters among them if there is room
 * (upstream nova/utils.py generate_password); caller frees. */
char *nd_password_new(size_t length);
/* True if text is a UUID in its 36-character form, any case. */
bool nd_uuid_is_valid(const char *text);
