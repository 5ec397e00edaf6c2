/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "agent/key_lock.h"

struct KeyLock {
    GMutex mutex;
    char *key;
    guint users; /* holding or waiting; under table_lock */
};

static GMutex table_lock;
static GHashTable *table; /* key -> KeyLock; under table_lock */

KeyLock *key_lock_take(const char *key)
{
    g_mutex_lock(&table_lock);
    if (table == NULL)
        table = g_hash_table_new(g_str_hash, g_str_equal);
    KeyLock *lock = g_hash_table_lookup(table, key);
    if (lock == NULL) {
        lock = g_new0(KeyLock, 1);
        g_mutex_init(&lock->mutex);
        lock->key = g_strdup(key);
        g_hash_table_insert(table, lock->key, lock);
    }
    lock->users++;
    g_mutex_unlock(&table_lock);
    g_mutex_lock(&lock->mutex);
    return lock;
}

void key_lock_release(KeyLock *lock)
{
    g_mutex_unlock(&lock->mutex);
    g_mutex_lock(&table_lock);
    if (--lock->users == 0) {
        g_hash_table_remove(table, lock->key);
        if (g_hash_table_size(table) == 0)
            g_clear_pointer(&table, g_hash_table_unref);
        g_mutex_clear(&lock->mutex);
        g_free(lock->key);
        g_free(lock);
    }
    g_mutex_unlock(&table_lock);
}
