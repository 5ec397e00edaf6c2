/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "rest/auth.h"

RestAuth *rest_auth_new_own(const char *global_request_id)
{
    return rest_auth_new_user(NULL, NULL, NULL, global_request_id);
}

RestAuth *rest_auth_new_user(const char *token, const char *catalog_json, KeystoneAuth *service_user, const char *global_request_id)
{
    RestAuth *auth = g_new0(RestAuth, 1);
    auth->references = 1;
    auth->token = g_strdup(token);
    auth->catalog_json = g_strdup(catalog_json);
    auth->service_user = service_user != NULL ? keystone_auth_ref(service_user) : NULL;
    auth->global_request_id = g_strdup(global_request_id);
    return auth;
}

RestAuth *rest_auth_ref(RestAuth *auth)
{
    g_atomic_int_inc(&auth->references);
    return auth;
}

void rest_auth_unref(RestAuth *auth)
{
    if (auth == NULL || !g_atomic_int_dec_and_test(&auth->references))
        return;
    g_free(auth->token);
    g_free(auth->catalog_json);
    keystone_auth_unref(auth->service_user);
    g_free(auth->global_request_id);
    g_free(auth);
}
