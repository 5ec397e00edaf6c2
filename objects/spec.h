/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/release.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * The shape of the constant tables that tools/gen-objects.py writes into objects/generated/ from objects/spec/. One walker (value.c,
 * parse.c, emit.c, update.c) does everything that depends on a field's type, led by these tables (spec/objects.md sections 1-3).
 */

typedef struct {
    guint16 major;
    guint16 minor;
} NovaVersion;

/* What a value is. How it is held in a struct:
 *   STRING char *            INT, TIME gint64 (TIME in microseconds)   FLOAT double   BOOL, FLEXIBLE_BOOL bool   OBJECT Nova… *
 *   LIST, SET of STRING char **; of INT GArray of gint64; of anything else GPtrArray that frees its elements
 *   DICT GHashTable of char * to char * (NULL = null), gint64 *, char **, GArray * … as the element type says
 * Sets are held sorted and without doubles. */
typedef enum {
    NOVA_KIND_STRING,
    NOVA_KIND_INT,
    NOVA_KIND_FLOAT,
    NOVA_KIND_BOOL,
    NOVA_KIND_FLEXIBLE_BOOL, /* read from "yes", "1", "on" … too */
    NOVA_KIND_TIME,
    NOVA_KIND_OBJECT,
    NOVA_KIND_LIST,
    NOVA_KIND_SET,
    NOVA_KIND_DICT,
} NovaKind;

typedef enum {
    NOVA_FORMAT_ANY,
    NOVA_FORMAT_SECRET, /* never in a log */
    NOVA_FORMAT_UUID,   /* an invalid one is accepted, as upstream does */
    NOVA_FORMAT_MAC,
    NOVA_FORMAT_PCI_ADDRESS,
    NOVA_FORMAT_USB_ADDRESS,
    NOVA_FORMAT_SCSI_ADDRESS,
    NOVA_FORMAT_IDE_ADDRESS,
    NOVA_FORMAT_XEN_ADDRESS,
    NOVA_FORMAT_RESOURCE_CLASS,
    NOVA_FORMAT_VERSION_PREDICATE,
    NOVA_FORMAT_IP,
    NOVA_FORMAT_IP4,
    NOVA_FORMAT_IP6,
    NOVA_FORMAT_NETWORK_INFO, /* JSON text of a list of VIFs: objects/network_model.h reads it */
    NOVA_FORMAT_VIF,          /* JSON text of one VIF */
} NovaStringFormat;

typedef struct {
    const char *value;
    NdRelease since; /* the first release that knows the value */
} NovaEnumValue;

typedef struct {
    const char *name;
    const NovaEnumValue *values;
    guint n_values;
} NovaEnum;

typedef struct NovaObjectSpec NovaObjectSpec;
typedef struct NovaType NovaType;

struct NovaType {
    NovaKind kind;
    bool nullable;
    NovaStringFormat format;      /* of STRING */
    const NovaEnum *enumeration;  /* of STRING: allowed values, or NULL */
    const NovaType *element;      /* of LIST, SET, DICT */
    const NovaObjectSpec *object; /* of OBJECT: this class or one derived from it */
};

typedef struct {
    const char *name;
    const NovaType *type;
    size_t offset;           /* in the class's struct */
    NovaVersion since;       /* the object version that brought the field */
    NdRelease since_release; /* the release that did */
    bool read_only;
    bool identity;            /* always sent by nova_object_to_json_for_save */
    guint8 group;             /* fields of one class with the same number > 0 are sent together if one of them changed */
    const char *default_json; /* JSON text of the default value, or NULL: no default */
} NovaField;

struct NovaObjectSpec {
    const char *name;                          /* on the wire */
    size_t size;                               /* of the struct */
    const NovaObjectSpec *base;                /* the class that it is derived from, or NULL */
    NovaVersion versions[ND_RELEASE_LAST + 1]; /* by release; 0.0 = the release has no such class */
    const NovaField *fields;                   /* sorted by name */
    guint n_fields;
    bool is_list; /* a list class: its one field is `objects` */
};

#define NOVA_MAX_FIELDS 128

/* The class of that wire name, or NULL. */
const NovaObjectSpec *nova_spec_find(const char *name);
/* The index of the field of that name, or -1. */
int nova_spec_find_field(const NovaObjectSpec *spec, const char *name);
/* True if spec is `base` or derived from it. */
bool nova_spec_is_a(const NovaObjectSpec *spec, const NovaObjectSpec *base);
/* The newest version of the class in our tables. */
NovaVersion nova_spec_newest(const NovaObjectSpec *spec);
/* True if `value` is one of the enumeration in that release. */
bool nova_enum_contains(const NovaEnum *enumeration, const char *value, NdRelease release);
/* <0, 0, >0. */
int nova_version_compare(NovaVersion a, NovaVersion b);

/* All classes, sorted by name (generated). */
extern const NovaObjectSpec *const nova_specs[];
extern const guint nova_n_specs;
