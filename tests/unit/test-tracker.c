/* SPDX-License-Identifier: Apache-2.0 */
/* long file: the tests share one fake world of conductor and Placement */
#include "config.h"

#include "agent/tracker.h"
#include "rest/error.h"
#include "rpc/exception.h"
#include "tests/unit/fake_cloud.h"

#include <glib/gstdio.h>
#include <string.h>

/* The tracker between a fake conductor and host (below) and a fake Placement. */

#define NODE_UUID "11111111-2222-4333-8444-555555555555"
#define INSTANCE_A "aaaaaaaa-2222-4333-8444-555555555555"
#define INSTANCE_B "bbbbbbbb-2222-4333-8444-555555555555"

typedef struct {
    NovaComputeNode *node;  /* the conductor's row, NULL = none */
    NovaInstanceList *list; /* instances of this host and node */
    NovaMigrationList *migrations;
    char *last_migration; /* status of the one saved last */
    NovaInstance *other; /* found by uuid, not in the list */
    bool disabled, no_service, volume_backed;
    bool fail_node_save, fail_instance_save, fail_facts;
    int node_creates, node_saves, instance_saves, bdm_lists, migration_saves, scheduler_calls;
    unsigned vcpus, pcpus;
    char *last_scheduler;
} Fake;

static NovaComputeNode *node_get(void *data, const RpcContext *context, const char *host, const char *node, GError **error)
{
    Fake *fake = data;
    g_assert_cmpstr(host, ==, "h");
    g_assert_cmpstr(node, ==, "n");
    if (fake->node == NULL) {
        nova_exception_set(error, NOVA_EXC_COMPUTE_HOST_NOT_FOUND, "host", host, NULL);
        return NULL;
    }
    return nova_compute_node_clone(fake->node);
}

static NovaComputeNode *node_get_by_uuid(void *data, const RpcContext *context, const char *uuid, GError **error)
{
    Fake *fake = data;
    g_assert_cmpstr(context->read_deleted, ==, "yes");
    if (fake->node == NULL || g_strcmp0(fake->node->uuid, uuid) != 0) {
        nova_exception_set(error, NOVA_EXC_COMPUTE_HOST_NOT_FOUND, "host", uuid, NULL);
        return NULL;
    }
    return nova_compute_node_clone(fake->node);
}

/* The row takes over what was sent. */
static void store_node(Fake *fake, NovaComputeNode *node)
{
    nova_object_reset_changes(node);
    g_clear_pointer(&fake->node, nova_compute_node_unref);
    fake->node = nova_compute_node_clone(node);
}

static bool node_create(void *data, const RpcContext *context, NovaComputeNode *node, GError **error)
{
    Fake *fake = data;
    fake->node_creates++;
    nova_compute_node_set_id(node, 5);
    if (!nova_object_has(node, NOVA_COMPUTE_NODE_UUID))
        nova_compute_node_set_uuid(node, NODE_UUID);
    store_node(fake, node);
    return true;
}

static bool node_save(void *data, const RpcContext *context, NovaComputeNode *node, GError **error)
{
    Fake *fake = data;
    if (fake->fail_node_save) {
        nova_exception_set(error, NOVA_EXC_COMPUTE_HOST_NOT_FOUND, "host", "h", NULL);
        return false;
    }
    g_assert_true(context->is_admin);
    fake->node_saves++;
    nova_compute_node_set_updated_at(node, fake->node_saves);
    store_node(fake, node);
    return true;
}

static NovaInstanceList *instances(void *data, const RpcContext *context, const char *host, const char *node, const char *const *attrs,
                                   GError **error)
{
    return nova_instance_list_clone(((Fake *)data)->list);
}

static NovaInstance *instance_get(void *data, const RpcContext *context, const char *uuid, const char *const *attrs, GError **error)
{
    Fake *fake = data;
    g_assert_cmpstr(context->read_deleted, ==, "yes");
    if (fake->other != NULL && g_strcmp0(fake->other->uuid, uuid) == 0)
        return nova_instance_clone(fake->other);
    nova_exception_set(error, NOVA_EXC_INSTANCE_NOT_FOUND, "instance_id", uuid, NULL);
    return NULL;
}

static bool instance_save(void *data, const RpcContext *context, NovaInstance *instance, GError **error)
{
    Fake *fake = data;
    if (fake->fail_instance_save) {
        nova_exception_set(error, NOVA_EXC_INSTANCE_NOT_FOUND, "instance_id", instance->uuid, NULL);
        return false;
    }
    fake->instance_saves++;
    nova_object_reset_changes(instance);
    return true;
}

static NovaMigrationList *migrations(void *data, const RpcContext *context, const char *host, const char *node, GError **error)
{
    return nova_migration_list_clone(((Fake *)data)->migrations);
}

static bool migration_save(void *data, const RpcContext *context, NovaMigration *migration, GError **error)
{
    Fake *fake = data;
    fake->migration_saves++;
    g_free(fake->last_migration);
    fake->last_migration = g_strdup(migration->status);
    return true;
}

static NovaService *service_get(void *data, const RpcContext *context, const char *host, GError **error)
{
    Fake *fake = data;
    if (fake->no_service) {
        nova_exception_set(error, NOVA_EXC_COMPUTE_HOST_NOT_FOUND, "host", host, NULL);
        return NULL;
    }
    NovaService *service = nova_service_new();
    nova_service_set_disabled(service, fake->disabled);
    nova_service_set_id(service, 77);
    return service;
}

static NovaBlockDeviceMappingList *bdm_list(void *data, const RpcContext *context, const char *uuid, GError **error)
{
    Fake *fake = data;
    fake->bdm_lists++;
    NovaBlockDeviceMappingList *list = nova_block_device_mapping_list_new();
    g_autoptr(NovaBlockDeviceMapping) root = nova_block_device_mapping_new();
    nova_block_device_mapping_set_boot_index(root, 0);
    nova_block_device_mapping_set_destination_type(root, fake->volume_backed ? "volume" : "local");
    nova_object_list_append(list, root);
    return list;
}

static VirtHostFacts *host_facts(void *data, GError **error)
{
    Fake *fake = data;
    if (fake->fail_facts) {
        g_set_error(error, AGENT_ERROR, AGENT_ERROR_FAILED, "no libvirt");
        return NULL;
    }
    VirtHostFacts *facts = g_new0(VirtHostFacts, 1);
    facts->hypervisor_hostname = g_strdup("n");
    facts->hypervisor_type = g_strdup("QEMU");
    facts->hypervisor_version = 7002022;
    facts->cpu_info_json = g_strdup("{}");
    facts->vcpus = fake->vcpus;
    facts->pcpus = fake->pcpus;
    facts->memory_mib = 12250;
    facts->memory_used_mib = 3000;
    facts->local_gb = 251;
    facts->local_gb_used = 21;
    facts->disk_available_least_gb = 73;
    facts->supported_instances = g_ptr_array_new();
    return facts;
}

static GHashTable *host_traits(void *data, GError **error)
{
    GHashTable *traits = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_hash_table_insert(traits, g_strdup("HW_CPU_X86_AVX"), GINT_TO_POINTER(1));
    g_hash_table_insert(traits, g_strdup("HW_CPU_X86_VMX"), GINT_TO_POINTER(0));
    g_hash_table_insert(traits, g_strdup("NO_SUCH_TRAIT"), GINT_TO_POINTER(1));
    return traits;
}

static void scheduler_update(void *data, const RpcContext *context, const char *host, NovaInstanceList *list)
{
    ((Fake *)data)->scheduler_calls++;
}

static void scheduler_delete(void *data, const RpcContext *context, const char *host, const char *uuid)
{
    Fake *fake = data;
    fake->scheduler_calls++;
    g_free(fake->last_scheduler);
    fake->last_scheduler = g_strdup(uuid);
}

static void scheduler_sync(void *data, const RpcContext *context, const char *host, const char *const *uuids)
{
    Fake *fake = data;
    fake->scheduler_calls++;
    g_free(fake->last_scheduler);
    fake->last_scheduler = g_strjoinv(",", (char **)uuids);
}

static const TrackerBackend backend = {
    .node_get = node_get,
    .node_get_by_uuid = node_get_by_uuid,
    .node_create = node_create,
    .node_save = node_save,
    .instances = instances,
    .instance_get = instance_get,
    .instance_save = instance_save,
    .migrations = migrations,
    .migration_save = migration_save,
    .service_get = service_get,
    .bdm_list = bdm_list,
    .host_facts = host_facts,
    .host_traits = host_traits,
    .scheduler_update = scheduler_update,
    .scheduler_delete = scheduler_delete,
    .scheduler_sync = scheduler_sync,
};

/* Everything a test needs. */
typedef struct {
    Fake fake;
    FakeCloud *cloud;
    NdConfig *config;
    PlacementClient *placement;
    RpcContext *context;
    Tracker *tracker;
} World;

static World *world_new(const char *config_text)
{
    g_autoptr(GError) error = NULL;
    World *world = g_new0(World, 1);
    world->config = nd_config_new_from_text(config_text, &error);
    g_assert_no_error(error);
    world->cloud = fake_cloud_new();
    world->placement = fake_cloud_placement(world->cloud);
    world->context = rpc_context_new_admin(NULL);
    world->fake.vcpus = 2;
    world->fake.list = nova_instance_list_new();
    world->fake.migrations = nova_migration_list_new();
    world->tracker = tracker_new(world->config, "h", "n", world->placement, &backend, &world->fake, &error);
    g_assert_no_error(error);
    return world;
}

static void world_free(World *world)
{
    tracker_free(world->tracker);
    placement_client_unref(world->placement);
    fake_cloud_free(world->cloud);
    nd_config_free(world->config);
    rpc_context_unref(world->context);
    g_clear_pointer(&world->fake.node, nova_compute_node_unref);
    nova_instance_list_unref(world->fake.list);
    nova_migration_list_unref(world->fake.migrations);
    g_clear_pointer(&world->fake.other, nova_instance_unref);
    g_free(world->fake.last_scheduler);
    g_free(world->fake.last_migration);
    g_free(world);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(World, world_free)

static NovaFlavor *new_flavor(gint64 memory, gint64 vcpus, gint64 root, gint64 ephemeral, gint64 swap)
{
    NovaFlavor *flavor = nova_flavor_new();
    nova_flavor_set_memory_mb(flavor, memory);
    nova_flavor_set_vcpus(flavor, vcpus);
    nova_flavor_set_root_gb(flavor, root);
    nova_flavor_set_ephemeral_gb(flavor, ephemeral);
    nova_flavor_set_swap(flavor, swap);
    return flavor;
}

static NovaInstance *new_instance(const char *uuid, const char *vm_state, const char *task_state)
{
    NovaInstance *instance = nova_instance_new();
    g_autoptr(NovaFlavor) flavor = new_flavor(1024, 2, 10, 3, 1536);
    nova_instance_set_uuid(instance, uuid);
    nova_instance_set_vm_state(instance, vm_state);
    nova_instance_set_task_state(instance, task_state);
    nova_instance_set_flavor(instance, flavor);
    nova_instance_set_project_id(instance, "p1");
    nova_instance_set_image_ref(instance, "image");
    nova_object_reset_changes(instance);
    return instance;
}

static void audit_ok(World *world)
{
    g_autoptr(GError) error = NULL;
    tracker_audit(world->tracker, world->context, false, &error);
    g_assert_no_error(error);
}

static NdJson *stored_inventory(World *world, const char *resource_class)
{
    FakeProvider *provider = g_hash_table_lookup(world->cloud->providers, NODE_UUID);
    const char *text = g_hash_table_lookup(provider->inventories, resource_class);
    NdJson *value = NULL;
    if (text != NULL)
        g_assert_true(nd_json_parse(text, strlen(text), NULL, &value, NULL));
    return value;
}

static void assert_inventory(World *world, const char *resource_class, const char *expected)
{
    g_autoptr(NdJson) stored = stored_inventory(world, resource_class);
    g_autoptr(NdJson) wanted = NULL;
    g_assert_true(nd_json_parse(expected, strlen(expected), NULL, &wanted, NULL));
    if (!nd_json_equal(stored, wanted))
        g_error("%s: %s", resource_class, json_object_to_json_string(stored));
}

static bool has_trait(World *world, const char *trait)
{
    FakeProvider *provider = g_hash_table_lookup(world->cloud->providers, NODE_UUID);
    return g_hash_table_contains(provider->traits, trait);
}

/* First start on an empty cloud: everything is made, with upstream's numbers (the recorded first start). */
static void test_first_audit(void)
{
    g_autoptr(World) world = world_new("[DEFAULT]\nmy_ip = 10.0.0.5\n");
    Fake *fake = &world->fake;
    audit_ok(world);
    g_assert_cmpint(fake->node_creates, ==, 1);
    g_assert_cmpint(fake->node_saves, ==, 1);
    NovaComputeNode *node = fake->node;
    g_assert_cmpstr(node->host, ==, "h");
    g_assert_cmpstr(node->hypervisor_hostname, ==, "n");
    g_assert_cmpstr(node->host_ip, ==, "10.0.0.5");
    g_assert_cmpint(node->memory_mb_used, ==, 512);
    g_assert_cmpint(node->free_ram_mb, ==, 11738);
    g_assert_cmpint(node->local_gb_used, ==, 0);
    g_assert_cmpint(node->free_disk_gb, ==, 251);
    g_assert_cmpint(node->disk_available_least, ==, 73);
    g_assert_cmpint(node->running_vms, ==, 0);
    g_assert_cmpfloat(node->cpu_allocation_ratio, ==, 16.0);
    g_assert_cmpfloat(node->ram_allocation_ratio, ==, 1.5);
    g_assert_cmpstr(node->metrics, ==, "[]");
    g_assert_cmpstr(g_hash_table_lookup(node->stats, "failed_builds"), ==, "0");
    g_assert_false(nova_object_is_set(node, NOVA_COMPUTE_NODE_SERVICE_ID));
    g_assert_true(nova_object_is_set(node, NOVA_COMPUTE_NODE_PCI_DEVICE_POOLS));
    assert_inventory(world, "VCPU", "{\"total\":2,\"reserved\":0,\"min_unit\":1,\"max_unit\":2,\"step_size\":1,\"allocation_ratio\":16.0}");
    assert_inventory(world, "MEMORY_MB",
                     "{\"total\":12250,\"reserved\":512,\"min_unit\":1,\"max_unit\":12250,\"step_size\":1,\"allocation_ratio\":1.5}");
    assert_inventory(world, "DISK_GB",
                     "{\"total\":251,\"reserved\":0,\"min_unit\":1,\"max_unit\":251,\"step_size\":1,\"allocation_ratio\":1.0}");
    g_assert_null(stored_inventory(world, "PCPU"));
    g_assert_true(has_trait(world, "COMPUTE_NODE"));
    g_assert_true(has_trait(world, "HW_CPU_X86_AVX"));
    g_assert_false(has_trait(world, "HW_CPU_X86_VMX"));
    g_assert_false(has_trait(world, "NO_SUCH_TRAIT"));
    g_assert_false(has_trait(world, "COMPUTE_STATUS_DISABLED"));
    g_autoptr(NovaComputeNode) snapshot = tracker_compute_node(world->tracker);
    g_assert_cmpint(snapshot->id, ==, 5);
    g_assert_cmpstr(snapshot->uuid, ==, NODE_UUID);
}

/* Nothing changed: nothing is saved, and Placement is not written. */
static void test_quiet_audit(void)
{
    g_autoptr(World) world = world_new("");
    audit_ok(world);
    fake_cloud_clear_log(world->cloud);
    audit_ok(world);
    g_assert_cmpint(world->fake.node_saves, ==, 1);
    g_assert_cmpint(fake_cloud_count(world->cloud, "PUT"), ==, 0);
    g_assert_cmpint(fake_cloud_count(world->cloud, "POST"), ==, 0);
    world->fake.vcpus = 3;
    audit_ok(world);
    g_assert_cmpint(world->fake.node_saves, ==, 2);
    g_assert_cmpint(fake_cloud_count(world->cloud, "PUT"), ==, 1);
    /* A restarted agent finds the record and saves it once. */
    g_autoptr(GError) error = NULL;
    tracker_free(world->tracker);
    world->tracker = tracker_new(world->config, "h", "n", world->placement, &backend, &world->fake, &error);
    audit_ok(world);
    g_assert_cmpint(world->fake.node_creates, ==, 1);
    g_assert_cmpint(world->fake.node_saves, ==, 3);
}

static void test_configured_numbers(void)
{
    g_autoptr(World) world = world_new("[DEFAULT]\nreserved_host_memory_mb = 1000\nreserved_host_disk_mb = 1500\nreserved_host_cpus = 1\n"
                                       "cpu_allocation_ratio = 2.5\ninitial_ram_allocation_ratio = 1.25\n");
    world->fake.pcpus = 4;
    audit_ok(world);
    assert_inventory(world, "VCPU", "{\"total\":2,\"reserved\":1,\"min_unit\":1,\"max_unit\":2,\"step_size\":1,\"allocation_ratio\":2.5}");
    assert_inventory(world, "PCPU", "{\"total\":4,\"reserved\":0,\"min_unit\":1,\"max_unit\":4,\"step_size\":1,\"allocation_ratio\":1.0}");
    assert_inventory(world, "MEMORY_MB",
                     "{\"total\":12250,\"reserved\":1000,\"min_unit\":1,\"max_unit\":12250,\"step_size\":1,\"allocation_ratio\":1.25}");
    assert_inventory(world, "DISK_GB",
                     "{\"total\":251,\"reserved\":2,\"min_unit\":1,\"max_unit\":251,\"step_size\":1,\"allocation_ratio\":1.0}");
    g_assert_cmpint(world->fake.node->memory_mb_used, ==, 1000);
    g_assert_cmpint(world->fake.node->local_gb_used, ==, 1);
    g_assert_cmpint(world->fake.node->vcpus_used, ==, 1);
    g_assert_cmpfloat(world->fake.node->cpu_allocation_ratio, ==, 16.0); /* a new record has the initial ratio, as upstream's */
    audit_ok(world);
    g_assert_cmpfloat(world->fake.node->cpu_allocation_ratio, ==, 2.5);
}

/* An operator's ratio and traits in Placement stay. */
static void test_foreign_changes(void)
{
    g_autoptr(World) world = world_new("");
    audit_ok(world);
    FakeProvider *provider = g_hash_table_lookup(world->cloud->providers, NODE_UUID);
    g_hash_table_replace(provider->inventories, g_strdup("VCPU"),
                         g_strdup("{\"total\":2,\"reserved\":0,\"min_unit\":1,\"max_unit\":2,\"step_size\":1,\"allocation_ratio\":4.0}"));
    g_hash_table_add(provider->traits, g_strdup("CUSTOM_GOLD"));
    g_hash_table_add(provider->traits, g_strdup("HW_CPU_X86_VMX"));
    provider->generation++;
    g_hash_table_add(world->cloud->traits, g_strdup("CUSTOM_GOLD"));
    g_autoptr(GError) error = NULL;
    tracker_free(world->tracker);
    world->tracker = tracker_new(world->config, "h", "n", world->placement, &backend, &world->fake, &error);
    world->fake.vcpus = 8;
    audit_ok(world);
    assert_inventory(world, "VCPU", "{\"total\":8,\"reserved\":0,\"min_unit\":1,\"max_unit\":8,\"step_size\":1,\"allocation_ratio\":4.0}");
    g_assert_true(has_trait(world, "CUSTOM_GOLD"));
    g_assert_false(has_trait(world, "HW_CPU_X86_VMX"));
}

static void test_conflicts(void)
{
    g_autoptr(World) world = world_new("");
    g_autoptr(GError) error = NULL;
    world->cloud->conflicts_to_come = 3;
    audit_ok(world);
    world->fake.vcpus = 5;
    world->cloud->conflicts_to_come = 4;
    g_assert_false(tracker_audit(world->tracker, world->context, false, &error));
    g_assert_error(error, REST_ERROR, REST_ERROR_CONFLICT_GENERATION);
    g_assert_cmpint(world->cloud->conflicts_to_come, ==, 0);
    audit_ok(world);
    assert_inventory(world, "VCPU", "{\"total\":5,\"reserved\":0,\"min_unit\":1,\"max_unit\":5,\"step_size\":1,\"allocation_ratio\":16.0}");
}

static void test_name_conflict(void)
{
    g_autoptr(World) world = world_new("");
    g_autoptr(GError) error = NULL;
    fake_cloud_add_provider(world->cloud, "99999999-2222-4333-8444-555555555555", "n");
    g_assert_false(tracker_audit(world->tracker, world->context, true, &error));
    g_assert_error(error, REST_ERROR, REST_ERROR_CONFLICT);
    g_assert_nonnull(strstr(error->message, "99999999-2222-4333-8444-555555555555"));
}

static void test_claim_and_abort(void)
{
    g_autoptr(World) world = world_new("");
    g_autoptr(GError) error = NULL;
    g_autoptr(NovaInstance) instance = new_instance(INSTANCE_A, "building", NULL);
    g_assert_null(tracker_claim_instance(world->tracker, world->context, instance, &error));
    g_assert_true(nova_exception_matches(error, NOVA_EXC_COMPUTE_RESOURCES_UNAVAILABLE)); /* not audited yet */
    g_clear_error(&error);
    audit_ok(world);
    fake_cloud_clear_log(world->cloud);
    g_autoptr(TrackerClaim) claim = tracker_claim_instance(world->tracker, world->context, instance, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(instance->host, ==, "h");
    g_assert_cmpstr(instance->node, ==, "n");
    g_assert_cmpstr(instance->launched_on, ==, "h");
    g_assert_false(nova_object_is_set(instance, NOVA_INSTANCE_COMPUTE_ID));
    NovaComputeNode *node = world->fake.node;
    g_assert_cmpint(node->memory_mb_used, ==, 1536);
    g_assert_cmpint(node->vcpus_used, ==, 2);
    g_assert_cmpint(node->local_gb_used, ==, 14); /* 10 + 3 + 1.5, cut */
    g_assert_cmpint(node->free_disk_gb, ==, 237);
    g_assert_cmpint(node->running_vms, ==, 1);
    g_assert_cmpint(node->current_workload, ==, 0);
    g_assert_cmpstr(g_hash_table_lookup(node->stats, "num_vm_building"), ==, "1");
    g_assert_cmpstr(g_hash_table_lookup(node->stats, "num_task_None"), ==, "1");
    g_assert_cmpstr(g_hash_table_lookup(node->stats, "num_proj_p1"), ==, "1");
    g_assert_cmpstr(g_hash_table_lookup(node->stats, "io_workload"), ==, "1");
    g_assert_true(tracker_is_tracked(world->tracker, INSTANCE_A));
    /* States change. */
    nova_instance_set_task_state(instance, "spawning");
    g_assert_true(tracker_instance_update(world->tracker, world->context, instance, &error));
    node = world->fake.node;
    g_assert_cmpint(node->current_workload, ==, 1);
    g_assert_cmpstr(g_hash_table_lookup(node->stats, "num_task_None"), ==, "0");
    g_assert_cmpstr(g_hash_table_lookup(node->stats, "num_task_spawning"), ==, "1");
    g_assert_cmpint(node->memory_mb_used, ==, 1536);
    /* The build fails. */
    int saves = world->fake.node_saves;
    tracker_build_failed(world->tracker);
    g_assert_true(tracker_claim_abort(world->tracker, world->context, claim, instance, &error));
    g_assert_null(instance->host);
    g_assert_null(instance->node);
    node = world->fake.node;
    g_assert_cmpint(world->fake.node_saves, ==, saves + 1);
    g_assert_cmpint(node->memory_mb_used, ==, 512);
    g_assert_cmpint(node->local_gb_used, ==, 0);
    g_assert_cmpint(node->vcpus_used, ==, 0);
    g_assert_cmpint(node->running_vms, ==, 0);
    g_assert_cmpstr(g_hash_table_lookup(node->stats, "failed_builds"), ==, "1");
    g_assert_false(tracker_is_tracked(world->tracker, INSTANCE_A));
    g_assert_cmpuint(world->cloud->log->len, ==, 0); /* claims do not touch Placement */
    /* The count lasts over audits until a build succeeds. */
    tracker_build_failed(world->tracker);
    audit_ok(world);
    g_assert_cmpstr(g_hash_table_lookup(world->fake.node->stats, "failed_builds"), ==, "2");
    tracker_build_succeeded(world->tracker);
    audit_ok(world);
    g_assert_cmpstr(g_hash_table_lookup(world->fake.node->stats, "failed_builds"), ==, "0");
    /* An update of what is not tracked does nothing. */
    saves = world->fake.node_saves;
    g_assert_true(tracker_instance_update(world->tracker, world->context, instance, &error));
    g_assert_cmpint(world->fake.node_saves, ==, saves);
}

static void test_claim_failures(void)
{
    g_autoptr(World) world = world_new("");
    g_autoptr(GError) error = NULL;
    audit_ok(world);
    g_autoptr(NovaInstance) instance = new_instance(INSTANCE_A, "building", NULL);
    world->fake.fail_instance_save = true;
    g_assert_null(tracker_claim_instance(world->tracker, world->context, instance, &error));
    g_assert_true(nova_exception_matches(error, NOVA_EXC_INSTANCE_NOT_FOUND));
    g_assert_false(tracker_is_tracked(world->tracker, INSTANCE_A));
    g_clear_error(&error);
    world->fake.fail_instance_save = false;
    world->fake.fail_node_save = true;
    g_assert_null(tracker_claim_instance(world->tracker, world->context, instance, &error));
    g_assert_nonnull(error);
    g_assert_null(instance->host);
    g_assert_false(tracker_is_tracked(world->tracker, INSTANCE_A));
    g_clear_error(&error);
    world->fake.fail_node_save = false;
    audit_ok(world);
    g_assert_cmpint(world->fake.node->memory_mb_used, ==, 512);
    /* What this host cannot give. */
    g_autoptr(NovaInstanceNUMATopology) numa = nova_instance_numa_topology_new();
    nova_instance_set_numa_topology(instance, numa);
    g_assert_null(tracker_claim_instance(world->tracker, world->context, instance, &error));
    g_assert_true(nova_exception_matches(error, NOVA_EXC_COMPUTE_RESOURCES_UNAVAILABLE));
    g_assert_null(instance->host);
}

static void test_audit_counts(void)
{
    g_autoptr(World) world = world_new("");
    g_autoptr(GError) error = NULL;
    g_autoptr(NovaInstance) active = new_instance(INSTANCE_A, "active", NULL);
    g_autoptr(NovaInstance) offloaded = new_instance(INSTANCE_B, "shelved_offloaded", NULL);
    nova_object_list_append(world->fake.list, active);
    nova_object_list_append(world->fake.list, offloaded);
    world->fake.volume_backed = true;
    audit_ok(world);
    g_assert_cmpint(world->fake.node->memory_mb_used, ==, 1536);
    g_assert_cmpint(world->fake.node->local_gb_used, ==, 4); /* the root disk is a volume */
    g_assert_cmpint(world->fake.node->running_vms, ==, 1);
    g_assert_cmpint(world->fake.bdm_lists, ==, 1);
    audit_ok(world);
    g_assert_cmpint(world->fake.bdm_lists, ==, 1); /* remembered */
    g_assert_cmpint(world->fake.node->memory_mb_used, ==, 1536);
    /* Deletion takes it out. */
    nova_instance_set_vm_state(active, "deleted");
    g_assert_true(tracker_instance_update(world->tracker, world->context, active, &error));
    g_assert_cmpint(world->fake.node->memory_mb_used, ==, 512);
    g_assert_cmpint(world->fake.node->local_gb_used, ==, 0);
    g_assert_cmpint(world->fake.node->running_vms, ==, 0);
}

static NovaMigration *new_migration(gint64 id, const char *from, const char *to)
{
    NovaMigration *migration = nova_migration_new();
    nova_migration_set_id(migration, id);
    nova_migration_set_uuid(migration, "cccccccc-2222-4333-8444-555555555555");
    nova_migration_set_instance_uuid(migration, INSTANCE_B);
    nova_migration_set_migration_type(migration, "resize");
    nova_migration_set_status(migration, "migrating");
    nova_migration_set_source_compute(migration, from);
    nova_migration_set_source_node(migration, g_str_equal(from, "h") ? "n" : "other");
    nova_migration_set_dest_compute(migration, to);
    nova_migration_set_dest_node(migration, g_str_equal(to, "h") ? "n" : "other");
    nova_migration_set_updated_at(migration, id);
    return migration;
}

static void test_migrations(void)
{
    static const struct {
        const char *from, *to, *task;
        gint64 context_id, expected_memory;
        int saves;
    } cases[] = {
        {"x", "h", "resize_migrating", 0, 512 + 4096, 0},                                        /* comes with the new flavor */
        {"h", "x", "resize_migrating", 0, 512 + 2048, 0},                                        /* goes with the old one */
        {"x", "y", "resize_migrating", 0, 512, 0},        {"x", "h", "powering-off", 0, 512, 0}, /* is not moving */
        {"x", "h", "resize_migrating", 9, 512, 1},                                               /* belongs to another migration */
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(World) world = world_new("");
        g_autoptr(NovaMigration) older = new_migration(1, "h", "h");
        g_autoptr(NovaMigration) migration = new_migration(2, cases[i].from, cases[i].to);
        g_autoptr(NovaFlavor) old_flavor = new_flavor(2048, 1, 1, 0, 0);
        g_autoptr(NovaFlavor) bigger = new_flavor(4096, 1, 1, 0, 0);
        NovaInstance *instance = new_instance(INSTANCE_B, "active", cases[i].task);
        nova_instance_set_old_flavor(instance, old_flavor);
        nova_instance_set_new_flavor(instance, bigger);
        if (cases[i].context_id != 0) {
            g_autoptr(NovaMigrationContext) move = nova_migration_context_new();
            nova_migration_context_set_migration_id(move, cases[i].context_id);
            nova_instance_set_migration_context(instance, move);
        }
        world->fake.other = instance;
        nova_object_list_append(world->fake.migrations, older);
        nova_object_list_append(world->fake.migrations, migration);
        audit_ok(world);
        g_assert_cmpint(world->fake.node->memory_mb_used, ==, cases[i].expected_memory);
        g_assert_cmpint(world->fake.migration_saves, ==, cases[i].saves);
        g_assert_cmpstr(world->fake.last_migration, ==, cases[i].saves > 0 ? "error" : NULL);
    }
}

/* A resize of an instance that is counted with 1024 MiB to 4096 MiB, on this host. */
typedef struct {
    World *world;
    NovaInstance *instance;
    NovaMigration *migration;
    NovaFlavor *bigger;
} Move;

static void move_clear(Move *move)
{
    nova_instance_unref(move->instance);
    nova_migration_unref(move->migration);
    nova_flavor_unref(move->bigger);
    world_free(move->world);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Move, move_clear)

static Move new_move(void)
{
    Move move = {.world = world_new("[DEFAULT]\nmy_ip = 10.0.0.5\n")};
    move.instance = new_instance(INSTANCE_B, "active", "resize_prep");
    move.bigger = new_flavor(4096, 4, 20, 0, 0);
    nova_instance_set_host(move.instance, "h");
    nova_instance_set_node(move.instance, "n");
    nova_instance_set_instance_type_id(move.instance, 1);
    nova_instance_set_new_flavor(move.instance, move.bigger);
    move.migration = new_migration(2, "h", "h");
    nova_migration_set_old_instance_type_id(move.migration, 1);
    nova_migration_set_new_instance_type_id(move.migration, 2);
    nova_object_list_append(move.world->fake.list, move.instance);
    return move;
}

static void test_move_claim(void)
{
    g_auto(Move) move = new_move();
    g_autoptr(GError) error = NULL;
    Tracker *tracker = move.world->tracker;
    g_assert_false(tracker_claim_move(tracker, move.world->context, move.instance, move.bigger, move.migration, &error));
    g_assert_true(nova_exception_matches(error, NOVA_EXC_COMPUTE_RESOURCES_UNAVAILABLE)); /* not audited yet */
    g_clear_error(&error);
    audit_ok(move.world);
    g_assert_cmpint(move.world->fake.node->memory_mb_used, ==, 512 + 1024);
    g_assert_true(tracker_claim_move(tracker, move.world->context, move.instance, move.bigger, move.migration, &error));
    g_assert_no_error(error);
    g_assert_cmpint(move.world->fake.node->memory_mb_used, ==, 512 + 1024 + 4096);
    g_assert_cmpint(move.world->fake.node->vcpus_used, ==, 6);
    g_assert_cmpstr(move.world->fake.last_migration, ==, "pre-migrating");
    g_assert_cmpstr(move.migration->dest_host, ==, "10.0.0.5");
    g_assert_cmpint(move.instance->migration_context->migration_id, ==, 2);
    g_assert_nonnull(move.instance->migration_context->new_pci_requests->requests);
    g_assert_cmpint(move.world->fake.instance_saves, ==, 1);
    /* The instance is counted once, not again as a new one. */
    g_assert_cmpint(move.world->fake.node->running_vms, ==, 1);
}

/* Confirmed: the old flavor goes. Reverted: the new one. A second time nothing. */
static void test_move_ends(void)
{
    for (int confirmed = 0; confirmed < 2; confirmed++) {
        g_auto(Move) move = new_move();
        g_autoptr(GError) error = NULL;
        g_autoptr(NovaFlavor) old_flavor = nova_flavor_ref(move.instance->flavor);
        Tracker *tracker = move.world->tracker;
        audit_ok(move.world);
        g_assert_true(tracker_claim_move(tracker, move.world->context, move.instance, move.bigger, move.migration, &error));
        const NovaFlavor *leaves = confirmed ? old_flavor : move.bigger;
        const char *status = confirmed ? "confirmed" : "reverted";
        for (int again = 0; again < 2; again++) {
            if (again)
                audit_ok(move.world); /* the instance alone, with its present flavor */
            else if (confirmed)
                nova_instance_set_flavor(move.instance, move.bigger);
            if (!again)
                g_assert_true(tracker_drop_move(tracker, move.world->context, move.instance, move.migration, status, leaves, &error));
            g_assert_no_error(error);
            g_assert_cmpstr(move.world->fake.last_migration, ==, status);
            g_assert_cmpint(move.world->fake.node->memory_mb_used, ==, 512 + (confirmed ? 4096 : 1024));
            g_assert_cmpint(move.world->fake.node->vcpus_used, ==, confirmed ? 4 : 2);
        }
    }
}

static void test_move_failures(void)
{
    static const char *const unplaceable[][2] = {{"hw:numa_nodes", "2"}, {"hw:cpu_policy", "dedicated"}, {"pci_passthrough:alias", "a:1"}};
    for (gsize i = 0; i < G_N_ELEMENTS(unplaceable) + 2; i++) {
        g_auto(Move) move = new_move();
        g_autoptr(GError) error = NULL;
        audit_ok(move.world);
        if (i < G_N_ELEMENTS(unplaceable))
            nova_object_dict_set(move.bigger, NOVA_FLAVOR_EXTRA_SPECS, unplaceable[i][0], unplaceable[i][1]);
        else if (i == G_N_ELEMENTS(unplaceable))
            move.world->fake.fail_instance_save = true;
        else
            move.world->fake.fail_node_save = true;
        g_assert_false(tracker_claim_move(move.world->tracker, move.world->context, move.instance, move.bigger, move.migration, &error));
        g_assert_nonnull(error);
        g_assert_true(nova_exception_matches(error, NOVA_EXC_COMPUTE_RESOURCES_UNAVAILABLE) == (i < G_N_ELEMENTS(unplaceable)));
        move.world->fake.fail_node_save = false;
        audit_ok(move.world);
        g_assert_cmpint(move.world->fake.node->memory_mb_used, ==, 512 + 1024);
    }
}

static gint64 held(World *world, const char *consumer)
{
    const FakeConsumer *found = g_hash_table_lookup(world->cloud->consumers, consumer);
    return found != NULL ? ((const FakeAmount *)found->amounts->pdata[0])->amount : 0;
}

static void test_move_allocations(void)
{
    static const char migration[] = "cccccccc-2222-4333-8444-555555555555";
    g_autoptr(World) world = world_new("");
    g_autoptr(GError) error = NULL;
    bool moved = true;
    g_assert_true(tracker_move_allocations(world->tracker, world->context, migration, INSTANCE_A, &moved, &error));
    g_assert_false(moved); /* nothing to move is no failure */
    fake_cloud_allocate(world->cloud, migration, NODE_UUID, "VCPU", 1);
    fake_cloud_allocate(world->cloud, INSTANCE_A, NODE_UUID, "VCPU", 4);
    g_assert_true(tracker_move_allocations(world->tracker, world->context, migration, INSTANCE_A, &moved, &error));
    g_assert_no_error(error);
    g_assert_true(moved);
    g_assert_cmpint(held(world, migration), ==, 0);
    g_assert_cmpint(held(world, INSTANCE_A), ==, 1);
    /* What an evacuation was granted here goes, what the server has elsewhere stays. */
    audit_ok(world);
    fake_cloud_allocate(world->cloud, INSTANCE_B, NODE_UUID, "VCPU", 2);
    fake_cloud_allocate(world->cloud, INSTANCE_B, "eeeeeeee-2222-4333-8444-555555555555", "VCPU", 3);
    g_assert_true(tracker_remove_own_allocation(world->tracker, world->context, INSTANCE_B, &error));
    g_assert_no_error(error);
    g_assert_cmpint(held(world, INSTANCE_B), ==, 3);
}

static void test_stale_allocations(void)
{
    static const struct {
        bool deleted, hidden, other_host, stays;
    } cases[] = {{true, false, false, false}, {true, true, false, true}, {false, false, true, true}, {false, false, false, true}};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(World) world = world_new("");
        audit_ok(world);
        fake_cloud_allocate(world->cloud, INSTANCE_B, NODE_UUID, "VCPU", 1);
        fake_cloud_allocate(world->cloud, "dddddddd-2222-4333-8444-555555555555", NODE_UUID, "VCPU", 1); /* not in the database */
        world->fake.other = new_instance(INSTANCE_B, "active", NULL);
        nova_instance_set_deleted(world->fake.other, cases[i].deleted);
        nova_instance_set_hidden(world->fake.other, cases[i].hidden);
        nova_instance_set_host(world->fake.other, cases[i].other_host ? "x" : "h");
        audit_ok(world);
        g_assert_true(g_hash_table_contains(world->cloud->consumers, INSTANCE_B) == cases[i].stays);
        g_assert_true(g_hash_table_contains(world->cloud->consumers, "dddddddd-2222-4333-8444-555555555555"));
    }
}

static void test_delete_allocations(void)
{
    g_autoptr(World) world = world_new("");
    g_autoptr(GError) error = NULL;
    for (int force = 0; force < 2; force++) {
        fake_cloud_allocate(world->cloud, INSTANCE_A, NODE_UUID, "VCPU", 1);
        g_assert_true(tracker_delete_allocations(world->tracker, world->context, INSTANCE_A, force != 0, &error));
        g_assert_false(g_hash_table_contains(world->cloud->consumers, INSTANCE_A));
        g_assert_true(tracker_delete_allocations(world->tracker, world->context, INSTANCE_A, force != 0, &error));
    }
    g_assert_cmpstr(world->cloud->last_request_id, ==, world->context->request_id);
}

static void test_disabled_trait(void)
{
    g_autoptr(World) world = world_new("");
    g_autoptr(GError) error = NULL;
    g_assert_false(tracker_set_host_enabled(world->tracker, world->context, false, &error));
    g_clear_error(&error);
    world->fake.disabled = true;
    audit_ok(world);
    g_assert_true(has_trait(world, "COMPUTE_STATUS_DISABLED"));
    world->cloud->conflicts_to_come = 2;
    g_assert_true(tracker_set_host_enabled(world->tracker, world->context, true, &error));
    g_assert_false(has_trait(world, "COMPUTE_STATUS_DISABLED"));
    g_assert_true(tracker_set_host_enabled(world->tracker, world->context, false, &error));
    g_assert_true(has_trait(world, "COMPUTE_STATUS_DISABLED"));
    g_assert_true(has_trait(world, "COMPUTE_NODE"));
    world->fake.no_service = true; /* then the trait stays as it is */
    audit_ok(world);
    g_assert_true(has_trait(world, "COMPUTE_STATUS_DISABLED"));
    world->fake.no_service = world->fake.disabled = false;
    audit_ok(world);
    g_assert_false(has_trait(world, "COMPUTE_STATUS_DISABLED"));
}

/* compute_id of later releases. */
static void test_node_identity(void)
{
    static const char fixed[] = "12121212-2222-4333-8444-555555555555";
    g_autoptr(World) world = world_new("");
    g_autoptr(GError) error = NULL;
    nd_config_set_release(world->config, ND_RELEASE_2023_2);
    tracker_set_node_uuid(world->tracker, fixed);
    audit_ok(world);
    g_assert_cmpstr(world->fake.node->uuid, ==, fixed);
    g_assert_cmpint(world->fake.node->service_id, ==, 77);
    g_assert_true(g_hash_table_contains(world->cloud->providers, fixed));
    g_autoptr(NovaInstance) instance = new_instance(INSTANCE_A, "building", NULL);
    g_autoptr(TrackerClaim) claim = tracker_claim_instance(world->tracker, world->context, instance, &error);
    g_assert_no_error(error);
    g_assert_cmpint(instance->compute_id, ==, 5);
    g_assert_true(tracker_claim_abort(world->tracker, world->context, claim, instance, &error));
    g_assert_true(nova_object_is_null(instance, NOVA_INSTANCE_COMPUTE_ID));
    /* A deleted record is taken up again; another host's is not. */
    for (int foreign = 0; foreign < 2; foreign++) {
        nova_compute_node_set_deleted(world->fake.node, true);
        if (foreign)
            nova_compute_node_set_host(world->fake.node, "renamed");
        tracker_free(world->tracker);
        world->tracker = tracker_new(world->config, "h", "n", world->placement, &backend, &world->fake, &error);
        tracker_set_node_uuid(world->tracker, fixed);
        bool ok = tracker_audit(world->tracker, world->context, true, &error);
        if (foreign) {
            g_assert_false(ok);
            g_assert_error(error, AGENT_ERROR, AGENT_ERROR_START);
        } else {
            g_assert_no_error(error);
            g_assert_false(world->fake.node->deleted);
        }
    }
    g_assert_cmpint(world->fake.node_creates, ==, 1);
}

static void test_failing_world(void)
{
    g_autoptr(World) world = world_new("");
    g_autoptr(GError) error = NULL;
    world->fake.fail_facts = true;
    g_assert_false(tracker_audit(world->tracker, world->context, false, &error));
    g_assert_error(error, AGENT_ERROR, AGENT_ERROR_FAILED);
    g_clear_error(&error);
    g_assert_null(tracker_compute_node(world->tracker));
    world->fake.fail_facts = false;
    world->cloud->refuse_login = true;
    g_assert_false(tracker_audit(world->tracker, world->context, false, &error));
    g_assert_error(error, REST_ERROR, REST_ERROR_AUTH);
    g_clear_error(&error);
    world->cloud->refuse_login = false;
    audit_ok(world); /* it recovers */
    world->fake.fail_node_save = true;
    world->fake.vcpus = 9;
    g_assert_false(tracker_audit(world->tracker, world->context, false, &error));
    g_clear_error(&error);
    world->fake.fail_node_save = false;
    audit_ok(world);
    g_assert_cmpint(world->fake.node->vcpus, ==, 9);
}

/* The record is deleted behind our back: the next audit but one has a new one. */
static void test_deleted_record(void)
{
    g_autoptr(World) world = world_new("");
    g_autoptr(GError) error = NULL;
    audit_ok(world);
    g_clear_pointer(&world->fake.node, nova_compute_node_unref);
    world->fake.fail_node_save = true;
    world->fake.vcpus = 7;
    g_assert_false(tracker_audit(world->tracker, world->context, false, &error));
    g_assert_true(nova_exception_matches(error, NOVA_EXC_COMPUTE_HOST_NOT_FOUND));
    world->fake.fail_node_save = false;
    audit_ok(world);
    g_assert_cmpint(world->fake.node_creates, ==, 2);
    g_assert_cmpint(world->fake.node->vcpus, ==, 7);
}

static void test_scheduler(void)
{
    for (int on = 0; on < 2; on++) {
        g_autoptr(World) world = world_new(on ? "" : "[filter_scheduler]\ntrack_instance_changes = false\n");
        g_autoptr(NovaInstance) a = new_instance(INSTANCE_A, "active", NULL);
        g_autoptr(NovaInstance) b = new_instance(INSTANCE_B, "active", NULL);
        nova_object_list_append(world->fake.list, a);
        nova_object_list_append(world->fake.list, b);
        tracker_scheduler_update(world->tracker, world->context, a);
        tracker_scheduler_delete(world->tracker, world->context, INSTANCE_A);
        tracker_scheduler_sync(world->tracker, world->context, world->fake.list);
        tracker_scheduler_update_all(world->tracker, world->context, world->fake.list);
        g_assert_cmpint(world->fake.scheduler_calls, ==, on ? 4 : 0);
        g_assert_cmpstr(world->fake.last_scheduler, ==, on ? INSTANCE_A "," INSTANCE_B : NULL);
    }
}

typedef struct {
    World *world;
    int number;
} Builder;

static void *build_and_fail(void *data)
{
    Builder *builder = data;
    g_autofree char *uuid = g_strdup_printf("%08d-2222-4333-8444-555555555555", builder->number);
    for (int i = 0; i < 10; i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(NovaInstance) instance = new_instance(uuid, "building", NULL);
        g_autoptr(TrackerClaim) claim = tracker_claim_instance(builder->world->tracker, builder->world->context, instance, &error);
        g_assert_no_error(error);
        g_assert_true(tracker_claim_abort(builder->world->tracker, builder->world->context, claim, instance, &error));
        g_autoptr(NovaComputeNode) node = tracker_compute_node(builder->world->tracker);
        g_assert_nonnull(node);
    }
    return NULL;
}

static void test_threads(void)
{
    g_autoptr(World) world = world_new("");
    audit_ok(world);
    Builder builders[6];
    GThread *threads[G_N_ELEMENTS(builders)];
    for (size_t i = 0; i < G_N_ELEMENTS(builders); i++) {
        builders[i] = (Builder){world, (int)i};
        threads[i] = g_thread_new("build", build_and_fail, &builders[i]);
    }
    audit_ok(world);
    for (size_t i = 0; i < G_N_ELEMENTS(builders); i++)
        g_thread_join(threads[i]);
    audit_ok(world);
    g_assert_cmpint(world->fake.node->memory_mb_used, ==, 512);
    g_assert_cmpint(world->fake.node->running_vms, ==, 0);
}

/* provider.yaml: the classes and traits that the operator lists are made and set, and stay over later audits; a bad file ends the start. */
static void test_provider_config(void)
{
    g_autofree char *folder = g_dir_make_tmp("novad-providers-XXXXXX", NULL), *path = g_build_filename(folder, "a.yaml", NULL);
    g_autofree char *text = g_strdup_printf("[compute]\nprovider_config_location = %s\n", folder);
    g_assert_true(g_file_set_contents(path, "meta: {schema_version: '1.0'}\nproviders:\n"
                                            "  - identification: {uuid: $COMPUTE_NODE}\n    traits: {additional: [CUSTOM_FAST]}\n"
                                            "    inventories: {additional: [{CUSTOM_SLOT: {total: 3}}]}\n"
                                            "  - identification: {name: elsewhere}\n    traits: {additional: [CUSTOM_SLOW]}\n", -1, NULL));
    World *world = world_new(text);
    audit_ok(world);
    FakeProvider *provider = g_hash_table_lookup(world->cloud->providers, world->fake.node->uuid);
    g_assert_true(g_hash_table_contains(provider->traits, "CUSTOM_FAST") && g_hash_table_contains(provider->traits, "COMPUTE_NODE"));
    g_assert_false(g_hash_table_contains(provider->traits, "CUSTOM_SLOW"));
    const char *slot = g_hash_table_lookup(provider->inventories, "CUSTOM_SLOT");
    g_assert_nonnull(slot);
    g_assert_nonnull(strstr(slot, "3"));
    g_assert_true(g_hash_table_contains(provider->inventories, "VCPU"));
    fake_cloud_clear_log(world->cloud);
    audit_ok(world);
    g_assert_cmpint(fake_cloud_count(world->cloud, "PUT /resource_providers/"), ==, 0);
    world_free(world);
    g_assert_true(g_file_set_contents(path, "meta: {}", -1, NULL));
    g_autoptr(GError) error = NULL;
    g_autoptr(FakeCloud) cloud = fake_cloud_new();
    g_autoptr(PlacementClient) placement = fake_cloud_placement(cloud);
    g_autoptr(NdConfig) config = nd_config_new_from_text(text, NULL);
    g_assert_null(tracker_new(config, "h", "n", placement, &backend, NULL, &error));
    g_assert_error(error, NOVA_EXCEPTION, NOVA_EXC_PROVIDER_CONFIG_EXCEPTION);
    g_unlink(path);
    g_rmdir(folder);
}

static void test_bad_options(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FakeCloud) cloud = fake_cloud_new();
    g_autoptr(PlacementClient) placement = fake_cloud_placement(cloud);
    g_autoptr(NdConfig) config = nd_config_new_from_text("[DEFAULT]\nreserved_host_cpus = 1\n[compute]\ncpu_shared_set = 0\n", &error);
    g_assert_null(tracker_new(config, "h", "n", placement, &backend, NULL, &error));
    g_assert_error(error, AGENT_ERROR, AGENT_ERROR_ARGUMENT);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/tracker/first-audit", test_first_audit);
    g_test_add_func("/tracker/quiet-audit", test_quiet_audit);
    g_test_add_func("/tracker/provider-config", test_provider_config);
    g_test_add_func("/tracker/configured-numbers", test_configured_numbers);
    g_test_add_func("/tracker/foreign-changes", test_foreign_changes);
    g_test_add_func("/tracker/conflicts", test_conflicts);
    g_test_add_func("/tracker/name-conflict", test_name_conflict);
    g_test_add_func("/tracker/claim-and-abort", test_claim_and_abort);
    g_test_add_func("/tracker/claim-failures", test_claim_failures);
    g_test_add_func("/tracker/audit-counts", test_audit_counts);
    g_test_add_func("/tracker/migrations", test_migrations);
    g_test_add_func("/tracker/move-claim", test_move_claim);
    g_test_add_func("/tracker/move-ends", test_move_ends);
    g_test_add_func("/tracker/move-failures", test_move_failures);
    g_test_add_func("/tracker/move-allocations", test_move_allocations);
    g_test_add_func("/tracker/stale-allocations", test_stale_allocations);
    g_test_add_func("/tracker/delete-allocations", test_delete_allocations);
    g_test_add_func("/tracker/disabled-trait", test_disabled_trait);
    g_test_add_func("/tracker/node-identity", test_node_identity);
    g_test_add_func("/tracker/failing-world", test_failing_world);
    g_test_add_func("/tracker/deleted-record", test_deleted_record);
    g_test_add_func("/tracker/scheduler", test_scheduler);
    g_test_add_func("/tracker/threads", test_threads);
    g_test_add_func("/tracker/bad-options", test_bad_options);
    return g_test_run();
}
