/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "virt/connection.h"

/* Block jobs of a running domain (upstream nova/virt/libvirt/guest.py BlockDevice). */

/*
 * Copies what disk `target` ("vda") holds above its backing file into the qcow2 file `path`, which is there already (an overlay of the same backing
 * file, or empty), and returns once the two are the same; QEMU then keeps them the same until virt_block_job_abort(). The domain stays defined: the job
 * is asked for as one that does not survive QEMU, which upstream's virDomainBlockRebase cannot say, so that it takes the definition away meanwhile.
 * Errors: LIBVIRT_ERROR, VIRT_ERROR_FAILED (the copy broke off), VIRT_ERROR_CANCELLED; the job is ended then.
 */
bool virt_block_copy(VirtConnection *connection, const char *uuid, const char *target, const char *path, GCancellable *cancellable, GError **error);
/* Ends the disk's job, whatever it is, and waits until it has; no job, or a domain that is not running, is fine. */
bool virt_block_job_abort(VirtConnection *connection, const char *uuid, const char *target, GError **error);
