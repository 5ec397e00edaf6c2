/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/json.h"
#include "objects/generated/image.h"
#include "objects/generated/instance.h"

/*
 * From what is known of an image to ImageMeta: the Glance dict that build_and_run_instance brings (`image`), or what an instance kept of
 * its image in system_metadata (upstream nova.objects.image_meta, nova.utils).
 */

/* From a Glance image dict with its "properties"; NULL or JSON null gives an empty one. Null name, checksum, owner and formats become "",
 * null sizes 0; keys that ImageMeta lacks are ignored. Errors: OBJECTS_ERROR_IMAGE, naming the property. Caller unrefs. */
NovaImageMeta *nova_image_meta_from_dict(NdJson *image, GError **error);
/* From the properties alone: old names are mapped to today's (which win when both are there), unknown ones are dropped, hw_numa_cpus.N and
 * hw_numa_mem.N become lists, "trait:X": "required" a trait. Errors: OBJECTS_ERROR_IMAGE, naming the property. Caller unrefs. */
NovaImageMetaProps *nova_image_meta_props_from_dict(NdJson *properties, GError **error);
/* From the instance's system_metadata, with its image_ref as id. Errors: OBJECTS_ERROR_IMAGE. Caller unrefs. */
NovaImageMeta *nova_image_meta_from_instance(const NovaInstance *instance, GError **error);

/* The Glance-like dict that is kept in system_metadata: {"min_ram", "min_disk", "disk_format", "container_format", "properties": {…}},
 * values as text. Keys without the prefix "image_" land in properties too, as upstream has it. metadata may be NULL. New reference. */
NdJson *nova_image_dict_from_system_metadata(GHashTable *system_metadata);
/* The other way: the image_* entries to keep for an image dict (a rebuild changes them). With a flavor, min_disk is at least its root disk.
 * A table of char * to char *; caller unrefs. */
GHashTable *nova_image_dict_to_system_metadata(NdJson *image, const NovaFlavor *flavor);

/* A CPU list such as "0-3,^2,8" to sorted numbers (upstream nova.virt.hardware.parse_cpu_spec). Errors: OBJECTS_ERROR_IMAGE. Caller unrefs.
 */
GArray *nova_parse_cpu_spec(const char *text, GError **error);
