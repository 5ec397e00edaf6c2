/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/errors.h"

#include "agent/error.h"
#include "base/error.h"
#include "objects/error.h"
#include "rest/error.h"
#include "rpc/error.h"
#include "rpc/exception.h"
#include "virt/error.h"

/*
 * (domain, code) -> the class that nova's code expects of its libvirt driver and API clients in that place. What is not listed reaches the
 * caller as NovaException. Where the class depends on what was being done, the operation sets NOVA_EXCEPTION itself.
 */
static const RpcExceptionMap agent_map[] = {
    {AGENT_ERROR_ARGUMENT, NOVA_EXC_TYPE_ERROR, NULL},
    {AGENT_ERROR_UNSUPPORTED, NOVA_EXC_NOT_IMPLEMENTED_ERROR, NULL},
    {AGENT_ERROR_STOPPING, NOVA_EXC_NOVA_EXCEPTION, NULL},
    {AGENT_ERROR_TIMEOUT, NOVA_EXC_NOVA_EXCEPTION, NULL},
    {AGENT_ERROR_EVENT, NOVA_EXC_NOVA_EXCEPTION, NULL},
    {AGENT_ERROR_JOURNAL, NOVA_EXC_NOVA_EXCEPTION, NULL},
    {AGENT_ERROR_FAILED, NOVA_EXC_NOVA_EXCEPTION, NULL},
};

static const RpcExceptionMap base_map[] = {
    {ND_ERROR_ARGUMENT, NOVA_EXC_VALUE_ERROR, NULL},
    {ND_ERROR_PARSE, NOVA_EXC_VALUE_ERROR, NULL},
    {ND_ERROR_TYPE, NOVA_EXC_TYPE_ERROR, NULL},
    {ND_ERROR_MISSING, NOVA_EXC_KEY_ERROR, NULL},
    {ND_ERROR_LIMIT, NOVA_EXC_VALUE_ERROR, NULL},
    {ND_ERROR_CONFIG, NOVA_EXC_INVALID_CONFIGURATION, "reason"},
};

static const RpcExceptionMap objects_map[] = {
    {OBJECTS_ERROR_NOT_OBJECT, NOVA_EXC_TYPE_ERROR, NULL},
    {OBJECTS_ERROR_UNKNOWN_CLASS, NOVA_EXC_UNSUPPORTED_OBJECT_ERROR, NULL},
    {OBJECTS_ERROR_FOREIGN, NOVA_EXC_UNSUPPORTED_OBJECT_ERROR, NULL},
    {OBJECTS_ERROR_TOO_NEW, NOVA_EXC_INCOMPATIBLE_OBJECT_VERSION, NULL},
    {OBJECTS_ERROR_BAD_FIELD, NOVA_EXC_VALUE_ERROR, NULL},
    {OBJECTS_ERROR_LIMIT, NOVA_EXC_VALUE_ERROR, NULL},
    {OBJECTS_ERROR_IMAGE, NOVA_EXC_VALUE_ERROR, NULL},
    {OBJECTS_ERROR_NETWORK_INFO, NOVA_EXC_VALUE_ERROR, NULL},
};

static const RpcExceptionMap rpc_map[] = {
    {RPC_ERROR_TIMEOUT, NOVA_EXC_MESSAGING_TIMEOUT, NULL},
    {RPC_ERROR_MESSAGE, NOVA_EXC_VALUE_ERROR, NULL},
    {RPC_ERROR_LIMIT, NOVA_EXC_VALUE_ERROR, NULL},
};

/* Of the services' clients that have no words of their own (agent/image_service.c, agent/network_ports.c): upstream's wrapper of neutronclient. Other
 * failures of a service have classes of its client library there, which no caller of ours knows. */
static const RpcExceptionMap rest_map[] = {
    {REST_ERROR_AUTH, NOVA_EXC_UNAUTHORIZED, NULL},
    {REST_ERROR_FORBIDDEN, NOVA_EXC_FORBIDDEN, NULL},
    {REST_ERROR_NOT_FOUND, NOVA_EXC_NOT_FOUND, NULL},
};

static const RpcExceptionMap virt_map[] = {
    {VIRT_ERROR_NOT_CONNECTED, NOVA_EXC_HYPERVISOR_UNAVAILABLE, NULL},
    {VIRT_ERROR_NOT_SUPPORTED, NOVA_EXC_NOT_IMPLEMENTED_ERROR, NULL},
    {VIRT_ERROR_DEVICE_NOT_FOUND, NOVA_EXC_DEVICE_NOT_FOUND, "device"},
    {VIRT_ERROR_DEVICE_DETACH, NOVA_EXC_DEVICE_DETACH_FAILED, "reason"},
    {VIRT_ERROR_IMAGE_UNACCEPTABLE, NOVA_EXC_IMAGE_UNACCEPTABLE, "reason"},
    {VIRT_ERROR_DISK_TOO_SMALL, NOVA_EXC_FLAVOR_DISK_SMALLER_THAN_IMAGE, NULL},
    {VIRT_ERROR_DISK_FORMAT, NOVA_EXC_INVALID_DISK_INFO, "reason"},
    {VIRT_ERROR_VIF, NOVA_EXC_VIRTUAL_INTERFACE_PLUG_EXCEPTION, NULL},
    {VIRT_ERROR_CONSOLE, NOVA_EXC_CONSOLE_TYPE_UNAVAILABLE, NULL},
};

static const RpcExceptionMap libvirt_map[] = {
    {VIR_ERR_NO_DOMAIN, NOVA_EXC_INSTANCE_NOT_FOUND, "instance_id"},
    {VIR_ERR_NO_SUPPORT, NOVA_EXC_NOT_IMPLEMENTED_ERROR, NULL},
};

void agent_errors_init(void)
{
    rpc_exception_map_domain(AGENT_ERROR, agent_map, G_N_ELEMENTS(agent_map));
    rpc_exception_map_domain(ND_ERROR, base_map, G_N_ELEMENTS(base_map));
    rpc_exception_map_domain(OBJECTS_ERROR, objects_map, G_N_ELEMENTS(objects_map));
    rpc_exception_map_domain(RPC_ERROR, rpc_map, G_N_ELEMENTS(rpc_map));
    rpc_exception_map_domain(REST_ERROR, rest_map, G_N_ELEMENTS(rest_map));
    rpc_exception_map_domain(VIRT_ERROR, virt_map, G_N_ELEMENTS(virt_map));
    rpc_exception_map_domain(LIBVIRT_ERROR, libvirt_map, G_N_ELEMENTS(libvirt_map));
}
