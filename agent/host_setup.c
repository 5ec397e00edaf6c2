/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/host_setup.h"

#include "agent/guest_config.h"
#include "base/file.h"
#include "base/log.h"
#include "virt/capabilities.h"
#include "virt/connection.h"
#include "virt/disk_ops.h"
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
    cache->vmdk_types = g_strdupv((char **)nd_config_list(config, "compute", "vmdk_allowed_types"));
    return cache;
}

/* Guards Agent.guest_host between a reader's look at the pointer and its reference. */
static GMutex host_lock;

/* Takes `host`. */
static void exchange_host(Agent *agent, GuestHost *host)
{
    g_mutex_lock(&host_lock);
    GuestHost *old = agent->guest_host;
    agent->guest_host = host;
    g_mutex_unlock(&host_lock);
    guest_host_unref(old);
}

GuestHost *agent_guest_host(Agent *agent)
{
    g_mutex_lock(&host_lock);
    GuestHost *host = agent->guest_host != NULL ? guest_host_ref(agent->guest_host) : NULL;
    g_mutex_unlock(&host_lock);
    return host;
}

static GuestHost *new_host(Agent *agent, VirtCapabilities *capabilities, GError **error)
{
    return guest_host_new(agent->config, capabilities, package_versions[agent->release], RELEASE_FILE, error);
}

bool agent_host_setup(Agent *agent, GError **error)
{
    const char *instances = nd_config_string(agent->config, "DEFAULT", "instances_path");

    if (!nd_dir_make(instances, 0755, error)) {
        g_prefix_error(error, "[DEFAULT]instances_path: ");
        return false;
    }
    agent_host_clear(agent); /* of an attempt before */
    g_autoptr(VirtCapabilities) capabilities = query(agent, error);
    GuestHost *host = capabilities != NULL ? new_host(agent, capabilities, error) : NULL;
    if (host == NULL)
        return false;
    exchange_host(agent, host);
    agent->image_cache = new_image_cache(agent->config);
    virt_disk_ops_set_limit((unsigned)nd_config_int(agent->config, "compute", "max_concurrent_disk_ops"));
    return true;
}

void agent_host_reread(Agent *agent)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(VirtCapabilities) capabilities = NULL;
    g_autoptr(GuestHost) old = agent_guest_host(agent);
    GuestHost *host;

    if (old == NULL)
        return; /* the start reads them itself */
    capabilities = query(agent, &error);
    if (capabilities != NULL && virt_capabilities_equal(capabilities, old->capabilities))
        return;
    host = capabilities != NULL ? new_host(agent, capabilities, &error) : NULL;
    if (host == NULL) {
        nd_warning(LOGGER, "The capabilities of libvirt cannot be read again, those known stay: %s", error->message);
        return;
    }
    nd_info(LOGGER, "The capabilities of libvirt or QEMU have changed; new guests are made by them");
    exchange_host(agent, host);
}

void agent_host_clear(Agent *agent)
{
    if (agent->image_cache != NULL)
        virt_image_cache_clear(agent->image_cache);
    g_clear_pointer(&agent->image_cache, g_free);
    exchange_host(agent, NULL);
}
