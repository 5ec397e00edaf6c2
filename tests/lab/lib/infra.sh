# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# MariaDB, RabbitMQ and memcached, with their data under $LAB, on loopback only.

INFRA_SERVICES=(mysqld memcached rabbitmq)

sql() { mysql --socket="$LAB/mysql/mysql.sock" -uroot "$@"; }
rabbit() { rabbitmqctl -q -n "$RABBIT_NODE" "$@"; }

mysqld_start() {
  mkdir -p /run/mysqld
  chown mysql: /run/mysqld
  if [ ! -d "$LAB/mysql/mysql" ]; then
    rm -rf "$LAB/mysql"
    mkdir -p "$LAB/mysql"
    chown mysql: "$LAB/mysql"
    mysql_install_db --no-defaults --user=mysql --datadir="$LAB/mysql" --auth-root-authentication-method=normal \
      --skip-test-db >"$LAB/log/mysql-install.log" 2>&1 || die "mysql_install_db failed, see $LAB/log/mysql-install.log"
  fi
  service_start mysqld mysqld --no-defaults --user=mysql --datadir="$LAB/mysql" --socket="$LAB/mysql/mysql.sock" \
    --pid-file="$LAB/mysql/mysqld.pid" --bind-address=127.0.0.1 --port=3306 --max-connections=1000 \
    --innodb-flush-log-at-trx-commit=0 --innodb-doublewrite=0 --sync-binlog=0
}

rabbitmq_start() {
  mkdir -p "$LAB/rabbitmq/log"
  chown -R rabbitmq: "$LAB/rabbitmq"
  service_start rabbitmq env RABBITMQ_NODE_IP_ADDRESS=127.0.0.1 RABBITMQ_NODENAME="$RABBIT_NODE" \
    RABBITMQ_MNESIA_BASE="$LAB/rabbitmq" RABBITMQ_LOG_BASE="$LAB/rabbitmq/log" ERL_EPMD_ADDRESS=127.0.0.1 \
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-kernel inet_dist_use_interface {127,0,0,1}" rabbitmq-server
}

rabbitmq_ready() {
  wait_for 60 rabbit await_startup || { service_must_live rabbitmq; die "RabbitMQ does not answer, see $LAB/log/rabbitmq.log"; }
  if ! rabbit list_users | grep -q '^openstack'; then
    rabbit add_user openstack "$LAB_PASSWORD"
    rabbit set_user_tags openstack administrator
    rabbit set_permissions openstack '.*' '.*' '.*'
  fi >/dev/null
}

infra_up() {
  say "starting MariaDB, memcached, RabbitMQ"
  mysqld_start
  service_start memcached memcached -u nobody -l 127.0.0.1 -p 11211
  rabbitmq_start
  wait_for 60 mysqladmin --socket="$LAB/mysql/mysql.sock" -uroot ping || { service_must_live mysqld; exit 1; }
  rabbitmq_ready
}

infra_down() { services_stop "${INFRA_SERVICES[@]}"; }
