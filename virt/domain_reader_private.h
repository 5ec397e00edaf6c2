/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/xml.h"
#include "virt/machine.h"

/* For domain_reader*.c only. */

/* 0 if it is not there, no number, or out of range. */
unsigned virt_read_unsigned(xmlNode *node, const char *expression);
gint64 virt_read_integer(xmlNode *node, const char *expression, gint64 fallback);
/* Everything below <devices>. */
void virt_read_devices(xmlNode *domain, VirtMachine *machine);
