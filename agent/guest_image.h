/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/conf.h"
#include "objects/generated/all.h"

#include <glib.h>
#include <stdbool.h>

/* Small questions about a guest's image and flavor that several of the agent/guest_*.c ask. */

/* The image's properties; an empty object if it has none. Borrowed. */
const NovaImageMetaProps *guest_image_properties(const NovaImageMeta *image);
/* The architecture of this machine as nova names it ("x86_64"); static. */
const char *guest_host_architecture(void);
/* hw_architecture, else that of the host (upstream libvirt/utils.py get_arch); borrowed. */
const char *guest_image_architecture(const NovaImageMeta *image);
/* hw_emulation_architecture, else the one above: what the guest runs on (upstream driver.py _check_emulation_arch); borrowed. */
const char *guest_image_emulated_architecture(const NovaImageMeta *image);
/* hw_machine_type, else [libvirt]hw_machine_type of the architecture, else nova's default; NULL if there is none (upstream get_machine_type). Borrowed from
 * the image or the configuration. */
const char *guest_image_machine_type(const NdConfig *config, const NovaImageMeta *image);
/* i686, x86_64. */
bool guest_architecture_is_x86(const char *arch);
bool guest_machine_is_q35(const char *machine_type);

/* An extra spec of the flavor, NULL if it has none. Borrowed. */
const char *guest_flavor_spec(const NovaFlavor *flavor, const char *key);
/* The text as oslo.utils reads a boolean: 1, t, true, on, y, yes in any letter case; everything else, and NULL, is false. */
bool guest_text_is_true(const char *text);

/* [libvirt]virt_type if novad can run such guests, else NULL with NOVA_EXCEPTION UnsupportedVirtType. Borrowed. */
const char *guest_virt_type(const NdConfig *config, GError **error);
