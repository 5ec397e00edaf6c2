/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "virt/domain.h"

/* A looked-up domain with the borrowed connection; for domain*.c, domain_stats.c and console.c. */
typedef struct {
    VirtConnection *connection;
    virConnectPtr handle;
    virDomainPtr domain;
} VirtDomainRef;

/* Looks the domain up. Errors: LIBVIRT_ERROR (VIR_ERR_NO_DOMAIN), VIRT_ERROR_NOT_CONNECTED. */
bool virt_domain_ref_open(VirtDomainRef *ref, VirtConnection *connection, const char *uuid, GError **error);
void virt_domain_ref_close(VirtDomainRef *ref);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(VirtDomainRef, virt_domain_ref_close)

/* libvirt's state of it. */
bool virt_domain_ref_state(VirtDomainRef *ref, int *state, GError **error);
