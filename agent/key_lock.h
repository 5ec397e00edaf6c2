/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * A mutex for each text key ("network-<uuid>"), for short sections that must not run twice at the same time for the same thing (upstream's
 * lockutils.synchronized). A key's mutex exists only while somebody holds or wants it. Do not take two at once.
 */
typedef struct KeyLock KeyLock;

/* Blocks until nobody else has the key. */
KeyLock *key_lock_take(const char *key);
void key_lock_release(KeyLock *lock);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(KeyLock, key_lock_release)
