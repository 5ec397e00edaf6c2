/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/release.h"

#include <glib.h>
#include <stdbool.h>

/*
 * The table of every option that novad knows: base/options_*.c, one file a family of sections. Types, ranges and defaults are those that
 * nova, oslo.* and keystoneauth register (spec/config.md section 1); a test compares them with Debian's python3-nova.
 */
typedef enum {
    ND_OPTION_STRING,
    ND_OPTION_BOOLEAN,
    ND_OPTION_INTEGER,
    ND_OPTION_PORT, /* an integer, 0 to 65535 */
    ND_OPTION_FLOAT,
    ND_OPTION_LIST,         /* comma separated, items stripped */
    ND_OPTION_DICT,         /* "key:value,key:value" */
    ND_OPTION_MULTI_STRING, /* the key may be repeated, each value counts */
    ND_OPTION_MULTI_DICT,   /* the same, each value is checked to be a dict; read with nd_config_multi */
    ND_OPTION_IP_ADDRESS,
    ND_OPTION_HOST_ADDRESS, /* an IP address or a host name */
    ND_OPTION_HOST_DOMAIN,  /* the same, underscores allowed */
    ND_OPTION_HOSTNAME,
    ND_OPTION_URI,
} NdOptionType;

typedef enum {
    ND_OPTION_HONOURED,    /* code reads it and acts on it */
    ND_OPTION_IGNORED,     /* accepted without effect; `reason` says why that is right */
    ND_OPTION_UNSUPPORTED, /* should have an effect that novad does not have yet; `reason` says what */
} NdOptionStatus;

/* A default that holds from `since` on, instead of default_value. */
typedef struct {
    NdRelease since;
    const char *value;
} NdOptionLaterDefault;

typedef struct {
    const char *name;          /* with underscores, as in files */
    NdOptionType type;         /* */
    const char *default_value; /* as it would be written in the file, may hold $other; NULL: no value (Python's None) */
    const char *help;          /* one sentence of ours */
    NdOptionStatus status;     /* */
    const char *reason;        /* when not honoured */
    const char *choices;       /* allowed values (of items, in a list), comma separated; NULL: any. An empty item allows the empty string */
    const char *deprecated;    /* older places, "group.name group.name", read when the new one is absent; NULL: none */
    double minimum, maximum;   /* of numbers; only with has_range (an open end is -INFINITY, INFINITY) */
    bool has_range;            /* */
    bool ignore_case;          /* of choices */
    const char *pattern;       /* regular expression that a string must match; NULL: none */
    const char *schemes;       /* of a URI, comma separated; NULL: any */
    bool mutable_;             /* taken over at reload (SIGHUP) */
    bool secret;               /* the value never reaches a log or a listing */
    NdOptionLaterDefault later[2]; /* unused entries have value NULL */
} NdOption;

/* Options that exist in each of some sections ("DEFAULT"; "placement neutron glance …"; "mdev_*" for sections made by other options). */
typedef struct {
    const char *groups; /* space separated */
    const NdOption *options;
    size_t n_options;
} NdOptionFamily;

/* The families, in listing order. */
const NdOptionFamily *nd_option_families(size_t *n_families);
/* The option, or NULL if no such name is known in the group. Group names ignore case (but DEFAULT). Sections that
 * another option names (auth_section, [mdev_…]) are known too. */
const NdOption *nd_option_find(const char *group, const char *name);
/* "string", "integer" …; static. */
const char *nd_option_type_name(NdOptionType type);
/* The default of a release as text, NULL for none. */
const char *nd_option_default(const NdOption *option, NdRelease release);
