/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* Errors of objects/. agent/ maps them to what nova's callers expect of a bad argument. */
typedef enum {
    OBJECTS_ERROR_NOT_OBJECT,    /* the JSON is no serialised object: keys missing or of the wrong type */
    OBJECTS_ERROR_UNKNOWN_CLASS, /* nova_object.name is no class we have (upstream: UnsupportedObjectError) */
    OBJECTS_ERROR_FOREIGN,       /* nova_object.namespace is not "nova" */
    OBJECTS_ERROR_TOO_NEW,       /* another major version (upstream: IncompatibleObjectVersion) */
    OBJECTS_ERROR_BAD_FIELD,     /* a field's value does not fit its type; the text names the path, "Instance.flavor.vcpus" */
    OBJECTS_ERROR_LIMIT,         /* too deep, too long; the text names the path */
    OBJECTS_ERROR_IMAGE,         /* image properties that no ImageMeta can hold */
    OBJECTS_ERROR_NETWORK_INFO,  /* network_info that is no list of VIFs */
} ObjectsError;

#define OBJECTS_ERROR (objects_error_quark())
GQuark objects_error_quark(void);
