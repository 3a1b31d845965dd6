#!/bin/sh
# Runs a container engine until standard input ends, which it does when the test ends, however that
# comes about; then nothing is left of it. Started in namespaces of its own: no process outlives
# this one, no mount is seen outside, and there is no network.
#
#     engine.sh FOLDER DOCKERD
#
# The socket is FOLDER/docker.sock; images and containers are in memory.
folder=$1
dockerd=$2
name=${folder##*/}
mkdir "$folder/data"
mount -t tmpfs none "$folder/data"
# The machine's own engine, should there be one, has its sockets and its state here.
mount -t tmpfs none /run
# Nor are its settings meant.
echo '{}' >"$folder/data/settings.json"

"$dockerd" --host "unix://$folder/docker.sock" --pidfile "$folder/data/pid" \
    --data-root "$folder/data/root" --exec-root "$folder/data/exec" \
    --config-file "$folder/data/settings.json" --storage-driver vfs \
    --cgroup-parent "/$name" --exec-opt native.cgroupdriver=cgroupfs \
    --bridge none --iptables=false --ip-forward=false --ip-masq=false </dev/null &
daemon=$!

exec 3<&0
{
    cat >/dev/null
    kill "$daemon"
} <&3 &
wait "$daemon"
find /sys/fs/cgroup -depth -type d -path "*/$name*" -exec rmdir {} + 2>/dev/null
umount "$folder/data"
rm -r "$folder"
