"""What three hosts say, as the collector carries it: written by us after their manuals.

A hardened Debian 12, an openEuler 22.03 as installed (Kylin V10 and RHEL 9 answer in the same
forms), and an old CentOS 6 that nobody looked after.
"""

from __future__ import annotations

import json
from typing import Any


def _nft_rule(chain: str, *parts: dict[str, Any]) -> dict[str, Any]:
    return {"rule": {"family": "inet", "table": "filter", "chain": chain, "expr": list(parts)}}


def _match(left: dict[str, Any], right: Any, op: str = "==") -> dict[str, Any]:
    return {"match": {"op": op, "left": left, "right": right}}


def _field(protocol: str, name: str) -> dict[str, Any]:
    return {"payload": {"protocol": protocol, "field": name}}


def _counter(packets: int) -> dict[str, Any]:
    return {"counter": {"packets": packets, "bytes": packets * 60}}


STATE = {"ct": {"key": "state"}}
NFT_RULES: list[dict[str, Any]] = [
    {"metainfo": {"version": "1.0.6"}},
    {"table": {"family": "inet", "name": "filter"}},
    *(
        {
            "chain": {
                "family": "inet",
                "table": "filter",
                "name": hook,
                "type": "filter",
                "hook": hook,
                "prio": 0,
                "policy": "drop",
            }
        }
        for hook in ("input", "forward")
    ),
    {"chain": {"family": "inet", "table": "filter", "name": "services"}},
    _nft_rule("input", _match(STATE, "invalid"), {"drop": None}),
    _nft_rule("input", _match(STATE, {"set": ["established", "related"]}), {"accept": None}),
    _nft_rule("input", _match({"meta": {"key": "iif"}}, "lo"), {"accept": None}),
    _nft_rule("input", {"jump": {"target": "services"}}),
    _nft_rule(
        "services",
        _match(_field("ip", "saddr"), {"prefix": {"addr": "10.1.9.0", "len": 24}}),
        _match(_field("ip", "daddr"), "10.1.2.5"),
        _match(_field("tcp", "dport"), 22),
        _counter(40),
        {"accept": None},
    ),
    _nft_rule("services", _match(_field("tcp", "dport"), 443), _counter(0), {"accept": None}),
]
NFT = json.dumps({"nftables": NFT_RULES})

DEBIAN_12 = {
    "os.release": '/etc/os-release\tID=debian\n/etc/os-release\tVERSION_ID="12"\n',
    "net.addresses": "1: lo    inet 127.0.0.1/8 scope host lo\n"
    "2: eth0    inet 10.1.2.5/24 brd 10.1.2.255 scope global eth0\n"
    "2: eth0    inet6 fe80::5054:ff:fe12:3456/64 scope link\n",
    "ssh.effective:root": "port 22\npermitrootlogin no\npasswordauthentication no\n"
    "permitemptypasswords no\nmaxauthtries 4\nlogingracetime 60\nclientaliveinterval 300\n"
    "clientalivecountmax 3\nallowusers ops@10.1.9.*\nallowusers audit@10.1.9.*\n"
    "ciphers chacha20-poly1305@openssh.com,aes256-gcm@openssh.com\n"
    "macs hmac-sha2-256-etm@openssh.com\nkexalgorithms curve25519-sha256\n",
    "ssh.effective:user": "permitrootlogin no\npasswordauthentication yes\n"
    "permitemptypasswords no\nmaxauthtries 6\nallowusers ops@10.1.9.*\nallowusers audit@10.1.9.*\n",
    "ssh.file:/etc/ssh/sshd_config": "Include /etc/ssh/sshd_config.d/*.conf\nPermitRootLogin no\n",
    "ssh.file:/etc/ssh/sshd_config.d/10-site.conf": "MaxAuthTries 4\n"
    "Match Address 10.9.0.0/16\n  PasswordAuthentication yes\nMatch all\n",
    "ssh.process": "sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups\n",
    "pam:/etc/pam.d/sshd": "@include common-auth\naccount required pam_nologin.so\n",
    "pam:/etc/pam.d/login": "auth optional pam_faildelay.so delay=3000000\n@include common-auth\n",
    "pam:/etc/pam.d/common-auth": "auth required pam_faillock.so preauth\n"
    "auth [success=1 default=ignore] pam_unix.so\nauth [default=die] pam_faillock.so authfail\n"
    "auth requisite pam_deny.so\nauth required pam_permit.so\n",
    "pam:/etc/pam.d/common-password": "password requisite pam_pwquality.so retry=3\n"
    "password required pam_pwhistory.so remember=5 use_authtok\n"
    "password [success=1 default=ignore] pam_unix.so obscure use_authtok yescrypt\n",
    "pam:/etc/pam.d/su": "auth sufficient pam_rootok.so\nauth required pam_wheel.so\n"
    "@include common-auth\n",
    "faillock:/etc/security/faillock.conf": "deny = 5\nunlock_time = 900\neven_deny_root\n",
    "pwquality:/etc/security/pwquality.conf": "minlen = 10\ndcredit = -1\nucredit = -1\n"
    "lcredit = -1\nenforce_for_root\n",
    "login.defs:/etc/login.defs": "PASS_MAX_DAYS\t90\nENCRYPT_METHOD YESCRYPT\n",
    "session.timeout": "TMOUT=900\nreadonly TMOUT\nexport TMOUT\n",
    "accounts.passwd": "root:shadow:0:0:/bin/bash\ndaemon:shadow:1:1:/usr/sbin/nologin\n"
    "ops:shadow:1000:1000:/bin/bash\naudit:shadow:1001:1001:/bin/bash\n",
    "accounts.shadow": "root:locked:20500:0:99999:7::\ndaemon:locked:20500:0:99999:7::\n"
    "ops:set-y:20700:1:90:7::\naudit:set-y:20690:1:90:7::\n",
    "accounts.lastlog": "Username         Port     From             Latest\n"
    "root                                       **Never logged in**\n"
    "daemon                                     **Never logged in**\n"
    "ops              pts/0    10.1.9.7         Sun Sep 20 09:12:11 +0800 2026\n"
    "audit            pts/1    10.1.9.8         Tue Sep  1 10:00:00 +0800 2026\n",
    "accounts.sudo:/etc/sudoers": "Defaults\tenv_reset\nroot\tALL=(ALL:ALL) ALL\n"
    "%sudo\tALL=(ALL:ALL) ALL\n@includedir /etc/sudoers.d\n",
    "audit.status": "enabled 2\nfailure 1\npid 612\nrate_limit 0\nlost 0\nbacklog 0\n",
    "audit.rules": "-w /etc/passwd -p wa -k identity\n-w /etc/shadow -p wa -k identity\n"
    "-a always,exit -F arch=b64 -S execve -F key=commands\n",
    "audit.conf:/etc/audit/auditd.conf": "log_format = ENRICHED\nmax_log_file_action = ROTATE\n"
    "disk_full_action = SYSLOG\n",
    "audit.file:/etc/audit/rules.d/site.rules": "-w /etc/passwd -p wa -k identity\n",
    "syslog:/etc/rsyslog.conf": 'module(load="imuxsock")\n'
    '*.* action(type="omfwd" target="10.1.9.20" port="6514" protocol="tcp")\n',
    "services": "  auditd.service loaded active running Security Auditing Service\n"
    "  rsyslog.service loaded active running System Logging Service\n",
    "processes": "auditd\nclamd\nfreshclam\nrsyslogd\nsshd\nsystemd\n",
    "time.chrony": "Reference ID    : 0A010914 (10.1.9.20)\nStratum         : 3\n"
    "System time     : 0.000123456 seconds slow of NTP time\nLeap status     : Normal\n",
    "time.timedatectl": "Timezone=Asia/Shanghai\nNTPSynchronized=yes\n",
    "fw.nft": NFT,
    "net.sockets": "Netid State  Recv-Q Send-Q Local Address:Port Peer Address:PortProcess\n"
    'udp   UNCONN 0      0      127.0.0.1:323      0.0.0.0:*    users:(("chronyd",pid=5,fd=5))\n'
    'tcp   LISTEN 0      128    10.1.2.5:22        0.0.0.0:*    users:(("sshd",pid=7,fd=3))\n'
    'tcp   LISTEN 0      511    [::]:443           [::]:*       users:(("nginx",pid=9,fd=6))\n'
    'tcp   LISTEN 0      10     [::ffff:127.0.0.1]:9000 *:*     users:(("php",pid=8,fd=6))\n',
    "sysctl": "net.ipv4.ip_forward = 0\nnet.ipv4.conf.all.accept_redirects = 0\n"
    "net.ipv4.tcp_syncookies = 1\nkernel.randomize_va_space = 2\nkernel.dmesg_restrict = 1\n",
    "packages.dpkg": "openssh-server\t1:9.2p1-2\tamd64\tii \nnginx\t1.22.1-9\tamd64\tii \n"
    "telnetd\t0.17\tamd64\trc \n",
    "packages.dates": "changed 1789500000\nindex 1789900000\n",
    "updates.apt": "Inst openssl [3.0.15] (3.0.16 Debian-Security:12/stable-security [amd64])\n"
    "Inst vim [9.0] (9.1 Debian:12.9/stable [amd64])\nConf vim (9.1)\n",
    "av.clamav:/var/lib/clamav/daily.cld": "ClamAV-VDB:20 Sep 2026 08-30 +0000:27400:2061842:90:X",
}

OPENEULER = {
    "os.release": '/etc/os-release\tNAME="openEuler"\n/etc/os-release\tID="openEuler"\n'
    '/etc/os-release\tVERSION_ID="22.03"\n',
    "ssh.file:/etc/ssh/sshd_config": "Include /etc/ssh/sshd_config.d/*.conf\nPermitRootLogin yes\n"
    "PasswordAuthentication yes\nProtocol 2\nMACs=hmac-sha2-512,hmac-sha1-96\n"
    "ClientAliveInterval 5m\nClientAliveCountMax 0\n",
    "ssh.process": "/usr/sbin/sshd -D -oCiphers=aes256-cbc -oPort=22\n",
    "pam:/etc/pam.d/sshd": "auth       substack     password-auth\n"
    "account    required     pam_nologin.so\npassword   include      password-auth\n",
    "pam:/etc/pam.d/login": "auth substack system-auth\n-session optional pam_systemd.so\n",
    "pam:/etc/pam.d/passwd": "password substack system-auth\n",
    "pam:/etc/pam.d/system-auth": "auth required pam_env.so\n"
    "auth required pam_faillock.so preauth silent deny=3 unlock_time=300\n"
    "auth sufficient pam_unix.so nullok try_first_pass\n"
    "auth [default=die] pam_faillock.so authfail deny=3 unlock_time=300\n"
    "password requisite pam_pwquality.so try_first_pass minlen=8 minclass=3 enforce_for_root\n"
    "password sufficient pam_unix.so sha512 shadow nullok remember=5\n",
    "pam:/etc/pam.d/password-auth": "auth required pam_env.so\nauth sufficient pam_unix.so\n",
    "pwquality:/etc/security/pwquality.conf": "minlen = 12\n",
    "authselect": "Current configuration is valid.\n",
    "accounts.passwd": "root:shadow:0:0:/bin/bash\napp:shadow:1000:1000:/bin/bash\n"
    "test:shadow:1001:1001:/bin/bash\n",
    "accounts.shadow": "root:set-6:20200:0:99999:7::\napp:set-6:20710:0:90:7::\n"
    "test:set-6:20000:0:99999:7::20500\n",
    "accounts.lastlog": "Username         Port     From             Latest\n"
    "root             tty1                      Mon Sep 21 08:00:00 +0800 2026\n"
    "app                                        **Never logged in**\n"
    "test                                       **Never logged in**\n",
    "accounts.sudo:/etc/sudoers": 'Defaults env_keep += "LANG"\nroot ALL=(ALL) ALL\n'
    "app ALL=(ALL) NOPASSWD: ALL\n",
    "audit.status": "enabled 1\nfailure 1\npid 900\nlost 12\nbacklog_limit 8192\n",
    "audit.rules": "-a never,task\n",
    "audit.conf:/etc/audit/auditd.conf": "log_format = ENRICHED\nmax_log_file_action = ROTATE\n"
    "disk_full_action = SUSPEND\n",
    "syslog:/etc/rsyslog.conf": 'module(load="imuxsock")\n*.info /var/log/messages\n',
    "services": "* rsyslog.service loaded active running System Logging Service\n",
    "processes": "sshd\nkesl\n",
    "time.timedatectl": "               Local time: Mon 2026-09-21 22:13:20 CST\n"
    "                Time zone: Asia/Shanghai (CST, +0800)\n"
    "System clock synchronized: no\n              NTP service: active\n",
    "fw.iptables": "# Generated by iptables-save v1.8.7\n*nat\n:PREROUTING ACCEPT [0:0]\n"
    "-A PREROUTING -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80\nCOMMIT\n"
    "*filter\n:INPUT ACCEPT [10:600]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n"
    ":IN_public - [0:0]\n"
    "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n-A INPUT -i lo -j ACCEPT\n"
    "-A INPUT -j IN_public\n-A INPUT -m conntrack --ctstate INVALID -j DROP\n"
    "-A INPUT -j REJECT --reject-with icmp-host-prohibited\n"
    "-A IN_public -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW,UNTRACKED -j ACCEPT\n"
    "-A IN_public -p icmp -j ACCEPT\nCOMMIT\n",
    "net.sockets": "Netid State Recv-Q Send-Q Local Address:Port Peer Address:Port\n"
    "tcp LISTEN 0 128 0.0.0.0:22 0.0.0.0:*\ntcp LISTEN 0 128 *:111 *:*\n"
    "udp UNCONN 0 0 0.0.0.0:514 0.0.0.0:*\nudp UNCONN 0 0 127.0.0.53%lo:53 0.0.0.0:*\n",
    "sysctl": "net.ipv4.conf.all.accept_redirects = 1\nkernel.randomize_va_space = 2\n",
    "packages.rpm": "bash\t5.1.8-6.oe2203\tx86_64\t1780000000\n"
    "rpcbind\t1.2.6-4.oe2203\tx86_64\t1785000000\n",
}

CENTOS_6 = {
    "os.release": "/etc/redhat-release\tCentOS release 6.10 (Final)\n"
    "/etc/centos-release\tCentOS release 6.10 (Final)\n",
    "ssh.effective:root": "port 22\nprotocol 2,1\npermitrootlogin yes\n"
    "passwordauthentication yes\npermitemptypasswords no\nmaxauthtries 6\nlogingracetime 120\n"
    "clientaliveinterval 0\nclientalivecountmax 3\n"
    "ciphers aes128-ctr,aes256-ctr,arcfour256,aes128-cbc,3des-cbc\n"
    "macs hmac-md5,hmac-sha1,hmac-sha1-96\n"
    "kexalgorithms diffie-hellman-group14-sha1,diffie-hellman-group1-sha1\n",
    "pam:/etc/pam.d/sshd": "auth include password-auth\n",
    "pam:/etc/pam.d/login": "auth [user_unknown=ignore success=ok] pam_securetty.so\n"
    "auth include system-auth\n",
    "pam:/etc/pam.d/system-auth": "auth required pam_tally2.so deny=10 unlock_time=60\n"
    "auth sufficient pam_unix.so nullok try_first_pass\n"
    "password requisite pam_cracklib.so try_first_pass retry=3 minlen=8 dcredit=1 ucredit=-1\n"
    "password sufficient pam_unix.so md5 shadow nullok\n",
    "pam:/etc/pam.d/password-auth": "auth required pam_tally2.so deny=10 unlock_time=60\n"
    "auth sufficient pam_unix.so nullok try_first_pass\n",
    "pam:/etc/pam.d/su": "auth sufficient pam_rootok.so\nauth include system-auth\n",
    "accounts.passwd": "root:shadow:0:0:/bin/bash\ntoor:shadow:0:0:/bin/sh\n"
    "guest:empty:500:500:/bin/bash\nftp:shadow:14:50:/sbin/nologin\nbob:shadow:501:501:\n",
    "accounts.shadow": "root:set-1:17000:0:99999:7::\ntoor:set-des:16000:0:99999:7::\n"
    "guest:empty:16000:0:99999:7::\nftp:locked:16000:0:99999:7::\nbob:set-6:17000:0::::\nx\n",
    "accounts.lastlog": "Benutzername     Port     Von              Letzter\n",
    "audit.status": "AUDIT_STATUS: enabled=0 flag=1 pid=0 rate_limit=0 backlog_limit=320 lost=0\n",
    "audit.rules": "LIST_RULES: exit,always watch=/etc/passwd perm=wa key=identity\nNo rules\n",
    "syslog:/etc/rsyslog.conf": "*.info /var/log/messages\n*.* @@192.168.7.9:514\n",
    "services": "auditd \t0:off\t1:off\t2:on\nrsyslog \t0:off\t1:off\t2:on\n",
    "processes": "sshd\nxinetd\n",
    "time.ntpq": "     remote           refid      st t when poll reach   delay   offset  jitter\n"
    "==============================================================================\n"
    "*192.168.7.1     10.0.0.1         3 u   33   64  377    0.512   -7.413   1.020\n",
    "fw.iptables": "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n"
    "[5:300] -A INPUT -m state --state RELATED,ESTABLISHED -j ACCEPT\n"
    "[0:0] -A INPUT -s 192.168.7.0/24 -p tcp -m multiport --dports 22,8000:8010 -j ACCEPT\n"
    "[0:0] -A INPUT -s 192.168.7.0/24 -p tcp -m multiport --dports 22,8000:8010 -j ACCEPT\n"
    "[9:540] -A INPUT -j ACCEPT\n[0:0] -A INPUT -p tcp --dport 3306 -j DROP\nCOMMIT\n",
    "fw.ip6tables": "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD DROP [0:0]\nCOMMIT\n",
    "net.sockets": "Active Internet connections (only servers)\n"
    "Proto Recv-Q Send-Q Local Address               Foreign Address  State   PID/Program name\n"
    "tcp        0      0 0.0.0.0:21                  0.0.0.0:*        LISTEN  700/vsftpd\n"
    "tcp        0      0 :::23                       :::*             LISTEN  701/xinetd\n"
    "tcp        0      0 127.0.0.1:25                0.0.0.0:*        LISTEN  702/master\n"
    "udp        0      0 0.0.0.0:2049                0.0.0.0:*                -\n",
    "packages.rpm": "telnet-server\t0.17-48.el6\tx86_64\t1500000000\n"
    "vsftpd\t2.2.2-24.el6\tx86_64\t1500000000\n",
}
