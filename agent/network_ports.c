/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "agent/network_ports.h"

#include "base/log.h"
#include "rpc/conductor.h"
#include "rpc/exception.h"

#define LOGGER "nova.network.neutron"

static void plan_entry_free(gpointer data)
{
    NetworkPlanEntry *entry = data;
    nova_network_request_unref(entry->request);
    g_clear_pointer(&entry->existing, neutron_port_free);
    g_free(entry->port_id);
    g_free(entry);
}

NetworkPlan *network_plan_new(Agent *agent, const RpcContext *context, NovaInstance *instance)
{
    NetworkPlan *plan = g_new0(NetworkPlan, 1);
    plan->agent = agent;
    plan->context = context;
    plan->instance = instance;
    plan->user = network_user_auth(agent, context);
    plan->admin = rest_auth_new_own(context->request_id);
    plan->entries = g_ptr_array_new_with_free_func(plan_entry_free);
    return plan;
}

void network_plan_free(NetworkPlan *plan)
{
    if (plan == NULL)
        return;
    g_ptr_array_unref(plan->entries);
    g_clear_pointer(&plan->networks, g_ptr_array_unref);
    rest_auth_unref(plan->user);
    rest_auth_unref(plan->admin);
    g_free(plan);
}

RestAuth *network_user_auth(Agent *agent, const RpcContext *context)
{
    if (context->auth_token == NULL)
        return rest_auth_new_own(context->request_id);
    return rest_auth_new_user(context->auth_token, context->service_catalog, agent->service_user, context->request_id);
}

static NetworkPlanEntry *plan_add(NetworkPlan *plan, NovaNetworkRequest *request /* takes */)
{
    NetworkPlanEntry *entry = g_new0(NetworkPlanEntry, 1);
    entry->request = request;
    g_ptr_array_add(plan->entries, entry);
    return entry;
}

static bool check_binding(const NeutronPort *port, GError **error)
{
    if (g_strcmp0(port->binding_vif_type, "binding_failed") != 0)
        return true;
    nova_exception_set(error, NOVA_EXC_PORT_BINDING_FAILED, "port_id", port->id, NULL);
    return false;
}

/* Rules for a port that the user brought (nova/network/neutron.py, _validate_requested_port_ids). */
static bool check_existing_port(NetworkPlan *plan, const NeutronPort *port, GError **error)
{
    const char *dns_name = nd_json_string(port->raw, "dns_name", "");
    if (g_strcmp0(port->project_id, plan->instance->project_id) != 0)
        nova_exception_set(error, NOVA_EXC_PORT_NOT_USABLE, "port_id", port->id, "instance", plan->instance->uuid, NULL);
    else if (port->device_id && *port->device_id)
        nova_exception_set(error, NOVA_EXC_PORT_IN_USE, "port_id", port->id, NULL);
    else if (*dns_name && g_strcmp0(dns_name, plan->instance->hostname) != 0)
        nova_exception_set(error, NOVA_EXC_PORT_NOT_USABLE_DNS, "port_id", port->id, "instance", plan->instance->uuid, "value", dns_name,
                           "hostname", plan->instance->hostname, NULL);
    else if (nd_json_member(port->raw, "resource_request"))
        nova_exception_set_text(error, NOVA_EXC_BUILD_ABORT_EXCEPTION, "ports with a resource request are not supported by novad yet", "port_id",
                                port->id, NULL);
    else
        return check_binding(port, error);
    return false;
}

static bool plan_add_requested(NetworkPlan *plan, NovaNetworkRequest *wanted, GError **error)
{
    if (wanted->port_id == NULL) {
        if (wanted->network_id)
            plan_add(plan, nova_network_request_ref(wanted));
        return true;
    }
    g_autoptr(NeutronPort) port = NULL;
    g_autoptr(GError) local = NULL;
    if (!neutron_show_port(plan->agent->neutron, plan->admin, wanted->port_id, &port, &local)) {
        if (g_error_matches(local, REST_ERROR, REST_ERROR_NOT_FOUND))
            nova_exception_set(error, NOVA_EXC_PORT_NOT_FOUND, "port_id", wanted->port_id, NULL);
        else
            g_propagate_error(error, g_steal_pointer(&local));
        return false;
    }
    if (!check_existing_port(plan, port, error))
        return false;
    /* The request is the message's: later steps (a re-schedule) shall see it as it came. */
    NovaNetworkRequest *copy = nova_network_request_clone(wanted);
    nova_network_request_set_network_id(copy, port->network_id);
    NetworkPlanEntry *entry = plan_add(plan, copy);
    entry->port_id = g_strdup(port->id);
    entry->existing = g_steal_pointer(&port);
    return true;
}

static bool list_available_networks(NetworkPlan *plan, bool auto_allocate, GError **error)
{
    g_autoptr(GPtrArray) query = g_ptr_array_new();
    for (guint i = 0; i < plan->entries->len; i++) {
        g_ptr_array_add(query, (gpointer) "id");
        g_ptr_array_add(query, ((NetworkPlanEntry *)g_ptr_array_index(plan->entries, i))->request->network_id);
    }
    g_ptr_array_add(query, NULL);
    if (plan->entries->len > 0)
        return neutron_list_networks(plan->agent->neutron, plan->user, (const char *const *)query->pdata, &plan->networks, error);

    const char *const own[] = {"tenant_id", plan->instance->project_id, "shared", "False", auto_allocate ? "admin_state_up" : NULL, "True", NULL};
    const char *const shared[] = {"shared", "True", NULL};
    g_autoptr(GPtrArray) more = NULL;
    if (!neutron_list_networks(plan->agent->neutron, plan->user, own, &plan->networks, error) ||
        !neutron_list_networks(plan->agent->neutron, plan->user, shared, &more, error))
        return false;
    g_ptr_array_set_free_func(more, NULL);
    g_ptr_array_extend(plan->networks, more, NULL, NULL);
    return true;
}

static NeutronNetwork *plan_network(NetworkPlan *plan, const char *id)
{
    for (guint i = 0; i < plan->networks->len; i++) {
        NeutronNetwork *network = g_ptr_array_index(plan->networks, i);
        if (g_strcmp0(network->id, id) == 0)
            return network;
    }
    return NULL;
}

/* Nothing was named: the only network there is. */
static bool plan_add_only_network(NetworkPlan *plan, GError **error)
{
    if (plan->networks->len == 0) {
        nova_exception_set(error, NOVA_EXC_INTERFACE_ATTACH_FAILED_NO_NETWORK, "project_id", plan->instance->project_id, NULL);
        return false;
    }
    if (plan->networks->len > 1) {
        nova_exception_set(error, NOVA_EXC_NETWORK_AMBIGUOUS, NULL);
        return false;
    }
    NovaNetworkRequest *request = nova_network_request_new();
    nova_network_request_set_network_id(request, ((NeutronNetwork *)g_ptr_array_index(plan->networks, 0))->id);
    plan_add(plan, request);
    return true;
}

static bool request_is_unspecified(NovaNetworkRequestList *requested)
{
    if (nova_object_list_length(requested) != 1)
        return false;
    NovaNetworkRequest *only = nova_object_list_get(requested, 0);
    return only->network_id == NULL && only->port_id == NULL && only->address == NULL;
}

static bool plan_check_networks(NetworkPlan *plan, GError **error)
{
    for (guint i = 0; i < plan->networks->len; i++) {
        NeutronNetwork *network = g_ptr_array_index(plan->networks, i);
        if (network->external && !network->shared && !plan->context->is_admin) {
            nova_exception_set(error, NOVA_EXC_EXTERNAL_NETWORK_ATTACH_FORBIDDEN, "network_uuid", network->id, NULL);
            return false;
        }
    }
    for (guint i = 0; i < plan->entries->len; i++) {
        NetworkPlanEntry *entry = g_ptr_array_index(plan->entries, i);
        entry->network = plan_network(plan, entry->request->network_id);
        if (entry->network == NULL) {
            nova_exception_set(error, NOVA_EXC_NETWORK_NOT_FOUND, "network_id", entry->request->network_id, NULL);
            return false;
        }
    }
    return true;
}

bool network_plan_validate(NetworkPlan *plan, NovaNetworkRequestList *requested, GError **error)
{
    guint count = requested ? nova_object_list_length(requested) : 0;
    bool is_auto = network_request_is_auto(requested);
    for (guint i = 0; i < count && !is_auto; i++)
        if (!plan_add_requested(plan, nova_object_list_get(requested, i), error))
            return false;
    if (!list_available_networks(plan, is_auto, error))
        return false;
    if (plan->networks->len == 0 && count == 0)
        return true; /* no network in sight and none asked for: an instance without network */
    if (is_auto && plan->networks->len == 0) {
        nova_exception_set(error, NOVA_EXC_UNABLE_TO_AUTO_ALLOCATE_NETWORK, "project_id", plan->instance->project_id, NULL);
        return false;
    }
    if ((count == 0 || is_auto || request_is_unspecified(requested)) && !plan_add_only_network(plan, error))
        return false;
    return plan_check_networks(plan, error);
}

/* Names or ids of security groups to ids; the only group "default" is what Neutron takes anyway. */
static bool security_group_ids(NetworkPlan *plan, NdJson *names, NdJson **ids, GError **error)
{
    size_t count = json_object_is_type(names, json_type_array) ? json_object_array_length(names) : 0;
    *ids = json_object_new_array();
    if (count == 0 || (count == 1 && g_strcmp0(json_object_get_string(json_object_array_get_idx(names, 0)), "default") == 0))
        return true;
    g_autoptr(GPtrArray) groups = NULL;
    const char *const query[] = {"tenant_id", plan->instance->project_id, NULL};
    bool ok = neutron_list_security_groups(plan->agent->neutron, plan->user, query, &groups, error);
    for (size_t i = 0; ok && i < count; i++) {
        const char *wanted = json_object_get_string(json_object_array_get_idx(names, i));
        const char *by_name = NULL, *by_id = NULL;
        for (guint j = 0; j < groups->len && ok; j++) {
            const NeutronSecurityGroup *group = g_ptr_array_index(groups, j);
            if (g_strcmp0(group->name, wanted) == 0) {
                ok = by_name == NULL;
                by_name = group->id;
            }
            if (g_strcmp0(group->id, wanted) == 0)
                by_id = group->id;
        }
        if (!ok)
            nova_exception_set_text(error, NOVA_EXC_NO_UNIQUE_MATCH, "several security groups have the name asked for; use an id", NULL);
        else if (by_name == NULL && by_id == NULL) {
            nova_exception_set(error, NOVA_EXC_SECURITY_GROUP_NOT_FOUND, "security_group_id", wanted, NULL);
            ok = false;
        } else
            json_object_array_add(*ids, json_object_new_string(by_name ? by_name : by_id));
    }
    if (!ok)
        g_clear_pointer(ids, json_object_put);
    return ok;
}

/* What Neutron's own error names mean to nova's callers when a port is made. */
static void create_error(const NetworkPlanEntry *entry, GError *failure /* takes */, GError **error)
{
    const char *code = rest_error_service_code(failure);
    const char *address = entry->request->address;
    if (g_strcmp0(code, "InvalidIpForNetwork") == 0) {
        g_autofree char *reason =
            g_strdup_printf("fixed IP %s is not valid for network %s", address, entry->request->network_id);
        nova_exception_set(error, NOVA_EXC_INVALID_INPUT, "reason", reason, NULL);
    } else if (g_strcmp0(code, "IpAddressInUse") == 0 || g_strcmp0(code, "IpAddressAlreadyAllocated") == 0) {
        g_autofree char *text = g_strdup_printf("Fixed IP %s is already in use.", address);
        nova_exception_set_text(error, NOVA_EXC_FIXED_IP_ALREADY_IN_USE, text, "address", address, NULL);
    } else if (g_strcmp0(code, "OverQuota") == 0) {
        nova_exception_set(error, NOVA_EXC_PORT_LIMIT_EXCEEDED, NULL);
    } else if (g_strcmp0(code, "IpAddressGenerationFailure") == 0 || g_strcmp0(code, "NoMoreFixedIps") == 0) {
        nova_exception_set(error, NOVA_EXC_NO_MORE_FIXED_IPS, "net", entry->request->network_id, NULL);
    } else {
        g_propagate_error(error, failure);
        return;
    }
    g_error_free(failure);
}

static bool create_port(NetworkPlan *plan, NetworkPlanEntry *entry, NdJson *groups, GError **error)
{
    bool secured = nd_json_bool(entry->network->raw, "port_security_enabled", true);
    bool has_subnets = entry->network->subnets && entry->network->subnets[0];
    bool has_groups = json_object_array_length(groups) > 0;
    if ((secured && !has_subnets) || (!secured && has_groups)) {
        nova_exception_set_text(error, NOVA_EXC_SECURITY_GROUP_CANNOT_BE_APPLIED,
                                "the network needs port security and a subnet for security groups to apply", NULL);
        return false;
    }
    if (entry->port_id)
        return true;
    g_autoptr(NdJson) body = json_object_new_object();
    nd_json_set_string(body, "device_id", plan->instance->uuid);
    nd_json_set_string(body, "network_id", entry->request->network_id);
    nd_json_set_bool(body, "admin_state_up", true);
    nd_json_set_string(body, "tenant_id", plan->instance->project_id);
    if (entry->request->address) {
        NdJson *ips = json_object_new_array(), *ip = json_object_new_object();
        nd_json_set_string(ip, "ip_address", entry->request->address);
        json_object_array_add(ips, ip);
        nd_json_set(body, "fixed_ips", ips);
    }
    if (has_groups)
        nd_json_set(body, "security_groups", json_object_get(groups));
    g_autoptr(NeutronPort) port = NULL;
    GError *failure = NULL;
    if (!neutron_create_port(plan->agent->neutron, plan->user, body, &port, &failure)) {
        create_error(entry, failure, error);
        return false;
    }
    entry->port_id = g_strdup(port->id);
    entry->created = true;
    if (nd_json_member(port->raw, "resource_request")) {
        nova_exception_set(error, NOVA_EXC_NETWORKS_WITH_QO_S_POLICY_NOT_SUPPORTED, "instance_uuid", plan->instance->uuid, "network_id",
                           entry->request->network_id, NULL);
        return false;
    }
    return check_binding(port, error);
}

static bool bind_port(NetworkPlan *plan, NetworkPlanEntry *entry, bool dns, NeutronPort **port, GError **error)
{
    g_autofree char *owner = g_strconcat("compute:", plan->instance->availability_zone ? plan->instance->availability_zone : "None", NULL);
    const char *dns_domain = nd_json_string(entry->network->raw, "dns_domain", "");
    g_autoptr(NdJson) body = json_object_new_object();
    nd_json_set_string(body, "device_id", plan->instance->uuid);
    nd_json_set_string(body, "device_owner", owner);
    nd_json_set_string(body, "binding:host_id", plan->agent->host);
    if (entry->existing && entry->existing->profile && json_object_object_length(entry->existing->profile) > 0)
        nd_json_set(body, "binding:profile", json_object_get(entry->existing->profile));
    if (dns && !*dns_domain)
        nd_json_set_string(body, "dns_name", plan->instance->hostname);

    g_autoptr(GError) failure = NULL;
    if (!neutron_update_port(plan->agent->neutron, plan->admin, entry->port_id, body, port, &failure)) {
        const char *code = rest_error_service_code(failure);
        if (g_strcmp0(code, "MacAddressInUse") == 0)
            nova_exception_set(error, NOVA_EXC_PORT_IN_USE, "port_id", entry->port_id, NULL);
        else if (g_strcmp0(code, "HostNotCompatibleWithFixedIps") == 0)
            nova_exception_set(error, NOVA_EXC_FIXED_IP_INVALID_ON_HOST, "port_id", entry->port_id, NULL);
        else
            g_propagate_error(error, g_steal_pointer(&failure));
        return false;
    }
    if (!check_binding(*port, error))
        return false;
    if (!dns || !*dns_domain)
        return true;
    /* A network with its own DNS domain: the name is for the user's zone, so it goes with the user's token. */
    g_autoptr(NdJson) name = json_object_new_object();
    nd_json_set_string(name, "dns_name", plan->instance->hostname);
    return neutron_update_port(plan->agent->neutron, plan->user, entry->port_id, name, NULL, error);
}

/* The record's address is "MAC/port" so that it is unique in the database (spec/conductor-rpc.md section 2). */
static bool record_port(NetworkPlan *plan, NetworkPlanEntry *entry, const NeutronPort *port, GError **error)
{
    g_autoptr(NovaVirtualInterface) record = nova_virtual_interface_new();
    g_autofree char *address = g_strconcat(port->mac_address, "/", port->id, NULL);
    nova_virtual_interface_set_instance_uuid(record, plan->instance->uuid);
    nova_virtual_interface_set_tag(record, entry->request->tag);
    nova_virtual_interface_set_address(record, address);
    nova_virtual_interface_set_uuid(record, entry->port_id);
    if (!conductor_vif_create(plan->agent->conductor, plan->context, record, error))
        return false;
    entry->recorded = true;
    return true;
}

static void unrecord_port(NetworkPlan *plan, const char *port_id)
{
    g_autoptr(NovaVirtualInterface) record = NULL;
    g_autoptr(GError) error = NULL;
    if (conductor_vif_get_by_uuid(plan->agent->conductor, plan->context, port_id, &record, &error) && record != NULL)
        conductor_vif_destroy(plan->agent->conductor, plan->context, record, &error);
    if (error)
        nd_warning(LOGGER, "The record of virtual interface %s cannot be removed: %s", port_id, error->message);
}

void network_plan_undo(NetworkPlan *plan)
{
    g_autoptr(GPtrArray) taken = g_ptr_array_new(), made = g_ptr_array_new();
    for (guint i = 0; i < plan->entries->len; i++) {
        NetworkPlanEntry *entry = g_ptr_array_index(plan->entries, i);
        if (entry->port_id == NULL)
            continue;
        g_ptr_array_add(entry->created ? made : taken, entry->port_id);
        if (entry->recorded)
            unrecord_port(plan, entry->port_id);
    }
    g_ptr_array_add(taken, NULL);
    g_ptr_array_add(made, NULL);
    network_unbind_ports(plan, (const char *const *)taken->pdata);
    g_autoptr(GError) error = NULL;
    if (!network_delete_ports(plan, (const char *const *)made->pdata, &error))
        nd_warning(LOGGER, "Ports made for the instance are left behind: %s", error->message);
}

bool network_plan_create_ports(NetworkPlan *plan, NdJson *security_groups, GError **error)
{
    g_autoptr(NdJson) groups = NULL;
    bool dns = false;
    if (!security_group_ids(plan, security_groups, &groups, error) ||
        !neutron_has_extension(plan->agent->neutron, plan->admin, "dns-integration", &dns, error))
        return false;
    bool ok = true;
    for (guint i = 0; ok && i < plan->entries->len; i++)
        ok = create_port(plan, g_ptr_array_index(plan->entries, i), groups, error);
    for (guint i = 0; ok && i < plan->entries->len; i++) {
        NetworkPlanEntry *entry = g_ptr_array_index(plan->entries, i);
        g_autoptr(NeutronPort) bound = NULL;
        ok = bind_port(plan, entry, dns, &bound, error) && record_port(plan, entry, bound, error);
    }
    if (!ok)
        network_plan_undo(plan);
    return ok;
}

/* The profile without what a binding to a device of this host put there. */
static NdJson *profile_without_device(NdJson *profile)
{
    static const char *const device_keys[] = {"pci_vendor_info", "pci_slot", "allocation", "arq_uuid", "physical_network",
                                              "card_serial_number", "vf_num", "pf_mac_address", "device_mac_address"};
    g_autofree char *text = profile ? nd_json_to_string(profile) : NULL;
    NdJson *copy = NULL;
    if (text == NULL || !nd_json_parse(text, strlen(text), NULL, &copy, NULL) || copy == NULL)
        copy = json_object_new_object();
    for (size_t i = 0; i < G_N_ELEMENTS(device_keys); i++)
        json_object_object_del(copy, device_keys[i]);
    return copy;
}

static bool unbind_port(NetworkPlan *plan, const char *port_id, bool dns, GError **error)
{
    g_autoptr(NeutronPort) port = NULL;
    g_autoptr(NeutronNetwork) network = NULL;
    if (!neutron_show_port(plan->agent->neutron, plan->admin, port_id, &port, error))
        return false;
    const char *dns_domain = "";
    if (dns && neutron_show_network(plan->agent->neutron, plan->admin, port->network_id, &network, NULL))
        dns_domain = nd_json_string(network->raw, "dns_domain", "");
    g_autoptr(NdJson) body = json_object_new_object();
    nd_json_set_string(body, "device_id", "");
    nd_json_set_string(body, "device_owner", "");
    nd_json_set(body, "binding:host_id", NULL);
    nd_json_set(body, "binding:profile", profile_without_device(port->profile));
    if (dns && !*dns_domain)
        nd_json_set_string(body, "dns_name", "");
    if (!neutron_update_port(plan->agent->neutron, plan->admin, port_id, body, NULL, error))
        return false;
    if (!dns || !*dns_domain)
        return true;
    g_autoptr(NdJson) name = json_object_new_object();
    nd_json_set_string(name, "dns_name", "");
    return neutron_update_port(plan->agent->neutron, plan->user, port_id, name, NULL, error);
}

void network_unbind_ports(NetworkPlan *plan, const char *const *port_ids)
{
    bool dns = false;
    if (port_ids == NULL || *port_ids == NULL)
        return;
    neutron_has_extension(plan->agent->neutron, plan->admin, "dns-integration", &dns, NULL);
    for (; *port_ids; port_ids++) {
        g_autoptr(GError) error = NULL;
        if (unbind_port(plan, *port_ids, dns, &error))
            continue;
        if (g_error_matches(error, REST_ERROR, REST_ERROR_NOT_FOUND))
            nd_debug(LOGGER, "Unable to unbind port %s as it no longer exists.", *port_ids);
        else
            nd_err(LOGGER, "Unable to clear device ID for port '%s': %s", *port_ids, error->message);
    }
}

bool network_delete_ports(NetworkPlan *plan, const char *const *port_ids, GError **error)
{
    GError *first = NULL;
    for (; port_ids && *port_ids; port_ids++) {
        g_autoptr(GError) failure = NULL;
        if (neutron_delete_port(plan->agent->neutron, plan->user, *port_ids, &failure))
            continue;
        if (g_error_matches(failure, REST_ERROR, REST_ERROR_NOT_FOUND)) {
            nd_warning(LOGGER, "Port %s does not exist", *port_ids);
            continue;
        }
        nd_warning(LOGGER, "Failed to delete port %s for instance: %s", *port_ids, failure->message);
        if (first == NULL)
            first = g_steal_pointer(&failure);
    }
    if (first == NULL)
        return true;
    g_propagate_error(error, first);
    return false;
}
