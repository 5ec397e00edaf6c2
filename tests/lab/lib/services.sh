# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Keystone, Glance, Placement, Nova's control services and proxies, neutron-server.

CONTROL_SERVICES=(keystone glance-api placement neutron-server nova-api nova-conductor nova-scheduler nova-novncproxy)

# uwsgi_start NAME PORT WSGI-FILE [VARIABLE=VALUE...]; without "Connection: close" clients see connections reset
uwsgi_start() {
  local name=$1 port=$2 wsgi=$3; shift 3
  service_start "$name" env "$@" uwsgi_python3 --plugin python3 --http-socket "127.0.0.1:$port" --wsgi-file "$wsgi" \
    --master --no-orphans --processes 2 --threads 4 --enable-threads --lazy-apps --die-on-term --buffer-size 65535 \
    --post-buffering 65536 --add-header "Connection: close" --thunder-lock --procname-prefix "$name-"
}

control_start() { # NAME: one control service by its name
  local etc=$LAB/etc
  case $1 in
    keystone)
      uwsgi_start keystone 5000 /usr/bin/keystone-wsgi-public \
        OS_KEYSTONE_CONFIG_FILES="$etc/keystone.conf" OS_KEYSTONE_CONFIG_DIR="$etc" ;;
    placement) uwsgi_start placement 8778 /usr/bin/placement-api OS_PLACEMENT_CONFIG_DIR="$etc" ;;
    glance-api)
      service_start glance-api glance-api --config-file "$etc/glance-api.conf" --config-file /etc/glance/glance-api-paste.ini ;;
    neutron-server)
      service_start neutron-server neutron-server --config-file "$etc/neutron.conf" --config-file "$etc/ml2_conf.ini" ;;
    nova-novncproxy) service_start nova-novncproxy nova-novncproxy --config-file "$etc/nova.conf" --web /usr/share/novnc ;;
    *) service_start "$1" "$1" --config-file "$etc/nova.conf" ;;
  esac
}

control_ready() {
  local pair name url
  for pair in placement=http://127.0.0.1:8778 glance-api=http://127.0.0.1:9292 nova-api=http://127.0.0.1:8774 \
    neutron-server=http://127.0.0.1:9696 nova-novncproxy=http://127.0.0.1:6080/vnc_lite.html; do
    name=${pair%%=*} url=${pair#*=}
    wait_for 120 http_up "$url" || { service_must_live "$name"; die "$name does not answer at $url, see $LAB/log/$name.log"; }
  done
}

control_up() {
  local name
  say "starting Keystone"
  cd "$LAB/etc" || exit 1
  control_start keystone
  wait_for 90 http_up http://127.0.0.1:5000/v3 || { service_must_live keystone; exit 1; }
  if [ ! -e "$LAB/.catalog" ]; then
    "$LAB_TREE/catalog.py" >"$LAB/log/catalog.log" 2>&1 || { cat "$LAB/log/catalog.log" >&2; die "the service catalog could not be made"; }
    touch "$LAB/.catalog"
  fi
  say "starting Placement, Glance, Nova, Neutron"
  for name in "${CONTROL_SERVICES[@]}"; do control_start "$name"; done
  control_ready
}

control_down() { services_stop nova-novncproxy nova-scheduler nova-conductor nova-api neutron-server placement glance-api keystone; }
