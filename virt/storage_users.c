/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "virt/storage_users.h"

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/lock.h"

#include <string.h>

#define RECENT_S (24 * 3600)
#define MAX_BYTES ((size_t)8 << 20)

/* What the file says; an empty object if it is not there or spoiled. */
static bool read_users(const char *path, NdJson **users, bool *spoiled, GError **error)
{
    g_autofree char *text = NULL;
    g_autoptr(NdJson) json = NULL;
    g_autoptr(GError) failure = NULL;
    size_t length;
    *spoiled = false;
    if (!nd_file_read(path, MAX_BYTES, &text, &length, &failure)) {
        if (!g_error_matches(failure, ND_ERROR, ND_ERROR_NOT_FOUND)) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return false;
        }
    } else if (!nd_json_parse(text, length, NULL, &json, NULL) || !json_object_is_type(json, json_type_object)) {
        *spoiled = true;
        g_clear_pointer(&json, json_object_put);
    }
    *users = json != NULL ? g_steal_pointer(&json) : json_object_new_object();
    return true;
}

static char **recent_users(NdJson *users, double now_s)
{
    g_autoptr(GPtrArray) recent = g_ptr_array_new();
    json_object_object_foreach(users, host, value)
    {
        bool is_number = json_object_is_type(value, json_type_double) || json_object_is_type(value, json_type_int);
        if (is_number && now_s - json_object_get_double(value) < RECENT_S)
            g_ptr_array_add(recent, g_strdup(host));
    }
    g_ptr_array_add(recent, NULL);
    return (char **)g_ptr_array_steal(recent, NULL);
}

static bool write_users(const char *path, NdJson *users, GError **error)
{
    g_autofree char *text = nd_json_to_string(users);
    return nd_file_write(path, text, strlen(text), 0644, error);
}

bool virt_storage_register(const char *instances_path, const char *host, gint64 now_us, char ***users, bool *spoiled, GError **error)
{
    g_autofree char *path = g_build_filename(instances_path, "compute_nodes", NULL);
    g_autofree char *locks = g_build_filename(instances_path, "locks", NULL);
    g_autofree char *lock_path = nd_file_lock_path(locks, "nova", "storage-registry-lock");
    g_autoptr(NdFileLock) lock = nd_file_lock_take(lock_path, -1, NULL, error);
    g_autoptr(NdJson) all = NULL;
    double now_s = (double)now_us / G_USEC_PER_SEC;
    bool was_spoiled = false;
    if (lock == NULL || !read_users(path, &all, &was_spoiled, error))
        return false;
    nd_json_set_double(all, host, now_s);
    if (!write_users(path, all, error))
        return false;
    if (spoiled != NULL)
        *spoiled = was_spoiled;
    *users = recent_users(all, now_s);
    return true;
}
