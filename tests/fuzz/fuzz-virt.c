/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "agent/network_data.h"
#include "tests/fuzz/fuzz.h"
#include "virt/console.h"
#include "virt/domain.h"
#include "virt/host.h"
#include "virt/image.h"

#include <stdlib.h>
#include <string.h>

/* What comes from users (image bytes), from libvirt (domain XML), from the conductor (network info) and from nova.conf (CPU sets): each input is tried as each
 * of them. */

const char *const fuzz_seeds[] = {
    "tests/golden/image/qcow2.img", "tests/golden/image/qcow2-backing.img", "tests/golden/image/qcow2-data-file.img", "tests/golden/image/vmdk.img",
    "tests/golden/image/vmdk-stream.img", "tests/golden/image/vhd.img", "tests/golden/image/vdi.img", "tests/golden/image/vhdx.img",
    "tests/golden/image/iso.img", "tests/golden/virt/network-info.txt", "tests/golden/virt/domain.txt", NULL,
};

static void must(bool truth)
{
    if (!truth)
        abort();
}

static void try_image(const uint8_t *data, size_t size)
{
    g_auto(VirtImageInfo) whole = {0}, part = {0};
    g_autoptr(GError) error = NULL;
    bool read = virt_image_inspect_bytes(data, size, size, &whole, &error);
    must(read == (error == NULL));
    /* Whatever refers to other files is never safe. */
    must(!read || whole.unsafe != NULL || (!whole.has_backing_file && !whole.has_data_file && !whole.has_unknown_features && whole.backing_file == NULL));
    must(!read || whole.unsafe != NULL || whole.virtual_size <= (guint64)G_MAXINT64);
    virt_image_inspect_bytes(data, size, (guint64)1 << 40, &part, NULL);
}

static void try_xml(const char *text)
{
    const VirtDeviceMatch matches[] = {{.element = "disk", .serial = "s"}, {.element = "interface", .mac = "52:54:00:00:00:01"}};
    for (size_t i = 0; i < G_N_ELEMENTS(matches); i++) {
        g_autofree char *alias = NULL, *found = virt_device_find(text, &matches[i], &alias);
        must(found != NULL || alias == NULL);
    }
    VirtConsolePaths paths = {0};
    g_autofree char *host = NULL;
    int port;
    virt_console_paths(text, &paths, NULL);
    virt_console_paths_clear(&paths);
    virt_console_serial_port(text, &host, &port, NULL);
}

static void try_network_info(const char *text)
{
    g_autoptr(NdJson) info = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *interfaces = NULL;
    if (!nd_json_parse(text, strlen(text), NULL, &info, NULL) || !json_object_is_type(info, json_type_array))
        return;
    g_autoptr(NdJson) data = agent_network_data(info, &error);
    must((data != NULL) == (error == NULL));
    agent_network_interfaces_text(info, &interfaces, NULL);
    agent_first_fixed_ipv4(info);
    agent_first_floating_ip(info);
}

static void try_cpu_set(const char *text)
{
    g_autoptr(GArray) set = virt_cpu_set_parse(text, NULL);
    for (guint i = 1; set != NULL && i < set->len; i++)
        must(g_array_index(set, int, i - 1) < g_array_index(set, int, i));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    try_image(data, size);
    g_autofree char *text = g_strndup((const char *)data, size);
    try_xml(text);
    try_network_info(text);
    try_cpu_set(text);
    return 0;
}
