/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/json.h"
#include "base/release.h"
#include "objects/error.h"
#include "objects/spec.h"

#include <glib.h>
#include <stdbool.h>

/*
 * Nova's versioned objects (spec/objects.md). Each class is a generated struct that starts with a NovaObject; its members are read directly
 * (inst->host; NULL or 0 when the field is unset or null) and written through the generated setters (nova_instance_set_host), which keep
 * track of what is set, null and changed. The functions here work for every class; their `object` is a pointer to any Nova struct.
 *
 * Reference counts are atomic. The content is not locked: one thread at a time writes an object (an instance's operation), and nobody reads
 * it meanwhile.
 */
typedef struct NovaObject {
    const NovaObjectSpec *spec;
    gatomicrefcount refs;
    NovaVersion version; /* as received; of a new object: the newest that we know (emitting clamps it) */
    guint64 set[NOVA_MAX_FIELDS / 64];
    guint64 null[NOVA_MAX_FIELDS / 64];
    guint64 changed[NOVA_MAX_FIELDS / 64];
    GHashTable *unknown;        /* fields of a newer minor version: name -> JSON text; NULL if none */
    GPtrArray *unknown_changed; /* names of those that were listed as changed; NULL if none */
} NovaObject;

/* What a reader accepts. */
typedef struct {
    guint max_depth;   /* of nested objects, lists and dicts */
    guint max_length;  /* elements of one list or dict */
    size_t max_string; /* bytes of one string */
} NovaLimits;

#define NOVA_LIMITS_DEPTH 40
#define NOVA_LIMITS_LENGTH 65536
#define NOVA_LIMITS_STRING (16 * 1024 * 1024)

/* --- life ------------------------------------------------------------------------------------------------------------------------- */

/* A new object of the class with every field unset; the generated nova_…_new() calls this. */
void *nova_object_new(const NovaObjectSpec *spec);
void *nova_object_ref(const void *object);
/* NULL is allowed. */
void nova_object_unref(void *object);
/* A deep copy: nested objects are copied too; set, null, changed, version and unknown fields are kept. */
void *nova_object_clone(const void *object);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NovaObject, nova_object_unref)
/* `object` if its class is exactly `spec`, else NULL (NULL gives NULL). Behind the generated NOVA_INSTANCE(object) macros. */
void *nova_object_cast(const void *object, const NovaObjectSpec *spec);
/* Class name on the wire; static. */
const char *nova_object_name(const void *object);

/* --- fields: `field` is a generated index such as NOVA_INSTANCE_HOST --------------------------------------------------------------- */

/* Set to a value or to null. */
bool nova_object_is_set(const void *object, guint field);
bool nova_object_is_null(const void *object, guint field);
/* Set and not null. */
bool nova_object_has(const void *object, guint field);
/* Makes the field null and changed. */
void nova_object_set_null(void *object, guint field);
/* Makes the field unset: it is not sent. */
void nova_object_unset(void *object, guint field);
/* True if the field was assigned since the last reset, or holds an object with changes. */
bool nova_object_changed(const void *object, guint field);
bool nova_object_has_changes(const void *object);
/* Marks a field that is set as changed, after its container was changed in place. */
void nova_object_mark_changed(void *object, guint field);
/* Takes one field out of the changes: its value is known to be stored already. */
void nova_object_unmark_changed(void *object, guint field);
/* Forgets all changes, of nested objects too (upstream's obj_reset_changes(recursive=True)). */
void nova_object_reset_changes(void *object);
/* Gives each unset field that has a default that default, and marks it changed (upstream's obj_set_defaults()). */
void nova_object_set_defaults(void *object);

/* Setters by index, behind the generated ones. Values are copied; nested objects get a new reference. NULL makes the field null. */
void nova_object_set_string(void *object, guint field, const char *value);
void nova_object_set_int(void *object, guint field, gint64 value); /* INT and TIME */
void nova_object_set_float(void *object, guint field, double value);
void nova_object_set_bool(void *object, guint field, bool value);
void nova_object_set_object(void *object, guint field, const void *value);
void nova_object_set_strings(void *object, guint field, const char *const *values);  /* LIST, SET of STRING */
void nova_object_set_ints(void *object, guint field, const gint64 *values, gsize n); /* LIST, SET of INT; values NULL = null */
void nova_object_set_container(void *object, guint field, const void *value);        /* any other GPtrArray or GHashTable */

/* A DICT of STRING: gets, sets or removes one key; an unset or null dict is made empty first. Setting and removing mark the field changed,
 * unless nothing changes. The result of get is borrowed, NULL if the key is not there or null. */
const char *nova_object_dict_get(const void *object, guint field, const char *key);
void nova_object_dict_set(void *object, guint field, const char *key, const char *value);
void nova_object_dict_remove(void *object, guint field, const char *key);
/* A list class: appends an object (new reference). */
void nova_object_list_append(void *list, const void *item);
/* A list class: number of elements (0 when unset) and the element, borrowed. */
guint nova_object_list_length(const void *list);
void *nova_object_list_get(const void *list, guint i);

/* --- wire ------------------------------------------------------------------------------------------------------------------------- */

/* True if the JSON is an object with the key `nova_object.name`. */
bool nova_json_is_object(NdJson *json);

/* Reads a serialised object of any class. Any minor version of our major is accepted; fields that the class does not have are carried along
 * and sent back. So is a nested object of a class that we do not know, where the field's class has derived ones (a new kind of device in
 * InstanceDeviceMetadata, say): it stands in its list or field as an object that no NOVA_…() macro matches. limits may be NULL. Strings
 * with a NUL character get U+FFFD in its place. Errors: OBJECTS_ERROR. Caller unrefs. */
NovaObject *nova_object_from_json(NdJson *json, const NovaLimits *limits, GError **error);
/* The same, and the class must be `spec` or derived from it; else OBJECTS_ERROR_UNKNOWN_CLASS. */
void *nova_object_from_json_as(NdJson *json, const NovaObjectSpec *spec, const NovaLimits *limits, GError **error);

/* No clamp: labels as received. */
#define NOVA_UNCLAMPED (ND_RELEASE_LAST + 1)

/* The serialised object. The version label is the lower one of the object's own and that of release `clamp`; fields and enum values that
 * this label's readers do not know are left out, in nested objects too, and so are objects whose class the release does not have
 * (spec/objects.md section 4). New reference. */
NdJson *nova_object_to_json(const void *object, unsigned clamp);
/* The form for an object_action that saves (save, create, destroy, update): identifying fields and changed ones only; nested objects that
 * changed are complete (spec/versions.md section 7.6). Methods that look at what else is set, as refresh does, need the full form. New
 * reference. */
NdJson *nova_object_to_json_for_save(const void *object, unsigned clamp);
/* One field's value as it stands in nova_object.data; NULL if it is null or unset. New reference. */
NdJson *nova_object_field_to_json(const void *object, guint field, unsigned clamp);

/* The class versions of a release for a root class: the object_versions argument (spec/objects.md section 4). NULL if the release has no
 * such class. New reference. */
NdJson *nova_manifest(NdRelease release, const char *class_name);
/* "2.7": the version of a class in a release; static; NULL if the release has none. */
const char *nova_class_version(NdRelease release, const char *class_name);

/* --- changes ---------------------------------------------------------------------------------------------------------------------- */

/* Takes over the `updates` of a conductor's object_action reply: each known key's value is read into the object, unknown keys are carried
 * if the object's version is above ours and dropped otherwise, and the changes become exactly those of "obj_what_changed". On error the
 * object is left as it was. */
bool nova_object_apply_updates(void *object, NdJson *updates, const NovaLimits *limits, GError **error);
/* Names of the changed fields as `nova_object.changes` lists them, sorted; NULL-terminated; caller frees with g_strfreev. */
char **nova_object_changes(const void *object);
/* Same class and the same fields set to equal values; versions and changes do not count. NULL equals NULL. */
bool nova_object_equal(const void *a, const void *b);
/* Names of the fields that differ between two objects of one class, sorted; caller frees with g_strfreev. */
char **nova_object_diff(const void *a, const void *b);
