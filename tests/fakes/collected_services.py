"""What three nginx and three PostgreSQL servers say, as the collector carries it: written by us."""

from __future__ import annotations

NGINX_DEBIAN = {
    "nginx.version": "nginx version: nginx/1.22.1\n",
    "nginx.config": r"""# configuration file /etc/nginx/nginx.conf:
user www-data;
events { worker_connections 768; }
http {
    server_tokens off;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256:!aNULL:!MD5:-RC4;
    log_format full '$remote_addr $remote_user [$time_iso8601] '
                    "$request" $status '${request_time}';
    access_log /var/log/nginx/access.log full;
    include /etc/nginx/conf.d/*.conf;
    include sites-enabled/*;
}
# configuration file /etc/nginx/conf.d/empty.conf:

# configuration file /etc/nginx/sites-enabled/oa:
server { listen 80 default_server; listen [::]:80; return 301 https://$host$request_uri; }
server {
    listen 80; server_name old.example;
    location / { rewrite ^ https://oa.example$uri permanent; }
    location /.well-known/acme-challenge/ { root /var/www; }
}
server {
    listen 443 ssl http2 default_server; listen [::]:443 ssl;
    server_name oa.example;
    location / { proxy_pass http://127.0.0.1:8080; }
    location /u { proxy_pass http://unix:/run/app.sock; }
    location /a { proxy_pass https://10.1.2.6; }
}
server { listen 127.0.0.1:8081; listen unix:/run/status.sock; location / { stub_status; } }
""",
}
"""Well kept: clear text only redirects, loopback aside."""

NGINX_KYLIN = {
    "nginx.version": "nginx version: openresty/1.21.4.1\n",
    "nginx.config": r"""# configuration file /usr/local/nginx/conf/nginx.conf:
http {
    log_format short '$remote_addr "$request" $status';
    access_log logs/access.log short;
    server { listen 8443 ssl; ssl_protocols TLSv1 TLSv1.2; ssl_ciphers HIGH:DES-CBC3-SHA; }
    server { listen 8443 ssl; ssl_protocols TLSv1.3; server_name b.example; }
    server {
        listen 0.0.0.0:9000; server_name "c example"; # the management page
        autoindex on;
        location / { location /x { proxy_pass http://10.2.3.4/; } }
    }
    server { listen 10.2.3.5:9001; access_log off; }
    server { ssl on; }
}
""",
}
"""TLS 1.0 by the default server of its socket, a page in clear, a log without users."""

NGINX_OLD = {
    "nginx.config": r"""# configuration file /etc/nginx/nginx.conf:
http {
    include /etc/nginx/loop.conf;
    server { listen 443; listen 443 ssl; }
    server { listen localhost:444 ssl; return 444; }
    server { server_name _; location / { return 404; } }
}
# configuration file /etc/nginx/loop.conf:
include /etc/nginx/loop.conf;
gzip on;
""",
}
"""Protocols are left to the version, a file includes itself, a server listens nowhere named."""

_SETTINGS = (
    "listen_addresses\t{listen}\tconfiguration file\tf\n"
    "log_connections\t{connections}\tconfiguration file\tf\n"
    "log_line_prefix\t{prefix}\tconfiguration file\tf\n"
    "password_encryption\t{hashing}\tdefault\tf\n"
    "server_version_num\t{number}\tdefault\tf\n"
    "shared_preload_libraries\t{libraries}\tconfiguration file\t{pending}\n"
    "ssl\t{tls}\tconfiguration file\tf\n"
)

PG_DEBIAN = {
    "pg.settings": _SETTINGS.format(
        listen="localhost,10.1.2.5",
        connections="on",
        prefix="%m [%p] %q%u@%d %h ",
        hashing="scram-sha-256",
        number="150012",
        libraries="pgaudit,$libdir/credcheck",
        pending="f",
        tls="on",
    )
    + "log_disconnections\ton\tdefault\tf\nserver_version\t15.12 (Debian)\tdefault\tf\n"
    + "ssl_min_protocol_version\tTLSv1.2\tdefault\tf\nidle_session_timeout\t900000\tuser\tf\n"
    + "log_statement\tddl\tdefault\tf\n",
    "pg.hba": "90\tlocal\tall\tpostgres\t\\N\t\\N\tpeer\tf\n"
    "92\thost\tall\tall\t127.0.0.1\t255.255.255.255\tscram-sha-256\tf\n"
    "91\thost\tall\tall\t::1\tffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff\tscram-sha-256\tf\n"
    "93\thostssl\toa\toa\t10.1.2.0\t255.255.255.0\tscram-sha-256\tf\n"
    "94\thost\tall\tall\t0.0.0.0\t0.0.0.0\treject\tf\n",
    "pg.roles": "oa\tt\tf\tf\tf\tf\tf\t2027-01-01 00:00:00+08\tscram\n"
    "pg_monitor\tf\tf\tf\tf\tf\tf\t\\N\tnone\n"
    "postgres\tt\tt\tt\tt\tt\tt\tinfinity\tscram\n",
    "pg.grants": "oa\tpublic\n",
}

PG_EULER = {
    "pg.settings": _SETTINGS.format(
        listen="*",
        connections="off",
        prefix="%t\\t%-5u",
        hashing="md5",
        number="130004",
        libraries="",
        pending="t",
        tls="off",
    ),
    "pg.hba": "1\tlocal\tall\tall\t\\N\t\\N\ttrust\tf\n"
    "2\thost\tall\tall\tall\t\\N\tmd5\tf\n"
    "3\thost\treplication\trep\t10.3.0.0/16\t\\N\ttrust\tf\n"
    "4\thostnossl\tall\tapp\t10.3.0.9\t255.255.255.255\tpassword\tf\n"
    "5\thost\tall\tapp\t0.0.0.0\t0.0.0.0\tmd5\tf\n"
    "6\thost\tall\tapp\tdb.example\t\\N\tscram-sha-256\tf\n"
    "\\N\t\\N\t\\N\t\\N\t\\N\t\\N\t\\N\tt\n",
    "pg.roles": "app\tt\tf\tf\tf\tf\tt\t\\N\tmd5\nrep\tt\tf\tf\tf\tt\tf\t\\N\tnone\n"
    "postgres\tt\tt\tt\tt\tt\tt\t\\N\tother\n",
    "pg.grants": "public\tpublic\n",
}

PG_OLD = {
    "pg.settings": "log_connections\toff\tdefault\nserver_version_num\t90224\tdefault\n"
    "listen_addresses\t\tdefault\nbroken line\n",
    "pg.roles": "app\tt\tf\tf\tf\tf\tf\t\\N\tunknown\n",
}
"""Version 9.2 asked without a superuser: no view of pg_hba.conf, no column for what is pending."""
