/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "virt/image_cache_clean.h"

#include "base/error.h"
#include "base/time.h"
#include "virt/error.h"
#include "virt/image_private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SHA1_DIGITS 40
/* instances_path/<instance>/<disk>, instances_path/snapshots/<folder>/<file> */
#define DISK_DEPTH 3
/* nova-compute fetches an image that was asked for in advance without its lock, so the age of a half-made file must speak for itself. */
#define HALF_MADE_AGE_S 3600
/* Clocks of file systems tick slower than the one we read. */
#define CLOCK_SLACK_US (2 * G_USEC_PER_SEC)

typedef enum { KIND_ORIGINAL, KIND_RESIZED, KIND_BLANK, KIND_HALF_MADE } Kind;

typedef struct {
    char *path;
    char *name;     /* in the cache's folder */
    char *lock;     /* name of its lock: the name without what marks a half-made file */
    char *image;    /* of images: the sha1 */
    Kind kind;
} Entry;

static void entry_free(gpointer data)
{
    Entry *entry = data;
    g_free(entry->path);
    g_free(entry->name);
    g_free(entry->lock);
    g_free(entry->image);
    g_free(entry);
}

/* --- names --------------------------------------------------------------------------------------------------------------------------------- */

static bool all_digits(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (!g_ascii_isdigit(text[i]))
            return false;
    return length > 0;
}

static bool all_hex(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (!g_ascii_isdigit(text[i]) && !(text[i] >= 'a' && text[i] <= 'f'))
            return false;
    return strlen(text) >= length;
}

static bool is_blank_name(const char *name)
{
    if (g_str_has_prefix(name, "swap_"))
        return all_digits(name + strlen("swap_"), strlen(name + strlen("swap_")));
    if (!g_str_has_prefix(name, "ephemeral_"))
        return false;
    const char *size = name + strlen("ephemeral_"), *hash = strchr(size, '_');
    return hash != NULL && all_digits(size, (size_t)(hash - size)) && strlen(hash + 1) == 7 && all_hex(hash + 1, 7);
}

/* The kind of a file by its name, false if it is none of ours. */
static bool kind_of(const char *name, Kind *kind)
{
    if (is_blank_name(name)) {
        *kind = KIND_BLANK;
        return true;
    }
    if (strlen(name) < SHA1_DIGITS || !all_hex(name, SHA1_DIGITS))
        return false;
    const char *rest = name + SHA1_DIGITS;
    *kind = *rest == '\0' ? KIND_ORIGINAL : KIND_RESIZED;
    return *rest == '\0' || strcmp(rest, "_sm") == 0 || (*rest == '_' && all_digits(rest + 1, strlen(rest + 1)));
}

/* The name of what is being made, NULL if the file is none that is half made. */
static char *finished_name(const char *name)
{
    static const char *const suffixes[] = {".part", ".converted"};
    for (size_t i = 0; i < G_N_ELEMENTS(suffixes); i++)
        if (g_str_has_suffix(name, suffixes[i]))
            return g_strndup(name, strlen(name) - strlen(suffixes[i]));
    return NULL;
}

/* NULL if it is none of ours. */
static Entry *entry_new(const char *directory, const char *name)
{
    g_autofree char *finished = finished_name(name);
    Kind kind;
    if (!kind_of(finished != NULL ? finished : name, &kind) || (finished != NULL && kind == KIND_RESIZED))
        return NULL;
    Entry *entry = g_new0(Entry, 1);
    entry->path = g_build_filename(directory, name, NULL);
    entry->name = g_strdup(name);
    entry->lock = g_strdup(finished != NULL ? finished : name);
    entry->image = kind == KIND_BLANK ? NULL : g_strndup(name, SHA1_DIGITS);
    entry->kind = finished != NULL ? KIND_HALF_MADE : kind;
    return entry;
}

/* The known files of the cache; NULL with an error, or without one if there is no cache. */
static GPtrArray *list_entries(const VirtImageCache *cache, GError **error)
{
    g_autofree char *directory = g_build_filename(cache->instances_path, cache->subdirectory, NULL);
    DIR *dir = opendir(directory);
    if (dir == NULL) {
        if (errno != ENOENT)
            virt_error_set_errno(error, errno, "open '%s'", directory);
        return NULL;
    }
    GPtrArray *entries = g_ptr_array_new_with_free_func(entry_free);
    for (struct dirent *found = readdir(dir); found != NULL; found = readdir(dir)) {
        Entry *entry = entry_new(directory, found->d_name);
        struct stat status;
        if (entry != NULL && stat(entry->path, &status) == 0 && S_ISREG(status.st_mode))
            g_ptr_array_add(entries, entry);
        else if (entry != NULL)
            entry_free(entry);
    }
    closedir(dir);
    return entries;
}

/* --- disks on this storage that stand on cached files --------------------------------------------------------------------------------------- */

/* The backing file that a file's header names, NULL if it is no qcow2 file or has none. False: it cannot be read. */
static bool read_backing(int fd, guint64 size, char **backing)
{
    static const guint8 magic[] = {'Q', 'F', 'I', 0xfb};
    VirtImageSource source = {.fd = fd, .size = size};
    g_auto(VirtImageInfo) info = {0};
    guint8 head[512] = {0};
    *backing = NULL;
    if (virt_image_read(&source, 0, head, sizeof head) < 0)
        return false;
    if (memcmp(head, magic, sizeof magic) == 0) {
        virt_image_read_qcow2(&source, head, &info);
        *backing = g_steal_pointer(&info.backing_file);
    }
    return true;
}

/* A file that is gone meanwhile is fine, and so is one that we may not read, unless it is called as nova calls disks. */
static bool scan_file(const char *path, const char *name, GHashTable *backings, GError **error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat status;
    g_autofree char *backing = NULL;
    if (fd < 0) {
        bool matters = errno != ENOENT && g_str_has_prefix(name, "disk");
        return !matters || virt_error_set_errno(error, errno, "open '%s'", path);
    }
    bool read = fstat(fd, &status) == 0 && (!S_ISREG(status.st_mode) || read_backing(fd, (guint64)status.st_size, &backing));
    int errnum = errno;
    close(fd);
    if (!read)
        return virt_error_set_errno(error, errnum, "read '%s'", path);
    if (backing != NULL)
        g_hash_table_replace(backings, g_path_get_basename(backing), g_strdup(path));
    return true;
}

/* Folders that hold no disks of instances: the cache itself, the locks, what the file system or others have there. */
static bool skip_folder(const VirtImageCache *cache, const char *name, int depth)
{
    return name[0] == '.' || (depth == 1 && (strcmp(name, cache->subdirectory) == 0 || strcmp(name, "locks") == 0 || strcmp(name, "lost+found") == 0));
}

static bool scan_folder(const VirtImageCache *cache, const char *folder, int depth, GHashTable *backings, GError **error);

static bool scan_child(const VirtImageCache *cache, const char *folder, const char *name, int depth, GHashTable *backings, GError **error)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    struct stat status;
    if (stat(path, &status) != 0)
        return errno == ENOENT || errno == ELOOP || virt_error_set_errno(error, errno, "look at '%s'", path);
    if (S_ISREG(status.st_mode))
        return scan_file(path, name, backings, error);
    if (!S_ISDIR(status.st_mode) || depth == DISK_DEPTH || skip_folder(cache, name, depth))
        return true;
    return scan_folder(cache, path, depth + 1, backings, error);
}

static bool scan_folder(const VirtImageCache *cache, const char *folder, int depth, GHashTable *backings, GError **error)
{
    DIR *dir = opendir(folder);
    bool ok = true;
    if (dir == NULL)
        return errno == ENOENT || virt_error_set_errno(error, errno, "open '%s'", folder);
    for (struct dirent *found = readdir(dir); ok && found != NULL; found = readdir(dir))
        if (strcmp(found->d_name, ".") != 0 && strcmp(found->d_name, "..") != 0)
            ok = scan_child(cache, folder, found->d_name, depth, backings, error);
    closedir(dir);
    return ok;
}

GHashTable *virt_image_cache_backings(const VirtImageCache *cache, GError **error)
{
    g_autoptr(GHashTable) backings = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return scan_folder(cache, cache->instances_path, 1, backings, error) ? g_steal_pointer(&backings) : NULL;
}

/* --- one pass ------------------------------------------------------------------------------------------------------------------------------ */

static void report(const VirtCachePass *pass, VirtCacheEvent event, const char *path, const char *detail)
{
    if (pass->report != NULL)
        pass->report(event, path, detail, pass->user_data);
}

/* sha1 -> image id (borrowed) of the images that the caller has named. */
static GHashTable *used_images(const VirtCachePass *pass)
{
    GHashTable *used = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    GHashTableIter iter;
    gpointer id;
    g_hash_table_iter_init(&iter, pass->image_ids);
    while (g_hash_table_iter_next(&iter, &id, NULL))
        g_hash_table_insert(used, virt_image_cache_name(id), id);
    return used;
}

/* Touches and reports what is in use; false: nobody uses it. */
static bool mark_used(const VirtCachePass *pass, const Entry *entry, GHashTable *images, GHashTable *backings)
{
    const char *image = entry->image != NULL ? g_hash_table_lookup(images, entry->image) : NULL;
    bool named = image != NULL || (entry->kind == KIND_BLANK && g_hash_table_contains(pass->blanks, entry->name));
    const char *disk = g_hash_table_lookup(backings, entry->name);
    if (!named && disk == NULL)
        return false;
    report(pass, named ? VIRT_CACHE_IN_USE : VIRT_CACHE_BACKING, entry->path, named ? image : disk);
    virt_image_cache_touch(entry->path);
    return true;
}

static gint64 minimum_age_s(const VirtCachePass *pass, const Entry *entry)
{
    switch (entry->kind) {
    case KIND_RESIZED:
        return pass->resized_age_s;
    case KIND_HALF_MADE:
        return MAX(pass->original_age_s, HALF_MADE_AGE_S);
    case KIND_ORIGINAL:
    case KIND_BLANK:
        break;
    }
    return pass->original_age_s;
}

/* Whether it has not been touched for long enough, nor since the pass began; *gone: it is not there any more. */
static bool is_old_enough(const VirtCachePass *pass, const Entry *entry, bool *gone)
{
    struct stat status;
    *gone = stat(entry->path, &status) != 0;
    if (*gone)
        return false;
    gint64 touched_us = (gint64)status.st_mtim.tv_sec * G_USEC_PER_SEC + status.st_mtim.tv_nsec / 1000;
    return nd_time_now() - touched_us >= minimum_age_s(pass, entry) * G_USEC_PER_SEC && touched_us < pass->began_us - CLOCK_SLACK_US;
}

static void remove_locked(const VirtCachePass *pass, const Entry *entry, NdFileLock *lock /* takes */)
{
    bool gone, old = is_old_enough(pass, entry, &gone); /* again: now nobody else can begin to use it */
    if (old && unlink(entry->path) == 0) {
        report(pass, VIRT_CACHE_REMOVED, entry->path, NULL);
        /* An image's lock is of no more use; those of blank disks are few, and stay as upstream's do. */
        if (entry->kind == KIND_ORIGINAL || entry->kind == KIND_RESIZED)
            nd_file_lock_remove(g_steal_pointer(&lock));
    } else if (old) {
        report(pass, VIRT_CACHE_KEPT, entry->path, g_strerror(errno));
    } else if (!gone) {
        report(pass, VIRT_CACHE_YOUNG, entry->path, NULL);
    }
    nd_file_lock_release(lock);
}

static void remove_if_old(const VirtImageCache *cache, const VirtCachePass *pass, const Entry *entry)
{
    g_autoptr(GError) error = NULL;
    bool gone;
    if (!is_old_enough(pass, entry, &gone)) {
        if (!gone && entry->kind != KIND_HALF_MADE)
            report(pass, VIRT_CACHE_YOUNG, entry->path, NULL);
        return;
    }
    g_autofree char *directory = g_build_filename(cache->instances_path, "locks", NULL);
    g_autofree char *path = nd_file_lock_path(directory, "nova", entry->lock);
    NdFileLock *lock = nd_file_lock_take(path, 0, NULL, &error);
    if (lock != NULL)
        remove_locked(pass, entry, lock);
    else if (g_error_matches(error, ND_ERROR, ND_ERROR_TIMEOUT))
        report(pass, VIRT_CACHE_LOCKED, entry->path, NULL);
    else
        report(pass, VIRT_CACHE_KEPT, entry->path, error->message);
}

static void report_missing(const VirtCachePass *pass, const GPtrArray *entries)
{
    g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
    GHashTableIter iter;
    gpointer name;
    for (guint i = 0; i < entries->len; i++)
        g_hash_table_add(names, ((const Entry *)entries->pdata[i])->name);
    g_hash_table_iter_init(&iter, pass->blanks);
    while (g_hash_table_iter_next(&iter, &name, NULL))
        if (!g_hash_table_contains(names, name))
            report(pass, VIRT_CACHE_MISSING, name, NULL);
}

bool virt_image_cache_clean(const VirtImageCache *cache, const VirtCachePass *pass, GError **error)
{
    GError *failure = NULL;
    g_autoptr(GPtrArray) entries = list_entries(cache, &failure);
    if (entries == NULL) {
        bool no_cache = failure == NULL;
        if (!no_cache)
            g_propagate_error(error, failure);
        return no_cache;
    }
    g_autoptr(GHashTable) images = used_images(pass), backings = virt_image_cache_backings(cache, error);
    g_autoptr(GPtrArray) unused = g_ptr_array_new();
    if (backings == NULL)
        return false;
    for (guint i = 0; i < entries->len; i++) {
        const Entry *entry = entries->pdata[i];
        if (entry->kind != KIND_HALF_MADE && mark_used(pass, entry, images, backings))
            continue;
        if (entry->kind != KIND_HALF_MADE)
            report(pass, VIRT_CACHE_UNUSED, entry->path, NULL);
        g_ptr_array_add(unused, (gpointer)entry);
    }
    report_missing(pass, entries);
    for (guint i = 0; pass->remove && i < unused->len; i++)
        remove_if_old(cache, pass, unused->pdata[i]);
    return true;
}
