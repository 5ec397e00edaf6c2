/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "rpc/conductor_private.h"

/* Migrations and migration contexts. */

NovaMigration *conductor_migration_get_by_id(Conductor *conductor, const RpcContext *context, gint64 id, GError **error)
{
    NdJson *args = json_object_new_array();
    json_object_array_add(args, json_object_new_int64(id));
    return conductor_class_get(conductor, context, "Migration", "get_by_id", args, NULL, error);
}

NovaMigration *conductor_migration_get_by_id_and_instance(Conductor *conductor, const RpcContext *context, gint64 id, const char *instance_uuid,
                                                          GError **error)
{
    NdJson *args = json_object_new_array();
    json_object_array_add(args, json_object_new_int64(id));
    json_object_array_add(args, json_object_new_string(instance_uuid));
    return conductor_class_get(conductor, context, "Migration", "get_by_id_and_instance", args, NULL, error);
}

NovaMigration *conductor_migration_get_by_instance_and_status(Conductor *conductor, const RpcContext *context, const char *instance_uuid,
                                                              const char *status, GError **error)
{
    return conductor_class_get(conductor, context, "Migration", "get_by_instance_and_status", conductor_args(instance_uuid, status, NULL), NULL, error);
}

bool conductor_migration_save(Conductor *conductor, const RpcContext *context, NovaMigration *migration, GError **error)
{
    return conductor_simple_action(conductor, context, migration, "save", error);
}

bool conductor_migration_create(Conductor *conductor, const RpcContext *context, NovaMigration *migration, GError **error)
{
    return conductor_simple_action(conductor, context, migration, "create", error);
}

NovaMigrationList *conductor_migration_list_in_progress_and_error(Conductor *conductor, const RpcContext *context, const char *host, const char *node,
                                                                  GError **error)
{
    return conductor_class_get(conductor, context, "MigrationList", "get_in_progress_and_error", conductor_args(host, node, NULL), NULL, error);
}

NovaMigrationList *conductor_migration_list_in_progress(Conductor *conductor, const RpcContext *context, const char *host, const char *node,
                                                        GError **error)
{
    return conductor_class_get(conductor, context, "MigrationList", "get_in_progress_by_host_and_node", conductor_args(host, node, NULL), NULL, error);
}

NovaMigrationList *conductor_migration_list_by_filters(Conductor *conductor, const RpcContext *context, NdJson *filters, GError **error)
{
    NdJson *args = json_object_new_array();
    json_object_array_add(args, filters);
    return conductor_class_get(conductor, context, "MigrationList", "get_by_filters", args, NULL, error);
}

NovaMigrationList *conductor_migration_list_unconfirmed(Conductor *conductor, const RpcContext *context, gint64 window_s, const char *dest_compute,
                                                        GError **error)
{
    NdJson *args = json_object_new_array(), *kwargs = json_object_new_object();
    json_object_array_add(args, json_object_new_int64(window_s));
    json_object_array_add(args, json_object_new_string(dest_compute));
    nd_json_set_bool(kwargs, "use_slave", true);
    return conductor_class_get(conductor, context, "MigrationList", "get_unconfirmed_by_dest_compute", args, kwargs, error);
}

NovaMigrationContext *conductor_migration_context_get(Conductor *conductor, const RpcContext *context, const char *instance_uuid, GError **error)
{
    return conductor_class_get(conductor, context, "MigrationContext", "get_by_instance_uuid", conductor_args(instance_uuid, NULL), NULL, error);
}
