/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "objects/object.h"

#include <string.h>

/* Inside objects/: what the parts of the walker share. A slot is the address of a value as NovaKind describes it: of a struct member, of a
 * container's element pointer, or of the boxed gint64 of a DICT of INT. */

static inline bool nova_bit_get(const guint64 *bits, guint i)
{
    return (bits[i / 64] >> (i % 64)) & 1;
}
static inline void nova_bit_set(guint64 *bits, guint i)
{
    bits[i / 64] |= G_GUINT64_CONSTANT(1) << (i % 64);
}
static inline void nova_bit_clear(guint64 *bits, guint i)
{
    bits[i / 64] &= ~(G_GUINT64_CONSTANT(1) << (i % 64));
}

static inline void *nova_slot(const void *object, const NovaField *field)
{
    return (char *)object + field->offset;
}

/* The slot of element `p` of a container whose elements have that type. */
static inline void *nova_element_slot(const NovaType *type, void **p)
{
    return type->kind == NOVA_KIND_INT ? *p : (void *)p;
}

/* Frees one element of a container. */
GDestroyNotify nova_value_destroyer(const NovaType *type);
/* Frees what the slot holds and zeroes it. */
void nova_value_clear(const NovaType *type, void *slot);
/* Copies into an empty slot. deep: nested objects are cloned, else they get a reference. */
void nova_value_copy(const NovaType *type, void *to, const void *from, bool deep);
bool nova_value_equal(const NovaType *type, const void *a, const void *b);
/* Sorts a SET and drops doubles. */
void nova_value_normalise_set(const NovaType *type, void *slot);

/* Marks field as set to the (non-null) value in its slot, and changed. */
void nova_object_note_value(NovaObject *self, guint field);
/* Clears the value and its null mark; the field is unset afterwards. */
void nova_object_clear_value(NovaObject *self, guint field);

/* Reads one field's JSON value (NULL = null) into an object where it is unset; marks it set, not changed. */
bool nova_object_parse_field(NovaObject *self, guint field, NdJson *json, const NovaLimits *limits, GError **error);

/* The form of a string that upstream would hold: lower-case MAC, canonical enum value … NULL if the text is not valid for the type; then
 * *reason says why. An unknown enum value is valid if newer is true. Caller frees. */
char *nova_string_canonical(const NovaType *type, const char *text, bool newer, const char **reason);

/* The class of a nested object whose class is newer than our tables: its whole JSON text is carried in `unknown` under the key "". */
extern const NovaObjectSpec nova_opaque_spec;
