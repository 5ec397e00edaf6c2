/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "agent/guest_agent.h"

#include "agent/guest_image.h"
#include "agent/instance_name.h"
#include "base/log.h"
#include "rpc/exception.h"
#include "virt/error.h"
#include "virt/guest_agent.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <string.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BIGNUM, BN_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_PKEY, EVP_PKEY_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_PKEY_CTX, EVP_PKEY_CTX_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OSSL_PARAM, OSSL_PARAM_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OSSL_PARAM_BLD, OSSL_PARAM_BLD_free)

#define LOGGER "nova.virt.libvirt.driver"
#define RSA_PREFIX "ssh-rsa"
/* How the password is kept: password_0 … password_3 of system_metadata (upstream nova/api/metadata/password.py). */
#define PASSWORD_PIECES 4
#define PASSWORD_PIECE_LENGTH 255

bool guest_agent_enabled(const NovaImageMeta *image, GError **error)
{
    if (guest_image_properties(image)->hw_qemu_guest_agent)
        return true;
    nova_exception_set(error, NOVA_EXC_QEMU_GUEST_AGENT_NOT_ENABLED, NULL);
    return false;
}

static void internal_error(const GError *failure, const char *doing, const char *name, GError **error)
{
    g_autofree char *text = g_strdup_printf("libvirt's error while %s %s: [%d] %s", doing, name, failure->code, failure->message);
    nova_exception_set(error, NOVA_EXC_INTERNAL_ERROR, "err", text, NULL);
}

bool guest_agent_quiesce(Agent *agent, const NovaInstance *instance, const NovaImageMeta *image, bool freeze, GError **error)
{
    g_autoptr(GError) failure = NULL;
    if (!guest_agent_enabled(image, error))
        return false;
    if (freeze ? virt_agent_freeze(agent->virt, instance->uuid, &failure) : virt_agent_thaw(agent->virt, instance->uuid, &failure))
        return true;
    g_autofree char *name = agent_instance_name(agent->config, instance);
    if (virt_error_is_no_domain(failure))
        nova_exception_set(error, NOVA_EXC_INSTANCE_NOT_FOUND, "instance_id", instance->uuid, NULL);
    else if (failure->domain == LIBVIRT_ERROR)
        internal_error(failure, freeze ? "quiescing" : "unquiescing", name, error);
    else
        g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

/* --- the password --- */

/* The next string of the SSH wire format (RFC 4251 section 5), borrowed from `blob`. */
static bool next_string(const guchar *blob, gsize length, gsize *at, const guchar **string, gsize *size)
{
    guint32 big_endian;
    if (length - *at < sizeof big_endian)
        return false;
    memcpy(&big_endian, blob + *at, sizeof big_endian);
    *at += sizeof big_endian;
    *size = GUINT32_FROM_BE(big_endian);
    if (*size > length - *at)
        return false;
    *string = blob + *at;
    *at += *size;
    return true;
}

static EVP_PKEY *make_key(const guchar *exponent, gsize exponent_size, const guchar *modulus, gsize modulus_size)
{
    g_autoptr(BIGNUM) e = BN_bin2bn(exponent, (int)exponent_size, NULL);
    g_autoptr(BIGNUM) n = BN_bin2bn(modulus, (int)modulus_size, NULL);
    g_autoptr(OSSL_PARAM_BLD) builder = OSSL_PARAM_BLD_new();
    if (!OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) || !OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e))
        return NULL;
    g_autoptr(OSSL_PARAM) parameters = OSSL_PARAM_BLD_to_param(builder);
    g_autoptr(EVP_PKEY_CTX) context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    EVP_PKEY *key = NULL;
    if (EVP_PKEY_fromdata_init(context) <= 0 || EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters) <= 0)
        return NULL;
    return key;
}

static EVP_PKEY *read_key(const char *ssh_key)
{
    g_auto(GStrv) words = g_strsplit(ssh_key, " ", 3);
    const guchar *type, *exponent, *modulus;
    gsize length, at = 0, type_size, exponent_size, modulus_size;
    if (g_strv_length(words) < 2 || strcmp(words[0], RSA_PREFIX) != 0)
        return NULL;
    g_autofree guchar *blob = g_base64_decode(g_strstrip(words[1]), &length);
    if (!next_string(blob, length, &at, &type, &type_size) || !next_string(blob, length, &at, &exponent, &exponent_size) ||
        !next_string(blob, length, &at, &modulus, &modulus_size) || type_size != strlen(RSA_PREFIX) || memcmp(type, RSA_PREFIX, type_size) != 0)
        return NULL;
    return make_key(exponent, exponent_size, modulus, modulus_size);
}

char *guest_agent_encrypt(const char *ssh_key, const char *password)
{
    g_autoptr(EVP_PKEY) key = read_key(ssh_key);
    g_autoptr(EVP_PKEY_CTX) context = key != NULL ? EVP_PKEY_CTX_new(key, NULL) : NULL;
    size_t size = key != NULL ? (size_t)EVP_PKEY_get_size(key) : 0;
    g_autofree guchar *secret = g_malloc(size + 1);
    if (context == NULL || EVP_PKEY_encrypt_init(context) <= 0 || EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) <= 0 ||
        EVP_PKEY_encrypt(context, secret, &size, (const guchar *)password, strlen(password)) <= 0)
        return NULL;
    return g_base64_encode(secret, size);
}

/* Where the metadata service looks for it. */
static void keep_password(NovaInstance *instance, const char *password)
{
    if (instance->key_data == NULL || !g_str_has_prefix(instance->key_data, RSA_PREFIX))
        return;
    g_autofree char *secret = guest_agent_encrypt(instance->key_data, password);
    if (secret == NULL) {
        nd_warning(LOGGER, "The password cannot be encrypted with the instance's key");
        return;
    }
    size_t length = strlen(secret);
    for (size_t i = 0; i < PASSWORD_PIECES; i++) {
        size_t begin = MIN(i * PASSWORD_PIECE_LENGTH, length);
        g_autofree char *name = g_strdup_printf("password_%zu", i);
        g_autofree char *piece = g_strndup(secret + begin, PASSWORD_PIECE_LENGTH);
        nova_object_dict_set(instance, NOVA_INSTANCE_SYSTEM_METADATA, name, piece);
    }
}

bool guest_agent_set_password(Agent *agent, NovaInstance *instance, const NovaImageMeta *image, const char *password, GError **error)
{
    const char *user = guest_image_properties(image)->os_admin_user;
    g_autoptr(GError) failure = NULL;
    if (!guest_agent_enabled(image, error))
        return false;
    if (user == NULL || *user == '\0')
        user = g_strcmp0(instance->os_type, "windows") == 0 ? "Administrator" : "root";
    if (virt_agent_set_password(agent->virt, instance->uuid, user, password, &failure)) {
        keep_password(instance, password);
        return true;
    }
    if (virt_error_is_no_domain(failure))
        nova_exception_set(error, NOVA_EXC_INSTANCE_NOT_FOUND, "instance_id", instance->uuid, NULL);
    else if (virt_error_is_libvirt(failure, VIR_ERR_AGENT_UNRESPONSIVE))
        nova_exception_set(error, NOVA_EXC_NOT_IMPLEMENTED_ERROR, NULL);
    else if (failure->domain == LIBVIRT_ERROR)
        internal_error(failure, "setting the password of", user, error);
    else
        g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}
