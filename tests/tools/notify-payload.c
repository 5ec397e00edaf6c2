/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/notify_payload.h"

#include <stdio.h>
#include <stdlib.h>

/*
 * notify-payload: for tests/oracle/notifications.py. One JSON object a line on stdin {instance, message (with _context_*), create, instance_name,
 * bdms, image_ref_url, network_info, extra}; one line on stdout {legacy, versioned}, or {error}.
 */
static NdJson *answer(NdJson *question, GError **error)
{
    g_autoptr(NovaObject) instance = nova_object_from_json(nd_json_object(question, "instance"), NULL, error);
    g_autoptr(NovaObject) bdms = NULL;
    g_autoptr(RpcContext) context = NULL;
    NdJson *payloads;

    if (instance == NULL)
        return NULL;
    context = rpc_context_from_message(nd_json_object(question, "message"), error);
    if (context == NULL)
        return NULL;
    if (nd_json_object(question, "bdms") != NULL) {
        bdms = nova_object_from_json(nd_json_object(question, "bdms"), NULL, error);
        if (bdms == NULL)
            return NULL;
    }
    NdJson *asked = nd_json_object(question, "class");
    NotifyPayloadClass of_class = {nd_json_string(asked, "name", NULL), nd_json_string(asked, "version", NULL), nd_json_object(asked, "members")};
    payloads = json_object_new_object();
    nd_json_set(payloads, "legacy",
                notify_legacy_payload(NOVA_INSTANCE(instance), nd_json_string(question, "image_ref_url", NULL),
                                      nd_json_array(question, "network_info"), nd_json_object(question, "extra"), NULL));
    nd_json_set(payloads, "versioned",
                notify_versioned_payload(context, NOVA_INSTANCE(instance), nd_json_bool(question, "create", false),
                                         nd_json_string(question, "instance_name", NULL), NOVA_BLOCK_DEVICE_MAPPING_LIST(bdms),
                                         of_class.name != NULL ? &of_class : NULL, NULL));
    return payloads;
}

int main(void)
{
    char *line = NULL;
    size_t size = 0;
    ssize_t length;

    while ((length = getline(&line, &size, stdin)) > 0) {
        g_autoptr(NdJson) question = NULL;
        g_autoptr(NdJson) result = NULL;
        g_autoptr(GError) error = NULL;
        g_autofree char *text = NULL;

        if (nd_json_parse(line, (size_t)length, NULL, &question, &error))
            result = answer(question, &error);
        if (result == NULL) {
            result = json_object_new_object();
            nd_json_set_string(result, "error", error->message);
        }
        text = nd_json_to_string(result);
        puts(text);
        fflush(stdout);
    }
    free(line);
    return 0;
}
