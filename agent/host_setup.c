/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/host_setup.h"

#include "agent/guest_config.h"
#include "base/file.h"
#include "base/log.h"
#include "virt/capabilities.h"
#include "virt/connection.h"
#include "virt/image_cache.h"

#define LOGGER "nova.virt.libvirt.host"
#define RELEASE_FILE "/etc/nova/release" /* vendor and product names, as packagers of nova set them */
#define INFO_ADDRESS_SPACE_GIB 1         /* upstream's QEMU_IMG_LIMITS */
#define INFO_CPU_TIME_S 30

/* Nova's version that guests see in metadata and SMBIOS: that of the release we serve. */
static const char *const package_versions[] = {
    [ND_RELEASE_ZED] = "26.2.2",    [ND_RELEASE_2023_1] = "27.5.1", [ND_RELEASE_2023_2] = "28.3.0",
    [ND_RELEASE_2024_1] = "29.2.2", [ND_RELEASE_2024_2] = "30.0.1", [ND_RELEASE_2025_1] = "31.0.0",
    [ND_RELEASE_2025_2] = "32.0.0", [ND_RELEASE_2026_1] = "33.0.0", [ND_RELEASE_2026_2] = "34.0.0",
};

static VirtCapabilities *query(Agent *agent, GError **error)
{
    virConnectPtr handle = virt_connection_acquire(agent->virt, error);
    VirtCapabilities *capabilities;

    if (handle == NULL)
        return NULL;
    capabilities = virt_capabilities_query(handle, nd_config_string(agent->config, "libvirt", "virt_type"),
                                           nd_config_list(agent->config, "libvirt", "hw_machine_type"),
                                           nd_config_list(agent->config, "libvirt", "cpu_models"), error);
    virt_connection_release(agent->virt, handle);
    return capabilities;
}

static VirtImageCache *new_image_cache(const NdConfig *config)
{
    const char *instances = nd_config_string(config, "DEFAULT", "instances_path");
    VirtImageCache *cache = g_new0(VirtImageCache, 1);

    cache->instances_path = g_strdup(instances);
    cache->subdirectory = g_strdup(nd_config_string(config, "image_cache", "subdirectory_name"));
    cache->force_raw_images = nd_config_bool(config, "DEFAULT", "force_raw_images");
    cache->limits.address_space_gib = INFO_ADDRESS_SPACE_GIB;
    cache->limits.cpu_time_s = INFO_CPU_TIME_S;
    return cache;
}

bool agent_host_setup(Agent *agent, GError **error)
{
    const char *instances = nd_config_string(agent->config, "DEFAULT", "instances_path");

    if (!nd_dir_make(instances, 0755, error)) {
        g_prefix_error(error, "[DEFAULT]instances_path: ");
        return false;
    }
    agent_host_clear(agent); /* of an attempt before */
    agent->capabilities = query(agent, error);
    if (agent->capabilities == NULL)
        return false;
    agent->guest_host = guest_host_new(agent->config, agent->capabilities, package_versions[agent->release], RELEASE_FILE, error);
    if (agent->guest_host == NULL)
        return false;
    agent->image_cache = new_image_cache(agent->config);
    return true;
}

static void free_host(gpointer data)
{
    guest_host_free(data);
}

static void free_capabilities(gpointer data)
{
    virt_capabilities_free(data);
}

/* Operations that run may still look at what was replaced: it is kept to the end. Upgrades under a running daemon are few. */
static void retire(Agent *agent, GuestHost *host, VirtCapabilities *capabilities)
{
    if (agent->retired_hosts == NULL) {
        agent->retired_hosts = g_ptr_array_new_with_free_func(free_host);
        agent->retired_capabilities = g_ptr_array_new_with_free_func(free_capabilities);
    }
    g_ptr_array_add(agent->retired_hosts, host);
    g_ptr_array_add(agent->retired_capabilities, capabilities);
}

void agent_host_reread(Agent *agent)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(VirtCapabilities) capabilities = NULL;
    GuestHost *host, *old = agent_guest_host(agent);

    if (old == NULL)
        return; /* the start reads them itself */
    capabilities = query(agent, &error);
    if (capabilities != NULL && virt_capabilities_equal(capabilities, agent->capabilities))
        return;
    host = capabilities != NULL ? guest_host_new(agent->config, capabilities, package_versions[agent->release], RELEASE_FILE, &error) : NULL;
    if (host == NULL) {
        nd_warning(LOGGER, "The capabilities of libvirt cannot be read again, those known stay: %s", error->message);
        return;
    }
    nd_info(LOGGER, "The capabilities of libvirt or QEMU have changed; new guests are made by them");
    g_atomic_pointer_set(&agent->guest_host, host);
    retire(agent, old, agent->capabilities);
    agent->capabilities = g_steal_pointer(&capabilities);
}

void agent_host_clear(Agent *agent)
{
    if (agent->image_cache != NULL)
        virt_image_cache_clear(agent->image_cache);
    g_clear_pointer(&agent->image_cache, g_free);
    g_clear_pointer(&agent->guest_host, guest_host_free);
    g_clear_pointer(&agent->retired_hosts, g_ptr_array_unref);
    g_clear_pointer(&agent->capabilities, virt_capabilities_free);
    g_clear_pointer(&agent->retired_capabilities, g_ptr_array_unref);
}
