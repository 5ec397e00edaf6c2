/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* One file of nova.conf's kind, parsed by the rules of oslo.config's iniparser (spec/config.md section 5). */
typedef struct {
    char *section; /* lower case, but "DEFAULT" as written */
    char *key;
    char *value; /* continuation lines joined by newlines */
    int line;    /* where the assignment starts, from 1 */
} NdIniEntry;

typedef struct {
    char *path;
    GPtrArray *entries;  /* of NdIniEntry, in file order */
    GPtrArray *sections; /* char *, first appearance first, normalised as above */
    GHashTable *index;   /* "section\037key" -> GPtrArray of borrowed NdIniEntry */
} NdIniFile;

/* Parses text, which need not end in NUL. `path` is for messages. Errors: ND_ERROR_CONFIG; *line (may be NULL) gets the line. */
NdIniFile *nd_ini_parse(const char *path, const char *text, size_t length, int *line, GError **error);
/* All values of a key in the order of the file, NULL if there are none; borrowed. The section must be normalised. */
const GPtrArray *nd_ini_values(const NdIniFile *file, const char *section, const char *key);
void nd_ini_free(NdIniFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NdIniFile, nd_ini_free)

/* Section names compare without case, except DEFAULT; caller frees. */
char *nd_ini_normalise_section(const char *section);
/* Strips what Python's str.strip() strips; caller frees. length -1: up to NUL. */
char *nd_ini_strip(const char *text, gssize length);
