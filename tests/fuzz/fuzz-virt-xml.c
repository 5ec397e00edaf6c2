/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "tests/fuzz/fuzz.h"
#include "virt/capabilities.h"
#include "virt/domain_reader.h"
#include "virt/domain_xml.h"

#include <stdlib.h>

/* Any text as libvirt's answers: a domain, host and domain capabilities, a device, and as a firmware descriptor. A domain that can be written again after
 * reading says the same when it is read once more. */

const char *const fuzz_seeds[] = {
    "tests/golden/domain-xml/virt/full.xml",
    "tests/golden/domain-xml/virt/small.xml",
    "tests/golden/domain-xml/virt/live.xml",
    "tests/golden/domain-xml/virt/domain-capabilities.xml",
    "tests/golden/domain-xml/virt/60-edk2-x86_64.json",
    NULL,
};

static void must(bool truth)
{
    if (!truth)
        abort();
}

static void try_domain(const char *text)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(VirtMachine) machine = virt_domain_read(text, &error);
    must((machine != NULL) == (error == NULL));
    g_autofree char *written = machine != NULL ? virt_domain_xml(machine, NULL) : NULL;
    if (written == NULL)
        return;
    g_autoptr(VirtMachine) again = virt_domain_read(written, NULL);
    must(again != NULL);
    g_autofree char *twice = virt_domain_xml(again, NULL);
    must(twice != NULL);
}

static void try_capabilities(const char *text)
{
    g_autoptr(VirtCapabilities) caps = virt_capabilities_read(text, NULL);
    if (caps == NULL)
        return;
    g_autoptr(GPtrArray) machines = virt_capabilities_machines(caps);
    for (guint i = 0; i < machines->len; i++)
        must(virt_capabilities_has_machine(caps, machines->pdata[i]));
    virt_capabilities_canonical_machine(caps, "x86_64", "pc");
    virt_capabilities_domain(caps, "x86_64", "kvm");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size);
    try_domain(text);
    try_capabilities(text);
    g_autoptr(VirtDomainCaps) domain_caps = virt_domain_caps_read(text, NULL);
    g_autoptr(VirtDisk) disk = virt_disk_read(text, NULL);
    g_autoptr(VirtInterface) interface = virt_interface_read(text, NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(VirtFirmware) firmware = virt_firmware_read((const char *)data, (gssize)size, &error);
    must((firmware != NULL) == (error == NULL));
    return 0;
}
