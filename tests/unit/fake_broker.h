/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/*
 * A small AMQP 0-9-1 broker inside the test program, on a loopback port: enough of RabbitMQ to run rpc/ against, and able to misbehave on demand. One
 * thread a client connection. Each declaration is noted in a log, so that a test can compare it with what oslo.messaging sends.
 */
typedef struct FakeBroker FakeBroker;

FakeBroker *fake_broker_new(void);
void fake_broker_free(FakeBroker *broker);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FakeBroker, fake_broker_free)
int fake_broker_port(FakeBroker *broker);
/* "rabbit://u:p@127.0.0.1:PORT/vh?QUERY" (query may be NULL); caller frees. */
char *fake_broker_url(FakeBroker *broker, const char *query);

/* Behaviour from now on; each may be changed at any time. */
void fake_broker_set_mechanisms(FakeBroker *broker, const char *mechanisms); /* default "PLAIN AMQPLAIN EXTERNAL" */
void fake_broker_set_heartbeat(FakeBroker *broker, int seconds);             /* offered at tune; default 0 */
void fake_broker_set_send_heartbeats(FakeBroker *broker, bool on);           /* default on */
void fake_broker_refuse_login(FakeBroker *broker, bool on);                  /* 403 after start-ok */
void fake_broker_refuse_vhost(FakeBroker *broker, bool on);                  /* 530 at open */
void fake_broker_set_nack(FakeBroker *broker, bool on);                      /* publishes are answered with nack */
void fake_broker_set_confirm(FakeBroker *broker, bool on);                   /* off: publishes are not confirmed at all */
void fake_broker_set_max_message(FakeBroker *broker, gsize bytes);           /* larger ones close the channel with 406 */
/* The next `times` declarations of that queue or exchange close the channel (the connection for 541) with the code and text. */
void fake_broker_refuse_declare(FakeBroker *broker, const char *name, int code, const char *text, int times);
/* Half open: the sockets stay, nothing is read or written. */
void fake_broker_freeze(FakeBroker *broker, bool on);
/* connection.blocked (reason) or unblocked (NULL) to every client; while blocked nothing published is confirmed. */
void fake_broker_block(FakeBroker *broker, const char *reason);
/* Closes every client socket; new ones are taken. */
void fake_broker_kill(FakeBroker *broker);
/* basic.cancel to the consumer of a queue. */
void fake_broker_cancel(FakeBroker *broker, const char *queue);
void fake_broker_delete_queue(FakeBroker *broker, const char *queue);
/* Sends raw bytes to every client. */
void fake_broker_send_garbage(FakeBroker *broker, const void *bytes, gsize length);

/* Puts a message in, as a client would publish it. headers_raw: encoded property bytes after the body size, or NULL for none. */
void fake_broker_publish(FakeBroker *broker, const char *exchange, const char *routing_key, const void *body, gsize length);
/* The same with header "compression". */
void fake_broker_publish_compressed(FakeBroker *broker, const char *exchange, const char *routing_key, const char *compression, const void *body,
                                    gsize length);
/* Takes the next message of a queue without consumer, waiting up to 10 s; NULL then. "expiration" of its properties goes to *expiration if given. */
GBytes *fake_broker_take(FakeBroker *broker, const char *queue, char **expiration);
/* Declares a queue on the default exchange and one binding (exchange NULL: none). */
void fake_broker_add_queue(FakeBroker *broker, const char *queue, const char *exchange, const char *type, const char *key);

/* Waits up to 10 s for a log line that starts with the text. Lines: "exchange NAME TYPE durable=0 auto_delete=0", "queue NAME durable=0
 * auto_delete=0 {arguments}", "bind QUEUE EXCHANGE KEY", "consume QUEUE TAG {arguments}", "qos N", "login MECHANISM USER PASSWORD", "open VHOST",
 * "delete QUEUE", "heartbeat", "close", "ack TAG", "reject TAG", "connect", "disconnect". */
bool fake_broker_wait_log(FakeBroker *broker, const char *start);
/* How many lines start so. */
int fake_broker_count_log(FakeBroker *broker, const char *start);
/* All lines but heartbeats and acks, joined by newlines; caller frees. */
char *fake_broker_log_text(FakeBroker *broker);
void fake_broker_clear_log(FakeBroker *broker);
