/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "tests/unit/fake_tls.h"

#include <arpa/inet.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

struct FakeTls {
    SSL_CTX *context;
    int listen_fd, stop_fd, port, target;
    GThread *thread;
    GPtrArray *pumps; /* GThread *; the accepting thread's until it ended */
};

/* --- certificates --- */

static void write_pem(const char *directory, const char *file, X509 *certificate, EVP_PKEY *key)
{
    g_autofree char *path = g_build_filename(directory, file, NULL);
    BIO *bio = BIO_new_file(path, "w");
    g_assert_nonnull(bio);
    g_assert_cmpint(PEM_write_bio_X509(bio, certificate), ==, 1);
    g_assert_cmpint(PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL), ==, 1);
    BIO_free(bio);
}

static void add_extension(X509 *certificate, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

/* A certificate of `name` signed by the issuer (NULL: by itself). */
static X509 *make_certificate(const char *name, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key)
{
    static int serial = 1;
    X509 *certificate = X509_new();
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial++);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600 * 24);
    X509_NAME *subject = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const guchar *)name, -1, -1, 0);
    X509_set_issuer_name(certificate, X509_get_subject_name(issuer ? issuer : certificate));
    X509_set_pubkey(certificate, key);
    add_extension(certificate, NID_basic_constraints, issuer ? "CA:FALSE" : "critical,CA:TRUE");
    if (issuer != NULL) {
        g_autofree char *alternative = g_strdup_printf("DNS:%s", name);
        add_extension(certificate, NID_subject_alt_name, alternative);
    }
    g_assert_cmpint(X509_sign(certificate, issuer_key ? issuer_key : key, EVP_sha256()), >, 0);
    return certificate;
}

void fake_tls_make_certificates(const char *directory, const char *name)
{
    EVP_PKEY *ca_key = EVP_EC_gen("P-256"), *server_key = EVP_EC_gen("P-256"), *client_key = EVP_EC_gen("P-256"), *other_key = EVP_EC_gen("P-256");
    X509 *ca = make_certificate("test CA", ca_key, NULL, NULL), *server = make_certificate(name, server_key, ca, ca_key),
         *client = make_certificate("client", client_key, ca, ca_key), *other = make_certificate("other CA", other_key, NULL, NULL);
    write_pem(directory, "ca.pem", ca, ca_key);
    write_pem(directory, "server.pem", server, server_key);
    write_pem(directory, "client.pem", client, client_key);
    write_pem(directory, "other-ca.pem", other, other_key);
    X509_free(ca);
    X509_free(server);
    X509_free(client);
    X509_free(other);
    EVP_PKEY_free(ca_key);
    EVP_PKEY_free(server_key);
    EVP_PKEY_free(client_key);
    EVP_PKEY_free(other_key);
}

/* --- the pump --- */

typedef struct {
    FakeTls *tls;
    int fd;
} Pump;

static bool write_all(int fd, const char *bytes, gssize length)
{
    for (gssize sent = 0; sent < length;) {
        ssize_t n = send(fd, bytes + sent, (size_t)(length - sent), MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        sent += n;
    }
    return true;
}

/* Moves bytes both ways until one side ends. */
static void pump_bytes(FakeTls *tls, SSL *ssl, int client, int plain)
{
    char part[16384];
    for (;;) {
        struct pollfd fds[] = {{.fd = client, .events = POLLIN}, {.fd = plain, .events = POLLIN}, {.fd = tls->stop_fd, .events = POLLIN}};
        if (SSL_pending(ssl) == 0)
            poll(fds, 3, -1);
        if (fds[2].revents != 0)
            return;
        if (SSL_pending(ssl) > 0 || fds[0].revents != 0) {
            int n = SSL_read(ssl, part, sizeof part);
            if (n <= 0 || !write_all(plain, part, n))
                return;
        }
        if (fds[1].revents != 0) {
            ssize_t n = recv(plain, part, sizeof part, 0);
            if (n <= 0 || SSL_write(ssl, part, (int)n) <= 0)
                return;
        }
    }
}

static gpointer pump_thread(gpointer data)
{
    Pump pump = *(Pump *)data;
    g_free(data);
    SSL *ssl = SSL_new(pump.tls->context);
    SSL_set_fd(ssl, pump.fd);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((guint16)pump.tls->target)};
    int plain = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (SSL_accept(ssl) == 1 && connect(plain, (struct sockaddr *)&address, sizeof address) == 0)
        pump_bytes(pump.tls, ssl, pump.fd, plain);
    SSL_free(ssl);
    close(pump.fd);
    close(plain);
    return NULL;
}

static gpointer accept_thread(gpointer data)
{
    FakeTls *tls = data;
    for (;;) {
        struct pollfd fds[] = {{.fd = tls->listen_fd, .events = POLLIN}, {.fd = tls->stop_fd, .events = POLLIN}};
        poll(fds, 2, -1);
        if (fds[1].revents != 0)
            return NULL;
        Pump *pump = g_new(Pump, 1);
        *pump = (Pump){tls, accept(tls->listen_fd, NULL, NULL)};
        g_ptr_array_add(tls->pumps, g_thread_new("fake-tls", pump_thread, pump));
    }
}

FakeTls *fake_tls_new(const char *directory, int port, bool ask_client)
{
    FakeTls *tls = g_new0(FakeTls, 1);
    g_autofree char *server = g_build_filename(directory, "server.pem", NULL);
    g_autofree char *ca = g_build_filename(directory, "ca.pem", NULL);
    tls->context = SSL_CTX_new(TLS_server_method());
    g_assert_cmpint(SSL_CTX_use_certificate_file(tls->context, server, SSL_FILETYPE_PEM), ==, 1);
    g_assert_cmpint(SSL_CTX_use_PrivateKey_file(tls->context, server, SSL_FILETYPE_PEM), ==, 1);
    if (ask_client) {
        g_assert_cmpint(SSL_CTX_load_verify_locations(tls->context, ca, NULL), ==, 1);
        SSL_CTX_set_verify(tls->context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    }
    tls->target = port;
    tls->pumps = g_ptr_array_new();
    tls->stop_fd = eventfd(0, EFD_CLOEXEC);
    tls->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    g_assert_cmpint(bind(tls->listen_fd, (struct sockaddr *)&address, length), ==, 0);
    g_assert_cmpint(listen(tls->listen_fd, 16), ==, 0);
    g_assert_cmpint(getsockname(tls->listen_fd, (struct sockaddr *)&address, &length), ==, 0);
    tls->port = ntohs(address.sin_port);
    tls->thread = g_thread_new("fake-tls-accept", accept_thread, tls);
    return tls;
}

void fake_tls_free(FakeTls *tls)
{
    guint64 one = 1;
    g_assert_cmpint(write(tls->stop_fd, &one, sizeof one), ==, sizeof one);
    g_thread_join(tls->thread);
    for (guint i = 0; i < tls->pumps->len; i++)
        g_thread_join(g_ptr_array_index(tls->pumps, i));
    g_ptr_array_unref(tls->pumps);
    close(tls->listen_fd);
    close(tls->stop_fd);
    SSL_CTX_free(tls->context);
    g_free(tls);
}

int fake_tls_port(FakeTls *tls)
{
    return tls->port;
}
