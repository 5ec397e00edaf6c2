/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* A TLS port in front of a plain one, with a certificate authority made for the test. */
typedef struct FakeTls FakeTls;

/* Makes ca.pem, server.pem (for DNS name `name`), client.pem, each with its key, and other-ca.pem in `directory`. */
void fake_tls_make_certificates(const char *directory, const char *name);
/* Listens on a loopback port and passes what comes to `port`. ask_client: a client certificate of the CA is required. */
FakeTls *fake_tls_new(const char *directory, int port, bool ask_client);
void fake_tls_free(FakeTls *tls);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FakeTls, fake_tls_free)
int fake_tls_port(FakeTls *tls);
