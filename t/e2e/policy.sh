#!/usr/bin/env bash
# Who may pass and who may not: Squid's ACLs know subnets, users and groups, and choose the mode by the service's URL.  A lab that may
# pass, servers that may not, through a real Squid with logins.  TAP.
. "${top_srcdir:-.}/t/e2e/tap.sh"

helpers=/usr/lib/squid
[ -x $helpers/basic_ncsa_auth ] && [ -x $helpers/ext_unix_group_acl ] || skip_all "Squid's helpers for logins are missing"
bad=http://www.bad-host.test
LAB_HERE="good.firebreak.test files.firebreak.test www.bad-host.test"
e2e_init policy
# Two users that every system has, of two groups.
for user in daemon bin; do echo "$user:$(openssl passwd -apr1 "secret of $user")"; done | lab_write "$LAB_LIVE/passwords"
LAB_SQUID_PORTS="auth_param basic program $helpers/basic_ncsa_auth $LAB_LIVE/passwords
auth_param basic children 2
external_acl_type groups ttl=60 children-max=2 %LOGIN $helpers/ext_unix_group_acl -p
acl login proxy_auth REQUIRED
acl subnet_lab src 127.0.2.0/24
acl subnet_servers src 127.0.3.0/24
acl user_lab external groups daemon
http_access allow subnet_lab
http_access allow subnet_servers
acl ready urlpath_regex ^/ready$
http_access allow ready
http_access deny !login"
LAB_SQUID_EXEMPT="icap_service fb_req_lab  reqmod_precache  icap://127.0.0.1:@ICAP_PORT@/firebreak?mode=observe bypass=off on-overload=wait
icap_service fb_resp_lab respmod_precache icap://127.0.0.1:@ICAP_PORT@/firebreak?mode=observe bypass=off on-overload=wait
adaptation_access fb_req_lab  allow subnet_lab
adaptation_access fb_resp_lab allow subnet_lab
adaptation_access fb_req_lab  allow user_lab !subnet_servers
adaptation_access fb_resp_lab allow user_lab !subnet_servers"
e2e_rules "block host .bad-host.test id=host" "block file 20000:md5:$(body_md5 20000 7) id=file"
e2e_publish >/dev/null
e2e_start
file="http://files.firebreak.test:$LAB_ORIGIN_PORT/bytes?n=20000&seed=7"
from() { fetch "$2" --interface "$1" "${@:3}"; }	# from ADDRESS URL [CURL-ARGUMENT...]
as() { fetch "$2" -U "$1:secret of $1" "${@:3}"; }	# as USER URL [CURL-ARGUMENT...]
last() { event '.event.action, .client.ip, .user.name, .firebreak.mode'; }

is "$(from 127.0.2.9 "$bad:$LAB_ORIGIN_PORT/bytes?n=10&seed=1")" "200 10 0" "subnet: the lab passes to a listed host"
is "$(last)" "would_block 127.0.2.9  observe" "subnet: and it is an event"
is "$(from 127.0.2.9 "$file&who=lab")" "200 20000 0" "subnet: a listed file as well"
like "$(from 127.0.3.9 "$bad/")" "403 * 0" "subnet: servers do not"
is "$(last)" "blocked 127.0.3.9  " "subnet: and that is one, too"
like "$(from 127.0.3.9 "$file&who=server")" "403 * 0" "subnet: nor do they get the file"
like "$(fetch "$bad/")" "407 * 0" "others have to log in"
is "$(as daemon "$bad:$LAB_ORIGIN_PORT/bytes?n=10&seed=1")" "200 10 0" "group: a user of the lab's passes"
is "$(last)" "would_block 127.0.0.1 daemon observe" "group: and the event has his name"
like "$(as bin "$bad/")" "403 * 0" "group: a user of another one does not"
is "$(last)" "blocked 127.0.0.1 bin " "group: and the event has his"
is "$(as bin "http://good.firebreak.test:$LAB_ORIGIN_PORT/bytes?n=10&seed=1")" "200 10 0" "what is not listed everybody gets"
# By rule and user: an exception of one rule only.
like "$(firebreak exception add 1:local:host --user bin --for 1h --reason "ticket 4711" 2>&1)" "*live*" "user: an exception for one rule"
is "$(as bin "$bad:$LAB_ORIGIN_PORT/bytes?n=10&seed=1")" "200 10 0" "user: passes to that host"
like "$(as bin "$file&who=bin")" "403 * 0" "user: and still does not get the file"
# The panic switch goes over all of it, and an argument that is not known weakens nothing.
firebreak mode off --reason test >/dev/null
is "$(from 127.0.3.9 "$bad:$LAB_ORIGIN_PORT/bytes?n=10&seed=1")" "200 10 0" "switched off, servers pass, too"
firebreak mode enforce --reason test >/dev/null
like "$(from 127.0.3.9 "$bad/")" "403 * 0" "switched on, they do not"
e2e_done
