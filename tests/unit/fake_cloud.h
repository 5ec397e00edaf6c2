/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "rest/placement.h"
#include "tests/unit/fake_http.h"

/*
 * Keystone, Placement, Glance and Neutron small enough for unit tests, on one fake HTTP server: Keystone below /identity, the others where
 * its catalog says (/placement, /image, /network). Placement keeps state and checks generations; Glance and Neutron answer from a table of
 * canned answers. Members are read and written by tests between calls only, or under the lock.
 */
typedef struct {
    char *name, *parent;
    gint64 generation;
    GHashTable *inventories; /* class -> JSON text */
    GHashTable *traits;      /* set */
    GHashTable *aggregates;  /* set */
} FakeProvider;

typedef struct {
    char *provider, *resource_class;
    gint64 amount;
} FakeAmount;

typedef struct {
    gint64 generation;
    char *project_id, *user_id;
    GPtrArray *amounts; /* of FakeAmount */
} FakeConsumer;

typedef struct {
    FakeHttp *server;
    GMutex lock;

    /* Keystone */
    int tokens_given; /* the last valid token is "token-<n>" */
    int token_life_s; /* of new tokens */
    bool refuse_login;
    bool refuse_tokens_once; /* the next call of a service is answered 401 */
    NdJson *last_login;      /* body of the last token request */
    char *token_answer;      /* when not NULL: sent instead of a proper answer */

    /* Placement */
    GHashTable *providers; /* uuid -> FakeProvider */
    GHashTable *consumers; /* uuid -> FakeConsumer */
    GHashTable *traits;    /* all known, set */
    int conflicts_to_come; /* so many writes are refused as concurrent updates */
    GPtrArray *log;        /* "PUT /resource_providers/…" of each Placement call */

    /* Others: "GET /image/v2/images/x" -> body; value "404" etc. = that status */
    GHashTable *canned;
    GPtrArray *requests;                                     /* "GET /network/v2.0/ports?…" of each such call */
    char *last_token, *last_service_token, *last_request_id; /* headers of the last call of any service */
    NdJson *last_body;
    char *last_bytes, *last_type; /* the body as it came, and its Content-Type */
} FakeCloud;

FakeCloud *fake_cloud_new(void);
void fake_cloud_free(FakeCloud *cloud);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FakeCloud, fake_cloud_free)

/* Answer for "METHOD /path?query"; a body of three digits is a status. */
void fake_cloud_can(FakeCloud *cloud, const char *request, const char *body);
/* Adds a provider, as another program might. */
FakeProvider *fake_cloud_add_provider(FakeCloud *cloud, const char *uuid, const char *name);
/* Gives a consumer an allocation. */
void fake_cloud_allocate(FakeCloud *cloud, const char *consumer, const char *provider, const char *resource_class, gint64 amount);
/* How often Placement was asked so ("PUT /traits/"): prefix of the log's entries. */
int fake_cloud_count(FakeCloud *cloud, const char *prefix);
void fake_cloud_clear_log(FakeCloud *cloud);

/* Clients as nova.conf would make them: user "nova", password "secret", project "service". */
KeystoneAuth *fake_cloud_keystone(FakeCloud *cloud, RestSession *session);
RestSession *fake_cloud_session(void);
PlacementClient *fake_cloud_placement(FakeCloud *cloud);

/* Internal: Placement's part of the server. */
void fake_placement_handle(FakeCloud *cloud, const FakeHttpRequest *request, const char *path);
