#!/usr/bin/env bash
# Starts a real S3 on loopback: one Ceph monitor, manager, OSD and gateway (Debian: ceph-mon ceph-mgr ceph-osd
# ceph-common ceph-base radosgw). It holds everything in memory, up to 2 GiB.
# Usage: up.sh DIRECTORY [PORT] [MONITOR_PORT]; the directory must be empty or absent. Prints the endpoint when it answers.
# Access key AKTEST, secret key SKTEST, region us-east-1, path style.
set -euo pipefail
directory=$(mkdir -p "$1" && cd "$1" && pwd)
port=${2:-7480}
monitor=127.0.0.1:${3:-6789}
if [ -n "$(ls -A "$directory")" ]; then echo "up.sh: $directory is not empty" >&2; exit 1; fi
mkdir -p "$directory"/{mon,mgr,osd,rgw,run,log}
cd "$directory"
# Whatever fails leaves no process behind.
trap '[ $? = 0 ] || "$OLDPWD"/"$(dirname "$0")"/down.sh "$directory" 2>/dev/null || true' EXIT
trap 'echo "up.sh: line $LINENO failed: $BASH_COMMAND" >&2' ERR
fsid=$(cat /proc/sys/kernel/random/uuid)
cat > ceph.conf <<CONF
[global]
fsid = $fsid
mon host = [v1:$monitor]
mon initial members = a
ms bind ipv6 = false
public addr = 127.0.0.1
public network = 127.0.0.0/8
# Everything listens on loopback only.
auth cluster required = none
auth service required = none
auth client required = none
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd crush chooseleaf type = 0
mon allow pool size one = true
mon warn on pool no redundancy = false
mon max pg per osd = 1000
osd objectstore = memstore
memstore device bytes = 2147483648
osd memory target = 939524096
osd max object name len = 256
osd max object namespace len = 64
run dir = $directory/run
admin socket = $directory/run/\$name.asok
pid file = $directory/run/\$name.pid
log file = $directory/log/\$name.log
log to stderr = false
mon data = $directory/mon
mgr data = $directory/mgr
mgr initial modules =
osd data = $directory/osd
rgw data = $directory/rgw
rgw frontends = beast endpoint=127.0.0.1:$port
rgw dns name = localhost
rgw thread pool size = 32
CONF
export CEPH_CONF=$directory/ceph.conf CEPH_ARGS="-c $directory/ceph.conf"
osd_id=$(cat /proc/sys/kernel/random/uuid)
monmaptool --create --addv a "[v1:$monitor]" --fsid "$fsid" monmap >/dev/null
ceph-mon --mkfs -i a --monmap monmap
ceph-mon -i a
ceph-mgr -i x
timeout 30 ceph osd new "$osd_id" >/dev/null
ceph-osd -i 0 --mkfs --osd-uuid "$osd_id" 2>/dev/null
ceph osd crush add osd.0 1.0 root=default host=h >/dev/null 2>&1
# Now and then it asks the monitor before it knows the cluster's id, and is refused.
for attempt in 1 2 3; do ceph-osd -i 0 2>osd.err && break; [ "$attempt" = 3 ] && { cat osd.err >&2; exit 1; }; sleep 1; done
for _ in $(seq 150); do ceph osd stat 2>/dev/null | grep -q '1 up' && break; sleep 0.2; done
timeout 60 radosgw -n client.rgw
for _ in $(seq 300); do curl -s -o /dev/null "127.0.0.1:$port" && break; sleep 0.2; done
curl -s -o /dev/null "127.0.0.1:$port"
radosgw-admin user create --uid=test --display-name=test --access-key=AKTEST --secret-key=SKTEST >/dev/null
echo "http://127.0.0.1:$port"
