/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "base/options_table.h"

/* Consoles. */

static const NdOption vnc_options[] = {
    {"auth_schemes", LIST, "none", "authentication between proxy and guest", IGNORED("read by the VNC proxy"), CHOICES("none,vencrypt")},
    {"enabled", BOOLEAN, "true", "VNC consoles", HONOURED, FORMERLY("DEFAULT.vnc_enabled")},
    {"novncproxy_base_url", URI, "http://127.0.0.1:6080/vnc_auto.html", "address of VNC consoles", HONOURED, FORMERLY("DEFAULT.novncproxy_base_url")},
    {"novncproxy_host", STRING, "0.0.0.0", "address of the VNC proxy", IGNORED("read by the VNC proxy"), FORMERLY("DEFAULT.novncproxy_host")},
    {"novncproxy_port", PORT, "6080", "port of the VNC proxy", IGNORED("read by the VNC proxy"), FORMERLY("DEFAULT.novncproxy_port")},
    {"server_listen", HOST_ADDRESS, "127.0.0.1", "address guests listen on", HONOURED},
    {"server_proxyclient_address", HOST_ADDRESS, "127.0.0.1", "address the proxy connects to", HONOURED},
    {"vencrypt_ca_certs", STRING, NULL, "certificate authorities of the VNC proxy", IGNORED("read by the VNC proxy")},
    {"vencrypt_client_cert", STRING, NULL, "client certificate of the VNC proxy", IGNORED("read by the VNC proxy")},
    {"vencrypt_client_key", STRING, NULL, "key of that certificate", IGNORED("read by the VNC proxy")},
};

static const NdOption spice_options[] = {
    {"agent_enabled", BOOLEAN, "true", "guest agent of SPICE", HONOURED},
    {"enabled", BOOLEAN, "false", "SPICE consoles", HONOURED},
    {"html5proxy_base_url", URI, "http://127.0.0.1:6082/spice_auto.html", "address of SPICE consoles", HONOURED},
    {"html5proxy_host", HOST_ADDRESS, "0.0.0.0", "address of the SPICE proxy", IGNORED("read by the SPICE proxy")},
    {"html5proxy_port", PORT, "6082", "port of the SPICE proxy", IGNORED("read by the SPICE proxy")},
    {"image_compression", STRING, NULL, "image compression", UNSUPPORTED("not implemented yet"), CHOICES("auto_glz,auto_lz,quic,glz,lz,off")},
    {"jpeg_compression", STRING, NULL, "JPEG compression over slow links", UNSUPPORTED("not implemented yet"), CHOICES("auto,never,always")},
    {"playback_compression", BOOLEAN, NULL, "audio compression", UNSUPPORTED("not implemented yet")},
    {"require_secure", BOOLEAN, "false", "only TLS channels", UNSUPPORTED("not implemented yet")},
    {"server_listen", STRING, "127.0.0.1", "address guests listen on", HONOURED},
    {"server_proxyclient_address", STRING, "127.0.0.1", "address the proxy connects to", HONOURED},
    {"spice_direct_proxy_base_url", URI, "http://127.0.0.1:13002/nova", "address of direct SPICE consoles", UNSUPPORTED("not implemented yet")},
    {"streaming_mode", STRING, NULL, "which video is streamed", UNSUPPORTED("not implemented yet"), CHOICES("filter,all,off")},
    {"zlib_compression", STRING, NULL, "zlib compression over slow links", UNSUPPORTED("not implemented yet"), CHOICES("auto,never,always")},
};

static const NdOption serial_console_options[] = {
    {"base_url", URI, "ws://127.0.0.1:6083/", "address of serial consoles", HONOURED},
    {"enabled", BOOLEAN, "false", "serial consoles through TCP", HONOURED},
    {"port_range", STRING, "10000:20000", "ports for them", HONOURED, .pattern = "^\\d+:\\d+$"},
    {"proxyclient_address", STRING, "127.0.0.1", "address the proxy connects to", HONOURED},
    {"serialproxy_host", STRING, "0.0.0.0", "address of the serial proxy", IGNORED("read by the serial proxy")},
    {"serialproxy_port", PORT, "6083", "port of the serial proxy", IGNORED("read by the serial proxy")},
};

static const NdOption console_options[] = {
    {"allowed_origins", LIST, "", "origins that console proxies accept", IGNORED("read by the console proxies"), FORMERLY("DEFAULT.console_allowed_origins")},
    {"ssl_ciphers", STRING, NULL, "TLS ciphers of console proxies", IGNORED("read by the console proxies")},
    {"ssl_minimum_version", STRING, "default", "lowest TLS version of console proxies", IGNORED("read by the console proxies"), CHOICES("default,tlsv1_1,tlsv1_2,tlsv1_3")},
};

static const NdOption consoleauth_options[] = {
    {"token_ttl", INTEGER, "600", "seconds a console token is good for", HONOURED, AT_LEAST(0), FORMERLY("DEFAULT.console_token_ttl")},
};

static const NdOption rdp_options[] = {
    {"enabled", BOOLEAN, "false", "RDP consoles", HONOURED},
    {"html5_proxy_base_url", URI, "http://127.0.0.1:6083/", "address of RDP consoles", IGNORED("only for Hyper-V"), .schemes = "http,https"},
};

static const NdOption mks_options[] = {
    {"enabled", BOOLEAN, "false", "MKS consoles", HONOURED},
    {"mksproxy_base_url", URI, "http://127.0.0.1:6090/", "address of MKS consoles", IGNORED("only for VMware"), .schemes = "http,https"},
};

const NdOptionFamily nd_options_console[] = {
    {"vnc", vnc_options, G_N_ELEMENTS(vnc_options)},
    {"spice", spice_options, G_N_ELEMENTS(spice_options)},
    {"serial_console", serial_console_options, G_N_ELEMENTS(serial_console_options)},
    {"console", console_options, G_N_ELEMENTS(console_options)},
    {"consoleauth", consoleauth_options, G_N_ELEMENTS(consoleauth_options)},
    {"rdp", rdp_options, G_N_ELEMENTS(rdp_options)},
    {"mks", mks_options, G_N_ELEMENTS(mks_options)},
    {NULL, NULL, 0},
};
