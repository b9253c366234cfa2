# Run in a mount and a process namespace of its own: TREE CHECKOUT REPOSITORY DIR COMMAND...
# Mounts into TREE what a system needs, the checkout and its git repository, and runs COMMAND there in DIR.
# shellcheck shell=bash
set -euo pipefail

tree=$1 checkout=$2 repository=$3 dir=$4
shift 4

mount --bind "$tree" "$tree"
mount -t proc proc "$tree/proc"
mount --rbind /sys "$tree/sys"
mount --rbind /dev "$tree/dev"
mkdir -p "$tree$HOME"
for shared in "$checkout" "$repository"; do
    mkdir -p "$tree$shared"
    mount --bind "$shared" "$tree$shared"
done

# Not chroot: it becomes the namespace's root, so that what runs inside can make mount namespaces and enter them.
cd "$tree"
pivot_root . .
umount -l .

# shellcheck disable=SC2016 # expanded inside
exec /usr/bin/env -i \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME="$HOME" LANG=C.UTF-8 CI=true \
    GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory 'GIT_CONFIG_VALUE_0=*' \
    bash -c 'cd "$1" && shift && exec "$@"' bash "$dir" "$@"
