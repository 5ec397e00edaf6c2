/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "rest/vendor_data.h"

struct VendorDataClient {
    RestSession *session;
    KeystoneAuth *auth;
};

VendorDataClient *vendor_data_client_new(RestSession *session, KeystoneAuth *auth)
{
    VendorDataClient *client = g_new0(VendorDataClient, 1);
    client->session = rest_session_ref(session);
    client->auth = auth != NULL ? keystone_auth_ref(auth) : NULL;
    return client;
}

void vendor_data_client_free(VendorDataClient *client)
{
    if (client == NULL)
        return;
    rest_session_unref(client->session);
    g_clear_pointer(&client->auth, keystone_auth_unref);
    g_free(client);
}

bool vendor_data_client_has_auth(const VendorDataClient *client)
{
    return client->auth != NULL;
}

static bool send_with(VendorDataClient *client, const char *url, NdJson *body, const char *token, RestAnswer **answer, GError **error)
{
    g_autofree char *token_header = token != NULL ? g_strconcat("X-Auth-Token: ", token, NULL) : NULL;
    const char *const headers[] = {"Accept: application/json", "User-Agent: openstack-nova-vendordata", token_header, NULL};
    const RestRequest request = {.method = "POST", .url = url, .headers = headers, .body = body};
    return rest_session_send(client->session, &request, answer, error);
}

bool vendor_data_ask(VendorDataClient *client, const char *url, NdJson *body, NdJson **value, GError **error)
{
    g_autoptr(RestAnswer) answer = NULL;
    for (int attempt = 0; attempt < 2; attempt++) {
        g_autofree char *token = NULL;
        if (client->auth != NULL && !keystone_auth_token(client->auth, &token, error))
            return false;
        g_clear_pointer(&answer, rest_answer_free);
        if (!send_with(client, url, body, token, &answer, error))
            return false;
        if (answer->status != 401 || client->auth == NULL)
            break;
        keystone_auth_invalidate(client->auth, token);
    }
    if (answer->status < 200 || answer->status > 299)
        return rest_answer_set_error(answer, "POST", error);
    if (g_bytes_get_size(answer->body) > 0)
        return rest_answer_json(answer, value, error);
    *value = json_object_new_object();
    return true;
}
