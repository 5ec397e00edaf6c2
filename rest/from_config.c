/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "rest/from_config.h"

#include "rest/error.h"

/* Sections differ in which of keystoneauth's options they have; one that is not there has no value. */
static const char *get_string(const NdConfig *config, const char *group, const char *name)
{
    return nd_option_find(group, name) != NULL ? nd_config_string(config, group, name) : NULL;
}

static bool get_bool(const NdConfig *config, const char *group, const char *name)
{
    return nd_option_find(group, name) != NULL && nd_config_bool(config, group, name);
}

static gint64 get_int(const NdConfig *config, const char *group, const char *name)
{
    return nd_option_find(group, name) != NULL ? nd_config_int(config, group, name) : 0;
}

static double get_float(const NdConfig *config, const char *group, const char *name)
{
    return nd_option_find(group, name) != NULL ? nd_config_float(config, group, name) : 0;
}

/* The group whose auth options count. One step, as keystoneauth does it. */
static const char *auth_group(const NdConfig *config, const char *group)
{
    const char *other = get_string(config, group, "auth_section");
    return other != NULL && *other != '\0' ? other : group;
}

/* The group whose session option counts: keystoneauth reads them in the section itself; what is not set there may stand in its auth_section. */
static const char *session_group(const NdConfig *config, const char *group, const char *name)
{
    bool own = nd_option_find(group, name) != NULL && nd_config_is_set(config, group, name);
    return own ? group : auth_group(config, group);
}

bool rest_session_from_config(const NdConfig *config, const char *group, RestSession **session, GError **error)
{
    const char *insecure_group = session_group(config, group, "insecure"), *timeout_group = session_group(config, group, "timeout");
    gint64 retries = get_int(config, group, "connect_retries");
    /* [neutron]http_retries and [cinder]http_retries are what nova hands to the adapter as connect_retries. */
    if (nd_option_find(group, "http_retries") != NULL &&
        !(nd_option_find(group, "connect_retries") && nd_config_is_set(config, group, "connect_retries")))
        retries = nd_config_int(config, group, "http_retries");
    RestSessionOptions options = {
        .cafile = (char *)get_string(config, session_group(config, group, "cafile"), "cafile"),
        .certfile = (char *)get_string(config, session_group(config, group, "certfile"), "certfile"),
        .keyfile = (char *)get_string(config, session_group(config, group, "keyfile"), "keyfile"),
        .insecure = get_bool(config, insecure_group, "insecure"),
        .stall_timeout_ms = MAX(get_int(config, timeout_group, "timeout"), 0) * 1000,
        .connect_retries = (int)CLAMP(retries, 0, 100),
        .connect_retry_delay = get_float(config, group, "connect_retry_delay"),
        .status_code_retries = (int)CLAMP(get_int(config, group, "status_code_retries"), 0, 100),
        .status_code_retry_delay = get_float(config, group, "status_code_retry_delay"),
    };
    RestSession *made = rest_session_new(&options, error);
    if (made == NULL) {
        g_prefix_error(error, "[%s]: ", group);
        return false;
    }
    *session = made;
    return true;
}

static bool find_method(const char *auth_type, const char *group, KeystoneMethod *method, GError **error)
{
    static const struct {
        const char *name;
        KeystoneMethod method;
    } known[] = {
        {"password", KEYSTONE_METHOD_PASSWORD},
        {"v3password", KEYSTONE_METHOD_PASSWORD},
        {"v3applicationcredential", KEYSTONE_METHOD_APPLICATION_CREDENTIAL},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(known); i++)
        if (g_str_equal(known[i].name, auth_type)) {
            *method = known[i].method;
            return true;
        }
    return rest_error_set(error, REST_ERROR_CONFIG, 0, NULL, NULL,
                          "[%s] auth_type '%s' is not supported; use password, v3password or v3applicationcredential", group, auth_type);
}

bool keystone_auth_from_config(const NdConfig *config, const char *group, RestSession *session, KeystoneAuth **auth, GError **error)
{
    const char *from = auth_group(config, group);
    const char *auth_type = get_string(config, from, "auth_type");
    KeystoneOptions options = {0};
    if (auth_type == NULL || *auth_type == '\0') {
        *auth = NULL;
        return true;
    }
    if (!find_method(auth_type, from, &options.method, error))
        return false;
    const struct {
        const char *name;
        char **value;
    } strings[] = {
        {"auth_url", &options.auth_url},
        {"username", &options.username},
        {"user_id", &options.user_id},
        {"user_domain_name", &options.user_domain_name},
        {"user_domain_id", &options.user_domain_id},
        {"password", &options.password},
        {"application_credential_id", &options.application_credential_id},
        {"application_credential_name", &options.application_credential_name},
        {"application_credential_secret", &options.application_credential_secret},
        {"project_name", &options.project_name},
        {"project_id", &options.project_id},
        {"project_domain_name", &options.project_domain_name},
        {"project_domain_id", &options.project_domain_id},
        {"domain_name", &options.domain_name},
        {"domain_id", &options.domain_id},
        {"default_domain_name", &options.default_domain_name},
        {"default_domain_id", &options.default_domain_id},
        {"system_scope", &options.system_scope},
        {"trust_id", &options.trust_id},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(strings); i++)
        *strings[i].value = (char *)get_string(config, from, strings[i].name);
    KeystoneAuth *made = keystone_auth_new(session, &options, error);
    if (made == NULL) {
        g_prefix_error(error, "[%s]: ", from);
        return false;
    }
    *auth = made;
    return true;
}

/* Session, credentials and endpoint of one section. `fixed` holds what the section does not decide. */
static RestService *service_from_config(const NdConfig *config, const char *group, bool needs_credentials, RestServiceOptions fixed,
                                        GError **error)
{
    g_autoptr(RestSession) session = NULL;
    g_autoptr(KeystoneAuth) own = NULL;
    if (!rest_session_from_config(config, group, &session, error) || !keystone_auth_from_config(config, group, session, &own, error))
        return NULL;
    if (needs_credentials && own == NULL) {
        rest_error_set(error, REST_ERROR_CONFIG, 0, NULL, NULL, "[%s] auth_type is not set", group);
        return NULL;
    }
    const char *override = get_string(config, group, "endpoint_override");
    const char *const override_list[] = {override, NULL};
    fixed.service_type = get_string(config, group, "service_type");
    fixed.service_name = get_string(config, group, "service_name");
    fixed.region_name = get_string(config, group, "region_name");
    fixed.interfaces = nd_config_list(config, group, "valid_interfaces");
    fixed.min_version = get_string(config, group, "min_version");
    fixed.max_version = get_string(config, group, "max_version");
    if (fixed.urls == NULL && override != NULL && *override != '\0')
        fixed.urls = override_list;
    return rest_service_new(session, own, &fixed);
}

PlacementClient *placement_client_from_config(const NdConfig *config, GError **error)
{
    RestServiceOptions fixed = {.microversion_service = "placement"};
    g_autoptr(RestService) service = service_from_config(config, "placement", true, fixed, error);
    return service != NULL ? placement_client_new(service) : NULL;
}

NeutronClient *neutron_client_from_config(const NdConfig *config, GError **error)
{
    RestServiceOptions fixed = {.version_path = "/v2.0"};
    g_autoptr(RestService) service = service_from_config(config, "neutron", true, fixed, error);
    return service != NULL ? neutron_client_new(service, (int)nd_config_int(config, "neutron", "extension_sync_interval")) : NULL;
}

GlanceClient *glance_client_from_config(const NdConfig *config, GError **error)
{
    const char *const *servers = nd_config_list(config, "glance", "api_servers");
    RestServiceOptions fixed = {.version_path = "/v2", .urls = servers[0] != NULL ? servers : NULL};
    g_autoptr(RestService) service = service_from_config(config, "glance", false, fixed, error);
    return service != NULL ? glance_client_new(service, (int)nd_config_int(config, "glance", "num_retries")) : NULL;
}

bool service_user_from_config(const NdConfig *config, KeystoneAuth **auth, GError **error)
{
    g_autoptr(RestSession) session = NULL;
    *auth = NULL;
    if (!nd_config_bool(config, "service_user", "send_service_user_token"))
        return true;
    return rest_session_from_config(config, "service_user", &session, error) &&
           keystone_auth_from_config(config, "service_user", session, auth, error);
}

/* options read: [vendordata_dynamic_auth] auth_section auth_type cafile certfile insecure keyfile timeout */
#define VENDOR_DATA_GROUP "vendordata_dynamic_auth"

bool vendor_data_client_from_config(const NdConfig *config, VendorDataClient **client, GError **error)
{
    g_autoptr(RestSession) keystone_session = NULL;
    g_autoptr(KeystoneAuth) auth = NULL;
    if (!rest_session_from_config(config, VENDOR_DATA_GROUP, &keystone_session, error) ||
        !keystone_auth_from_config(config, VENDOR_DATA_GROUP, keystone_session, &auth, error))
        return false;
    RestSessionOptions options = {
        .cafile = (char *)nd_config_string(config, "api", "vendordata_dynamic_ssl_certfile"),
        .certfile = (char *)get_string(config, session_group(config, VENDOR_DATA_GROUP, "certfile"), "certfile"),
        .keyfile = (char *)get_string(config, session_group(config, VENDOR_DATA_GROUP, "keyfile"), "keyfile"),
        .connect_timeout_ms = nd_config_int(config, "api", "vendordata_dynamic_connect_timeout") * 1000,
        .stall_timeout_ms = MAX(nd_config_int(config, "api", "vendordata_dynamic_read_timeout") * 1000, 1),
    };
    g_autoptr(RestSession) session = rest_session_new(&options, error);
    if (session == NULL) {
        g_prefix_error_literal(error, "[api]vendordata_dynamic_ssl_certfile or [" VENDOR_DATA_GROUP "]: ");
        return false;
    }
    *client = vendor_data_client_new(session, auth);
    return true;
}
