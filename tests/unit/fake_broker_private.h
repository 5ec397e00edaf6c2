/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "tests/unit/fake_broker.h"

#include <amqp.h>
#include <amqp_framing.h>

/* Shared by fake_broker.c (control, queues) and fake_broker_client.c (one client connection). */

typedef struct FakeClient FakeClient;

typedef struct {
    char *exchange, *routing_key;
    GBytes *properties; /* encoded, as they came */
    GBytes *body;
} FakeMessage;

typedef struct {
    char *name;
    GQueue messages;      /* FakeMessage * */
    FakeClient *consumer; /* NULL = none */
    char *tag;
} FakeQueue;

typedef struct {
    char *exchange, *key, *queue;
} FakeBinding;

typedef struct {
    char *name, *text;
    int code, times;
} FakeRefusal;

struct FakeBroker {
    int listen_fd, stop_fd, port;
    GThread *thread;
    GMutex lock; /* everything below */
    GCond changed;
    bool stop;
    char *mechanisms;
    int heartbeat;
    bool send_heartbeats, refuse_login, refuse_vhost, nack, confirm, frozen;
    char *blocked;
    gsize max_message;
    GPtrArray *refusals; /* FakeRefusal * */
    GPtrArray *clients;  /* FakeClient *, live */
    GPtrArray *threads;  /* GThread *, to join */
    GHashTable *queues;  /* name -> FakeQueue * */
    GHashTable *exchanges; /* name -> type */
    GPtrArray *bindings; /* FakeBinding * */
    GPtrArray *log;      /* char * */
};

struct FakeClient {
    FakeBroker *broker;
    int fd;
    GMutex write_lock;
    bool gone, confirms;
    guint64 publish_tag, delivery_tag;
    GHashTable *unacked; /* delivery tag -> FakeMessage *; with `unacked_queue` */
    GHashTable *unacked_queue;
    /* a publish whose content is being read */
    FakeMessage *incoming;
    bool mandatory;
    guint64 incoming_size;
    GByteArray *incoming_body;
    gint64 last_sent;
};

void fake_client_run(FakeBroker *broker, int fd);
/* Lock held. */
void fake_broker_note(FakeBroker *broker, const char *format, ...) G_GNUC_PRINTF(2, 3);
void fake_client_send_method(FakeClient *client, int channel, amqp_method_number_t id, void *method);
void fake_client_send_raw(FakeClient *client, const void *bytes, gsize length);
/* Lock held: puts the message into the queues it is routed to; false if there is none. Takes it. */
bool fake_broker_route(FakeBroker *broker, FakeMessage *message);
void fake_broker_deliver(FakeBroker *broker, FakeQueue *queue);
void fake_message_free(FakeMessage *message);
FakeQueue *fake_broker_queue(FakeBroker *broker, const char *name, bool make);
