#!/bin/sh
# Collect the configuration of one Linux host for a self-assessment, as one bundle file.
#
#   sh collect_host.sh [-o FILE] [--only host,nginx,postgresql] [--nginx PROGRAM] [--psql PROGRAM]
#
# Read only: it asks the system's own programs and reads files; beside a private folder under
# TMPDIR, removed at the end, it writes FILE alone, which must not exist yet. (`nginx -T` opens
# the log files that its configuration names, as nginx does at each reload.) It needs a POSIX sh,
# awk, sed and sha256sum or openssl. Run it as root for everything; without root it says what it
# could not read. It never collects password hashes, keys, comments of configuration files,
# full names of people, or the values of directives that look like secrets.
#
# FILE is text: a line `GOVSECOPS-BUNDLE 1`, then for each section a line
#   @ STATE EXIT BYTES SHA256 NAME
# with exactly BYTES bytes and a newline behind it, at last `@end COUNT SHA256`, the SHA-256 of
# all section lines. STATE is ok, failed, missing, denied or cut; of a section that is neither ok
# nor cut, the content is the reason. Import it: secops audits import-bundle FILE
set -u
umask 077
LC_ALL=C
LANG=C
# the caller's PATH may hold programs of others: root runs the system's alone
PATH=/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin:/usr/local/nginx/sbin
export LC_ALL LANG PATH
unset CDPATH ENV BASH_ENV
IFS=' 	
'
COLLECTOR=1
MOST_BYTES=4194304
MOST_FILES=64

out=
parts=host,nginx,postgresql
nginx=nginx
psql=

usage() {
    echo "usage: sh collect_host.sh [-o FILE] [--only host,nginx,postgresql] [--nginx PROGRAM]" \
        "[--psql PROGRAM]" >&2
    exit 2
}

while [ $# -gt 0 ]; do
    case $1 in
        -o | --output | --only | --nginx | --psql) [ $# -ge 2 ] || usage ;;
    esac
    case $1 in
        -o | --output) out=$2; shift 2 ;;
        --only) parts=$2; shift 2 ;;
        --nginx) nginx=$2; shift 2 ;;
        --psql) psql=$2; shift 2 ;;
        *) usage ;;
    esac
done
for part in $(printf '%s' "$parts" | tr ',' ' '); do
    case $part in
        host | nginx | postgresql) ;;
        *) usage ;;
    esac
done

if command -v sha256sum >/dev/null 2>&1; then
    digest() { sha256sum | cut -d ' ' -f 1; }
elif command -v openssl >/dev/null 2>&1; then
    digest() { openssl dgst -sha256 | sed 's/^.*= *//'; }
else
    echo "collect_host.sh: neither sha256sum nor openssl is here" >&2
    exit 3
fi
limit=
command -v timeout >/dev/null 2>&1 && timeout 1 true 2>/dev/null && limit='timeout 60'

host=$(uname -n)
started=$(date -u +%s)
[ -n "$out" ] || out=$(printf '%s' "$host" | tr -c 'A-Za-z0-9.-' '_')-$(date -u +%Y%m%dT%H%M%SZ).gsb
if [ -e "$out" ]; then
    echo "collect_host.sh: $out exists already" >&2
    exit 2
fi
work=$(mktemp -d "${TMPDIR:-/tmp}/collect.XXXXXXXXXX") || exit 3
trap 'rm -rf "$work"' EXIT
trap 'exit 3' HUP INT TERM
printf 'GOVSECOPS-BUNDLE 1\n' >"$work/bundle"
: >"$work/headers"
count=0
unread=0

# --- sections -----------------------------------------------------------------------------

add() { # STATE EXIT NAME: what stands in $work/section becomes a section
    size=$(($(wc -c <"$work/section")))
    line="@ $1 $2 $size $(digest <"$work/section") $3"
    printf '%s\n' "$line" >>"$work/headers"
    {
        printf '%s\n' "$line"
        cat "$work/section"
        printf '\n'
    } >>"$work/bundle"
    count=$((count + 1))
    case $1 in ok) ;; *) unread=$((unread + 1)) ;; esac
}

keep() { # NAME: what stands in $work/raw, at most MOST_BYTES of it
    head -c "$MOST_BYTES" <"$work/raw" >"$work/section"
    if [ $(($(wc -c <"$work/raw"))) -gt "$MOST_BYTES" ]; then
        add cut 0 "$1"
    else
        add ok 0 "$1"
    fi
}

lack() { # STATE EXIT NAME REASON
    printf '%s' "$4" | tr '\n' ' ' | head -c 400 >"$work/section"
    add "$1" "$2" "$3"
}

ask() { # NAME PROGRAM ARGUMENTS...: what the program prints
    name=$1
    shift
    if ! command -v "$1" >/dev/null 2>&1; then
        lack missing 127 "$name" "no program $1"
        return 1
    fi
    $limit "$@" >"$work/raw" 2>"$work/err" </dev/null
    code=$?
    if [ $code -ne 0 ]; then
        lack failed $code "$name" "$(redact <"$work/err")"
        return 1
    fi
    redact <"$work/raw" >"$work/clean"
    mv "$work/clean" "$work/raw"
    keep "$name"
}

copy() { # KIND PATH [FILTER]: a file without its comments, through FILTER
    if [ ! -e "$2" ]; then
        lack missing 0 "$1:$2" "no such file"
    elif [ ! -f "$2" ]; then
        lack failed 0 "$1:$2" "not a regular file"
    elif [ ! -r "$2" ]; then
        lack denied 0 "$1:$2" "not readable by uid $(id -u)"
    else
        sed -e '/^[[:space:]]*#/d' -e '/^[[:space:]]*$/d' <"$2" | "${3:-redact}" >"$work/raw"
        keep "$1:$2"
    fi
}

copy_all() { # KIND PATHS...: those that exist, at most MOST_FILES
    kind=$1
    shift
    copied=0
    for path; do
        [ -e "$path" ] || continue
        copied=$((copied + 1))
        if [ $copied -gt $MOST_FILES ]; then
            lack cut 0 "$kind:more" "more than $MOST_FILES files"
            return
        fi
        copy "$kind" "$path"
    done
}

redact() { # values that look like secrets are left out
    sed -e 's/\([Pp][Aa][Ss][Ss][A-Za-z_]*=\)[^[:space:]]*/\1<redacted>/g' \
        -e 's/\([Pp][Ww][Dd]=\)[^[:space:]]*/\1<redacted>/g' \
        -e 's/\([Ss][Ee][Cc][Rr][Ee][Tt][A-Za-z_]*=\)[^[:space:]]*/\1<redacted>/g' \
        -e 's/\([Tt][Oo][Kk][Ee][Nn][A-Za-z_]*=\)[^[:space:]]*/\1<redacted>/g' \
        -e 's/\(bindpw[=[:space:]]*\)[^[:space:]]*/\1<redacted>/g' \
        -e 's,\(://[^:/[:space:]]*:\)[^@/[:space:]]*@,\1<redacted>@,g'
}

redact_nginx() { # headers, variables and parameters may hold credentials
    # a comment behind a directive goes too, where it can be no part of a quoted text
    redact | sed -e "s/[[:space:]]#[^\"']*\$//" | awk '
        $1 ~ /^(set|proxy_set_header|grpc_set_header|add_header|env|secure_link_md5|proxy_pass_header)$/ ||
        $1 ~ /^(fastcgi_param|uwsgi_param|scgi_param|more_set_headers|more_set_input_headers)$/ {
            low = tolower($0)
            if (low ~ /authoriz|secret|passw|token|key|cookie|credential|secure_link_md5/) {
                print "    " $1 " <redacted>;"
                next
            }
        }
        { print }'
}

# --- the host -----------------------------------------------------------------------------

collect_system() {
    : >"$work/raw"
    for file in /etc/os-release /etc/kylin-release /etc/redhat-release /etc/centos-release; do
        [ -r "$file" ] && sed "s,^,$file	," <"$file" >>"$work/raw"
    done
    keep os.release
    ask net.addresses ip -o addr show
    : >"$work/raw"
    for key in net.ipv4.ip_forward net.ipv4.conf.all.rp_filter net.ipv4.tcp_syncookies \
        net.ipv4.conf.all.accept_redirects net.ipv4.conf.all.send_redirects \
        net.ipv4.conf.all.accept_source_route net.ipv6.conf.all.accept_redirects \
        net.ipv4.icmp_echo_ignore_broadcasts kernel.randomize_va_space kernel.kptr_restrict \
        kernel.dmesg_restrict kernel.yama.ptrace_scope fs.suid_dumpable fs.protected_symlinks \
        fs.protected_hardlinks; do
        file=/proc/sys/$(printf '%s' "$key" | tr . /)
        [ -r "$file" ] && printf '%s = %s\n' "$key" "$(cat "$file")" >>"$work/raw"
    done
    keep sysctl
    if command -v systemctl >/dev/null 2>&1; then
        ask services systemctl list-units --type=service,socket --state=active --no-legend --no-pager
    else
        ask services chkconfig --list
    fi
    if ask processes ps -eo comm=; then :; fi
}

collect_ssh() {
    ask ssh.effective:root sshd -T -C user=root,host=client.example,addr=192.0.2.1
    ask ssh.effective:user sshd -T -C user=nobody,host=client.example,addr=192.0.2.1
    # what runs may differ from what the files say: -f and -o of the listener
    if ps -eo args= >"$work/ps" 2>/dev/null; then
        grep -E '^(sshd: )?/[^ ]*/sshd( |$)' <"$work/ps" | redact >"$work/raw"
        keep ssh.process
    else
        lack failed 1 ssh.process "ps does not list arguments"
    fi
    main=/etc/ssh/sshd_config
    copy ssh.file "$main"
    [ -r "$main" ] || return
    sed -n 's/^[[:space:]]*[Ii][Nn][Cc][Ll][Uu][Dd][Ee][[:space:]][[:space:]]*//p' <"$main" >"$work/includes"
    while read -r patterns; do
        for pattern in $patterns; do
            case $pattern in /*) ;; *) pattern=/etc/ssh/$pattern ;; esac
            # shellcheck disable=SC2086 # the pattern is to be expanded, as sshd does
            copy_all ssh.file $pattern
        done
    done <"$work/includes"
    copy_all crypto.policy /etc/crypto-policies/state/current
}

collect_accounts() {
    awk -F: '{ print $1 ":" ($2 == "" ? "empty" : $2 == "x" ? "shadow" : "other") ":" $3 ":" $4 ":" $7 }' \
        </etc/passwd >"$work/raw" && keep accounts.passwd
    awk -F: '{ print $1 ":" $3 ":" $4 }' </etc/group >"$work/raw" && keep accounts.groups
    if [ -r /etc/shadow ]; then
        # the state of a password and its scheme, never the hash
        awk -F: '{
            state = "unusable"
            if ($2 == "") state = "empty"
            else if ($2 ~ /^[!*]/) state = "locked"
            else if ($2 ~ /^\$[0-9A-Za-z]+\$/) { split($2, part, "$"); state = "set-" part[2] }
            else if (length($2) == 13) state = "set-des"
            print $1 ":" state ":" $3 ":" $4 ":" $5 ":" $6 ":" $7 ":" $8
        }' </etc/shadow >"$work/raw"
        keep accounts.shadow
    else
        lack denied 0 accounts.shadow "/etc/shadow is not readable by uid $(id -u)"
    fi
    if command -v lastlog2 >/dev/null 2>&1; then
        ask accounts.lastlog lastlog2
    else
        ask accounts.lastlog lastlog
    fi
    copy accounts.sudo /etc/sudoers
    copy_all accounts.sudo /etc/sudoers.d/*
    copy login.defs /etc/login.defs
    copy_all pwquality /etc/security/pwquality.conf /etc/security/pwquality.conf.d/*.conf
    copy_all faillock /etc/security/faillock.conf
    for name in common-auth common-account common-password system-auth password-auth \
        system-auth-ac password-auth-ac sshd login su sudo passwd; do
        copy_all pam "/etc/pam.d/$name"
    done
    command -v authselect >/dev/null 2>&1 && ask authselect authselect check
    grep -hE '^[^#]*TMOUT' /etc/profile /etc/profile.d/*.sh /etc/bashrc /etc/bash.bashrc \
        /etc/environment >"$work/raw" 2>/dev/null
    keep session.timeout
}

collect_records() {
    ask audit.status auditctl -s
    ask audit.rules auditctl -l
    copy_all audit.conf /etc/audit/auditd.conf
    copy_all audit.file /etc/audit/audit.rules /etc/audit/rules.d/*.rules
    copy_all syslog /etc/rsyslog.conf /etc/rsyslog.d/*.conf /etc/syslog.conf
    copy_all syslog /etc/syslog-ng/syslog-ng.conf
    ask time.chrony chronyc -n tracking
    if ! $limit timedatectl show >/dev/null 2>&1; then
        ask time.timedatectl timedatectl status
    else
        ask time.timedatectl timedatectl show
    fi
    ask time.ntpq ntpq -pn
}

tables() { # NAME PROGRAM FILE: iptables-save, unless asking would load the module
    if ! command -v "$2" >/dev/null 2>&1; then
        lack missing 127 "$1" "no program $2"
    elif [ -e "$3" ] || "$2" -V 2>/dev/null | grep -q nf_tables; then
        ask "$1" "$2"
    else
        lack missing 0 "$1" "the module is not loaded: there are no such rules"
    fi
}

collect_network() {
    ask fw.nft nft -j list ruleset
    tables fw.iptables iptables-save /proc/net/ip_tables_names
    tables fw.ip6tables ip6tables-save /proc/net/ip6_tables_names
    command -v firewall-cmd >/dev/null 2>&1 && ask fw.firewalld firewall-cmd --list-all
    command -v ufw >/dev/null 2>&1 && ask fw.ufw ufw status verbose
    if command -v ss >/dev/null 2>&1; then
        ask net.sockets ss -lntup
    else
        ask net.sockets netstat -lntup
    fi
}

collect_software() {
    : >"$work/dates"
    if command -v dpkg-query >/dev/null 2>&1; then
        # shellcheck disable=SC2016 # dpkg-query's own variables
        ask packages.dpkg dpkg-query -W -f '${Package}\t${Version}\t${Architecture}\t${db:Status-Abbrev}\n'
        stat -c 'changed %Y' /var/lib/dpkg/status >>"$work/dates" 2>/dev/null
        # the newest list among those that hold packages
        stat -c '%Y' /var/lib/apt/lists/*_Packages* 2>/dev/null | sort -n | tail -n 1 |
            sed 's/^/index /' >>"$work/dates"
        if command -v apt-get >/dev/null 2>&1; then
            ask updates.apt apt-get -s -q -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= \
                -o Debug::NoLocking=true dist-upgrade
        fi
    fi
    if command -v rpm >/dev/null 2>&1; then
        ask packages.rpm rpm -qa --qf '%{NAME}\t%{VERSION}-%{RELEASE}\t%{ARCH}\t%{INSTALLTIME}\n'
    fi
    cat "$work/dates" >"$work/raw"
    keep packages.dates
    for base in /var/lib/clamav/daily.cvd /var/lib/clamav/daily.cld; do
        if [ -r "$base" ]; then
            # the head of a base is text: its date, version and number of signatures
            head -c 96 "$base" | tr -c ' -~' ' ' >"$work/raw"
            keep "av.clamav:$base"
        fi
    done
}

collect_host() {
    collect_system
    collect_ssh
    collect_accounts
    collect_records
    collect_network
    collect_software
}

# --- nginx --------------------------------------------------------------------------------

collect_nginx() {
    if ! command -v "$nginx" >/dev/null 2>&1; then
        lack missing 127 nginx.config "no program $nginx"
        return
    fi
    "$nginx" -v 2>&1 </dev/null | head -n 1 >"$work/raw"
    keep nginx.version
    $limit "$nginx" -T >"$work/config" 2>"$work/err" </dev/null
    code=$?
    if [ $code -ne 0 ]; then
        lack failed $code nginx.config "$(redact <"$work/err")"
        return
    fi
    sed -e '/^[[:space:]]*#/{/^# configuration file /!d;}' <"$work/config" | redact_nginx >"$work/raw"
    keep nginx.config
}

# --- PostgreSQL ---------------------------------------------------------------------------

query() { # NAME SQL: rows in COPY's text form; a read-only transaction
    printf "BEGIN READ ONLY;\nCOPY (%s) TO STDOUT;\nROLLBACK;\n" "$2" >"$work/sql"
    if [ "$(id -u)" -eq 0 ] && [ -z "${PGUSER:-}" ] && id postgres >/dev/null 2>&1; then
        # root does not run the database's programs with its own rights
        $limit su postgres -s /bin/sh -c "'$psql' -X -q -A -t -w -d postgres -v ON_ERROR_STOP=1 -f -" \
            <"$work/sql" >"$work/raw" 2>"$work/err"
    else
        $limit "$psql" -X -q -A -t -w -v ON_ERROR_STOP=1 -f - <"$work/sql" >"$work/raw" 2>"$work/err"
    fi
    code=$?
    if [ $code -ne 0 ]; then
        [ "${3:-}" = quiet ] || lack failed $code "$1" "$(redact <"$work/err")"
        return 1
    fi
    keep "$1"
}

collect_postgresql() {
    if [ -z "$psql" ]; then
        for path in psql /usr/pgsql-*/bin/psql /usr/lib/postgresql/*/bin/psql /opt/*/bin/psql; do
            command -v "$path" >/dev/null 2>&1 && psql=$(command -v "$path") && break
        done
    fi
    case $psql in
        *\'*) usage ;;
        '')
            lack missing 127 pg.settings "no program psql"
            return
            ;;
    esac
    names="'ssl', 'ssl_min_protocol_version', 'password_encryption', 'log_connections',
        'log_disconnections', 'log_statement', 'log_line_prefix', 'logging_collector',
        'log_destination', 'listen_addresses', 'port', 'authentication_timeout',
        'shared_preload_libraries', 'local_preload_libraries', 'session_preload_libraries',
        'idle_session_timeout', 'server_version', 'server_version_num', 'data_checksums',
        'unix_socket_permissions', 'auth_delay.milliseconds', 'pgaudit.log', 'archive_mode'"
    wanted="FROM pg_settings WHERE name IN ($names) OR name LIKE 'credcheck.%' ORDER BY name"
    query pg.settings "SELECT name, setting, source, pending_restart $wanted" quiet ||
        query pg.settings "SELECT name, setting, source $wanted"
    query pg.hba "SELECT line_number, type, array_to_string(database, ','),
        array_to_string(user_name, ','), address, netmask, auth_method, error IS NOT NULL
        FROM pg_hba_file_rules ORDER BY line_number"
    # how a password is kept, never the password
    query pg.roles "SELECT rolname, rolcanlogin, rolsuper, rolcreaterole, rolcreatedb,
        rolreplication, rolbypassrls, rolvaliduntil,
        CASE WHEN rolpassword IS NULL THEN 'none' WHEN rolpassword LIKE 'SCRAM-SHA-256%%' THEN 'scram'
        WHEN rolpassword LIKE 'md5%%' THEN 'md5' ELSE 'other' END
        FROM pg_authid ORDER BY rolname" quiet ||
        query pg.roles "SELECT rolname, rolcanlogin, rolsuper, rolcreaterole, rolcreatedb,
        rolreplication, rolbypassrls, rolvaliduntil, 'unknown' FROM pg_roles ORDER BY rolname"
    query pg.grants "SELECT n.nspname, 'public' FROM pg_namespace n
        WHERE has_schema_privilege('public', n.oid, 'CREATE')" quiet || :
}

for part in $(printf '%s' "$parts" | tr ',' ' '); do
    "collect_$part"
done

container=no
{ [ -e /.dockerenv ] || [ -e /run/.containerenv ]; } && container=yes
machine=
[ -r /etc/machine-id ] && machine=$({ printf 'govsecops:' && cat /etc/machine-id; } | digest)
cat >"$work/raw" <<META
collector=$COLLECTOR
host=$host
kernel=$(uname -srm)
machine=$machine
uid=$(id -u)
container=$container
parts=$parts
started=$started
finished=$(date -u +%s)
META
keep meta
printf '@end %d %s\n' "$count" "$(digest <"$work/headers")" >>"$work/bundle"

# -C: a file that came into being meanwhile is not overwritten, a link not followed
set -C
if ! { cat "$work/bundle" >"$out"; } 2>/dev/null; then
    echo "collect_host.sh: can't write $out" >&2
    exit 3
fi
echo "$out: $count sections, $unread of them not read; SHA-256 $(digest <"$out")"
