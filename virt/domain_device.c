/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "virt/domain_private.h"
#include "virt/error.h"

#include <libxml/parser.h>
#include <libxml/tree.h>

static xmlNode *child(xmlNode *parent, const char *name)
{
    for (xmlNode *node = parent->children; node != NULL; node = node->next)
        if (node->type == XML_ELEMENT_NODE && strcmp((const char *)node->name, name) == 0)
            return node;
    return NULL;
}

/* True if nothing is asked for, or the child's attribute (its text for attribute NULL) is that. */
static bool agrees(xmlNode *device, const char *element, const char *attribute, const char *wanted)
{
    if (wanted == NULL)
        return true;
    xmlNode *node = child(device, element);
    if (node == NULL)
        return false;
    xmlChar *value = attribute != NULL ? xmlGetProp(node, (const xmlChar *)attribute) : xmlNodeGetContent(node);
    bool same = value != NULL && g_ascii_strcasecmp((const char *)value, wanted) == 0;
    xmlFree(value);
    return same;
}

static bool device_matches(xmlNode *device, const VirtDeviceMatch *match)
{
    return device->type == XML_ELEMENT_NODE && strcmp((const char *)device->name, match->element) == 0 &&
        agrees(device, "target", "dev", match->target_dev) && agrees(device, "mac", "address", match->mac) &&
        agrees(device, "alias", "name", match->alias) && agrees(device, "serial", NULL, match->serial);
}

static char *node_text(xmlDoc *document, xmlNode *node)
{
    xmlBuffer *buffer = xmlBufferCreate();
    xmlNodeDump(buffer, document, node, 0, 0);
    char *text = g_strdup((const char *)xmlBufferContent(buffer));
    xmlBufferFree(buffer);
    return text;
}

char *virt_device_find(const char *domain_xml, const VirtDeviceMatch *match, char **alias)
{
    xmlDoc *document = xmlReadMemory(domain_xml, (int)strlen(domain_xml), NULL, NULL, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    if (document == NULL)
        return NULL;
    xmlNode *root = xmlDocGetRootElement(document);
    xmlNode *devices = root != NULL ? child(root, "devices") : NULL;
    char *text = NULL;
    for (xmlNode *device = devices != NULL ? devices->children : NULL; device != NULL && text == NULL; device = device->next) {
        if (!device_matches(device, match))
            continue;
        text = node_text(document, device);
        xmlNode *node = alias != NULL ? child(device, "alias") : NULL;
        if (alias != NULL) {
            xmlChar *name = node != NULL ? xmlGetProp(node, (const xmlChar *)"name") : NULL;
            *alias = g_strdup((const char *)name);
            xmlFree(name);
        }
    }
    xmlFreeDoc(document);
    return text;
}

/* What identifies the device, for messages. */
static const char *match_name(const VirtDeviceMatch *match)
{
    const char *const keys[] = {match->target_dev, match->mac, match->alias, match->serial};
    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++)
        if (keys[i] != NULL)
            return keys[i];
    return match->element;
}

/* *device_xml NULL: it is not there. */
static bool find_in(VirtDomainRef *ref, unsigned flags, const VirtDeviceMatch *match, char **device_xml, char **alias, GError **error)
{
    *device_xml = NULL;
    char *xml = virDomainGetXMLDesc(ref->domain, flags);
    if (xml == NULL)
        return virt_error_set_libvirt(error, "get XML of domain");
    *device_xml = virt_device_find(xml, match, alias);
    free(xml);
    return true;
}

typedef enum { DETACH_ASKED, DETACH_MISSING, DETACH_FAILED } DetachOutcome;

/* The call, with the outcomes that upstream tells apart (driver.py _detach_sync). */
static DetachOutcome ask_detach(VirtDomainRef *ref, const char *device_xml, unsigned flags, GError **error)
{
    if (virDomainDetachDeviceFlags(ref->domain, device_xml, flags) == 0)
        return DETACH_ASKED;
    g_autoptr(GError) local = NULL;
    virt_error_set_libvirt(&local, "detach device");
    if (virt_error_is_libvirt(local, VIR_ERR_DEVICE_MISSING) ||
        (virt_error_is_libvirt(local, VIR_ERR_OPERATION_FAILED) && strstr(local->message, "not found") != NULL))
        return DETACH_MISSING;
    if (virt_error_is_no_domain(local))
        return DETACH_ASKED; /* nothing is left to detach from */
    if (virt_error_is_libvirt(local, VIR_ERR_INTERNAL_ERROR) && strstr(local->message, "already in the process of unplug") != NULL)
        return DETACH_ASKED; /* an earlier request still runs: its event will come */
    g_propagate_error(error, g_steal_pointer(&local));
    return DETACH_FAILED;
}

/* Waits for the end of one request. *failed: libvirt said that the guest refuses for good. False only when cancelled. */
static bool wait_removed(VirtWaiter *waiter, const char *alias, gint64 deadline, GCancellable *cancellable, bool *failed, GError **error)
{
    for (;;) {
        VirtEvent event = {0};
        g_autoptr(GError) local = NULL;
        if (!virt_waiter_next(waiter, deadline, cancellable, &event, &local)) {
            if (g_error_matches(local, VIRT_ERROR, VIRT_ERROR_TIMEOUT))
                return true;
            g_propagate_error(error, g_steal_pointer(&local));
            return false;
        }
        bool ours = alias != NULL && g_strcmp0(event.device, alias) == 0;
        bool removed = event.kind == VIRT_EVENT_DEVICE_REMOVED && ours;
        bool stopped = event.kind == VIRT_EVENT_LIFECYCLE && event.code == VIRT_LIFECYCLE_STOPPED;
        *failed = event.kind == VIRT_EVENT_DEVICE_REMOVAL_FAILED && ours;
        virt_event_clear(&event);
        if (removed || stopped || *failed)
            return true;
    }
}

static bool detach_stored(VirtDomainRef *ref, const VirtDeviceMatch *match, bool also_live, const char *device_xml, GError **error)
{
    DetachOutcome outcome = ask_detach(ref, device_xml, VIR_DOMAIN_AFFECT_CONFIG, error);
    if (outcome == DETACH_MISSING && !also_live) {
        g_set_error(error, VIRT_ERROR, VIRT_ERROR_DEVICE_NOT_FOUND, "device '%s' not found", match_name(match));
        return false;
    }
    return outcome != DETACH_FAILED;
}

/* One request to the running domain. *alias is the device's, *outcome what libvirt said; *gone: it is not there (any more), nor perhaps the domain. */
static bool request_live(VirtConnection *connection, const char *uuid, const VirtDeviceMatch *match, char **alias, DetachOutcome *outcome, bool *gone,
    GError **error)
{
    g_auto(VirtDomainRef) ref = {0};
    g_autofree char *device_xml = NULL;
    g_autoptr(GError) local = NULL;
    *outcome = DETACH_ASKED;
    if (!virt_domain_ref_open(&ref, connection, uuid, &local) || !find_in(&ref, 0, match, &device_xml, alias, &local)) {
        *gone = virt_error_is_no_domain(local);
        if (!*gone)
            g_propagate_error(error, g_steal_pointer(&local));
        return *gone;
    }
    *gone = device_xml == NULL;
    if (!*gone)
        *outcome = ask_detach(&ref, device_xml, VIR_DOMAIN_AFFECT_LIVE, error);
    return *outcome != DETACH_FAILED;
}

/* Between the requests nothing of libvirt is held: the waits may be long, and calls to libvirt are counted. */
static bool detach_live(VirtConnection *connection, const char *uuid, const VirtDeviceMatch *match, const VirtDetachOptions *options,
    GCancellable *cancellable, GError **error)
{
    /* Before the first request, so that no event can be missed. */
    g_autoptr(VirtWaiter) waiter = virt_waiter_new(connection, uuid);
    int attempts = MAX(options->attempts, 1);
    for (int attempt = 0; attempt < attempts; attempt++) {
        g_autofree char *alias = NULL;
        DetachOutcome outcome;
        bool gone, failed = false;
        if (!request_live(connection, uuid, match, &alias, &outcome, &gone, error))
            return false;
        if (gone)
            return true;
        if (outcome == DETACH_MISSING && attempt == 0) {
            g_set_error(error, VIRT_ERROR, VIRT_ERROR_DEVICE_NOT_FOUND, "device '%s' not found in the running domain", match_name(match));
            return false;
        }
        gint64 deadline = g_get_monotonic_time() + MAX(options->timeout_s, 1) * G_USEC_PER_SEC;
        if (outcome == DETACH_ASKED && !wait_removed(waiter, alias, deadline, cancellable, &failed, error))
            return false;
        if (failed) {
            g_set_error(error, VIRT_ERROR, VIRT_ERROR_DEVICE_DETACH, "libvirt reports that device '%s' (%s) could not be removed",
                match_name(match), alias);
            return false;
        }
    }
    g_autofree char *xml = virt_domain_get_xml(connection, uuid, VIRT_XML_LIVE, error);
    if (xml == NULL)
        return false;
    g_autofree char *left = virt_device_find(xml, match, NULL);
    if (left == NULL)
        return true;
    g_set_error(error, VIRT_ERROR, VIRT_ERROR_DEVICE_DETACH, "device '%s' is still attached after %d attempts", match_name(match), attempts);
    return false;
}

/* The stored definition first, at once. *live: the running domain has the device, too. */
static bool detach_now(VirtConnection *connection, const char *uuid, const VirtDeviceMatch *match, bool *live, GError **error)
{
    g_auto(VirtDomainRef) ref = {0};
    int state;
    if (!virt_domain_ref_open(&ref, connection, uuid, error) || !virt_domain_ref_state(&ref, &state, error))
        return false;
    VirtPowerState power = virt_power_state_from_libvirt(state);
    bool running = power == VIRT_POWER_RUNNING || power == VIRT_POWER_PAUSED;
    g_autofree char *stored_xml = NULL, *live_xml = NULL;
    if ((virDomainIsPersistent(ref.domain) > 0 && !find_in(&ref, VIR_DOMAIN_XML_INACTIVE, match, &stored_xml, NULL, error)) ||
        (running && !find_in(&ref, 0, match, &live_xml, NULL, error)))
        return false;
    if (stored_xml == NULL && live_xml == NULL) {
        g_set_error(error, VIRT_ERROR, VIRT_ERROR_DEVICE_NOT_FOUND, "device '%s' not found in domain %s", match_name(match), uuid);
        return false;
    }
    *live = live_xml != NULL;
    return stored_xml == NULL || detach_stored(&ref, match, *live, stored_xml, error);
}

bool virt_domain_detach_device(VirtConnection *connection, const char *uuid, const VirtDeviceMatch *match, const VirtDetachOptions *options,
    GCancellable *cancellable, GError **error)
{
    bool live = false;
    return detach_now(connection, uuid, match, &live, error) && (!live || detach_live(connection, uuid, match, options, cancellable, error));
}
