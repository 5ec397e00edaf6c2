/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "virt/error.h"
#include "virt/file_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK ((size_t)16 << 20) /* between looks at the cancellable */
#define BUFFER ((size_t)1 << 20)

/* Through user space: file systems of different kinds cannot copy in the kernel. */
static gssize copy_by_buffer(int from, int to, off_t offset, size_t length)
{
    g_autofree char *buffer = g_malloc(BUFFER);
    ssize_t got = pread(from, buffer, MIN(length, BUFFER), offset);
    if (got <= 0)
        return got;
    for (ssize_t done = 0; done < got;) {
        ssize_t put = pwrite(to, buffer + done, (size_t)(got - done), offset + done);
        if (put < 0 && errno != EINTR)
            return -1;
        done += MAX(put, 0);
    }
    return got;
}

static gssize copy_some(int from, int to, off_t offset, size_t length, bool *in_kernel)
{
    if (*in_kernel) {
        off_t in = offset, out = offset;
        ssize_t copied = copy_file_range(from, &in, to, &out, length, 0);
        if (copied > 0)
            return copied;
        if (copied < 0 && errno != EXDEV && errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP)
            return -1;
        *in_kernel = false;
    }
    return copy_by_buffer(from, to, offset, length);
}

static bool copy_extent(int from, int to, off_t start, off_t end, GCancellable *cancellable, GError **error)
{
    bool in_kernel = true;
    while (start < end) {
        if (g_cancellable_is_cancelled(cancellable)) {
            g_set_error_literal(error, VIRT_ERROR, VIRT_ERROR_CANCELLED, "cancelled");
            return false;
        }
        gssize copied = copy_some(from, to, start, MIN((size_t)(end - start), CHUNK), &in_kernel);
        if (copied < 0 && errno == EINTR)
            continue;
        if (copied < 0)
            return virt_error_set_errno(error, errno, "copy data");
        if (copied == 0)
            return virt_error_set_errno(error, EIO, "file became shorter");
        start += copied;
    }
    return true;
}

static bool copy_data(int from, int to, GCancellable *cancellable, GError **error)
{
    struct stat status;
    if (fstat(from, &status) < 0)
        return virt_error_set_errno(error, errno, "stat source");
    if (ioctl(to, FICLONE, from) == 0)
        return true;
    if (ftruncate(to, status.st_size) < 0)
        return virt_error_set_errno(error, errno, "set size");
    off_t position = 0;
    while (position < status.st_size) {
        off_t data = lseek(from, position, SEEK_DATA);
        if (data < 0 && errno == ENXIO)
            return true; /* only a hole is left */
        if (data < 0)
            return copy_extent(from, to, position, status.st_size, cancellable, error); /* a file system without holes */
        off_t hole = lseek(from, data, SEEK_HOLE);
        if (hole < 0)
            hole = status.st_size;
        if (!copy_extent(from, to, data, MIN(hole, status.st_size), cancellable, error))
            return false;
        position = hole;
    }
    return true;
}

bool virt_file_copy(const char *source, const char *destination, GCancellable *cancellable, GError **error)
{
    int from = open(source, O_RDONLY | O_CLOEXEC);
    if (from < 0)
        return virt_error_set_errno(error, errno, "open '%s'", source);
    int to = open(destination, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (to < 0) {
        virt_error_set_errno(error, errno, "create '%s'", destination);
        close(from);
        return false;
    }
    bool copied = copy_data(from, to, cancellable, error);
    if (copied && fdatasync(to) < 0)
        copied = virt_error_set_errno(error, errno, "sync");
    close(from);
    close(to);
    if (!copied) {
        unlink(destination);
        g_prefix_error(error, "copy '%s' to '%s': ", source, destination);
    }
    return copied;
}
