# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Databases, cells, Keystone's keys and first user. Made once; a dump is kept for later labs of the same packages.

LAB_DATABASES=(keystone glance placement nova_api nova_cell0 nova_cell1 neutron)

schema_dump_file() { # the dump is good for exactly these package versions
  local sum
  sum=$(dpkg-query -W -f='${Package}=${Version}\n' keystone glance-common placement-common nova-common neutron-common \
    mariadb-server 2>/dev/null | cat - <(echo "$LAB") | sha256sum)
  echo "$LAB/cache/schema-${sum:0:16}.sql"
}

nova_cells() {
  local manage=(nova-manage --config-file nova.conf) cell0
  cell0=$(db_url nova_cell0)
  "${manage[@]}" api_db sync
  "${manage[@]}" cell_v2 map_cell0 --database_connection "$cell0"
  "${manage[@]}" cell_v2 list_cells | grep -q ' cell1 ' ||
    "${manage[@]}" cell_v2 create_cell --name cell1 --database_connection "$(db_url nova_cell1)" --transport-url "$(rabbit_url)"
  "${manage[@]}" db sync
}

schema_sync() { # the slow way: about a minute and a half of Python
  local jobs=()
  cd "$LAB/etc" || exit 1
  { keystone-manage --config-file keystone.conf db_sync; } >"$LAB/log/schema-keystone.log" 2>&1 & jobs+=($!)
  { glance-manage --config-file glance-api.conf db_sync; } >"$LAB/log/schema-glance.log" 2>&1 & jobs+=($!)
  { placement-manage --config-file placement.conf db sync; } >"$LAB/log/schema-placement.log" 2>&1 & jobs+=($!)
  { neutron-db-manage --config-file neutron.conf --config-file ml2_conf.ini upgrade head; } >"$LAB/log/schema-neutron.log" 2>&1 &
  jobs+=($!)
  { nova_cells; } >"$LAB/log/schema-nova.log" 2>&1 & jobs+=($!)
  local job
  for job in "${jobs[@]}"; do wait "$job" || die "a database could not be made, see $LAB/log/schema-*.log"; done
}

schema_make() {
  local name dump
  dump=$(schema_dump_file)
  for name in "${LAB_DATABASES[@]}"; do
    sql -e "drop database if exists $name; create database $name character set utf8mb4"
  done
  if [ -s "$dump" ]; then
    say "loading the databases from $dump"
    sql <"$dump"
  else
    say "making the databases (once; about a minute and a half)"
    schema_sync
    mysqldump --socket="$LAB/mysql/mysql.sock" -uroot --databases "${LAB_DATABASES[@]}" >"$dump.part"
    mv "$dump.part" "$dump"
  fi
}

keystone_bootstrap() {
  local url=http://127.0.0.1:5000/v3/
  cd "$LAB/etc" || exit 1
  mkdir -p fernet-keys credential-keys
  chmod 700 fernet-keys credential-keys
  keystone-manage --config-file keystone.conf fernet_setup --keystone-user root --keystone-group root
  keystone-manage --config-file keystone.conf credential_setup --keystone-user root --keystone-group root
  keystone-manage --config-file keystone.conf bootstrap --bootstrap-password "$LAB_PASSWORD" --bootstrap-admin-url "$url" \
    --bootstrap-internal-url "$url" --bootstrap-public-url "$url" --bootstrap-region-id RegionOne
}

schema_up() {
  [ ! -e "$LAB/.schema" ] || return 0
  schema_make
  keystone_bootstrap >"$LAB/log/keystone-bootstrap.log" 2>&1 || die "keystone bootstrap failed, see $LAB/log/keystone-bootstrap.log"
  touch "$LAB/.schema"
}
