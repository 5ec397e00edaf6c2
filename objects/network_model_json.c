/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "objects/network_model.h"

#include "objects/error.h"

#include <string.h>

/* --- reading: each part's keys, the rest kept ---------------------------------------------------------------------------------------- */

typedef struct {
    NdJson *json;
    const char *part; /* "a VIF", "a network" …: for messages */
    GError **error;
    bool failed; /* the first error was set; everything after it does nothing */
} Part;

static void part_fail(Part *part, const char *key, const char *problem)
{
    if (!part->failed)
        g_set_error(part->error, OBJECTS_ERROR, OBJECTS_ERROR_NETWORK_INFO, "'%s' of %s in network_info %s", key, part->part, problem);
    part->failed = true;
}

static bool part_begin(Part *part, NdJson *json, const char *name, GError **error)
{
    *part = (Part){.json = json, .part = name, .error = error};
    if (json_object_is_type(json, json_type_object))
        return true;
    g_set_error(error, OBJECTS_ERROR, OBJECTS_ERROR_NETWORK_INFO, "%s in network_info is no dict", name);
    part->failed = true;
    return false;
}

static NdJson *copy_json(NdJson *json)
{
    NdJson *copy = NULL;
    if (json)
        json_object_deep_copy(json, &copy, NULL);
    return copy;
}

static char *part_string(Part *part, const char *key)
{
    NdJson *value = nd_json_member(part->json, key);
    if (!value)
        return NULL;
    if (!json_object_is_type(value, json_type_string) ||
        strlen(json_object_get_string(value)) != (size_t)json_object_get_string_len(value)) {
        part_fail(part, key, "is no text");
        return NULL;
    }
    return g_strdup(json_object_get_string(value));
}

static bool part_bool(Part *part, const char *key)
{
    NdJson *value = nd_json_member(part->json, key);
    if (value && !json_object_is_type(value, json_type_boolean))
        part_fail(part, key, "is no boolean");
    return !part->failed && value && json_object_get_boolean(value);
}

/* 4, 6 or 0. */
static int part_version(Part *part, const char *address)
{
    NdJson *value = nd_json_member(part->json, "version");
    if (value && !json_object_is_type(value, json_type_int))
        part_fail(part, "version", "is no integer");
    else if (value && json_object_get_int(value) != 0)
        return json_object_get_int(value);
    else if (address)
        return strchr(address, ':') ? 6 : 4;
    return 0;
}

/* A dict; null and missing give NULL. */
static NdJson *part_dict(Part *part, const char *key)
{
    NdJson *value = nd_json_member(part->json, key);
    if (value && !json_object_is_type(value, json_type_object))
        part_fail(part, key, "is no dict");
    return part->failed ? NULL : copy_json(value);
}

/* The same, empty for null. */
static NdJson *part_dict_or_empty(Part *part, const char *key)
{
    NdJson *dict = part_dict(part, key);
    return dict ? dict : json_object_new_object();
}

typedef gpointer (*ReadFunc)(NdJson *json, GError **error);

/* A list of parts; null and missing give an empty one, null elements are left out. */
static GPtrArray *part_list(Part *part, const char *key, ReadFunc read, GDestroyNotify destroy)
{
    GPtrArray *list = g_ptr_array_new_with_free_func(destroy);
    NdJson *value = nd_json_member(part->json, key);
    if (value && !json_object_is_type(value, json_type_array))
        part_fail(part, key, "is no list");
    for (size_t i = 0; !part->failed && value && i < json_object_array_length(value); i++) {
        NdJson *item = json_object_array_get_idx(value, i);
        if (!item)
            continue;
        gpointer element = read(item, part->error);
        if (element)
            g_ptr_array_add(list, element);
        else
            part->failed = true;
    }
    return list;
}

/* Keys that are not in `known`; NULL if there are none. */
static NdJson *part_extra(const Part *part, const char *const *known)
{
    NdJson *extra = NULL;
    json_object_object_foreach(part->json, key, value)
    {
        if (g_strv_contains(known, key))
            continue;
        if (!extra)
            extra = json_object_new_object();
        json_object_object_add(extra, key, copy_json(value));
    }
    return extra;
}

/* One nested part; null, missing and {} give NULL. */
static gpointer part_nested(Part *part, const char *key, ReadFunc read)
{
    NdJson *value = nd_json_member(part->json, key);
    if (part->failed || !value || (json_object_is_type(value, json_type_object) && json_object_object_length(value) == 0))
        return NULL;
    gpointer nested = read(value, part->error);
    if (!nested)
        part->failed = true;
    return nested;
}

static gpointer read_ip(NdJson *json, GError **error)
{
    static const char *const known[] = {"address", "type", "version", "meta", NULL};
    Part part;
    if (!part_begin(&part, json, "an IP", error))
        return NULL;
    g_autoptr(NovaIp) ip = g_new0(NovaIp, 1);
    ip->address = part_string(&part, "address");
    ip->type = part_string(&part, "type");
    ip->version = part_version(&part, ip->address);
    ip->meta = part_dict_or_empty(&part, "meta");
    ip->extra = part_extra(&part, known);
    return part.failed ? NULL : g_steal_pointer(&ip);
}

static gpointer read_fixed_ip(NdJson *json, GError **error)
{
    g_autoptr(NovaIp) ip = read_ip(json, error);
    Part part;
    if (!ip || !part_begin(&part, json, "a fixed IP", error))
        return NULL;
    ip->floating_ips = part_list(&part, "floating_ips", read_ip, (GDestroyNotify)nova_ip_free);
    if (ip->extra)
        json_object_object_del(ip->extra, "floating_ips");
    if (!ip->type)
        ip->type = g_strdup("fixed");
    return part.failed ? NULL : g_steal_pointer(&ip);
}

static gpointer read_route(NdJson *json, GError **error)
{
    static const char *const known[] = {"cidr", "gateway", "interface", "meta", NULL};
    Part part;
    if (!part_begin(&part, json, "a route", error))
        return NULL;
    g_autoptr(NovaRoute) route = g_new0(NovaRoute, 1);
    route->cidr = part_string(&part, "cidr");
    route->gateway = part_nested(&part, "gateway", read_ip);
    route->interface = part_string(&part, "interface");
    route->meta = part_dict_or_empty(&part, "meta");
    route->extra = part_extra(&part, known);
    return part.failed ? NULL : g_steal_pointer(&route);
}

static gpointer read_subnet(NdJson *json, GError **error)
{
    static const char *const known[] = {"cidr", "dns", "gateway", "ips", "routes", "version", "meta", NULL};
    Part part;
    if (!part_begin(&part, json, "a subnet", error))
        return NULL;
    g_autoptr(NovaSubnet) subnet = g_new0(NovaSubnet, 1);
    subnet->cidr = part_string(&part, "cidr");
    subnet->dns = part_list(&part, "dns", read_ip, (GDestroyNotify)nova_ip_free);
    subnet->gateway = part_nested(&part, "gateway", read_ip);
    subnet->ips = part_list(&part, "ips", read_fixed_ip, (GDestroyNotify)nova_ip_free);
    subnet->routes = part_list(&part, "routes", read_route, (GDestroyNotify)nova_route_free);
    subnet->version = part_version(&part, subnet->cidr);
    subnet->meta = part_dict_or_empty(&part, "meta");
    subnet->extra = part_extra(&part, known);
    return part.failed ? NULL : g_steal_pointer(&subnet);
}

static gpointer read_network(NdJson *json, GError **error)
{
    static const char *const known[] = {"id", "bridge", "label", "subnets", "meta", NULL};
    Part part;
    if (!part_begin(&part, json, "a network", error))
        return NULL;
    g_autoptr(NovaNetwork) network = g_new0(NovaNetwork, 1);
    network->id = part_string(&part, "id");
    network->bridge = part_string(&part, "bridge");
    network->label = part_string(&part, "label");
    network->subnets = part_list(&part, "subnets", read_subnet, (GDestroyNotify)nova_subnet_free);
    network->meta = part_dict_or_empty(&part, "meta");
    network->extra = part_extra(&part, known);
    return part.failed ? NULL : g_steal_pointer(&network);
}

NovaVif *nova_vif_from_json(NdJson *json, GError **error)
{
    static const char *const known[] = {"id",
                                        "address",
                                        "network",
                                        "type",
                                        "details",
                                        "devname",
                                        "ovs_interfaceid",
                                        "qbh_params",
                                        "qbg_params",
                                        "active",
                                        "vnic_type",
                                        "profile",
                                        "preserve_on_delete",
                                        "delegate_create",
                                        "meta",
                                        NULL};
    Part part;
    if (!part_begin(&part, json, "a VIF", error))
        return NULL;
    g_autoptr(NovaVif) vif = g_new0(NovaVif, 1);
    vif->id = part_string(&part, "id");
    vif->address = part_string(&part, "address");
    vif->network = part_nested(&part, "network", read_network);
    vif->type = part_string(&part, "type");
    vif->details = part_dict_or_empty(&part, "details");
    vif->devname = part_string(&part, "devname");
    vif->ovs_interfaceid = part_string(&part, "ovs_interfaceid");
    vif->qbh_params = part_dict(&part, "qbh_params");
    vif->qbg_params = part_dict(&part, "qbg_params");
    vif->active = part_bool(&part, "active");
    vif->vnic_type = json_object_object_get_ex(json, "vnic_type", NULL) ? part_string(&part, "vnic_type") : g_strdup("normal");
    vif->profile = part_dict(&part, "profile");
    vif->preserve_on_delete = part_bool(&part, "preserve_on_delete");
    vif->delegate_create = part_bool(&part, "delegate_create");
    vif->meta = part_dict_or_empty(&part, "meta");
    vif->extra = part_extra(&part, known);
    return part.failed ? NULL : g_steal_pointer(&vif);
}

/* --- writing ------------------------------------------------------------------------------------------------------------------------- */

/* Adds meta (never null) and the unknown keys; the end of every part. */
static NdJson *finish(NdJson *json, NdJson *meta, NdJson *extra)
{
    nd_json_set(json, "meta", meta ? copy_json(meta) : json_object_new_object());
    if (extra) {
        json_object_object_foreach(extra, key, value)
        {
            nd_json_set(json, key, copy_json(value));
        }
    }
    return json;
}

typedef NdJson *(*WriteFunc)(gconstpointer part);

static NdJson *write_list(const GPtrArray *list, WriteFunc write)
{
    NdJson *array = json_object_new_array();
    for (guint i = 0; list && i < list->len; i++)
        json_object_array_add(array, write(list->pdata[i]));
    return array;
}

static NdJson *write_ip(gconstpointer data)
{
    const NovaIp *ip = data;
    if (!ip)
        return NULL;
    NdJson *json = json_object_new_object();
    nd_json_set_string(json, "address", ip->address);
    nd_json_set_string(json, "type", ip->type);
    nd_json_set(json, "version", ip->version ? json_object_new_int(ip->version) : NULL);
    finish(json, ip->meta, ip->extra);
    if (ip->floating_ips)
        nd_json_set(json, "floating_ips", write_list(ip->floating_ips, write_ip));
    return json;
}

static NdJson *write_route(gconstpointer data)
{
    const NovaRoute *route = data;
    NdJson *json = json_object_new_object();
    nd_json_set_string(json, "cidr", route->cidr);
    nd_json_set(json, "gateway", write_ip(route->gateway));
    nd_json_set_string(json, "interface", route->interface);
    return finish(json, route->meta, route->extra);
}

static NdJson *write_subnet(gconstpointer data)
{
    const NovaSubnet *subnet = data;
    NdJson *json = json_object_new_object();
    nd_json_set_string(json, "cidr", subnet->cidr);
    nd_json_set(json, "dns", write_list(subnet->dns, write_ip));
    nd_json_set(json, "gateway", write_ip(subnet->gateway));
    nd_json_set(json, "ips", write_list(subnet->ips, write_ip));
    nd_json_set(json, "routes", write_list(subnet->routes, write_route));
    nd_json_set(json, "version", subnet->version ? json_object_new_int(subnet->version) : NULL);
    return finish(json, subnet->meta, subnet->extra);
}

static NdJson *write_network(const NovaNetwork *network)
{
    if (!network)
        return NULL;
    NdJson *json = json_object_new_object();
    nd_json_set_string(json, "id", network->id);
    nd_json_set_string(json, "bridge", network->bridge);
    nd_json_set_string(json, "label", network->label);
    nd_json_set(json, "subnets", write_list(network->subnets, write_subnet));
    return finish(json, network->meta, network->extra);
}

static NdJson *write_vif(gconstpointer vif)
{
    return nova_vif_to_json(vif);
}

NdJson *nova_vif_to_json(const NovaVif *vif)
{
    NdJson *json = json_object_new_object();
    nd_json_set_string(json, "id", vif->id);
    nd_json_set_string(json, "address", vif->address);
    nd_json_set(json, "network", write_network(vif->network));
    nd_json_set_string(json, "type", vif->type);
    nd_json_set(json, "details", vif->details ? copy_json(vif->details) : json_object_new_object());
    nd_json_set_string(json, "devname", vif->devname);
    nd_json_set_string(json, "ovs_interfaceid", vif->ovs_interfaceid);
    nd_json_set(json, "qbh_params", copy_json(vif->qbh_params));
    nd_json_set(json, "qbg_params", copy_json(vif->qbg_params));
    nd_json_set_bool(json, "active", vif->active);
    nd_json_set_string(json, "vnic_type", vif->vnic_type);
    nd_json_set(json, "profile", copy_json(vif->profile));
    nd_json_set_bool(json, "preserve_on_delete", vif->preserve_on_delete);
    nd_json_set_bool(json, "delegate_create", vif->delegate_create);
    return finish(json, vif->meta, vif->extra);
}

NdJson *nova_network_info_to_json(const GPtrArray *vifs)
{
    return write_list(vifs, write_vif);
}
