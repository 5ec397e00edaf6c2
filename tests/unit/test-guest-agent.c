/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/guest_agent.h"
#include "agent/guest_snapshot.h"
#include "objects/objects.h"

#include <glib.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <string.h>

/* What of the guest agent's work and of snapshots needs no guest: the encrypted password, what Glance is told. */

static void add_string(GByteArray *blob, const void *data, guint size)
{
    guint32 length = GUINT32_TO_BE(size);
    g_byte_array_append(blob, (const guint8 *)&length, sizeof length);
    g_byte_array_append(blob, data, size);
}

/* The public key as OpenSSH writes it. */
static char *ssh_key(EVP_PKEY *key)
{
    g_autoptr(GByteArray) blob = g_byte_array_new();
    static const char *const names[] = {OSSL_PKEY_PARAM_RSA_E, OSSL_PKEY_PARAM_RSA_N};
    add_string(blob, "ssh-rsa", 7);
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        BIGNUM *number = NULL;
        guchar bytes[600] = {0};
        g_assert_cmpint(EVP_PKEY_get_bn_param(key, names[i], &number), ==, 1);
        int size = BN_bn2bin(number, bytes + 1); /* the zero before it keeps it positive */
        add_string(blob, bytes, (guint)size + 1);
        BN_free(number);
    }
    g_autofree char *encoded = g_base64_encode(blob->data, blob->len);
    return g_strdup_printf("ssh-rsa %s someone@somewhere\n", encoded);
}

static void test_encrypt(void)
{
    EVP_PKEY *key = EVP_RSA_gen(2048);
    g_autofree char *public = ssh_key(key);
    g_autofree char *secret = guest_agent_encrypt(public, "pass word");
    g_assert_nonnull(secret);
    gsize size;
    g_autofree guchar *bytes = g_base64_decode(secret, &size);
    g_assert_cmpuint(size, ==, 256);
    guchar plain[256];
    size_t length = sizeof plain;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
    g_assert_cmpint(EVP_PKEY_decrypt_init(context), ==, 1);
    g_assert_cmpint(EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING), ==, 1);
    g_assert_cmpint(EVP_PKEY_decrypt(context, plain, &length, bytes, size), ==, 1);
    g_assert_cmpmem(plain, length, "pass word", 9);
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(key);
}

static void test_bad_keys(void)
{
    static const char *const keys[] = {"", "ssh-rsa", "ssh-rsa ", "ssh-rsa AAAA", "ssh-rsa AAAAB3NzaC1yc2EAAAAD", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA==",
                                       "ssh-rsa AAAAB3NzaC1yc2H/////AAAA", "ssh-rsa !!!!"};
    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++)
        g_assert_null(guest_agent_encrypt(keys[i], "x"));
}

static void test_members(void)
{
    static const struct {
        const char *kernel, *os_type, *disk_format, *container, *expected;
    } cases[] = {
        {"", NULL, "qcow2", "bare",
         "{\"name\":\"n\",\"image_location\":\"snapshot\",\"image_state\":\"available\",\"owner_id\":\"p\",\"disk_format\":\"raw\","
         "\"container_format\":\"bare\"}"},
        {NULL, "linux", "qcow2", NULL,
         "{\"name\":\"n\",\"kernel_id\":null,\"image_location\":\"snapshot\",\"image_state\":\"available\",\"owner_id\":\"p\",\"ramdisk_id\":null,"
         "\"os_type\":\"linux\",\"disk_format\":\"raw\",\"container_format\":\"bare\"}"},
        {"k", "", "ami", "ami",
         "{\"name\":\"n\",\"kernel_id\":\"k\",\"image_location\":\"snapshot\",\"image_state\":\"available\",\"owner_id\":\"p\",\"ramdisk_id\":\"k\","
         "\"disk_format\":\"ami\",\"container_format\":\"ami\"}"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(NovaInstance) instance = nova_instance_new();
        g_autoptr(NovaImageMeta) image = nova_image_meta_new();
        nova_instance_set_kernel_id(instance, cases[i].kernel);
        nova_instance_set_ramdisk_id(instance, cases[i].kernel);
        nova_instance_set_os_type(instance, cases[i].os_type);
        nova_instance_set_project_id(instance, "p");
        nova_image_meta_set_disk_format(image, cases[i].disk_format);
        if (cases[i].container != NULL)
            nova_image_meta_set_container_format(image, cases[i].container);
        char format[] = "raw";
        GuestSnapshot snapshot = {.instance = instance, .image = image, .format = format};
        g_autoptr(NdJson) members = guest_snapshot_members(&snapshot, "n");
        g_autofree char *text = nd_json_to_string(members);
        g_assert_cmpstr(text, ==, cases[i].expected);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/guest-agent/encrypt", test_encrypt);
    g_test_add_func("/guest-agent/bad-keys", test_bad_keys);
    g_test_add_func("/guest-snapshot/members", test_members);
    return g_test_run();
}
