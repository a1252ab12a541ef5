#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Installs what is missing on Debian 12 or Ubuntu, with apt, by sudo when not root.
#
#   ci/deps.sh [GROUP...]      build (default), demo, test, vm, lint, fuzz, bench
#   ci/deps.sh --list GROUP... prints the packages and installs nothing
#
# Says what it installs, and nothing when nothing is missing: then it only asks dpkg, once.
# Elsewhere than on Debian and its kin it names what is needed and lets the build go on.
set -euo pipefail
# shellcheck source=ci/as-root.sh
. "$(dirname "$0")/as-root.sh"

packages_of() {
    case $1 in
    build)
        echo gcc libc6-dev make pkg-config
        echo liblzma-dev libarchive-dev nettle-dev zlib1g-dev libzstd-dev libbz2-dev libseccomp-dev
        echo libsystemd-dev libjson-c-dev libslirp-dev libmnl-dev
        ;;
    demo) echo uidmap mmdebstrap xz-utils debian-archive-keyring ca-certificates ;;
    test)
        packages_of demo
        echo automake iproute2 procps strace util-linux libcap2-bin attr acl tar gzip bzip2 zstd
        echo curl git iputils-ping bind9-dnsutils dropbear-bin iperf3
        echo python3 python3-yaml jq shellcheck libarchive-tools zsh fish mandoc
        ;;
    lint)
        echo clang-tidy-14 clang-format-14 cppcheck shellcheck python3-yaml
        # any npm will do; Debian's brings much with it
        command -v npm >/dev/null || echo npm
        ;;
    fuzz) echo clang-14 libclang-rt-14-dev ;;
    vm)
        packages_of demo
        echo qemu-system-x86 cpio kmod e2fsprogs file xz-utils zstd
        ;;
    vm-root) # what the test machine's own root has: its systemd, what the programs link, what tests call
        echo systemd systemd-sysv udev dbus dbus-user-session libpam-systemd kmod uidmap procps
        echo libarchive13 liblzma5 libnettle8 zlib1g libzstd1 libbz2-1.0 libseccomp2 libslirp0 libmnl0
        echo automake iproute2 util-linux strace libcap2-bin attr acl tar gzip bzip2 xz-utils zstd
        echo python3-minimal libpython3-stdlib jq ca-certificates sudo
        ;;
    bench) echo bubblewrap crun jq uidmap util-linux python3 procps slirp4netns passt ;;
    *)
        echo "deps: no group is called $1 (build demo test vm vm-root lint fuzz bench)" >&2
        return 2
        ;;
    esac
}

missing_of() {
    # dpkg-query exits 1 for a package it has never heard of, and still answers for the others
    local have
    have=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null |
        sed -n 's/^installed //p') || true
    printf '%s\n' "$@" | grep -vxF "${have:-none}" || true
}

install_missing() {
    local missing
    mapfile -t missing < <(missing_of "$@")
    [ ${#missing[@]} -gt 0 ] || return 0
    echo "deps: installing ${missing[*]}" >&2
    local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -y -q -o DPkg::Lock::Timeout=300
        -o APT::Install-Recommends=false)
    # The lists of a fresh image are missing, those of an old one name files that are gone.
    if ! as_root "${apt[@]}" install "${missing[@]}" </dev/null >/dev/null 2>&1; then
        as_root "${apt[@]}" update </dev/null >/dev/null || return
        as_root "${apt[@]}" install "${missing[@]}" </dev/null >/dev/null || return
    fi
}

# udev makes /dev/net/tun 0666; a machine without udev has it 0600, or not at all.
open_tun() {
    local tun=/dev/net/tun
    if [ -c $tun ] && [ "$(stat -c %a $tun)" != 666 ]; then
        if [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; then
            as_root chmod 0666 $tun 2>/dev/null && echo "deps: made $tun 0666, as udev does" >&2
        else
            echo "deps: $tun is not 0666; as root: chmod 0666 $tun" >&2
        fi
    elif [ ! -e $tun ] && [ "$(id -u)" = 0 ]; then
        mkdir -p /dev/net && mknod -m 0666 $tun c 10 200 2>/dev/null &&
            echo "deps: made $tun, as udev does" >&2
    fi
    return 0
}

[ "${1:-}" != --list ] || {
    shift
    for group in "$@"; do
        packages_of "$group"
    done | tr ' ' '\n' | sort -u
    exit 0
}
[ $# -gt 0 ] || set -- build
packages=()
runs=0
for group in "$@"; do
    list=$(packages_of "$group")
    # shellcheck disable=SC2206 # words are wanted
    packages+=($list)
    case $group in demo | test | bench) runs=1 ;; esac
done

if command -v apt-get >/dev/null && command -v dpkg-query >/dev/null; then
    install_missing "${packages[@]}" || {
        echo "deps: apt could not install what is missing" >&2
        exit 1
    }
else
    echo "deps: no apt here; needed, by their names in Debian: ${packages[*]}" >&2
fi
if [ "$runs" = 1 ]; then
    open_tun
    "$(dirname "$0")/enable-userns.sh"
fi
